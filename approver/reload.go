package approver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/qredo-go/qredo"
)

// setup is what is in force: it changes as a whole.
type setup struct {
	policy      Policy
	policyHash  string
	pins        *Pins // nil if nothing is pinned
	shadow      bool
	store       Store
	coordinator Coordinator // nil if there is none

	underWay *sync.WaitGroup // what is being stored or sent by it
}

// setUp makes what is to be in force.
func (a *Approver) setUp(policy Policy, shadow bool) (s setup, err error) {
	if _, needsNone := policy.(interface{ NeedsNoDetails() }); !a.givesDetails() {
		if !needsNone {
			return s, check(false, "policy", "must need no details (see Policy), since the voter gives none")
		}
		if a.pins.path != "" {
			return s, check(false, "pins", "need details, and the voter gives none")
		}
	}
	s = setup{policy: policy, shadow: shadow, store: a.store, coordinator: a.coordinator, underWay: new(sync.WaitGroup)}
	if hashed, ok := policy.(interface{ Hash() string }); ok {
		s.policyHash = hashed.Hash()
	}
	if shadow {
		s.enterShadow(a.now)
	}
	if a.pins.path != "" {
		var opts []FileOption
		if a.insecure {
			opts = append(opts, WithInsecureFiles())
		}
		s.pins, err = LoadPins(a.pins.path, a.pins.key, opts...)
	}
	return s, err
}

// enterShadow has nothing sent, and limits counted anew.
func (s *setup) enterShadow(now func() time.Time) {
	s.shadow, s.store, s.coordinator = true, NewMemoryStore(WithClock(now)), nil
}

func (a *Approver) current() setup {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.inForce
}

// errReloaded says that something else has been put in force meanwhile.
var errReloaded = errors.New("something else is in force by now")

// while does something by what is in force, and Reload waits for it. If something else is in force by now, it does nothing
// and returns errReloaded.
func (a *Approver) while(in setup, do func() error) error {
	a.mu.Lock()
	reloaded := a.inForce.underWay != in.underWay
	if !reloaded {
		in.underWay.Add(1)
	}
	a.mu.Unlock()
	if reloaded {
		return errReloaded
	}
	defer in.underWay.Done()
	return do()
}

// Reload puts into force what load returns, such as a rule file that is read again, and reads the pins again, while
// [Approver.Run] continues. If something does not load, Reload returns the error, and nothing changes. Either way there is a
// line of kind [EntryReload] in the audit log.
//
// Once Reload has returned, nothing is decided by the old policy, and no vote is sent on the old pins: Reload waits for what is
// currently being stored or sent, and whatever the old policy was still deciding is decided again. A line about such a decision
// may come after that of Reload. Stored decisions stand, and are carried out if the new pins allow it: to hold them back too,
// reload into shadow.
//
// With shadow, as with [WithShadow], nothing is sent any more once Reload has returned. Without it, whatever is still pending
// is decided and carried out, including what was looked at in shadow, or decided earlier and not sent.
//
// Reload waits for load, and calls wait for each other: if you cannot wait, use [Approver.Shadow]. If that is called meanwhile,
// Reload returns an error and does not end the shadow.
func (a *Approver) Reload(shadow bool, load func() (Policy, error)) error {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	braked := a.braked.Load()
	next, err := a.prepare(shadow, load)
	if err == nil && !shadow && a.braked.Load() != braked {
		err = errBraked
	}
	if err != nil {
		return a.notReloaded(err)
	}
	a.warn(next.policy)
	a.warnOfLimits(a.current().policy, next.policy)
	mode := "live"
	if shadow {
		mode = "shadow"
	}
	if err := a.note(Entry{Kind: EntryReload, PolicyHash: next.policyHash, PinsHash: next.pins.Hash(), Reason: "in force from here on: " + mode}, true); err != nil {
		return err
	}
	a.mu.Lock()
	if !shadow && a.braked.Load() != braked { // while that line was written
		a.mu.Unlock()
		return a.notReloaded(errBraked)
	}
	a.replace(next)
	a.mu.Unlock()
	a.settle()
	return nil
}

// notReloaded tells that nothing else was put in force.
func (a *Approver) notReloaded(why error) error {
	a.log.Error("approver: not reloaded, what was in force stays so", "error", why)
	return errors.Join(fmt.Errorf("approver: not reloaded, what was in force stays so: %w", why),
		a.note(Entry{Kind: EntryReload, Reason: "not reloaded, what was in force stays so: " + why.Error()}, true))
}

