package approver

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

var errGone = errors.New("it has ended its goroutine")

// guarded calls what a program has plugged in, and waits for it until ctx ends, whether it heeds that or not: what it returns
// later is given to late, if there is one, and else counts for nothing. A panic is an error.
func guarded[T any](ctx context.Context, call func() (T, error), late func(T)) (none T, err error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		r := result{err: errGone}
		defer func() {
			if p := recover(); p != nil {
				r.err = panicked(p)
			}
			done <- r
		}()
		r.value, r.err = call()
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	select {
	case r := <-done: // just in time
		return r.value, r.err
	default:
	}
	if late != nil {
		go func() {
			defer func() { _ = recover() }() // nobody waits for it any more
			if r := <-done; r.err == nil {
				late(r.value)
			}
		}()
	}
	return none, context.Cause(ctx)
}

// panicked is a panic as an error, with the place that it came from. It is called by the deferred function that has recovered.
// Only texts and errors are shown: what other values hold, nobody has written to be read.
func panicked(p any) error {
	text := fmt.Sprintf("a value of type %T", p)
	switch v := p.(type) {
	case error:
		text = textOf(v)
	case string:
		text = v
	}
	return fmt.Errorf("panic: %s%s", clip(text, shortText), origin())
}

func textOf(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("an error of type %T, whose text panics", err)
		}
	}()
	return err.Error()
}

// origin is where a panic began.
func origin() string {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(0, callers)])
	for panicking := false; ; {
		frame, more := frames.Next()
		switch ours := !strings.HasPrefix(frame.Function, "runtime."); {
		case !ours:
			panicking = panicking || frame.Function == "runtime.gopanic"
		case panicking:
			return fmt.Sprintf(" (%s:%d)", filepath.Base(frame.File), frame.Line)
		}
		if !more {
			return ""
		}
	}
}
