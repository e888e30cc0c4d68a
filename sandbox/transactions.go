package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/control"
	"github.com/qredo-go/qredo/sandbox/internal/partner"
	"github.com/qredo-go/qredo/sandbox/internal/qredoapi"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// TransactionFilter selects transactions.
type TransactionFilter struct {
	State  string `json:"state,omitzero"`  // "waiting", "approved", "rejected", "cancelled", "refused" or "expired"; default: all
	Search string `json:"search,omitzero"` // in any ID, reference or address; a wallet's finds its ledger
	Page
}

// Transactions is one page of the transactions, newest first. The number of results of a search is not known in advance: Total
// is then nil, and a page may have few results or none although Next says that there are more.
type Transactions struct {
	Transactions []TransactionSummary `json:"transactions"`
	Total        *int                 `json:"total,omitzero"`
	Next         string               `json:"next,omitzero"`
}

// TransactionSummary is a transaction in a list.
type TransactionSummary struct {
	ID          qredo.TxID        `json:"id"`
	Type        string            `json:"type"` // as for a [PendingApproval], or "deposit"
	Title       string            `json:"title"`
	Status      string            `json:"status"` // as in the API; for a deposit "settled"
	State       string            `json:"state"`  // as for a [TransactionFilter]
	Created     time.Time         `json:"created"`
	Ended       time.Time         `json:"ended,omitzero"`
	Wallet      Named             `json:"wallet"` // the wallet that it leaves; for a deposit, the receiving wallet
	To          string            `json:"to"`     // the receiving wallet or address, by name if it has one
	Leaves      *Money            `json:"leaves,omitzero"`
	Arrives     *Money            `json:"arrives,omitzero"`
	Fees        *Money            `json:"fees,omitzero"`
	Reference   string            `json:"reference"`
	PartnerTxID qredo.PartnerTxID `json:"partner_tx_id"`
	Approved    int               `json:"approved"` // among those who are being asked, or were asked last
	Threshold   int               `json:"threshold"`
}

// TransactionDetail is a transaction with everything that has happened to it.
type TransactionDetail struct {
	TransactionSummary
	Steps        []Step        `json:"steps"`
	Expires      time.Time     `json:"expires,omitzero"`
	Company      Named         `json:"company"`
	Fund         Named         `json:"fund"`
	Votes        []Vote        `json:"votes"`
	Payee        *Payee        `json:"payee,omitzero"`
	Receives     *Money        `json:"receives,omitzero"` // for a swap: what comes in return
	ReceivesInto *Named        `json:"receives_into,omitzero"`
	OtherSide    qredo.TxID    `json:"other_side,omitzero"` // for a swap that was taken
	Web3         *Web3Call     `json:"web3,omitzero"`
	Policy       *PolicyUpdate `json:"policy,omitzero"`
	Text         string        `json:"text"` // what a policy update or a connection would change, in words
	ChainTxID    string        `json:"chain_tx_id,omitzero"`
	API          string        `json:"api"`                 // the transaction as JSON, as its API returns it
	RequestID    uint64        `json:"request_id,omitzero"` // of the [RequestRecord] that asked for it, if it is in the log
}

// Expiries lists pending transactions, those that expire first at the top.
type Expiries struct {
	Expiries []Expiry `json:"expiries"`
	Total    int      `json:"total"` // number of all pending transactions
}

// Expiry is when a transaction expires.
type Expiry struct {
	At     time.Time  `json:"at"`
	TxID   qredo.TxID `json:"tx_id"`
	Type   string     `json:"type"`
	Status string     `json:"status"`
	Label  string     `json:"label"` // "Withdrawal of 0.25 BTC-TESTNET from Treasury"
}

// Transactions lists transactions of all accounts, newest first.
func (s *Sandbox) Transactions(filter TransactionFilter) (Transactions, error) {
	out := Transactions{Transactions: []TransactionSummary{}}
	err := s.view(func(v *world.View) error {
		limit, err := listLimit(filter.Limit)
		if err != nil {
			return err
		}
		part, err := v.TransactionsPage(world.TransactionFilter{State: world.State(filter.State), Text: filter.Search}, filter.After, limit)
		for _, tx := range part.List {
			out.Transactions = append(out.Transactions, summary(v, tx))
		}
		if out.Next = part.Next; part.Total != world.Uncounted {
			out.Total = &part.Total
		}
		return err
	})
	return out, err
}

func summary(v *world.View, tx *world.Transaction) TransactionSummary {
	out := TransactionSummary{
		ID: tx.ID, Type: string(tx.Kind), Title: titles[tx.Kind], Status: statusOf(tx), State: string(tx.State()), Created: instant(tx.Created),
		Reference: tx.Reference, PartnerTxID: tx.Partner,
	}
	if !tx.Ended.IsZero() {
		out.Ended = instant(tx.Ended)
	}
	w := walletOf(tx)
	out.Wallet = Named{string(w.ID), walletName(w)}
	out.Leaves, out.Arrives, out.Fees = amounts(v, tx)
	if to := payee(v, tx); to != nil {
		if out.To = to.Name; out.To == "" {
			out.To = to.Address
		}
	}
	out.Approved, out.Threshold = tx.ApprovalsOf(tx.Asking())
	return out
}

