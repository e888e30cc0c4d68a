package approver

import (
	"log/slog"
	"sync"
	"time"
)

const (
	mostUnobserved = 10_000          // entries that wait for an observer
	lastObserved   = 5 * time.Second // how long the end of a run waits for it
)

// observer is told of entries one after the other, and holds up nobody.
type observer struct {
	f   func(Entry) // nil if there is none
	log *slog.Logger

	mu      sync.Mutex
	waiting []Entry
	working chan struct{} // closed when all have been told; nil if nothing waits
	missed  int
}

func (o *observer) tell(e Entry) {
	if o.f == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) == mostUnobserved {
		if o.missed == 0 {
			o.log.Error("approver: the observer does not come after; it is not told of what the audit log has from here on", "line", e.Seq)
		}
		o.missed++
		return
	}
	o.waiting = append(o.waiting, e)
	if o.working == nil {
		o.working = make(chan struct{})
		go o.work()
	}
}

// work tells of what waits, and ends when nothing does.
func (o *observer) work() {
	done := false
	defer func() {
		if !done { // the observer has ended the goroutine
			go o.work()
		}
	}()
	for {
		o.mu.Lock()
		if len(o.waiting) == 0 {
			if o.missed > 0 {
				o.log.Error("approver: the observer is told again", "missed", o.missed)
				o.missed = 0
			}
			close(o.working)
			o.working, done = nil, true
			o.mu.Unlock()
			return
		}
		e := o.waiting[0]
		o.waiting = o.waiting[1:]
		o.mu.Unlock()
		o.call(e)
	}
}

func (o *observer) call(e Entry) {
	defer func() {
		if p := recover(); p != nil {
			o.log.Error("approver: the observer failed", "line", e.Seq, "action", e.ActionID, "error", panicked(p))
		}
	}()
	o.f(e)
}

// wait returns when all has been told, or that takes too long.
func (o *observer) wait() {
	o.mu.Lock()
	working := o.working
	o.mu.Unlock()
	if working == nil {
		return
	}
	late := time.NewTimer(lastObserved)
	defer late.Stop()
	select {
	case <-working:
	case <-late.C:
		o.log.Error("approver: the observer does not return, and is not waited for")
	}
}
