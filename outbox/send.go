package outbox

import (
	"context"
	"errors"
	"net/http"

	"github.com/qredo-go/qredo"
)

// outcome is what an attempt to send has shown.
type outcome int

const (
	made      outcome = iota // the answer names the transaction
	notMade                  // this attempt made none; a later one may
	refused                  // this attempt made none, and no later one will
	tooLate                  // the request has expired, and was not sent
	uncertain                // the attempt may have made one
)

// judge tells what an attempt has shown, for itself alone. A call is uncertain if one of the attempts that
// the client made for it is.
func judge(err error) outcome {
	var (
		invalid *qredo.ValidationError
		answer  *qredo.Error
	)
	switch {
	case err == nil:
		return made
	case errors.Is(err, qredo.ErrOutcomeUnknown):
		return uncertain
	case errors.As(err, &invalid):
		if invalid.Field == "expires" {
			return tooLate
		}
		return refused
	case !errors.As(err, &answer):
		return notMade // the client knows that it did not reach the service
	}
	switch answer.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired, http.StatusMisdirectedRequest,
		http.StatusTooEarly, http.StatusTooManyRequests: // about the key, the clock or the load, which can change
		return notMade
	}
	return refused
}

// send makes one attempt to send a pending entry. It reports false when nothing is left to store.
func (o *Outbox) send(ctx context.Context, c *Claim) bool {
	e := &c.Entry
	now := o.now()
	if e.Sending {
		e.Unknown = true
		e.step(now, StepUnknown, "a worker ended, or was too slow, while the request was on its way")
	}
	late := e.late(now)
	if late && !e.Unknown {
		o.end(e, StateExpired, "it expired before it was sent")
		return true
	}
	e.Sending = true
	e.Attempts++
	e.Updated = now
	if !o.keep(ctx, c, o.store.Save) {
		return false // nothing is sent of which no trace would be left
	}
	call, cancel := o.callContext(ctx)
	defer cancel()
	var opts []qredo.CallOption
	if late {
		opts = append(opts, qredo.WithoutExpiryCheck()) // it only finds the first
	}
	answer, err := e.Request.submit(call, o.client, opts...)
	e.Sending = false
	o.learn(e, answer, err)
	return true
}

// learn brings an entry to where the result of an attempt puts it.
func (o *Outbox) learn(e *Entry, answer *qredo.Submission, err error) {
	switch what := judge(err); {
	case what == made:
		now := o.now()
		e.State, e.Unknown, e.TxID, e.Misses = StateSent, false, qredo.TxID(storable(string(answer.TxID))), 0
		e.Sent, e.Due = now, now.Add(o.poll)
		e.step(now, StepSent, "transaction "+string(answer.TxID)+": "+string(answer.Status))
	case what == uncertain || e.Unknown:
		e.Unknown = true
		o.delay(e, StepUnknown, err.Error())
		o.log.Warn("outbox: it is unknown whether a transaction was made; asking again",
			"key", e.Key, "attempts", e.Attempts, "due", e.Due, "error", err)
	case what == refused:
		o.end(e, StateFailed, err.Error())
	case what == tooLate:
		o.end(e, StateExpired, err.Error())
	default:
		o.delay(e, StepDelayed, err.Error())
	}
}

// end brings an entry to its end and says so.
func (o *Outbox) end(e *Entry, state State, reason string) {
	e.State, e.Unknown = state, false
	e.step(o.now(), StepKind(state), reason)
	if state != StateDone {
		e.Reason = e.Steps[len(e.Steps)-1].Note
	}
	o.log.Info("outbox: an entry has ended", "key", e.Key, "state", state, "tx_id", e.TxID, "reason", e.Reason)
}

// follow looks at the transaction of an entry that is sent.
func (o *Outbox) follow(ctx context.Context, c *Claim) {
	e := &c.Entry
	call, cancel := context.WithTimeout(ctx, o.lease*3/4)
	defer cancel()
	tx, err := e.Request.look(call, o.client, e.TxID)
	if err != nil {
		if ctx.Err() == nil {
			o.delay(e, StepDelayed, err.Error())
		}
		return
	}
	now := o.now()
	e.Misses = 0
	e.Due = now.Add(min(max(now.Sub(e.Sent)/8, o.poll), 60*o.poll))
	if status := qredo.TxStatus(storable(string(tx.Status))); status != e.TxStatus {
		e.TxStatus = status
		e.step(now, StepStatus, string(status))
	}
	switch {
	case tx.Status.Done():
		o.end(e, StateDone, "")
	case tx.Status == qredo.TxExpired:
		o.end(e, StateExpired, "not approved in time")
	case tx.Status.Failed():
		o.end(e, StateRejected, string(tx.Status))
	}
}

// Resolve is for a person who has found out how an unknown outcome was, in the app or in the fund's ledger.
// With a transaction's ID, that is the one that was made, and it is followed. Without, none was made, and
// the entry has failed: that can be said only once the request has expired, because until then it can
// still be carried out. The note is kept with the entry: who says so, and why.
//
// An entry whose outcome is not unknown is a [*qredo.ValidationError], one that a worker has at the moment
// [ErrBusy].
func (o *Outbox) Resolve(ctx context.Context, key string, id qredo.TxID, note string) (Entry, error) {
	now := o.now()
	c, err := o.store.Take(ctx, key, now, now.Add(o.lease))
	if err != nil {
		return Entry{}, err
	}
	e := &c.Entry
	err = errors.Join(
		check(note != "", "note", "must say who found out, and how"),
		check(e.State == StatePending && (e.Unknown || e.Sending), "key", "must be of an entry whose outcome is unknown"),
		check(id != "" || e.late(now), "tx_id", "must be given: until the request expires, it can still be carried out"),
	)
	if err != nil {
		return Entry{}, errors.Join(err, o.store.Release(ctx, c))
	}
	e.step(now, StepResolved, note)
	e.Sending, e.Misses = false, 0
	if id == "" {
		o.end(e, StateFailed, "no transaction was made: "+note)
	} else {
		e.State, e.Unknown, e.TxID, e.Sent, e.Due = StateSent, false, id, now, now
	}
	e.Version++
	if err := o.store.Release(ctx, c); err != nil {
		return Entry{}, err
	}
	o.changed.send()
	o.enqueued.send()
	return *e, nil
}
