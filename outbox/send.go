package outbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/path"
)

// outcome is what an attempt to send has shown.
type outcome int

const (
	made      outcome = iota // the response names the transaction
	notMade                  // this attempt made no transaction; a later one may
	refused                  // this attempt made no transaction, and no later one will
	tooLate                  // the request has expired, and was not sent
	uncertain                // the attempt may have made a transaction
)

// judge says what one attempt has shown. A call is uncertain if any of the client's attempts within it is.
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
	if passes(answer) {
		return notMade
	}
	return refused
}

// passes reports whether a refusal may be temporary, so that the request is worth sending again: the package's
// documentation lists them.
func passes(refusal *qredo.Error) bool {
	switch refusal.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired, http.StatusMisdirectedRequest,
		http.StatusTooEarly, http.StatusTooManyRequests: // about the key, the clock or the load
		return true
	case http.StatusBadRequest: // a wallet is locked while a withdrawal from it is pending
		return locked.MatchString(refusal.Msg + " " + refusal.Reason)
	}
	return false
}

// locked finds the word "locked", but not "blocked".
var locked = regexp.MustCompile(`(?i)\blocked\b`)

// vouched reports whether a person has just retried an entry for which version 0.1.0 did not store the API key that sent it.
func (e *Entry) vouched() bool {
	return e.APIKey == "" && len(e.Steps) > 0 && e.Steps[len(e.Steps)-1].Kind == StepRetried
}

// send makes one attempt to send a pending entry, and stores the result.
func (o *Outbox) send(ctx context.Context, c *Claim, called func()) {
	e := &c.Entry
	now := o.now()
	if e.Sending {
		e.Unknown = true
		e.step(now, StepUnknown, "a worker ended, or was too slow, while the request was on its way")
	}
	if e.Unknown && e.APIKey != o.apiKey && !e.vouched() {
		e.Sending = false
		why := "it may have been made with another API key, under which the service would not find it: have it tried again by an outbox with that key, or resolve it"
		if e.APIKey == "" {
			why = "it may have been made by version 0.1.0, which did not keep with which API key: if that was the key of this outbox, have it tried again, else resolve it"
		}
		o.hold(e, why)
		o.release(ctx, c)
		return
	}
	late := e.late(now) && o.client.Expired(e.Request.expires())
	if late && !e.Unknown {
		o.tooLate(e, "it expired before it was sent")
		o.release(ctx, c)
		return
	}
	e.Sending, e.Late, e.APIKey = true, false, o.apiKey
	e.Attempts++
	e.Updated = now
	if !o.stored(ctx, c, o.store.Begin) {
		return // nothing is sent that would leave no trace
	}
	call, cancel := o.callContext(ctx)
	defer cancel()
	var opts []qredo.CallOption
	if late {
		opts = append(opts, qredo.WithoutExpiryCheck()) // it only finds the first
	}
	answer, err := e.Request.submit(call, o.client, opts...)
	called()
	if err == nil {
		err = checkNamed(answer.TxID)
	}
	e.Sending = false
	before := *e
	o.learn(e, answer, err)
	if o.release(ctx, c) {
		// The response was to another payment's request, because of a cache or a mixed-up connection. This payment may
		// have been made or not.
		*e = before
		e.Unknown = true
		o.delay(e, StepUnknown, "the answer names transaction "+string(answer.TxID)+", which belongs to another entry")
		o.warnUnknown(e, ErrTxIDTaken)
		o.release(ctx, c)
	}
}

// checkNamed refuses a transaction ID that could not be looked up, or that some stores cannot keep. A transaction may
// have been made.
func checkNamed(id qredo.TxID) error {
	if len(id) <= keptKey && path.Check("tx_id", storable(string(id))) == nil {
		return nil
	}
	return fmt.Errorf("%w: the answer names a transaction that cannot be looked at: %.100q", qredo.ErrOutcomeUnknown, id)
}

// learn moves an entry to the state that follows from the result of an attempt.
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
		o.warnUnknown(e, err)
	case what == refused:
		o.end(e, StateFailed, err.Error())
	case what == tooLate:
		o.tooLate(e, err.Error())
	default:
		o.delay(e, StepDelayed, err.Error())
	}
}

// tooLate ends an entry that was not sent in time, once this has been observed again and again for the longest pause: the
// clock may have jumped, or may not be set yet after a boot.
func (o *Outbox) tooLate(e *Entry, reason string) {
	e.Late = true
	o.delay(e, StepDelayed, reason+", by a clock that may be wrong: it is looked at again")
	found := &e.Steps[len(e.Steps)-1]
	switch since := found.Last.Sub(found.At); {
	case found.Times == 1:
	case since < 0: // the clock was set back, and the entry is late all the same
		found.At = found.Last
	case since >= o.pauseMax:
		o.end(e, StateExpired, reason)
	}
}

func (o *Outbox) warnUnknown(e *Entry, err error) {
	o.log.Warn("outbox: it is unknown whether a transaction was made; asking again",
		"key", e.Key, "attempts", e.Attempts, "due", e.Due, "error", err)
}

// end moves an entry to a final state and logs it.
func (o *Outbox) end(e *Entry, state State, reason string) {
	e.State, e.Unknown = state, false
	e.step(o.now(), StepKind(state), reason)
	if state != StateDone {
		e.Reason = e.Steps[len(e.Steps)-1].Note
	}
	o.log.Info("outbox: an entry has ended", "key", e.Key, "state", state, "tx_id", e.TxID, "reason", e.Reason)
}

// hold stops an entry for a person.
func (o *Outbox) hold(e *Entry, reason string) {
	e.State = StateHeld
	e.step(o.now(), StepHeld, reason)
	e.Reason = e.Steps[len(e.Steps)-1].Note
	o.log.Warn("outbox: an entry is held for a person", "key", e.Key, "tx_id", e.TxID, "reason", e.Reason)
}
