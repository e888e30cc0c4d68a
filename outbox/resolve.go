package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/path"
)

// Resolve records what a person has found out, in the app or in the fund's ledger, about an entry that is held or whose
// outcome is unknown. With a transaction ID, that transaction was made for the entry: it is followed, and what it moves is no
// longer compared with the request. Without one, no transaction was made, and the entry fails. That is accepted only once the
// request has expired, because until then it can still be carried out. With [Operate], this machine's clock decides that;
// otherwise the service's clock counts too, as far as its answers have shown it. The note is kept with the entry: say who
// decided, and why.
//
// It returns a [*qredo.ValidationError] for an entry that is neither unknown nor held, or that cannot be read any more;
// [ErrBusy] if a worker keeps the entry for more than five seconds; and [ErrTxIDTaken] if another entry has the transaction.
func (o *Outbox) Resolve(ctx context.Context, key string, id qredo.TxID, note string) (Entry, error) {
	return o.decide(ctx, key, note, func(e *Entry) error {
		now := o.now()
		if problem := path.Check("tx_id", string(id)); id != "" && problem != nil {
			return &qredo.ValidationError{Field: problem.Field, Rule: problem.Rule}
		}
		err := errors.Join(
			check(e.Resolvable(), "key", "must be of an entry whose outcome is unknown, or that is held"),
			check(id != "" || e.late(now) && (o.client == nil || o.client.Expired(e.Request.expires())), "tx_id", "must be given: until the request expires, it can still be carried out"),
		)
		if err != nil {
			return err
		}
		e.step(now, StepResolved, note)
		e.Sending, e.Misses = false, 0
		if id == "" {
			e.TxID, e.TxStatus = "", ""
			o.end(e, StateFailed, "no transaction was made: "+note)
		} else {
			e.State, e.Unknown, e.TxID, e.Named, e.Reason, e.Sent, e.Due = StateSent, false, id, true, "", now, now
		}
		return nil
	})
}

// Resolvable reports whether a person may decide what became of an entry: see [Outbox.Resolve].
func (e Entry) Resolvable() bool {
	return e.Request != nil && (e.State == StateHeld || e.State == StatePending && (e.Unknown || e.Sending))
}

// Retry has a worker work on an entry at once: one that is waiting after failed calls, or one that is held, if a person has
// found that nothing is wrong, or has fixed it. If the transaction is known, it is looked at; otherwise the request is sent
// again. An unknown outcome stays unknown. The note is kept with the entry: say who decided, and why. Errors are as for
// [Outbox.Resolve]. A payment that has ended cannot be retried: enqueue it under a new key.
func (o *Outbox) Retry(ctx context.Context, key, note string) (Entry, error) {
	return o.decide(ctx, key, note, func(e *Entry) error {
		if e.State.Ended() {
			return check(false, "key", "must be of an entry that has not ended: enqueue the payment under a new key")
		}
		now := o.now()
		e.step(now, StepRetried, note)
		if e.State == StateHeld {
			e.Reason = ""
			if e.State = StatePending; e.TxID != "" { // otherwise the repeat finds the first transaction
				e.State = StateSent
			}
		}
		e.Misses, e.Due = 0, now
		return nil
	})
}

// take leases an entry. If a worker has it, take waits, since a worker usually has it only for one call to the service.
func (o *Outbox) take(ctx context.Context, key string) (Claim, error) {
	const patience, pause = 5 * time.Second, 50 * time.Millisecond
	for waited := time.Duration(0); ; waited += pause {
		now := o.now()
		c, err := o.store.Take(ctx, key, now, now.Add(o.lease))
		if !errors.Is(err, ErrBusy) || waited >= patience {
			return c, err
		}
		select {
		case <-ctx.Done():
			return Claim{}, err
		case <-time.After(pause):
		}
	}
}

// decide applies a person's decision to an entry.
func (o *Outbox) decide(ctx context.Context, key, note string, change func(*Entry) error) (Entry, error) {
	c, err := o.take(ctx, key)
	if err != nil {
		return Entry{}, err
	}
	untouched := c
	switch {
	case c.Entry.Request == nil:
		err = check(false, "key", "must be of an entry that can be read: %s", c.Entry.Reason)
	case note == "":
		err = check(false, "note", "must say who found out, and how")
	default:
		err = change(&c.Entry)
	}
	if err == nil {
		c.Entry.Version++
		err = o.store.Release(ctx, c)
	}
	if err != nil {
		if giveUp := o.store.Postpone(ctx, untouched); !errors.Is(giveUp, ErrClaimLost) {
			err = errors.Join(err, giveUp)
		}
		return Entry{}, err
	}
	o.tell(o.extract(ctx, c.Entry.Carrier), c.Entry)
	o.enqueued.send()
	return c.Entry, nil
}
