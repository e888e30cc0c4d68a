package main

import (
	"context"
	"expvar"
	"fmt"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/outbox"
)

// Metrics counts what happens. A program that serves HTTP publishes it (expvar.Publish) under /debug/vars; for OpenTelemetry there is
// package otelqredo.
type Metrics struct{ expvar.Map }

// NewMetrics returns metrics in which everything is zero.
func NewMetrics() *Metrics { return new(Metrics) }

// Call counts calls of the service by how they ended, and attempts.
func (m *Metrics) Call(_ context.Context, a qredo.Attempt) {
	if a.Ended {
		m.Add("calls "+string(a.Outcome), 1)
		return
	}
	m.Add("attempts", 1)
}

// Payment counts payments by the state that they have come to.
func (m *Metrics) Payment(_ context.Context, e outbox.Entry) {
	if e.State.Ended() || e.State == outbox.StateHeld {
		m.Add("payments "+string(e.State), 1)
	}
}

// Movement counts what the inbox has handed over, and what it has set aside for a person.
func (m *Metrics) Movement(_ context.Context, e inbox.Entry) { m.Add("movements "+string(e.State), 1) }

// Vote counts decisions.
func (m *Metrics) Vote(e approver.Entry) {
	if e.Kind == approver.EntryDecision {
		m.Add("decisions "+string(e.Verdict), 1)
	}
}

// Reconcile compares the books with what the inbox reported, and that with the wallets' balances. It returns what is
// wrong, or nothing. A movement of this very moment may appear until the next call.
func (s *Service) Reconcile(ctx context.Context) (wrong string, err error) {
	report, err := s.in.Check(ctx)
	if err != nil {
		return "", err
	}
	var all []string
	for _, b := range report.Balances {
		var booked int64
		err := s.pool.QueryRow(ctx, `SELECT coalesce(sum(b.amount), 0)::bigint FROM bookings b JOIN customers c ON c.name = b.customer WHERE c.wallet = $1`, string(b.Wallet)).Scan(&booked)
		if err != nil {
			return "", err
		}
		if b.Has != qredo.Amount(booked) {
			all = append(all, fmt.Sprintf("wallet %s has %d and %d by the books", b.Wallet, b.Has, booked))
		}
	}
	for _, b := range report.Wrong() {
		all = append(all, fmt.Sprintf("wallet %s has moved by %d unexplained, and %d were not handed over", b.Wallet, b.Unexplained(), b.Missing()))
	}
	wrong = strings.Join(all, "; ")
	s.config.Metrics.Set("reconciled", boolean(wrong == ""))
	return wrong, nil
}

func boolean(b bool) *expvar.Int {
	i := new(expvar.Int)
	if b {
		i.Set(1)
	}
	return i
}
