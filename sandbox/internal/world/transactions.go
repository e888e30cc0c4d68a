package world

import (
	"slices"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
	"github.com/qredo-go/qredo/sandbox/internal/ledger"
)

// Kind tells what a transaction is.
type Kind string

// The kinds of transactions.
const (
	KindDeposit      Kind = "deposit"
	KindTransfer     Kind = "transfer"
	KindWithdrawal   Kind = "withdrawal"
	KindSweep        Kind = "sweep"
	KindSwapMake     Kind = "swap"
	KindSwapTake     Kind = "swap take"
	KindConnect      Kind = "wallet connect"
	KindPolicyUpdate Kind = "policy update"
	KindWeb3         Kind = "external sign"
)

// MovesMoney tells transactions from what is approved like one but moves nothing.
func (k Kind) MovesMoney() bool { return k != KindConnect && k != KindPolicyUpdate && k != KindWeb3 }

// policyType tells which of a wallet's policies approves a transaction.
func (k Kind) policyType() qredo.PolicyType {
	if k == KindWithdrawal {
		return qredo.PolicyWithdraw
	}
	return qredo.PolicyTx
}

// feeType is what a transaction's fee is asked for.
func (k Kind) feeType() qredo.FeeType {
	switch k {
	case KindWithdrawal:
		return qredo.FeeWithdraw
	case KindSwapMake, KindSwapTake:
		return qredo.FeeSwap
	default:
		return qredo.FeeTransferOut
	}
}

// Transaction is what is approved, and in most cases moves money.
type Transaction struct {
	transactionCreated
	Sender, Recipient *Wallet // no sender for deposits, no recipient for withdrawals
	Created, Ended    time.Time
	Status            qredo.TxStatus
	Hash              string // on Qredo's own chain, once it is done
	Round             custody.Round
	Asked             []qredo.ActionID // of those who have been asked so far
	OtherSide         *Transaction     // of a swap: of a quote, once somebody takes it
	Listed            time.Time        // when a quote was listed on the hub
	Progress          Web3Progress     // of a Web3 transaction

	number, policy uint32         // its place, and its policy's
	moved          uint32         // how many had moved something then, with this one
	initiation     *custody.Round // of a transfer that a core client must authorise first: its round of one
	refused        bool           // the chain will refuse it when it is approved
}

// IsOpen reports whether a transaction has yet to end.
func (tx *Transaction) IsOpen() bool {
	return tx.Status == qredo.TxPendingInitiate || tx.Status == qredo.TxPending || tx.Status == qredo.TxTakerPending
}

// IsAuthorized reports whether the custody group may be asked: all but transfers that name who must authorise them.
func (tx *Transaction) IsAuthorized() bool {
	return tx.initiation == nil || tx.initiation.Outcome == custody.Approved
}

// Net is what of a transaction's amount arrives.
func (tx *Transaction) Net() qredo.Amount { return qredo.Amount(tx.Amount - tx.Fee) }

// transactionCreated is a transaction that waits for approval, with its amount held, or a deposit,
// which waits for nothing.
type transactionCreated struct {
	ID          qredo.TxID
	Kind        Kind
	APIKey      string `json:",omitzero"` // whose partner_txID it is: the key's ID
	Partner     qredo.PartnerTxID
	From, To    qredo.WalletID
	Address     string // of a withdrawal
	Asset       qredo.AssetCode
	Amount, Fee int64 // what leaves the wallet, and the part of it that does not arrive
	Reference   string
	BenefitOf   string
	AccountNo   string
	ChainTxID   string // of a deposit
	Expires     time.Time
	Policy      custody.Policy
	Required    []string         // who must approve besides the policy
	Actions     []qredo.ActionID // one for each vote of the round that these make

	CoreClient qredo.CoreClientID `json:",omitzero"` // of a sweep or connect: whose
	Quote      *Quote             `json:",omitzero"` // of an offered swap
	Swap       qredo.TxID         `json:",omitzero"` // of a take: what it takes
	Receive    qredo.WalletID     `json:",omitzero"` // of a swap's side: where it receives
	NewPolicy  *custody.Policy    `json:",omitzero"` // of a policy's update
	PolicyType qredo.PolicyType   `json:",omitzero"`
	Authorize  *authorization     `json:",omitzero"` // of a transfer: what comes before the round
	Web3       *Web3Call          `json:",omitzero"` // of a Web3 transaction
}

