package sandbox

import (
	"fmt"
	"slices"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
	"github.com/qredo-go/qredo/sandbox/internal/ledger"
)

// submit makes the transaction that a request asks for, unless one with its partner_txID was made
// before. That is looked for before what path and body name, but for a sweep's core client: a repeat must
// find its transaction, whatever has changed since, and so it succeeds even where the path names a wrong company.
func (r *request) submit(partner qredo.PartnerTxID, build func() (*transactionCreated, error)) (any, error) {
	if partner != "" {
		if first := r.st.byPartner[partnerKey{r.key.ID, partner}]; first != nil {
			return submission(first.Kind, first.ID, qredo.SubmissionExisting), nil
		}
	}
	tx, err := build()
	if err != nil {
		return nil, err
	}
	from := r.st.wallets[tx.From]
	if err := r.st.book.Check(ledger.Move{Debit: from.available(), Credit: from.held(), Amount: tx.Amount}); err != nil {
		return nil, badRequest("the wallet's %v", err)
	}
	tx.APIKey, tx.Partner = r.key.ID, partner
	r.change(*tx)
	return submission(tx.Kind, tx.ID, qredo.SubmissionNew), nil
}

// submission is the answer to a request for a transaction.
func submission(kind txKind, id qredo.TxID, status qredo.SubmissionStatus) any {
	answer := qredo.Submission{TxID: id, Status: status}
	if kind != kindSwapMake {
		return answer
	}
	return qredo.SwapSubmission{Submission: answer, URL: swapPage + string(id)}
}

// swapPage begins the link to a quote in the web app, for people.
const swapPage = "https://qredo.network/aswp"

// outgoing begins a transaction of the path's company that leaves a wallet and that the wallet's custody
// group has to approve.
func (r *request) outgoing(kind txKind, from qredo.WalletID, send qredo.AssetAmount, expires qredo.Time) (*wallet, *transactionCreated, error) {
	c, err := r.company()
	if err != nil {
		return nil, nil, err
	}
	if from == "" {
		return nil, nil, badRequest("the wallet to send from must be named")
	}
	w, err := r.walletOf(from)
	if err != nil || w.fund.company != c {
		return nil, nil, notFound("wallet")
	}
	policy, err := w.approvers(kind)
	if err != nil {
		return nil, nil, err
	}
	tx, err := r.newTransaction(kind, w, send, expires, policy, w.dedicatedTo()...)
	return w, tx, err
}

// approvers returns the custody group for what leaves a wallet, if anything can leave it. Where neither the
// wallet nor its fund has one, that is nobody, and what is asked for waits until it expires.
func (w *wallet) approvers(kind txKind) (custody.Policy, error) {
	if w.status() != qredo.WalletReady {
		return custody.Policy{}, badRequest("the wallet is %s", w.status())
	}
	if policy := w.policy(kind.policyType()); policy != nil {
		return *policy, nil
	}
	return custody.Policy{}, nil
}

// latestExpiry is the last second that can be stored.
const latestExpiry = 253402300799

// newTransaction checks what all transactions have in common and asks for their approval.
func (r *request) newTransaction(kind txKind, w *wallet, send qredo.AssetAmount, expires qredo.Time, policy custody.Policy, required ...string) (*transactionCreated, error) {
	switch {
	case send.Asset != w.Asset:
		return nil, badRequest("send.symbol must be %s, which the wallet holds", w.Asset)
	case send.Amount <= 0:
		return nil, badRequest("send.amount must be more than zero")
	case !expires.After(r.now):
		return nil, badRequest("expires must be in the future")
	case expires.Unix() > latestExpiry:
		return nil, badRequest("expires must be before the year 10000")
	}
	fees, err := r.choices.feesOf(kind.feeType(), w.Asset, send.Amount)
	if err != nil {
		return nil, err
	}
	tx := &transactionCreated{
		ID: qredo.TxID(r.ids.ksuid(r.now)), Kind: kind, From: w.ID, Asset: w.Asset,
		Amount: int64(fees.AmountToSend), Fee: int64(fees.Fees), Expires: expires.Time,
	}
	r.askApproval(tx, policy, required...)
	return tx, nil
}

// askApproval gives each approver of a transaction an action.
func (r *request) askApproval(tx *transactionCreated, policy custody.Policy, required ...string) {
	tx.Policy, tx.Required = policy, required
	for range custody.NewRound(policy, tx.Expires, required...).Votes {
		tx.Actions = append(tx.Actions, qredo.ActionID(r.ids.ksuid(r.now)))
	}
}

// transaction returns what has an ID, its own or that of an action.
func (st *state) transaction(id string) *transaction {
	if tx := st.txs[qredo.TxID(id)]; tx != nil {
		return tx
	}
	return st.actions[qredo.ActionID(id)].tx
}

// sent finds the transaction of one of some kinds that the path names, if the path's company sent it. A quote is
// found by all companies of its account: they may take it.
func sent(kinds ...txKind) func(r *request) (*transaction, error) {
	return func(r *request) (*transaction, error) {
		c, err := r.company()
		if err != nil {
			return nil, err
		}
		tx := r.st.transaction(r.path["tx_id"])
		if tx == nil || !slices.Contains(kinds, tx.Kind) {
			return nil, notFound("transaction")
		}
		sender := tx.from.fund.company
		if sender != c && (tx.Kind != kindSwapMake || sender.Account != c.Account) {
			return nil, notFound("transaction")
		}
		return tx, nil
	}
}

