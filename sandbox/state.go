package sandbox

import (
	"container/heap"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
	"github.com/qredo-go/qredo/sandbox/internal/ledger"
)

// state is everything the sandbox knows. It changes only by events, one writer at a time.
type state struct {
	offset time.Duration // how far the clock was advanced

	companies   map[qredo.CompanyID]*company
	users       map[string]*user // by their IDs
	userByEmail map[string]*user
	funds       map[qredo.FundID]*fund
	wallets     map[qredo.WalletID]*wallet
	byAddress   map[string]*wallet // by addressKey
	byShortCode map[string]*wallet // by shortCodeKey
	txs         map[qredo.TxID]*transaction
	byPartner   map[partnerKey]*transaction
	actions     map[qredo.ActionID]action
	open        map[string]map[qredo.ActionID]bool // what each approver has yet to decide
	expiries    expiryHeap
	hub         []*transaction // the quotes on the liquidity hub, oldest first
	coreClients map[qredo.CoreClientID]*coreClient
	agents      map[string]*coreClient // those that are signing agents, by their client ID
	exchanges   []exchangeListed
	nonces      map[web3Sender]uint64  // the next nonce of each address on each chain
	moves       int                    // transactions that move something
	logs        map[string]*accountLog // what the feeds of each account tell
	book        ledger.Book
}

func newState() *state {
	return &state{
		companies:   map[qredo.CompanyID]*company{},
		users:       map[string]*user{},
		userByEmail: map[string]*user{},
		funds:       map[qredo.FundID]*fund{},
		wallets:     map[qredo.WalletID]*wallet{},
		byAddress:   map[string]*wallet{},
		byShortCode: map[string]*wallet{},
		txs:         map[qredo.TxID]*transaction{},
		byPartner:   map[partnerKey]*transaction{},
		actions:     map[qredo.ActionID]action{},
		open:        map[string]map[qredo.ActionID]bool{},
		coreClients: map[qredo.CoreClientID]*coreClient{},
		agents:      map[string]*coreClient{},
		logs:        map[string]*accountLog{},
		nonces:      map[web3Sender]uint64{},
	}
}

type company struct {
	companyCreated
	parties []*party
	funds   []*fund
}

type party struct {
	partyAdded
	created  time.Time // when they were added: one who must accept, when they did
	accepted bool
}

// party returns a company's trusted party by its ID.
func (c *company) party(id qredo.TrustedEntityID) *party {
	for _, p := range c.parties {
		if p.PartyID == id {
			return p
		}
	}
	return nil
}

type user struct{ userCreated }

type fund struct {
	fundCreated
	company   *company
	wallets   []*wallet
	whitelist []addressWhitelisted
	entries   entryIndex
	byAsset   map[qredo.AssetCode]*entryIndex
}

type wallet struct {
	newWallet
	fund        *fund
	entries     entryIndex
	history     []entry // what has moved, oldest first
	connections []*connection
	locks       map[qredo.PolicyType][]*transaction // the updates of its policies that wait for approval
}

// policy returns who approves what leaves the wallet: its own group, or the fund's.
func (w *wallet) policy(t qredo.PolicyType) *custody.Policy {
	own, inherited := &w.PolicyTx, w.fund.PolicyTx
	if t == qredo.PolicyWithdraw {
		own, inherited = &w.PolicyWithdraw, w.fund.PolicyWithdraw
	}
	if *own != nil {
		return *own
	}
	return inherited
}

// walletNamed returns the wallet with an ID or short code, of whatever account.
func (st *state) walletNamed(name string) *wallet {
	if w := st.wallets[qredo.WalletID(strings.TrimSpace(name))]; w != nil {
		return w
	}
	return st.byShortCode[shortCodeKey(name)]
}

func (w *wallet) available() ledger.Account {
	return ledger.Account{Kind: ledger.Available, ID: string(w.ID)}
}

func (w *wallet) held() ledger.Account { return ledger.Account{Kind: ledger.Held, ID: string(w.ID)} }

// balance is what is in the wallet, with what waits for approval.
func (st *state) balance(w *wallet) qredo.Amount {
	return qredo.Amount(st.book.Balance(w.available()) + st.book.Balance(w.held()))
}

// txKind tells what a transaction is.
type txKind string

const (
	kindDeposit      txKind = "deposit"
	kindTransfer     txKind = "transfer"
	kindWithdrawal   txKind = "withdrawal"
	kindSweep        txKind = "sweep"
	kindSwapMake     txKind = "swap"
	kindSwapTake     txKind = "swap take"
	kindConnect      txKind = "wallet connect"
	kindPolicyUpdate txKind = "policy update"
	kindWeb3         txKind = "external sign"
)

