package outbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/qredo-go/qredo"
)

// keptKey is the maximum length of a key, in bytes.
const keptKey = 500

// Enqueue stores a payment under your own key, such as an invoice number, and returns once it is on disk. A worker sends it.
//
// If the key is already known, nothing is stored, and the existing entry is returned, whatever its state. The request must then
// be the same, otherwise Enqueue returns a [*KeyConflictError]. The expiry may differ, so a restarted program may calculate it
// again; the first one counts.
//
// It returns a [*qredo.ValidationError] for a request that cannot be valid. Programs that share an API key but not a store must
// not use the same key for two identical payments: they would be taken for one.
//
// The request may have your own PartnerTxID, which must be one that no other payment has, here or at the service. Otherwise the
// outbox generates one.
func (o *Outbox) Enqueue(ctx context.Context, key string, req Request) (Entry, error) {
	ctx, end := o.traceEnqueue(ctx, key, req)
	e, err := o.enqueue(ctx, key, req)
	end(e, err)
	return e, err
}

func (o *Outbox) enqueue(ctx context.Context, key string, req Request) (Entry, error) {
	var carrier map[string]string
	if o.inject != nil {
		carrier = o.inject(ctx)
	}
	e, added, err := EnqueueIn(ctx, o.store, key, req, o.now(), carrier)
	if err == nil && added {
		o.enqueued.send()
	}
	return e, err
}

// EnqueueIn is [Outbox.Enqueue] for stores that take payments themselves, in your own transaction. It also reports whether the
// entry is new.
func EnqueueIn(ctx context.Context, in Place, key string, req Request, now time.Time, carrier map[string]string) (stored Entry, added bool, err error) {
	e, what, invalid := newEntry(key, req, now.UTC().Truncate(time.Microsecond))
	switch {
	case what == "":
		return Entry{}, false, invalid
	case invalid != nil:
		// A known payment may have expired since. A new one that has expired cannot be stored.
		if stored, err = in.Get(ctx, key); errors.Is(err, ErrNotFound) {
			return Entry{}, false, invalid
		}
	default:
		e.Carrier = carrier
		stored, added, err = in.Add(ctx, e)
	}
	switch {
	case err != nil: // then nobody knows whether it has been paid already
		return Entry{}, false, fmt.Errorf("outbox: storing %q: %w", key, err)
	case added:
		return stored, true, nil
	case stored.Request == nil:
		return Entry{}, false, fmt.Errorf("outbox: %s", stored.Reason)
	}
	has, err := essence(stored.Request)
	if err != nil {
		return Entry{}, false, err
	}
	if has != what || stored.PartnerTxID != e.PartnerTxID && (e.Brought || stored.PartnerTxID != firstPartnerTxID(e.Key, what)) {
		return Entry{}, false, &KeyConflictError{Stored: stored}
	}
	return stored, false, nil
}

// newEntry returns the entry of a payment, and its essence, by which two payments are compared. If it cannot make the
// essence, it returns neither; if it returns both and an error, the entry cannot be stored now.
func newEntry(key string, req Request, now time.Time) (e Entry, what string, err error) {
	switch {
	case key == "" || len(key) > keptKey || !utf8.ValidString(key) || strings.ContainsRune(key, 0):
		return Entry{}, "", check(false, "key", "must be text of 1 to %d bytes, is %.50q", keptKey, key)
	case req == nil:
		return Entry{}, "", check(false, "request", "must not be nil")
	}
	if what, err = essence(req); err != nil {
		return Entry{}, "", err
	}
	err = checkRequest(req, now)
	if err == nil {
		// PostgreSQL's text cannot hold a NUL, so such a payment could be enqueued again and again and never be stored.
		// Pairs of backslashes are removed first: what follows them is plain text, not an escape.
		err = check(!strings.Contains(strings.ReplaceAll(what, `\\`, ""), `\u0000`), "request", "must have no NUL character in its texts")
	}
	id := req.partner()
	if id == "" {
		id = derivePartnerTxID(key, what)
	}
	e = Entry{
		Key: key, PartnerTxID: id, Brought: req.partner() != "", State: StatePending, Created: now, Due: now, Version: 1,
		Request: req.with(id, qredo.Unix(req.expires().Unix())),
	}
	e.step(now, StepEnqueued, "")
	return e, what, err
}
