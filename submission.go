package qredo

import (
	"context"
	"crypto/rand"
	"fmt"
	"unicode/utf8"
)

// UnknownOutcomeError is a request for a transaction that may have been carried out or not: its answer
// was lost, cut, a fault of the service, or had no transaction in it. To find out, send the same request
// with PartnerTxID again, while it can still be approved: if the transaction was made, the answer is that
// one, and if not, it is made now. Once its Expires has passed it is refused here and says nothing about the
// first: then the fund's ledger tells, and package outbox asks by itself. Never send it again with another
// PartnerTxID. Where PartnerTxID is empty, because the caller wanted
// none, only the fund's ledger can tell.
type UnknownOutcomeError struct {
	PartnerTxID PartnerTxID
	Err         error // how the last attempt ended
}

// Error says how the last attempt ended, and how to find out what became of it.
func (e *UnknownOutcomeError) Error() string {
	if e.PartnerTxID == "" {
		return fmt.Sprintf("%v; the transaction may have been made: look for it in the fund's ledger", e.Err)
	}
	return fmt.Sprintf("%v; the transaction may have been made: send the same request with PartnerTxID %s again to find out, or after its expiry look for it in the fund's ledger", e.Err, e.PartnerTxID)
}

// Unwrap returns how the last attempt ended.
func (e *UnknownOutcomeError) Unwrap() error { return e.Err }

// WithoutPartnerTxID sends a request for a transaction without a PartnerTxID if it has none. Then it is
// not sent again, and if its answer is lost nothing can tell whether it was carried out.
func WithoutPartnerTxID() CallOption {
	return func(o *callOptions) { o.noPartnerTxID = true }
}

// submitted is the answer to a request for a transaction.
type submitted interface{ carry(id PartnerTxID) }

func (s *Submission) carry(id PartnerTxID) { s.PartnerTxID = id }

// submit sends a request for a transaction. The operation's body is a pointer to the request that partner
// is a field of: if that is empty it gets an ID here, so that the request can be repeated.
func submit[T any, P interface {
	*T
	submitted
}](ctx context.Context, c *Client, op operation, partner *PartnerTxID, opts []CallOption) (*T, error) {
	options := newCallOptions(opts)
	if *partner == "" && !options.noPartnerTxID {
		*partner = PartnerTxID(rand.Text())
	}
	if !utf8.ValidString(string(*partner)) { // JSON would make one key of several
		return nil, invalid("partner_txID", "must be UTF-8")
	}
	op.repeatable = *partner != ""
	out := new(T)
	x, err := c.perform(ctx, op, P(out), options)
	switch {
	case err == nil:
		P(out).carry(*partner)
		return out, nil
	case x != nil && x.mayBeDone(err):
		return nil, &UnknownOutcomeError{PartnerTxID: *partner, Err: err}
	}
	return nil, err
}
