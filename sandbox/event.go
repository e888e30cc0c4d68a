package sandbox

import (
	"container/heap"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
	"github.com/qredo-go/qredo/sandbox/internal/ledger"
)

// event is a change and when it happened. The state follows from the events alone.
type event struct {
	At     time.Time
	Change change
}

// change is one of the types below. Applying it uses neither a clock nor chance, and cannot fail: the
// command that made it has checked it.
type change interface {
	apply(st *state, at time.Time)
}

type clockAdvanced struct{ By time.Duration }

func (e clockAdvanced) apply(st *state, _ time.Time) { st.offset += e.By }

type userCreated struct {
	ID                  string
	Email               string
	Username            string
	FirstName, LastName string
	Invited             bool // known by e-mail only, so far
}

func (e userCreated) apply(st *state, _ time.Time) {
	u := &user{e}
	st.users[e.ID] = u
	st.userByEmail[strings.ToLower(e.Email)] = u
}

type companyCreated struct {
	ID      qredo.CompanyID
	Account string
	Company qredo.CompanyRequest
}

func (e companyCreated) apply(st *state, _ time.Time) {
	c := &company{companyCreated: e}
	st.companies[e.ID] = c
	st.companyKeys[newCompanyKey(e.Account, e.Company)] = c
}

type companyUpdated struct {
	ID      qredo.CompanyID
	Company qredo.CompanyRequest
}

func (e companyUpdated) apply(st *state, _ time.Time) {
	c := st.companies[e.ID]
	delete(st.companyKeys, newCompanyKey(c.Account, c.Company))
	c.Company = e.Company
	st.companyKeys[newCompanyKey(c.Account, c.Company)] = c
}

type partyAdded struct {
	CompanyID qredo.CompanyID
	PartyID   string
	Address   string
	Name      string
	Type      qredo.TrustedPartyType
	Accepted  bool // needs no acceptance in the app
}

func (e partyAdded) apply(st *state, at time.Time) {
	c := st.companies[e.CompanyID]
	c.parties = append(c.parties, &party{partyAdded: e, created: at, accepted: e.Accepted})
}

type partyAccepted struct {
	CompanyID qredo.CompanyID
	PartyID   string
}

func (e partyAccepted) apply(st *state, _ time.Time) {
	st.companies[e.CompanyID].party(e.PartyID).accepted = true
}

type partyRemoved struct {
	CompanyID qredo.CompanyID
	PartyID   string
}

func (e partyRemoved) apply(st *state, _ time.Time) {
	c := st.companies[e.CompanyID]
	for i, p := range c.parties {
		if p.PartyID == e.PartyID {
			c.parties = append(c.parties[:i:i], c.parties[i+1:]...)
			return
		}
	}
}

type newWallet struct {
	ID             qredo.WalletID
	Name           string
	Asset          qredo.AssetCode
	Type           qredo.WalletType
	Address        string
	AddressType    string
	ShortCode      string
	PolicyWithdraw *custody.Policy
	PolicyTx       *custody.Policy
}

type fundCreated struct {
	ID             qredo.FundID
	CompanyID      qredo.CompanyID
	Name           string
	Description    string
	PolicyWithdraw *custody.Policy
	PolicyTx       *custody.Policy
}

func (e fundCreated) apply(st *state, _ time.Time) {
	c := st.companies[e.CompanyID]
	f := &fund{fundCreated: e, company: c, byAsset: map[qredo.AssetCode]*entryIndex{}}
	st.funds[e.ID] = f
	c.funds = append(c.funds, f)
}

type walletsAdded struct {
	FundID  qredo.FundID
	Wallets []newWallet
}

func (e walletsAdded) apply(st *state, _ time.Time) {
	f := st.funds[e.FundID]
	for _, nw := range e.Wallets {
		w := &wallet{newWallet: nw, fund: f}
		f.wallets = append(f.wallets, w)
		st.wallets[w.ID] = w
		st.byAddress[w.Address] = w
		st.byShortCode[w.ShortCode] = w
	}
}

type addressWhitelisted struct {
	FundID qredo.FundID
	Entry  qredo.WhitelistEntry
}

func (e addressWhitelisted) apply(st *state, _ time.Time) {
	f := st.funds[e.FundID]
	f.whitelist = append(f.whitelist, e)
}