func (e transactionCreated) apply(st *state, at time.Time) {
	tx := &Transaction{
		transactionCreated: e, Created: at, Hash: e.ChainTxID,
		Sender: st.wallets[e.From], Recipient: st.wallets[e.To],
		Round: custody.NewRound(e.Policy, e.Expires, e.Required...),
	}
	if e.Kind.MovesMoney() {
		st.moves++
	}
	if e.Kind == KindDeposit {
		tx.Ended = at
		st.txs.add(tx)
		st.post(ledger.Move{Debit: outside(ledger.Deposits, e.Asset), Credit: tx.Recipient.available(), Amount: e.Amount})
		st.list(tx, true)
		st.move(tx)
		st.moved(Entry{tx, true})
		st.pack(tx)
		return
	}
	tx.Status, tx.policy = qredo.TxPending, st.txs.policy(e.Policy)
	st.txs.add(tx)
	if e.Authorize == nil {
		st.ask(tx, &tx.Round, tx.Actions)
	} else {
		tx.Status = qredo.TxPendingInitiate
		tx.initiation = e.Authorize.initiation(e.Expires)
		st.ask(tx, tx.initiation, []qredo.ActionID{e.Authorize.Action})
	}
	st.expiries.add(tx)
	st.waits(tx, 1)
	switch e.Kind {
	case KindConnect:
		tx.Sender.Connection(e.CoreClient).Asked = tx
		c := st.coreClients[e.CoreClient]
		c.Wallets = append(c.Wallets, tx.Sender)
		return
	case KindPolicyUpdate:
		tx.Sender.locks[e.PolicyType] = append(tx.Sender.locks[e.PolicyType], tx)
		return
	case KindWeb3:
		st.noticeWeb3(tx, qapi.StatusCreated, at)
		return
	case KindSwapTake:
		tx.OtherSide = st.txByID(e.Swap)
		tx.OtherSide.OtherSide = tx
	case KindDeposit, KindTransfer, KindWithdrawal, KindSweep, KindSwapMake:
	}
	st.post(ledger.Move{Debit: tx.Sender.available(), Credit: tx.Sender.held(), Amount: e.Amount})
	st.list(tx, false)
}

// transactionEnded settles a transaction that was approved, or gives back what was held for it.
type transactionEnded struct {
	TxID      qredo.TxID
	Outcome   custody.Outcome
	ChainTxID string // of what moves money; stores of before have it for withdrawals only
	Cancelled bool   // an offered swap whose maker took it back, or a transfer that was not authorised
	Refused   bool   `json:",omitzero"` // by the chain, after it was approved
}

func (e transactionEnded) apply(st *state, at time.Time) {
	tx := st.txByID(e.TxID)
	tx.Round.Outcome, tx.Hash = e.Outcome, e.ChainTxID
	if !tx.IsAuthorized() {
		tx.initiation.Outcome = e.Outcome
	}
	switch {
	case e.Cancelled:
		tx.Status = qredo.TxInitiateRejected
	case e.Refused:
		tx.Status = qredo.TxChainRejected
	case e.Outcome == custody.Approved:
		tx.Status = qredo.TxApproved
	case e.Outcome == custody.Rejected:
		tx.Status = qredo.TxCustodyRejected
	case e.Outcome == custody.Expired:
		tx.Status = qredo.TxExpired
	}
	st.end(tx, at)
	switch {
	case tx.Kind == KindPolicyUpdate:
		tx.Sender.updatePolicy(tx)
	case tx.Kind == KindConnect:
	case tx.Kind == KindWeb3:
		st.noticeWeb3(tx, tx.Web3Status(), at)
	case tx.Status == qredo.TxApproved:
		st.settle(tx)
	default:
		st.post(ledger.Move{Debit: tx.Sender.held(), Credit: tx.Sender.available(), Amount: tx.Amount})
		if tx.Kind == KindSwapTake {
			quote := st.tx(tx.OtherSide.number)
			quote.OtherSide = nil // it can be taken by another
			if !quote.IsOpen() {
				st.pack(quote)
			}
		}
	}
	st.pack(tx)
}

// end takes a transaction from everywhere that those are kept which wait.
func (st *state) end(tx *Transaction, at time.Time) {
	if tx.Kind.MovesMoney() {
		st.unlist(tx, false)
		defer st.list(tx, false) // where its new time puts it
	}
	tx.Ended = at
	st.waits(tx, -1)
	st.txs.note(tx)
	st.txs.asks(tx) // nobody can decide it any more
	if tx.Kind == KindSwapMake {
		st.hub = slices.DeleteFunc(st.hub, func(listed *Transaction) bool { return listed.number == tx.number })
		st.notice(tx)
	}
	st.expiries.drop(st.txs.open)
}

// settle moves what was held to where it goes.
func (st *state) settle(tx *Transaction) {
	credit := outside(ledger.Withdrawn, tx.Asset)
	if tx.Recipient != nil {
		credit = tx.Recipient.available()
	}
	st.post(
		ledger.Move{Debit: tx.Sender.held(), Credit: credit, Amount: tx.Amount - tx.Fee},
		ledger.Move{Debit: tx.Sender.held(), Credit: outside(ledger.Fees, tx.Asset), Amount: tx.Fee})
	st.move(tx)
	st.moved(Entry{tx, false})
	if tx.Recipient != nil {
		st.list(tx, true)
		st.moved(Entry{tx, true})
	}
}

// Sent returns a transaction of one of some kinds, by its ID or that of an action, if a company sent it. A quote is
// found by all companies of its account: they may take it.
func (st *state) Sent(c *Company, id string, kinds ...Kind) (*Transaction, error) {
	tx := st.Tx(id)
	if tx == nil || !slices.Contains(kinds, tx.Kind) {
		return nil, notFound("transaction")
	}
	sender := tx.Sender.Fund.Company
	if sender != c && (tx.Kind != KindSwapMake || sender.Account != c.Account) {
		return nil, notFound("transaction")
	}
	return tx, nil
}

// RecipientUser is the person of the company that a transaction goes to, nil if there is none.
func (st *state) RecipientUser(tx *Transaction) *User {
	if tx.Recipient == nil {
		return nil
	}
	return st.userOf(tx.Recipient.Fund.Company)
}

// userOf returns the person who has been in a company's trusted network the longest, nil if there is none.
func (st *state) userOf(c *Company) *User {
	for _, p := range c.Parties {
		if u := st.users[string(p.PartyID)]; u != nil && p.Accepted {
			return u
		}
	}
	return nil
}
