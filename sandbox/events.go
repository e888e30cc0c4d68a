package sandbox

import (
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

const mostEvents = 10_000

// Event is something that happened in the sandbox. Fields that do not apply are empty.
type Event struct {
	Seq       uint64          `json:"seq"` // from 1, without gaps
	At        time.Time       `json:"at"`
	Type      string          `json:"type"` // "transaction_created", "approved", "deposit", …: RULES.md lists them
	CompanyID qredo.CompanyID `json:"company_id,omitzero"`
	FundID    qredo.FundID    `json:"fund_id,omitzero"`
	WalletID  qredo.WalletID  `json:"wallet_id,omitzero"`
	TxID      qredo.TxID      `json:"tx_id,omitzero"`
	ActionID  qredo.ActionID  `json:"action_id,omitzero"`
	Status    qredo.TxStatus  `json:"status,omitzero"` // the transaction's, afterwards
	By        string          `json:"by,omitzero"`     // the ID of a user or core client, or of an API key
}

// EventFilter selects events: those after the one with Seq After, and how many (default 50, at most 500).
type EventFilter struct {
	After uint64 `json:"after,omitzero"`
	Limit int    `json:"limit,omitzero"`
}

// EventList is one page of the events, oldest first.
type EventList struct {
	Events []Event `json:"events"`
	Next   uint64  `json:"next,omitzero"` // After for the next page; 0 at the end
}

// Events returns the last 10,000 events since the sandbox was started, oldest first.
func (s *Sandbox) Events(filter EventFilter) (EventList, error) {
	limit, err := listLimit(filter.Limit)
	if err != nil {
		return EventList{}, err
	}
	out := EventList{Events: []Event{}}
	items, _ := s.events.Items()
	for _, e := range items {
		switch {
		case e.Seq <= filter.After:
		case len(out.Events) < limit:
			out.Events = append(out.Events, *e)
		case out.Next == 0:
			out.Next = out.Events[limit-1].Seq
		}
	}
	return out, nil
}

// changed records events, and notifies listeners.
func (s *Sandbox) changed(c world.Changes) {
	for _, e := range c.Events {
		added := s.events.Add(func(seq uint64) (*Event, int) {
			return &Event{
				Seq: seq, At: e.At.UTC().Truncate(time.Millisecond), Type: e.Type, CompanyID: e.Company, FundID: e.Fund, WalletID: e.Wallet,
				TxID: e.Tx, ActionID: e.Action, Status: e.Status, By: e.By,
			}, 0
		})
		s.live.Tell(liveChange, added)
		if e.Type == "clock_advanced" {
			s.live.Tell(liveClock, struct{}{})
		}
	}
	s.feeds.Tell(c.Accounts)
}