// transactionCreated is a transaction that waits for approval, with its amount held, or a deposit,
// which waits for nothing.
type transactionCreated struct {
	ID          qredo.TxID
	Kind        txKind
	APIKey      string `json:",omitzero"` // whose partner_txID it is: the key's ID
	Partner     qredo.PartnerTxID
	From, To    qredo.WalletID
	Address     string // of a withdrawal
	Asset       qredo.AssetCode
	Amount, Fee int64
	Reference   string
	BenefitOf   string
	AccountNo   string
	ChainTxID   string // of a deposit
	Expires     time.Time
	Policy      custody.Policy
	Actions     []qredo.ActionID // one for each member of the policy
}

func (e transactionCreated) apply(st *state, at time.Time) {
	tx := &transaction{
		transactionCreated: e, created: at, chainTxID: e.ChainTxID,
		from: st.wallets[e.From], to: st.wallets[e.To],
		round: custody.NewRound(e.Policy, e.Expires),
	}
	st.txs[e.ID] = tx
	if e.Kind == kindDeposit {
		tx.ended = at
		st.post(ledger.Move{Debit: outside(ledger.Deposits, e.Asset), Credit: tx.to.available(), Amount: e.Amount})
		st.list(entry{tx, true})
		st.moved(entry{tx, true})
		return
	}
	tx.status = qredo.TxPending
	if e.Partner != "" {
		st.byPartner[partnerKey{e.APIKey, e.Partner}] = tx
	}
	st.post(ledger.Move{Debit: tx.from.available(), Credit: tx.from.held(), Amount: e.Amount})
	st.list(entry{tx, false})
	for i, id := range e.Actions {
		st.actions[id] = action{tx, i}
		member := tx.round.Votes[i].Member
		if st.open[member] == nil {
			st.open[member] = map[qredo.ActionID]bool{}
		}
		st.open[member][id] = true
	}
	heap.Push(&st.expiries, tx)
}

// voted is a member's choice.
type voted struct {
	ActionID qredo.ActionID
	Choice   custody.Choice
}

func (e voted) apply(st *state, at time.Time) {
	a := st.actions[e.ActionID]
	member := a.tx.round.Votes[a.vote].Member
	a.tx.round.Record(member, e.Choice, at)
	delete(st.open[member], e.ActionID)
}

// transactionEnded settles a transaction that was approved, or gives back what was held for it.
type transactionEnded struct {
	TxID      qredo.TxID
	Outcome   custody.Outcome
	ChainTxID string // of a withdrawal
}

func (e transactionEnded) apply(st *state, at time.Time) {
	tx := st.txs[e.TxID]
	tx.round.Outcome, tx.ended, tx.chainTxID = e.Outcome, at, e.ChainTxID
	for i, id := range tx.Actions {
		delete(st.open[tx.round.Votes[i].Member], id)
	}
	st.dropEnded()
	switch e.Outcome {
	case custody.Approved:
		tx.status = qredo.TxApproved
		st.settle(tx)
		return
	case custody.Rejected:
		tx.status = qredo.TxCustodyRejected
	case custody.Expired:
		tx.status = qredo.TxExpired
	case custody.Pending:
		return
	}
	st.post(ledger.Move{Debit: tx.from.held(), Credit: tx.from.available(), Amount: tx.Amount})
}

// settle moves what was held to where it goes.
func (st *state) settle(tx *transaction) {
	credit := outside(ledger.Withdrawn, tx.Asset)
	if tx.to != nil {
		credit = tx.to.available()
	}
	st.post(
		ledger.Move{Debit: tx.from.held(), Credit: credit, Amount: tx.Amount - tx.Fee},
		ledger.Move{Debit: tx.from.held(), Credit: outside(ledger.Fees, tx.Asset), Amount: tx.Fee})
	st.moved(entry{tx, false})
	if tx.to != nil {
		st.list(entry{tx, true})
		st.moved(entry{tx, true})
	}
}

func outside(kind ledger.Kind, asset qredo.AssetCode) ledger.Account {
	return ledger.Account{Kind: kind, ID: string(asset)}
}

// post makes moves that their command has checked. That they fail means that the books cannot be
// trusted any more, which must not go unnoticed.
func (st *state) post(moves ...ledger.Move) {
	if err := st.book.Post(moves...); err != nil {
		panic("sandbox: books do not balance: " + err.Error())
	}
}
