package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

// follow looks up the transaction of an entry that is sent. A look-up that shows nothing new stores nothing.
func (o *Outbox) follow(ctx context.Context, c *Claim, called func()) {
	e := &c.Entry
	call, cancel := context.WithTimeout(ctx, o.lease*3/4)
	defer cancel()
	tx, err := e.Request.look(call, o.client, e.TxID)
	called()
	now := o.now()
	switch {
	case ctx.Err() != nil:
		_ = o.store.Postpone(context.WithoutCancel(ctx), *c) // its due time does not change
		return
	case err != nil:
		o.delay(e, StepDelayed, err.Error())
		if notThere(err) && e.Steps[len(e.Steps)-1].Times >= looksInVain {
			o.disown(e, fmt.Sprintf("the service does not know transaction %s", e.TxID))
		}
		o.release(ctx, c)
		return
	}
	if difference := e.difference(tx); difference != "" {
		o.disown(e, fmt.Sprintf("transaction %s is another payment's: %s", e.TxID, difference))
		o.release(ctx, c)
		return
	}
	rest := min(max(now.Sub(e.Sent)/8, o.poll), max(60*o.poll, o.lease))
	if now.Before(e.Sent) { // by a clock that was ahead
		rest = o.poll
	}
	e.Due = now.Add(rest)
	status := qredo.TxStatus(storable(string(tx.Status)))
	overdue := e.late(now.Add(-unended)) && o.client.Expired(e.Request.expires())
	if status == e.TxStatus && e.Misses == 0 && !tx.Status.Done() && !tx.Status.Failed() && !overdue {
		o.postpone(ctx, c)
		return
	}
	e.Misses = 0
	if status != e.TxStatus {
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
	case overdue:
		o.hold(e, fmt.Sprintf("transaction %s has not ended a day after the request has expired: its status is %q", e.TxID, status))
	}
	o.release(ctx, c)
}

const (
	// looksInVain is how many times in a row the service may say that it does not know a transaction before a person is
	// asked.
	looksInVain = manyMisses
	// unended is how long after its expiry a transaction may stay open before a person is asked.
	unended = 24 * time.Hour
)

// notThere reports whether the service itself answered that there is no such transaction.
func notThere(err error) bool {
	var answer *qredo.Error
	return errors.As(err, &answer) && errors.Is(err, qredo.ErrNotFound) && answer.Code != 0 && answer.Msg != ""
}

// disown holds an entry whose transaction is not its own for a person: the answer that named the transaction was not
// about this request, so nothing is known about the request. Another entry may have the transaction.
func (o *Outbox) disown(e *Entry, reason string) {
	o.hold(e, reason)
	e.Unknown, e.TxID, e.TxStatus, e.Named, e.Misses = true, "", "", false, 0
}

// difference says how a transaction differs from the request; "" if it does not. Fields that the service leaves out are
// not compared, and equivalent spellings are equal.
func (e *Entry) difference(tx *qredo.Transaction) string {
	if e.Named {
		return ""
	}
	asked, got := e.Request.moves(), tx.Details
	net := got.NetAmount
	if net == 0 && got.Amount != 0 {
		net = got.Amount - got.Fees
	}
	reference := cmp.Or(tx.Reference, got.Reference)
	switch {
	case got.Asset != "" && got.Asset != asked.send.Asset:
		return fmt.Sprintf("it moves %s, %s was asked for", got.Asset, asked.send.Asset)
	case net != 0 && net != asked.send.Amount:
		return fmt.Sprintf("%d base units of %s arrive, %d were asked for", int64(net), asked.send.Asset, int64(asked.send.Amount))
	case got.WalletID != "" && got.WalletID != asked.from && !spelled(asked.from):
		return fmt.Sprintf("it leaves wallet %s, %s was asked for", got.WalletID, asked.from)
	case asked.wallet != "" && !sameRecipient(asked.wallet, string(got.RecipientWalletID)):
		return fmt.Sprintf("it goes to wallet %s, %s was asked for", got.RecipientWalletID, asked.wallet)
	case asked.address != "" && !sameRecipient(asked.address, got.RecipientAddress):
		return fmt.Sprintf("it goes to %s, %s was asked for", got.RecipientAddress, asked.address)
	case reference != "" && reference != asked.reference:
		return fmt.Sprintf("its reference is %.100q, %.100q was asked for", reference, asked.reference)
	}
	return ""
}

// sameRecipient reports whether two recipients may be the same: a wallet has an ID and a short code, which is words, and
// an address on a chain can be written in capitals or in small letters.
func sameRecipient(asked, got string) bool {
	asked, got = strings.Trim(asked, ", \t\r\n"), strings.Trim(got, ", \t\r\n")
	if got == "" || spelled(asked) != spelled(got) {
		return true
	}
	return asked == got || chainAddress(asked) && sameAddress(asked, got) || spelled(asked) && words(asked) == words(got)
}

// spelled reports whether a wallet is named by its short code.
func spelled[T ~string](wallet T) bool {
	return strings.ContainsAny(strings.TrimSpace(string(wallet)), " -")
}

func words(code string) string {
	return strings.ToLower(strings.Join(strings.FieldsFunc(code, func(r rune) bool { return r == ' ' || r == '-' }), " "))
}

// sameAddress reports whether two addresses differ only in capitals; a Bech32 address must not mix capitals and small
// letters. Some non-ASCII characters have ASCII letters as their lower case, so only ASCII is folded.
func sameAddress(a, b string) bool {
	ascii := !strings.ContainsFunc(a+b, func(r rune) bool { return r > '~' })
	oneCase := func(text string) bool { return text == strings.ToLower(text) || text == strings.ToUpper(text) }
	return ascii && strings.EqualFold(a, b) && (strings.HasPrefix(strings.ToLower(a), "0x") || oneCase(a) && oneCase(b))
}

// chainAddress reports whether capitals do not matter in a text: hexadecimal and Bech32 addresses. In Base58 and in the
// service's own IDs they do.
func chainAddress(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc([]string{"0x", "bc1", "tb1", "bcrt1", "ltc1"}, func(prefix string) bool { return strings.HasPrefix(text, prefix) })
}
