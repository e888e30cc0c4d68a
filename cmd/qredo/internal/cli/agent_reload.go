package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"

	"github.com/qredo-go/qredo/approver"
)

// reloads keeps what signals have asked for, and carries it out. Signals are caught from the program's start, even before
// there is an approver. No signal displaces another, and the next one is taken while a load is still running.
type reloads struct {
	again, brake, live chan os.Signal // reload the policy, enter shadow, leave shadow: one channel each, since a full one already holds the request
	done               chan struct{}
	loads              chan struct{} // something needs to be loaded
	group              sync.WaitGroup
	stop               func() // waits for work under way; may be called twice

	mu     sync.Mutex
	shadow bool   // in force, or asked for
	brakes int    // how often it was asked for
	toLive bool   // the end of shadow was asked for, but not tried yet
	ending bool   // it is being tried, and shadow has not been asked for since
	enter  func() // enters shadow at once; nil until there is an approver
}

// errShadowWanted is why a policy that was loaded to vote by does not take effect.
var errShadowWanted = errors.New("shadow was asked for meanwhile")

// catchReloads catches the signals until stop is called.
func catchReloads() *reloads {
	channel := func() chan os.Signal { return make(chan os.Signal, 1) }
	r := &reloads{again: channel(), brake: channel(), live: channel(), done: make(chan struct{}), loads: make(chan struct{}, 1)}
	r.stop = sync.OnceFunc(func() {
		for _, c := range []chan os.Signal{r.again, r.brake, r.live} {
			signal.Stop(c)
		}
		close(r.done)
		r.group.Wait()
	})
	r.notify()
	r.group.Go(r.listen)
	return r
}

func (r *reloads) listen() {
	for {
		select {
		case <-r.done:
			return
		case <-r.brake:
			r.ask(true, false)
		case <-r.again:
			r.ask(false, false)
		case <-r.live:
			r.ask(false, true)
		}
	}
}

// ask takes what the signals ask for. Signals that come at the same time have no order: shadow wins then.
func (r *reloads) ask(shadow, live bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	both := r.brake
	if shadow {
		both = r.live
	}
	if shadow || live {
		select {
		case <-both:
			shadow, live = true, false
		default:
		}
	}
	if shadow {
		needed := !r.shadow || r.ending
		r.shadow, r.toLive, r.ending = true, false, false
		r.brakes++
		if r.enter != nil && needed {
			r.group.Go(func() { // it waits for loads under way; the next signal does not
				r.enter()
				r.wantLoad()
			})
			return
		}
	}
	r.toLive = r.toLive || live
	r.wantLoad()
}

func (r *reloads) wantLoad() {
	select {
	case r.loads <- struct{}{}:
	default: // already known
	}
}

// begin carries out what is asked for from now on, and what was asked for before. enter goes into shadow at once. reload
// puts what it loads into force, unless wanted returns an error by then. Both report their errors themselves.
func (r *reloads) begin(shadow bool, enter func(), reload func(shadow bool, wanted func() error) error) {
	r.mu.Lock()
	asked := r.shadow && !shadow
	r.shadow, r.enter = r.shadow || shadow, enter
	r.mu.Unlock()
	if asked {
		enter()
	}
	r.group.Go(func() {
		for {
			select {
			case <-r.done:
				return
			case <-r.loads:
				r.load(reload)
			}
		}
	})
}

// steer has an approver do what is asked for until end is called, which must come before anything that the approver uses
// is closed. load reads its policy, and say is told what is in force, with an error if that could not be written down.
func (r *reloads) steer(ctx context.Context, run *approver.Approver, shadow bool, load func(ctx context.Context, shadow bool) (approver.Policy, error),
	say func(text string, err error),
) (end func()) {
	loading, ended := context.WithCancel(ctx)
	r.begin(shadow, func() { say("in shadow", run.Shadow()) }, func(shadow bool, wanted func() error) error {
		err := run.Reload(shadow, func() (approver.Policy, error) {
			policy, err := load(loading, shadow)
			if err == nil {
				err = wanted()
			}
			if err != nil {
				return nil, err
			}
			return policy, nil
		})
		switch {
		case err != nil: // the approver has reported it
		case shadow:
			say("read anew, in shadow", nil)
		default:
			say("read anew", nil)
		}
		return err
	})
	return func() {
		ended()
		r.stop()
	}
}

func (r *reloads) load(reload func(shadow bool, wanted func() error) error) {
	r.mu.Lock()
	shadow, brakes := r.shadow && !r.toLive, r.brakes
	r.toLive, r.ending = false, !shadow
	r.mu.Unlock()
	braked := func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.brakes != brakes }
	err := reload(shadow, func() error {
		if !shadow && braked() {
			return errShadowWanted
		}
		return nil
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ending = false
	if err == nil && r.brakes == brakes {
		r.shadow = shadow
	}
}