// walletOf is the wallet that a transaction leaves, or of a deposit that it comes to.
func walletOf(tx *world.Transaction) *world.Wallet {
	if tx.Sender == nil {
		return tx.Recipient
	}
	return tx.Sender
}

// statusOf is a transaction's status. The service gave deposits none.
func statusOf(tx *world.Transaction) string {
	if tx.Kind == world.KindDeposit {
		return "settled"
	}
	return string(tx.Status)
}

// Transaction returns a transaction of any account, given its ID or that of an action that asks for it.
func (s *Sandbox) Transaction(id string) (TransactionDetail, error) {
	var out TransactionDetail
	err := s.view(func(v *world.View) error {
		tx := v.Tx(id)
		if tx == nil {
			return serve.NotFound("transaction")
		}
		w := walletOf(tx)
		out = TransactionDetail{
			TransactionSummary: summary(v, tx), Steps: steps(v, tx), Company: companyNamed(w.Fund.Company), Fund: fundNamed(w.Fund),
			Votes: votes(v, tx), Payee: payee(v, tx), Web3: web3Call(tx), Policy: policyUpdate(v, tx), Text: inWords(v, tx), ChainTxID: tx.Hash,
		}
		if tx.Kind != world.KindDeposit {
			out.Expires = instant(tx.Expires)
		}
		out.Receives, out.ReceivesInto = receives(v, tx)
		if tx.OtherSide != nil {
			out.OtherSide = tx.OtherSide.ID
		}
		api := partner.Transaction(v, tx)
		if tx.Kind == world.KindWeb3 {
			api = qredoapi.Transaction(tx)
		}
		data, err := json.Marshal(api)
		out.API = string(data)
		return err
	})
	if err == nil {
		out.RequestID = s.requestFor(out.ID)
	}
	return out, err
}

// requestFor is the number of the request that a transaction was made by, 0 if the log does not have it.
func (s *Sandbox) requestFor(id qredo.TxID) uint64 {
	logged, _ := s.requests.Items()
	for _, p := range logged {
		if p.Brief().Method != http.MethodPost || !p.Has(string(id)) {
			continue
		}
		if r := p.Record(); bytes.Contains(r.HandledBody().Bytes, []byte(id)) && r.Facts().Status != string(qredo.SubmissionExisting) {
			return r.ID
		}
	}
	return 0
}

// Expiries lists the pending transactions, those that expire first at the top.
func (s *Sandbox) Expiries(limit int) (Expiries, error) {
	out := Expiries{Expiries: []Expiry{}}
	err := s.view(func(v *world.View) error {
		limit, err := listLimit(limit)
		if err != nil {
			return err
		}
		for _, tx := range v.Expiries(limit) {
			out.Expiries = append(out.Expiries, Expiry{
				At: instant(tx.Expires), TxID: tx.ID, Type: string(tx.Kind), Status: string(tx.Status), Label: label(v, tx),
			})
		}
		out.Total = v.WaitingCount()
		return nil
	})
	return out, err
}

// label is a transaction in a few words.
func label(v *world.View, tx *world.Transaction) string {
	text := titles[tx.Kind]
	if _, arrives, _ := amounts(v, tx); arrives != nil {
		text += " of " + arrives.inWords()
	}
	return text + " from " + walletName(tx.Sender)
}

// AdvanceToNextExpiry moves the clock forward to when the next pending transaction expires, which it then does. If none is
// pending, that is a conflict.
func (s *Sandbox) AdvanceToNextExpiry() error {
	return s.update(func(w *world.Update) error { return w.AdvanceToExpiry() })
}

// Transactions lists transactions: see [Sandbox.Transactions].
func (c *Control) Transactions(ctx context.Context, filter TransactionFilter) (Transactions, error) {
	return callTransactions.Ask(ctx, c.client(), filter)
}

// Transaction returns a transaction: see [Sandbox.Transaction].
func (c *Control) Transaction(ctx context.Context, id string) (TransactionDetail, error) {
	return callTransaction.Ask(ctx, c.client(), control.None{}, id)
}

// Expiries lists the next transactions to expire: see [Sandbox.Expiries].
func (c *Control) Expiries(ctx context.Context, limit int) (Expiries, error) {
	return callExpiries.Ask(ctx, c.client(), expiriesRequest{limit})
}

// AdvanceToNextExpiry moves the clock forward: see [Sandbox.AdvanceToNextExpiry].
func (c *Control) AdvanceToNextExpiry(ctx context.Context) error {
	return callAdvance.Tell(ctx, c.client(), advanceRequest{ToNextExpiry: true})
}

type expiriesRequest struct {
	Limit int `json:"limit,omitzero"`
}

var (
	callTransactions = control.Get("/transactions", func(s *Sandbox, _ ids, in TransactionFilter) (Transactions, error) { return s.Transactions(in) })
	callTransaction  = control.Get("/transactions/{id}", func(s *Sandbox, at ids, _ control.None) (TransactionDetail, error) { return s.Transaction(at["id"]) })
	callExpiries     = control.Get("/expiries", func(s *Sandbox, _ ids, in expiriesRequest) (Expiries, error) { return s.Expiries(in.Limit) })
)
