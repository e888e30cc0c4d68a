package world

import (
	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// NewSweep is what a sweep is made from: a core client takes from a wallet that is connected to it.
type NewSweep struct {
	By        Caller
	From, To  qredo.WalletID
	Send      qredo.AssetAmount
	Expires   qredo.Time
	Reference string
	Partner   qredo.PartnerTxID
}

// CreateSweep asks for a sweep, which the core client approves alone.
func (u *Update) CreateSweep(c *CoreClient, asked NewSweep) (Submission, error) {
	return u.submit(asked.By, asked.Partner, func() (*transactionCreated, error) {
		w := u.walletNamed(string(asked.From))
		if asked.From == "" {
			return nil, invalid("the wallet to sweep must be named")
		}
		if w == nil {
			return nil, notFound("wallet")
		}
		if tie := w.Connection(c.ID); tie == nil || tie.Status() != qredo.ConnectionConnected {
			return nil, invalid("the wallet is not connected to the core client")
		}
		if !connectable(w.Type) { // its custody group is not passed over because it has a connection
			return nil, invalid("the wallet is neither dedicated nor multi-counterparty")
		}
		to, err := u.recipient(w, string(asked.To))
		if err != nil {
			return nil, err
		}
		tx, err := u.newTransaction(KindSweep, w, asked.Send, asked.Expires, custody.Policy{Threshold: 1, Members: []string{string(c.ID)}})
		if err != nil {
			return nil, err
		}
		tx.To, tx.Reference, tx.CoreClient = to.ID, asked.Reference, c.ID
		return tx, nil
	})
}

// Sweep returns a sweep of a core client's.
func (st *state) Sweep(c *CoreClient, id qredo.TxID) (*Transaction, error) {
	tx := st.txByID(id)
	if tx == nil || tx.Kind != KindSweep || tx.CoreClient != c.ID {
		return nil, notFound("sweep")
	}
	return tx, nil
}
