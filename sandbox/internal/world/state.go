package world

import (
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/agentcrypto"
	"github.com/qredo-go/qredo/sandbox/internal/ledger"
)

// state is everything that is known. It changes only by events, one writer at a time.
type state struct {
	seed    uint64        // of the identifiers
	commits uint64        // how many there were
	at      time.Time     // when the last one was
	offset  time.Duration // how far the clock was advanced

	companies    map[qredo.CompanyID]*Company
	companyList  []*Company       // oldest first
	companyNames textIndex        // with their domains
	users        map[string]*User // by their IDs
	userByEmail  map[string]*User
	funds        map[qredo.FundID]*Fund
	fundList     []*Fund // oldest first
	wallets      map[qredo.WalletID]*Wallet
	byAddress    map[string]*Wallet // by addressKey
	byShortCode  map[string]*Wallet // by shortCodeKey
	inOrder      []*Wallet
	txs          txTable
	expiries     expiryHeap
	hub          []*Transaction // the quotes on the liquidity hub, oldest first
	coreClients  map[qredo.CoreClientID]*CoreClient
	agents       map[string]*CoreClient // those that are signing agents, by their client ID in hexadecimal
	seedless     bool                   // it was exported without secrets
	masterSeed   []byte
	master       *agentcrypto.MasterSecret // of their client secrets, nil before the first
	exchanges    []exchangeListed
	nonces       map[web3Sender]uint64 // the next nonce of each address on each chain
	moves        int                   // transactions that move something
	touched      map[string]bool       // the accounts of which more is to be told
	logs         map[string]*Log       // what the feeds of each account tell
	book         ledger.Book
}

func newState(seed uint64) *state {
	return &state{
		seed:        seed,
		companies:   map[qredo.CompanyID]*Company{},
		users:       map[string]*User{},
		userByEmail: map[string]*User{},
		funds:       map[qredo.FundID]*Fund{},
		wallets:     map[qredo.WalletID]*Wallet{},
		byAddress:   map[string]*Wallet{},
		byShortCode: map[string]*Wallet{},
		txs:         newTxTable(),
		coreClients: map[qredo.CoreClientID]*CoreClient{},
		agents:      map[string]*CoreClient{},
		logs:        map[string]*Log{},
		nonces:      map[web3Sender]uint64{},
	}
}

// Moves is how many transactions there are that move something.
func (st *state) Moves() int { return st.moves }

// Balance is what is in a wallet, with what waits for approval.
func (st *state) Balance(w *Wallet) qredo.Amount { return st.Available(w) + st.Held(w) }

// Available is what a wallet can send.
func (st *state) Available(w *Wallet) qredo.Amount {
	return qredo.Amount(st.book.Balance(w.available()))
}

// Held is the part of a wallet's balance that waits for approval.
func (st *state) Held(w *Wallet) qredo.Amount { return qredo.Amount(st.book.Balance(w.held())) }

func (w *Wallet) available() ledger.Account {
	return ledger.Account{Kind: ledger.Available, ID: string(w.ID)}
}

func (w *Wallet) held() ledger.Account { return ledger.Account{Kind: ledger.Held, ID: string(w.ID)} }

func outside(kind ledger.Kind, asset qredo.AssetCode) ledger.Account {
	return ledger.Account{Kind: kind, ID: string(asset)}
}

// Deposited is what of an asset has come from outside.
func (st *state) Deposited(asset qredo.AssetCode) qredo.Amount {
	return -qredo.Amount(st.book.Balance(outside(ledger.Deposits, asset)))
}

// Withdrawn is what of an asset has gone outside.
func (st *state) Withdrawn(asset qredo.AssetCode) qredo.Amount {
	return qredo.Amount(st.book.Balance(outside(ledger.Withdrawn, asset)))
}

// FeesOf is what was charged of an asset.
func (st *state) FeesOf(asset qredo.AssetCode) qredo.Amount {
	return qredo.Amount(st.book.Balance(outside(ledger.Fees, asset)))
}

// post makes moves that their command has checked. That they fail means that the books cannot be
// trusted any more, which must not go unnoticed.
func (st *state) post(moves ...ledger.Move) {
	if err := st.book.Post(moves...); err != nil {
		panic("sandbox: books do not balance: " + err.Error())
	}
}
