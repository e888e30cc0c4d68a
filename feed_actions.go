package qredo

import (
	"context"
	"iter"
	"slices"
	"time"
)

// Feed gives the actions that a core client is asked to approve, each once: first those that are pending,
// then new ones as they come, until ctx ends. It carries no details: [CoreClientsService.GetAction] has them,
// and nothing should be decided without. After a connection was lost it connects again and fills the gap.
// An error value tells of a message that was not understood, or that the service refuses the feed; the
// feed goes on after it, for as long as the caller ranges over it.
//
// API: GET /coreclient/{client_id}/feed
func (s *CoreClientsService) Feed(ctx context.Context, id CoreClientID, opts ...FeedOption) iter.Seq2[Action, error] {
	return events(ctx, s.client, "/coreclient/{client_id}/feed", []string{string(id)}, opts, func(f *feed[Action]) {
		known := knownActions{now: s.client.clock.now}
		f.fresh = known.add
		f.fill = func(ctx context.Context) ([]Action, error) {
			open, err := s.ListActions(ctx, id)
			if err != nil {
				return nil, err
			}
			open = slices.DeleteFunc(open, func(a Action) bool { return a.Status != ApprovalPending })
			known.keep(open)
			return open, nil
		}
	})
}

// knownActions is what the consumer of a feed has: all that is pending, since the service sends that
// again and again, and of the rest the most recent.
type knownActions struct {
	now     func() time.Time
	pending map[ActionID]time.Time // until when it can be
	ended   recent[actionState]
	sweepAt int // how many pending ones are too many without a look at the clock
}

type actionState struct {
	id     ActionID
	status ApprovalStatus
}

func (k *knownActions) add(a Action) bool {
	if a.Status != ApprovalPending {
		delete(k.pending, a.ID)
		k.ended.add(actionState{a.ID, ApprovalPending})
		return k.ended.add(actionState{a.ID, a.Status})
	}
	if _, known := k.pending[a.ID]; known || k.ended.has[actionState{a.ID, ApprovalPending}] {
		return false
	}
	if k.pending == nil {
		k.pending = map[ActionID]time.Time{}
	}
	k.pending[a.ID] = a.Expires.Time
	if len(k.pending) > max(k.sweepAt, recentKeys) {
		k.forget(func(id ActionID) bool { return k.now().After(k.pending[id]) })
		k.sweepAt = 2 * len(k.pending)
	}
	return true
}

// keep forgets what is not pending any more.
func (k *knownActions) keep(open []Action) {
	still := make(map[ActionID]bool, len(open))
	for _, a := range open {
		still[a.ID] = true
	}
	k.forget(func(id ActionID) bool { return !still[id] })
}

// forget moves actions to those that have ended, of which only the most recent are kept.
func (k *knownActions) forget(ended func(ActionID) bool) {
	for id := range k.pending {
		if ended(id) {
			delete(k.pending, id)
			k.ended.add(actionState{id, ApprovalPending})
		}
	}
}
