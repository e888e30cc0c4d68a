package qredotest

import (
	"context"
	"iter"
)

// Each yields the elements one after the other, as a method such as Funds.LedgerAll does: for the fields of fakes.
func Each[E any](elements ...E) iter.Seq2[E, error] { return EachThen(nil, elements...) }

// EachThen yields the elements, and then the error, such as [qredo.ErrLedgerMoved], unless it is nil.
func EachThen[E any](err error, elements ...E) iter.Seq2[E, error] {
	return func(yield func(E, error) bool) {
		for _, e := range elements {
			if !yield(e, nil) {
				return
			}
		}
		if err != nil {
			var none E
			yield(none, err)
		}
	}
}

// Feed yields the events one after the other, and then whatever arrives on the channel, until ctx ends or the channel is
// closed, like the client's feeds, which end with their context. A nil channel delivers nothing.
func Feed[E any](ctx context.Context, more <-chan E, events ...E) iter.Seq2[E, error] {
	return func(yield func(E, error) bool) {
		for _, e := range events {
			if ctx.Err() != nil || !yield(e, nil) {
				return
			}
		}
		for {
			select {
			case <-ctx.Done():
				return
			case e, open := <-more:
				if !open || !yield(e, nil) {
					return
				}
			}
		}
	}
}
