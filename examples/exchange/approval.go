package main

import (
	"context"
	_ "embed" // for the rules
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

//go:embed rules.yaml
var ruleFile []byte

// policy approves what is in the books, as far as the rules allow it. Somebody with the API key but without the books can
// request a withdrawal, but not get it approved.
type policy struct {
	*approver.Rules
	service *Service
}

// Decide compares an action with the withdrawal whose number is its reference.
func (p policy) Decide(ctx context.Context, a qredo.Action) (approver.Decision, error) {
	d := a.Details
	var booked bool
	err := p.service.pool.QueryRow(ctx, `SELECT w.amount = $2 AND w.address = $3 AND c.wallet = $4 AND w.state = 'held'
		FROM withdrawals w JOIN customers c ON c.name = w.customer WHERE w.number = $1`,
		d.Reference, int64(d.NetAmount), d.RecipientAddress, string(d.WalletID)).Scan(&booked)
	switch {
	case err != nil && !errors.Is(err, pgx.ErrNoRows):
		return approver.Decision{}, err
	case a.Type != qredo.ActionWithdraw || d.Asset != asset || !booked:
		return approver.Decision{Verdict: approver.Reject, Rule: "books", Reason: fmt.Sprintf("the books have no such withdrawal %q", d.Reference)}, nil
	}
	return p.Rules.Decide(ctx, a)
}
