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

// policy approves what the books have, as far as the rules let it. Who has the API key and not the books can ask for a
// withdrawal, and not have it approved.
type policy struct {
	*approver.Rules
	service *Service
}

// Decide compares an action with the withdrawal whose number it has for a reference.
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
