package approver

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/qredo-go/qredo"
)

// opened is what a log knows of an action that it tells no result of yet.
type opened struct {
	At         time.Time `json:"at"`               // of its first line
	Expires    time.Time `json:"expires,omitzero"` // the action, if the line says so
	Digest     string    `json:"digest,omitzero"`
	PolicyHash string    `json:"policy_hash,omitzero"`
	Verdict    Verdict   `json:"verdict,omitzero"` // empty if it was not decided
	Rule       string    `json:"rule,omitzero"`
}

// voted reports whether a vote may have been sent.
func (o opened) voted() bool { return o.Verdict == Approve || o.Verdict == Reject }

// follow keeps which actions are open, line by line. What was only tried in shadow is not.
func (m *mark) follow(e Entry) {
	before, found := m.Open[e.ActionID]
	switch e.Kind {
	case EntrySeen, EntryDecision, EntryRepeat:
		next := opened{At: e.Time, Expires: e.Expires, Digest: e.Digest, PolicyHash: e.PolicyHash, Verdict: e.Verdict, Rule: e.Rule}
		if found {
			next.At, next.Expires = before.At, before.Expires
		}
		if m.Open == nil {
			m.Open = map[qredo.ActionID]opened{}
		}
		m.Open[e.ActionID] = next
	case EntryResult:
		delete(m.Open, e.ActionID)
	case EntryShadow:
		if before.Verdict == "" {
			delete(m.Open, e.ActionID)
		}
	default:
	}
}

// opened returns what the audit log knows of an action, if it tells no result of it.
func (a *Approver) opened(id qredo.ActionID) (o opened, found bool) {
	if a.audit == nil {
		return o, false
	}
	a.audit.mu.Lock()
	defer a.audit.mu.Unlock()
	o, found = a.audit.last.Open[id]
	return o, found
}

// openActions returns all actions that a log tells no result of.
func (l *AuditLog) openActions() map[qredo.ActionID]opened {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.last.Open)
}

// resume has the workers look at what a run before this one has left without a result: it may be pending, and then comes over the
// feed as well, from which it is not taken as long as somebody is at it.
func (r *run) resume(ctx context.Context) {
	if r.audit == nil {
		return
	}
	shadow, tasks := r.current().shadow, []*task(nil)
	for id, o := range r.audit.openActions() {
		t := &task{id: id, expires: o.Expires}
		if t.expires.IsZero() { // so that the look has an end, if the service does not show the action any more
			t.expires = o.At.Add(keepRecord)
		}
		if shadow && o.Verdict != "" { // what was decided in earnest waits for that
			r.park(t)
			continue
		}
		r.resumed.Store(id, true)
		tasks = append(tasks, t)
	}
	r.group.Go(func() {
		for _, t := range tasks {
			r.put(ctx, t)
		}
	})
}

// see notes that a run was told of an action that it has not decided, so that the next one finds out what became of it, if this one
// does not come to that.
func (r *run) see(t *task) {
	if _, found := r.opened(t.id); found || t.logged || r.audit == nil || r.current().shadow {
		return
	}
	e := Entry{Kind: EntrySeen, ActionID: t.id, Expires: t.expires}
	if e.Expires.Year() > 9999 { // which JSON does not take for a time
		e.Expires = time.Time{}
	}
	if err := r.note(e, false); err != nil {
		r.stop(err)
	}
}

// ending keeps the line that an action was seen from coming after that of its result.
type ending struct {
	mu   sync.Mutex
	over bool
}

func (e *ending) reached(write func() error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over = true
	return write()
}

func (e *ending) unlessReached(write func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.over {
		write()
	}
}

// isClaimed reports whether another replica handles an action: that one's log tells of it.
func isClaimed(err error) bool { return errors.As(err, new(*ClaimedError)) }
