package inbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/qredo-go/qredo"
)

// How many wallets, and how many entries of each, are read from the store at once.
const (
	handWallets = 64
	handEach    = 16
)

// handover hands over a source's entries while this program has its lease: several wallets at the same time, each
// wallet's entries in order. A slow wallet blocks neither the others nor the looks at the source.
type handover struct {
	*running
	source string
	woken  chan struct{} // signals that there is something else to do, or to wait for

	reading sync.Mutex // held while entries are read from the store

	mu     sync.Mutex
	paused bool      // the store may lack earlier entries
	stale  bool      // there may be entries that were not seen yet
	due    time.Time // when the next failed one is to be tried; zero if none has failed
	turns  map[qredo.WalletID]*turn
}

// turn is the turn of a wallet, some of whose entries are handed over.
type turn struct {
	ended bool
	again bool // there may be more of them
}

func newHandover(r *running, source string) *handover {
	return &handover{running: r, source: source, woken: make(chan struct{}, 1), paused: true, turns: map[qredo.WalletID]*turn{}}
}

// pause stops reading from the store until resume. What was read before continues.
func (h *handover) pause() {
	h.mu.Lock()
	h.paused = true
	h.mu.Unlock()
	h.reading.Lock()   // what has not noticed the pause yet
	h.reading.Unlock() //nolint:staticcheck // it was waited for
}

// resume has everything looked through again.
func (h *handover) resume() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.paused, h.stale = false, true
	h.wake()
}

func (h *handover) wake() {
	select {
	case h.woken <- struct{}{}:
	default: // it was already woken
	}
}

// run hands over until ctx ends, and waits for handovers in progress.
func (h *handover) run(ctx context.Context, lose context.CancelCauseFunc) {
	var wallets sync.WaitGroup
	defer wallets.Wait()
	for ctx.Err() == nil {
		pause, walk := h.next()
		if !walk {
			timer := time.NewTimer(pause)
			select {
			case <-ctx.Done():
			case <-h.woken:
			case <-timer.C:
			}
			timer.Stop()
			continue
		}
		switch err := h.walk(ctx, &wallets); {
		case err == nil, ctx.Err() != nil:
		case errors.Is(err, ErrClosed):
			lose(err)
		default:
			h.log.Warn("inbox: reading entries from the store failed", "source", h.source, "error", err)
			h.mu.Lock()
			h.come(h.now().Add(h.pauses.Min))
			h.mu.Unlock()
		}
	}
}

// next says whether to look through the store now, and otherwise when.
func (h *handover) next() (pause time.Duration, walk bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	const long = time.Hour // it will be woken
	now := h.now()
	switch {
	case h.paused:
		return long, false
	case h.stale, !h.due.IsZero() && !h.due.After(now):
		h.stale, h.due = false, time.Time{}
		return 0, true
	case h.due.IsZero():
		return long, false
	}
	return max(h.due.Sub(now), time.Millisecond), false
}

// come records when to come back; zero means never.
func (h *handover) come(at time.Time) {
	if !at.IsZero() && (h.due.IsZero() || at.Before(h.due)) {
		h.due = at
	}
}

// walk starts a turn for each wallet that has something to hand over, as soon as there is a slot.
func (h *handover) walk(ctx context.Context, wallets *sync.WaitGroup) error {
	for from := qredo.WalletID(""); ; {
		list, err := h.read(ctx, from)
		if err != nil || len(list) == 0 {
			return err
		}
		for len(list) > 0 {
			n := 1
			for n < len(list) && list[n].Movement.Wallet == list[0].Movement.Wallet {
				n++
			}
			if err := h.begin(ctx, wallets, list[:n]); err != nil {
				return err
			}
			from = list[0].Movement.Wallet + "\x00" // the next wallet
			list = list[n:]
		}
	}
}

func (h *handover) read(ctx context.Context, from qredo.WalletID) ([]Entry, error) {
	h.reading.Lock()
	defer h.reading.Unlock()
	h.mu.Lock()
	paused := h.paused
	for wallet, t := range h.turns {
		if t.ended {
			delete(h.turns, wallet) // what is read now is as the turn left it
		}
	}
	h.mu.Unlock()
	if paused {
		return nil, nil // resume has all wallets looked through
	}
	return h.records.Next(ctx, h.source, from, handWallets, handEach)
}

// begin starts the turn of a wallet, with its first entries.
func (h *handover) begin(ctx context.Context, wallets *sync.WaitGroup, list []Entry) error {
	wallet := list[0].Movement.Wallet
	if !h.free(wallet, list[0]) {
		return nil
	}
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	t := &turn{}
	h.mu.Lock()
	h.turns[wallet] = t
	h.mu.Unlock()
	wallets.Go(func() {
		due, more := h.handWallet(ctx, list)
		<-h.slots
		h.mu.Lock()
		defer h.mu.Unlock()
		t.ended = true
		h.stale = h.stale || more || t.again
		h.come(due)
		h.wake()
	})
	return nil
}

// free reports whether a wallet's turn may begin. Otherwise it records when it may.
func (h *handover) free(wallet qredo.WalletID, first Entry) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t := h.turns[wallet]; t != nil {
		t.again = true
		h.stale = h.stale || t.ended // since first was read
		return false
	}
	if h.putOff(first) {
		h.come(first.Due)
		return false
	}
	return true
}

// handWallet hands over entries of one wallet until one has to wait. It returns when that one is due, or whether there
// may be more.
func (h *handover) handWallet(ctx context.Context, list []Entry) (due time.Time, more bool) {
	for _, e := range list {
		due, next := h.handOne(ctx, e)
		if !next || ctx.Err() != nil {
			return due, false
		}
	}
	return time.Time{}, len(list) == handEach
}
