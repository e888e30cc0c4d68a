package sandbox

import (
	"container/heap"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
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
	User
	Invited bool // known by e-mail only, so far
}

func (e userCreated) apply(st *state, _ time.Time) {
	u := &user{e}
	st.users[string(e.ID)] = u
	st.userByEmail[strings.ToLower(e.Email)] = u
}

type companyCreated struct {
	ID      qredo.CompanyID
	Account string
	Company qredo.CompanyRequest
}

func (e companyCreated) apply(st *state, _ time.Time) {
	st.companies[e.ID] = &company{companyCreated: e}
}

// companyUpdated has all fields as they are then, also those that stay.
type companyUpdated struct {
	ID      qredo.CompanyID
	Company qredo.CompanyRequest
}

func (e companyUpdated) apply(st *state, _ time.Time) {
	st.companies[e.ID].Company = e.Company
}

type partyAdded struct {
	CompanyID qredo.CompanyID
	PartyID   qredo.TrustedEntityID
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
	PartyID   qredo.TrustedEntityID
}

func (e partyAccepted) apply(st *state, at time.Time) {
	p := st.companies[e.CompanyID].party(e.PartyID)
	p.accepted, p.created = true, at
}

type partyRemoved struct {
	CompanyID qredo.CompanyID
	PartyID   qredo.TrustedEntityID
}

func (e partyRemoved) apply(st *state, _ time.Time) {
	c := st.companies[e.CompanyID]
	c.parties = slices.DeleteFunc(c.parties, func(p *party) bool { return p.PartyID == e.PartyID })
}

type newWallet struct {
	ID             qredo.WalletID
	Name           string
	Asset          qredo.AssetCode
	Type           qredo.WalletType
	Address        string
	AddressType    string
	ShortCode      string
	Key            []byte `json:",omitzero"` // of the address, where the sandbox can sign for it
	PolicyWithdraw *custody.Policy
	PolicyTx       *custody.Policy
	Connect        []qredo.ConnectRequest
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
		w := &wallet{newWallet: nw, fund: f, locks: map[qredo.PolicyType][]*transaction{}}
		for _, c := range nw.Connect {
			w.connections = append(w.connections, &connection{CoreClientID: qredo.CoreClientID(c.CounterpartyID), ClientID: c.ClientID})
		}
		f.wallets = append(f.wallets, w)
		st.wallets[w.ID] = w
		st.byAddress[addressKey(w.Address)] = w
		st.byShortCode[shortCodeKey(w.ShortCode)] = w
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
	Quote      *quote             `json:",omitzero"` // of an offered swap
	Swap       qredo.TxID         `json:",omitzero"` // of a take: what it takes
	Receive    qredo.WalletID     `json:",omitzero"` // of a swap's side: where it receives
	NewPolicy  *custody.Policy    `json:",omitzero"` // of a policy's update
	PolicyType qredo.PolicyType   `json:",omitzero"`
	Authorize  *authorization     `json:",omitzero"` // of a transfer: what comes before the round
	Web3       *web3Request       `json:",omitzero"` // of a Web3 transaction
}

func (e transactionCreated) apply(st *state, at time.Time) {
	tx := &transaction{
		transactionCreated: e, created: at, chainTxID: e.ChainTxID,
		from: st.wallets[e.From], to: st.wallets[e.To],
		round: custody.NewRound(e.Policy, e.Expires, e.Required...),
	}
	st.txs[e.ID] = tx
	if e.Kind.movesMoney() {
		st.moves++
	}
	if e.Kind == kindDeposit {
		tx.ended = at
		st.post(ledger.Move{Debit: outside(ledger.Deposits, e.Asset), Credit: tx.to.available(), Amount: e.Amount})
		entry{tx, true}.list()
		st.moved(entry{tx, true})
		return
	}
	tx.status = qredo.TxPending
	if e.Partner != "" {
		st.byPartner[partnerKey{e.APIKey, e.Partner}] = tx
	}
	if e.Authorize == nil {
		st.ask(tx, &tx.round, tx.Actions)
	} else {
		tx.status = qredo.TxPendingInitiate
		tx.initiation = e.Authorize.initiation(e.Expires)
		st.ask(tx, tx.initiation, []qredo.ActionID{e.Authorize.Action})
	}
	heap.Push(&st.expiries, tx)
	switch e.Kind {
	case kindConnect:
		tx.from.connection(e.CoreClient).tx = tx
		c := st.coreClients[e.CoreClient]
		c.wallets = append(c.wallets, tx.from)
		return
	case kindPolicyUpdate:
		tx.from.locks[e.PolicyType] = append(tx.from.locks[e.PolicyType], tx)
		return
	case kindWeb3:
		st.noticeWeb3(tx, qapi.StatusCreated, at)
		return
	case kindSwapTake:
		tx.swap = st.txs[e.Swap]
		tx.swap.swap = tx
	case kindDeposit, kindTransfer, kindWithdrawal, kindSweep, kindSwapMake:
	}
	st.post(ledger.Move{Debit: tx.from.available(), Credit: tx.from.held(), Amount: e.Amount})
	entry{tx, false}.list()
}