// errBraked says that somebody has asked for shadow while it was to be ended.
var errBraked = errors.New("shadow was asked for meanwhile")

// Shadow goes into shadow at once, as with [WithShadow]: it loads nothing, asks nobody, and does not wait for an
// [Approver.Reload] in progress, which will not end the shadow. The policy and the pins in force stay. Only a Reload without
// shadow, called afterwards, ends it.
//
// Nothing decided from then on is sent. Once Shadow has returned, nothing is sent any more at all: it waits for what is
// currently being stored or sent. There is a line of kind [EntryReload] in the audit log, which may come after some of kind
// [EntryShadow]. If the line cannot be written, Shadow returns the error, but the shadow is in force anyway. If the approver is
// already in shadow, it only waits.
func (a *Approver) Shadow() error {
	a.mu.Lock()
	a.braked.Add(1)
	next, already := a.inForce, a.inForce.shadow
	if !already {
		next.enterShadow(a.now)
		next.underWay = new(sync.WaitGroup)
		a.replace(next)
	}
	a.mu.Unlock()
	var err error
	if !already {
		err = a.note(Entry{Kind: EntryReload, PolicyHash: next.policyHash, PinsHash: next.pins.Hash(), Reason: "in force from here on: shadow"}, true)
	}
	a.settle()
	return err
}

// replace puts something else in force; a.mu is held.
func (a *Approver) replace(next setup) {
	a.ended = append(a.ended, a.inForce.underWay)
	a.inForce = next
}

// settle waits for what is being stored or sent by what is not in force any more, whoever has replaced it.
func (a *Approver) settle() {
	a.parked.signal()
	a.mu.Lock()
	ended := slices.Clone(a.ended)
	a.mu.Unlock()
	for _, underWay := range ended {
		underWay.Wait()
	}
	a.mu.Lock()
	a.ended = slices.DeleteFunc(a.ended, func(underWay *sync.WaitGroup) bool { return slices.Contains(ended, underWay) })
	a.mu.Unlock()
}

// prepare makes what load returns ready. What it returns may be wrong in any way: nothing of that ends the program.
func (a *Approver) prepare(shadow bool, load func() (Policy, error)) (next setup, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	policy, err := load()
	if err == nil && !given(policy) {
		err = check(false, "policy", "must not be nil")
	}
	if err == nil {
		next, err = a.setUp(policy, shadow)
	}
	if err == nil && !shadow && a.current().shadow { // the store was not asked for yet
		ctx, cancel := context.WithTimeout(context.Background(), a.timeout)
		defer cancel()
		err = a.checkEpoch(ctx)
	}
	return next, err
}

// warn tells of rules that may not do what they seem to.
func (a *Approver) warn(policy Policy) {
	if rules, ok := policy.(interface{ Warnings() []string }); ok {
		for _, warning := range rules.Warnings() {
			a.log.Warn("approver: a rule may not do what it seems to", "warning", warning)
		}
	}
}

// warnOfLimits tells of limits that do not count what was counted before.
func (a *Approver) warnOfLimits(before, next Policy) {
	old, known := before.(*Rules)
	rules, ok := next.(*Rules)
	if !known || !ok {
		return
	}
	for _, warning := range rules.startsAnew(old) {
		a.log.Warn("approver: a limit does not count all of before", "warning", warning)
	}
}

// parked is what was not carried out in shadow, and may be later.
type parked struct {
	wake chan struct{} // something may be taken up

	mu      sync.Mutex
	until   map[qredo.ActionID]time.Time // when it expires
	sweepAt int
}

func (p *parked) signal() {
	select {
	case p.wake <- struct{}{}:
	default: // it is known
	}
}

func (r *run) park(t *task) {
	p := &r.parked
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.until == nil {
		p.until = map[qredo.ActionID]time.Time{}
	}
	p.until[t.id] = t.expires
	const few = 8192
	if len(p.until) > max(p.sweepAt, few) {
		maps.DeleteFunc(p.until, func(_ qredo.ActionID, at time.Time) bool { return r.expired(at) })
		p.sweepAt = 2 * len(p.until)
	}
	p.signal() // shadow may have ended in the meantime
}

// takeUp gives what is parked to the workers once there is no shadow any more.
func (r *run) takeUp(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.parked.wake:
		}
		if r.current().shadow {
			continue
		}
		r.parked.mu.Lock()
		waiting := r.parked.until
		r.parked.until = nil
		r.parked.mu.Unlock()
		for id, expires := range waiting {
			r.put(ctx, &task{id: id, expires: expires})
		}
	}
}