// apiNames are what the APIs call a kind of transaction: the action that approves it, the txType in that action's
// details, and its entry in the ledger of Qredo API v1.
var apiNames = map[txKind]struct {
	action qredo.ActionType
	txType string
	entry  qapi.EntryType
}{
	kindDeposit:      {"", "", qapi.EntryDeposit},
	kindTransfer:     {qredo.ActionTransfer, "transferOut", qapi.EntryTransfer},
	kindWithdrawal:   {qredo.ActionWithdraw, "withdraw", qapi.EntryWithdraw},
	kindSweep:        {qredo.ActionTransfer, "transferOut", qapi.EntrySweep},
	kindSwapMake:     {qredo.ActionSwap, "swap", qapi.EntrySwap},
	kindSwapTake:     {qredo.ActionSwapTake, "swap", qapi.EntrySwap},
	kindConnect:      {qredo.ActionWalletConnect, "", qapi.EntryWalletConnect},
	kindPolicyUpdate: {"ApproveUpdatePolicy", string(qapi.EntryUpdatePolicy), qapi.EntryUpdatePolicy},
	kindWeb3:         {"ApproveExternalSign", string(qapi.EntryExternalSign), qapi.EntryExternalSign},
}

// movesMoney tells transactions from what is approved like one but moves nothing.
func (k txKind) movesMoney() bool { return k != kindConnect && k != kindPolicyUpdate && k != kindWeb3 }

// policyType tells which of a wallet's policies approves a transaction.
func (k txKind) policyType() qredo.PolicyType {
	if k == kindWithdrawal {
		return qredo.PolicyWithdraw
	}
	return qredo.PolicyTx
}

// feeType is what a transaction's fee is asked for.
func (k txKind) feeType() qredo.FeeType {
	switch k {
	case kindWithdrawal:
		return qredo.FeeWithdraw
	case kindSwapMake, kindSwapTake:
		return qredo.FeeSwap
	default:
		return qredo.FeeTransferOut
	}
}

type transaction struct {
	transactionCreated
	from, to  *wallet // from is nil for deposits, to for withdrawals
	created   time.Time
	ended     time.Time
	status    qredo.TxStatus
	chainTxID string // on Qredo's own chain, once it is done
	round     custody.Round
	asked     []qredo.ActionID // of those who have been asked so far
	swap      *transaction     // the other side of a swap: of a quote, once somebody takes it
	listed    time.Time        // when a quote was listed on the hub
	web3      web3Progress     // of a Web3 transaction

	initiation *custody.Round // of a transfer that a core client must authorise first: its round of one
	refused    bool           // the chain will refuse it when it is approved
}

// isOpen reports whether a transaction has yet to end.
func (tx *transaction) isOpen() bool {
	return tx.status == qredo.TxPendingInitiate || tx.status == qredo.TxPending || tx.status == qredo.TxTakerPending
}

// isAuthorized reports whether the custody group may be asked: all but transfers that name who must authorise them.
func (tx *transaction) isAuthorized() bool {
	return tx.initiation == nil || tx.initiation.Outcome == custody.Approved
}

// partnerKey is the scope of a partner_txID: the API key that sent it.
type partnerKey struct {
	apiKey string
	id     qredo.PartnerTxID
}

// action is one approver's part in a transaction: a vote of its round or of its initiation.
type action struct {
	tx    *transaction
	round *custody.Round
	vote  int
	order int // how many actions came before it
}

func (a action) asked() custody.Vote { return a.round.Votes[a.vote] }

// notice tells the feeds of a quote that was on the liquidity hub.
func (st *state) notice(tx *transaction) {
	if tx.Kind == kindSwapMake && !tx.listed.IsZero() {
		log := st.log(tx.from.fund.company.Account)
		log.quotes = append(log.quotes, quoteNotice{tx, tx.status})
	}
}

// expiryHeap holds the transactions that wait, the one that expires first on top. One that has
// ended otherwise leaves it when it comes up.
type expiryHeap []*transaction

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].Expires.Before(h[j].Expires) }
func (h expiryHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is for container/heap.
func (h *expiryHeap) Push(x any) { *h = append(*h, x.(*transaction)) }

// Pop is for container/heap.
func (h *expiryHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

// due reports whether something expires at or before now.
func (st *state) due(now time.Time) bool {
	return len(st.expiries) > 0 && st.expiries[0].round.Due(now)
}

// expired returns the ends of the transactions whose time is over.
func (st *state) expired(now time.Time) []change {
	var ends []change
	var visit func(i int)
	visit = func(i int) {
		if i >= len(st.expiries) || !st.expiries[i].round.Due(now) {
			return // what lies below expires later
		}
		if tx := st.expiries[i]; tx.isOpen() {
			ends = append(ends, transactionEnded{TxID: tx.ID, Outcome: custody.Expired})
		}
		visit(2*i + 1)
		visit(2*i + 2)
	}
	visit(0)
	return ends
}

// dropEnded takes from the top of the heap what does not wait any more.
func (st *state) dropEnded() {
	for len(st.expiries) > 0 && !st.expiries[0].isOpen() {
		heap.Pop(&st.expiries)
	}
}