// ask gives each approver of a round their action.
func (st *state) ask(tx *transaction, round *custody.Round, actions []qredo.ActionID) {
	for i, id := range actions {
		st.actions[id] = action{tx, round, i, len(st.actions)}
		member := round.Votes[i].Member
		if st.open[member] == nil {
			st.open[member] = map[qredo.ActionID]bool{}
		}
		st.open[member][id] = true
		if c := st.coreClients[qredo.CoreClientID(member)]; c != nil {
			c.actions = append(c.actions, id)
		}
	}
	tx.asked = append(tx.asked, actions...)
}

// stopAsking lets nobody decide a transaction any more.
func (st *state) stopAsking(tx *transaction) {
	for _, id := range tx.asked {
		delete(st.open[st.actions[id].asked().Member], id)
	}
}

// voted is a member's choice.
type voted struct {
	ActionID qredo.ActionID
	Choice   custody.Choice
}

func (e voted) apply(st *state, at time.Time) {
	a := st.actions[e.ActionID]
	member := a.asked().Member
	a.round.Record(member, e.Choice, at)
	delete(st.open[member], e.ActionID)
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
	tx := st.txs[e.TxID]
	tx.round.Outcome, tx.chainTxID = e.Outcome, e.ChainTxID
	if !tx.isAuthorized() {
		tx.initiation.Outcome = e.Outcome
	}
	switch {
	case e.Cancelled:
		tx.status = qredo.TxInitiateRejected
	case e.Refused:
		tx.status = qredo.TxChainRejected
	case e.Outcome == custody.Approved:
		tx.status = qredo.TxApproved
	case e.Outcome == custody.Rejected:
		tx.status = qredo.TxCustodyRejected
	case e.Outcome == custody.Expired:
		tx.status = qredo.TxExpired
	}
	st.end(tx, at)
	switch {
	case tx.Kind == kindPolicyUpdate:
		tx.from.updatePolicy(tx)
	case tx.Kind == kindConnect:
	case tx.Kind == kindWeb3:
		st.noticeWeb3(tx, web3Status(tx), at)
	case tx.status == qredo.TxApproved:
		st.settle(tx)
	default:
		st.post(ledger.Move{Debit: tx.from.held(), Credit: tx.from.available(), Amount: tx.Amount})
		if tx.Kind == kindSwapTake {
			tx.swap.swap = nil // the quote can be taken by another
		}
	}
}

// end takes a transaction from everywhere that those are kept which wait.
func (st *state) end(tx *transaction, at time.Time) {
	if tx.Kind.movesMoney() {
		entry{tx, false}.unlist()
		defer entry{tx, false}.list() // where its new time puts it
	}
	tx.ended = at
	st.stopAsking(tx)
	if tx.Kind == kindSwapMake {
		st.hub = slices.DeleteFunc(st.hub, func(listed *transaction) bool { return listed == tx })
		st.notice(tx)
	}
	st.dropEnded()
}

// updatePolicy gives the wallet the policy that an approved update has. In any case the update waits no more.
func (w *wallet) updatePolicy(tx *transaction) {
	w.locks[tx.PolicyType] = slices.DeleteFunc(w.locks[tx.PolicyType], func(waiting *transaction) bool { return waiting == tx })
	if tx.status != qredo.TxApproved {
		return
	}
	if tx.PolicyType == qredo.PolicyWithdraw {
		w.PolicyWithdraw = tx.NewPolicy
	} else {
		w.PolicyTx = tx.NewPolicy
	}
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
		entry{tx, true}.list()
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