func getTransaction(r *request, tx *transaction) (any, error) { return r.wireTransaction(tx), nil }

func (r *request) wireTransaction(tx *transaction) qredo.Transaction {
	company := tx.from.fund.company.Company.Name
	out := qredo.Transaction{
		ID: tx.ID, Status: tx.status, ApprovedCount: tx.round.Approvals(), ThresholdRequired: tx.round.Threshold,
		Expires: wireTime(tx.Expires), Initiated: wireTime(tx.created), InitiatorAuthorized: tx.isAuthorized(),
		InitiatorName: company, Reference: tx.Reference,
		Approvals: make([]qredo.Approval, len(tx.asked)),
		Details: qredo.TransactionDetails{
			Asset: tx.Asset, Amount: qredo.Amount(tx.Amount), Fees: qredo.Amount(tx.Fee), NetAmount: qredo.Amount(tx.Amount - tx.Fee),
			FundID: tx.from.fund.ID, RecipientAddress: tx.Address, Reference: tx.Reference, BenefitOf: tx.BenefitOf,
			AccountNo: tx.AccountNo, RequestedBy: company, // its expires is 0: the transaction's own counts
		},
	}
	switch {
	case tx.to != nil:
		out.Details.RecipientAddress = string(tx.to.ID)
		if u := r.st.userOf(tx.to.fund.company); u != nil {
			out.Details.RecipientEmail, out.Details.RecipientUsername = u.Email, u.Username
			out.Details.RecipientFirstName, out.Details.RecipientLastName = u.FirstName, u.LastName
		}
	case tx.Receive != "":
		out.Details.RecipientAddress = string(tx.Receive)
	}
	for i, id := range tx.asked {
		v := r.st.actions[id].asked()
		approval := qredo.Approval{ActionID: id, UserID: v.Member, Status: approvalStatus(v, tx), Time: wireTime(v.At)}
		if u := r.st.users[v.Member]; u != nil {
			approval.Username, approval.FirstName, approval.LastName = u.Username, u.FirstName, u.LastName
		}
		out.Approvals[i] = approval
	}
	return out
}

// userOf returns the person who has been in a company's trusted network the longest, if there is one.
func (st *state) userOf(c *company) *user {
	for _, p := range c.parties {
		if u := st.users[string(p.PartyID)]; u != nil && p.accepted {
			return u
		}
	}
	return nil
}

func approvalStatus(v custody.Vote, tx *transaction) qredo.ApprovalStatus {
	switch v.Choice {
	case custody.Approve:
		return qredo.ApprovalApproved
	case custody.Reject:
		return qredo.ApprovalRejected
	case custody.Waiting:
		if tx.round.Outcome == custody.Expired {
			return qredo.ApprovalExpired
		}
	}
	return qredo.ApprovalPending
}

// mayVote tells why an action cannot be decided any more, if it cannot.
func (st *state) mayVote(id qredo.ActionID, now time.Time) error {
	a := st.actions[id]
	if err := a.round.Check(a.asked().Member, now); err != nil {
		return fmt.Errorf("%s %w", id, err)
	}
	return nil
}

// vote is a member's choice, which the member may make, and what follows from it.
func (st *state) vote(ids *idSource, id qredo.ActionID, choice custody.Choice) ([]change, error) {
	a := st.actions[id]
	changes := []change{voted{ActionID: id, Choice: choice}}
	switch outcome := a.round.After(a.asked().Member, choice); {
	case outcome == custody.Pending:
		return changes, nil
	case a.round == a.tx.initiation && outcome == custody.Approved:
		return append(changes, transferAuthorized{TxID: a.tx.ID}), nil
	case a.round == a.tx.initiation:
		return append(changes, transactionEnded{TxID: a.tx.ID, Outcome: outcome, Cancelled: true}), nil
	case outcome == custody.Approved && a.tx.Kind == kindSwapMake:
		return append(changes, swapOffered{TxID: a.tx.ID}), nil
	case outcome == custody.Approved && a.tx.refused, outcome == custody.Approved && a.tx.Kind == kindSwapTake && a.tx.swap.refused:
		return append(changes, a.tx.refuse()...), nil
	case outcome == custody.Approved && a.tx.Kind == kindSwapTake:
		return append(changes, swapSettled{Take: a.tx.ID, ChainTxID: ids.hash()}), nil
	case outcome == custody.Approved && a.tx.Kind == kindWeb3:
		signed, err := st.signWeb3(a.tx)
		return append(changes, signed, transactionEnded{TxID: a.tx.ID, Outcome: outcome}), err
	case outcome == custody.Approved && a.tx.Kind.movesMoney():
		return append(changes, transactionEnded{TxID: a.tx.ID, Outcome: outcome, ChainTxID: ids.hash()}), nil
	default:
		return append(changes, transactionEnded{TxID: a.tx.ID, Outcome: outcome}), nil
	}
}
