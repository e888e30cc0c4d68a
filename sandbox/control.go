package sandbox

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
	"github.com/qredo-go/qredo/sandbox/internal/ledger"
)

// The calls below stand for what happened outside the Partner API: what people did in the mobile app, and
// what came over a chain. They are served over HTTP too, under /sandbox/v1/; see [Control].

// User is a person with the app. In the calls below, a user is named by ID or by e-mail.
type User struct {
	ID        qredo.TrustedEntityID `json:"id"` // given by the sandbox; the ID of the trusted party that the user becomes
	Email     string                `json:"email"`
	Username  string                `json:"username"`
	FirstName string                `json:"first_name"`
	LastName  string                `json:"last_name"`
}

// user returns the user with an ID or e-mail.
func (st *state) user(name string) (*user, error) {
	u := st.users[name]
	if u == nil {
		u = st.userByEmail[strings.ToLower(strings.TrimSpace(name))]
	}
	if u == nil {
		return nil, notFound("user")
	}
	return u, nil
}

// CreateUser makes a user and returns them with their ID. An e-mail that was invited to a trusted network
// keeps the ID it got then; one that has a user is a conflict.
func (s *Sandbox) CreateUser(u User) (User, error) {
	u.Email = strings.TrimSpace(u.Email)
	if !strings.Contains(u.Email, "@") {
		return User{}, badRequest("email must be an e-mail address")
	}
	err := s.update(func(st *state, _ time.Time) ([]change, error) {
		switch known := st.userByEmail[strings.ToLower(u.Email)]; {
		case known == nil:
			u.ID = qredo.TrustedEntityID(s.ids.account())
		case known.Invited:
			u.ID = known.ID
		default:
			return nil, conflict("the user exists already")
		}
		if u.Username == "" {
			u.Username, _, _ = strings.Cut(u.Email, "@")
		}
		return []change{userCreated{User: u}}, nil
	})
	return u, err
}

// Accept lets a user accept a company's request to join its trusted network. An empty company stands for
// all that have asked. Without a request that waits it is not found.
func (s *Sandbox) Accept(user string, companyID qredo.CompanyID) error {
	return s.update(func(st *state, _ time.Time) ([]change, error) {
		u, err := st.user(user)
		if err != nil {
			return nil, err
		}
		var accepted []change
		for id, c := range st.companies {
			if p := c.party(u.ID); p != nil && !p.accepted && (companyID == "" || companyID == id) {
				accepted = append(accepted, partyAccepted{CompanyID: id, PartyID: u.ID})
			}
		}
		if len(accepted) == 0 {
			return nil, notFound("request to join a trusted network")
		}
		return accepted, nil
	})
}

// Deposit is what came over a chain to a wallet.
type Deposit struct {
	TxID      qredo.TxID      `json:"tx_id"`
	ChainTxID string          `json:"chain_tx_id"` // on Qredo's own chain, as ledger and history have it
	WalletID  qredo.WalletID  `json:"wallet_id"`
	Asset     qredo.AssetCode `json:"asset"`
	Amount    qredo.Amount    `json:"amount"`
}

// Deposit credits a wallet with an amount in base units, at once and without a fee. The wallet is named by its
// deposit address, where those that begin with 0x are taken in any capitals, or by its ID or short code.
func (s *Sandbox) Deposit(to string, amount qredo.Amount) (Deposit, error) {
	var made Deposit
	err := s.update(func(st *state, now time.Time) ([]change, error) {
		w := st.byAddress[addressKey(strings.TrimSpace(to))]
		if w == nil {
			w = st.walletNamed(to)
		}
		if w == nil {
			return nil, notFound("deposit address, wallet or short code")
		}
		if amount <= 0 {
			return nil, badRequest("amount must be more than zero")
		}
		// All deposits of an asset together stay within 64 bits, so that no sum can be beyond them.
		source := outside(ledger.Deposits, w.Asset)
		if st.book.Balance(source) < -math.MaxInt64+int64(amount) {
			return nil, badRequest("deposits of %s would be beyond 64 bits", w.Asset)
		}
		tx := transactionCreated{
			ID: qredo.TxID(s.ids.ksuid(now)), Kind: kindDeposit, To: w.ID, Address: w.Address,
			Asset: w.Asset, Amount: int64(amount), ChainTxID: s.ids.hash(),
		}
		made = Deposit{TxID: tx.ID, ChainTxID: tx.ChainTxID, WalletID: w.ID, Asset: w.Asset, Amount: amount}
		return []change{tx}, nil
	})
	return made, err
}

// PendingApproval is something a user is asked to approve.
type PendingApproval struct {
	ActionID  qredo.ActionID  `json:"action_id"`
	TxID      qredo.TxID      `json:"tx_id"`
	Type      string          `json:"type"` // what kind of transaction: "transfer", "withdrawal", "swap", …
	CompanyID qredo.CompanyID `json:"company_id"`
	FundID    qredo.FundID    `json:"fund_id"`
	WalletID  qredo.WalletID  `json:"wallet_id"`
	Recipient string          `json:"recipient"` // a wallet's ID or an address
	Asset     qredo.AssetCode `json:"asset"`
	Amount    qredo.Amount    `json:"amount"`
	NetAmount qredo.Amount    `json:"net_amount"`
	Fees      qredo.Amount    `json:"fees"`
	Reference string          `json:"reference"`
	Expires   qredo.Time      `json:"expires"`
}

// Pending lists what waits for a user's approval, oldest first.
func (s *Sandbox) Pending(user string) ([]PendingApproval, error) {
	list := []PendingApproval{}
	err := s.view(func(st *state, _ time.Time) error {
		u, err := st.user(user)
		if err != nil {
			return err
		}
		for _, id := range st.openActions(string(u.ID)) {
			tx := st.actions[id].tx
			p := PendingApproval{
				ActionID: id, TxID: tx.ID, Type: string(tx.Kind), CompanyID: tx.from.fund.company.ID, FundID: tx.from.fund.ID,
				WalletID: tx.From, Recipient: tx.Address, Asset: tx.Asset, Amount: qredo.Amount(tx.Amount),
				NetAmount: qredo.Amount(tx.Amount - tx.Fee), Fees: qredo.Amount(tx.Fee), Reference: tx.Reference,
				Expires: wireTime(tx.Expires),
			}
			if tx.to != nil {
				p.Recipient = string(tx.to.ID)
			}
			list = append(list, p)
		}
		return nil
	})
	return list, err
}

// Approve lets a user approve. What is named by an action's ID, or by the ID of its transaction. Who has
// decided already cannot decide again, and what has ended cannot be approved: both are conflicts.
func (s *Sandbox) Approve(user, actionOrTxID string) error {
	return s.decide(user, actionOrTxID, custody.Approve)
}

// Reject lets a user reject, as [Sandbox.Approve] lets them approve.
func (s *Sandbox) Reject(user, actionOrTxID string) error {
	return s.decide(user, actionOrTxID, custody.Reject)
}

func (s *Sandbox) decide(user, actionOrTxID string, choice custody.Choice) error {
	return s.update(func(st *state, now time.Time) ([]change, error) {
		u, err := st.user(user)
		if err != nil {
			return nil, err
		}
		id, err := st.actionOf(string(u.ID), actionOrTxID)
		if err != nil {
			return nil, err
		}
		if err := st.mayVote(id, now); err != nil {
			return nil, conflict("%v", err)
		}
		return st.vote(s.ids, id, choice)
	})
}

// actionOf returns a member's action, by its own ID or its transaction's.
func (st *state) actionOf(member, actionOrTxID string) (qredo.ActionID, error) {
	id := qredo.ActionID(actionOrTxID)
	if st.checkAction(id, member) == nil {
		return id, nil
	}
	if tx := st.txs[qredo.TxID(actionOrTxID)]; tx != nil {
		for _, id := range tx.asked {
			if st.checkAction(id, member) == nil {
				return id, nil
			}
		}
	}
	return "", notFound("action for this approver")
}

// Advance moves the sandbox's clock forward: what expires until then does so. Stamps of requests are
// still held against the clock as it was given, so that clients need not follow.
func (s *Sandbox) Advance(by time.Duration) error {
	const most = 100 * 365 * 24 * time.Hour // so that no time is beyond what can be written
	return s.update(func(st *state, _ time.Time) ([]change, error) {
		if by <= 0 || by > most-st.offset {
			return nil, badRequest("the clock can be advanced only, and by 100 years in all")
		}
		return []change{clockAdvanced{By: by}}, nil
	})
}

// Totals says where all of an asset is. Deposited = Balances + Withdrawn + Fees, always.
type Totals struct {
	Deposited qredo.Amount `json:"deposited"`
	Balances  qredo.Amount `json:"balances"`
	Withdrawn qredo.Amount `json:"withdrawn"`
	Fees      qredo.Amount `json:"fees"`
}

// WalletState is a wallet as the sandbox sees it.
type WalletState struct {
	ID        qredo.WalletID  `json:"id"`
	Name      string          `json:"name"`
	Asset     qredo.AssetCode `json:"asset"`
	Address   string          `json:"address"`
	ShortCode string          `json:"short_code"`
	Balance   qredo.Amount    `json:"balance"`
	Held      qredo.Amount    `json:"held"` // the part of the balance that waits for approval
}

// FundState is a fund as the sandbox sees it.
type FundState struct {
	ID      qredo.FundID  `json:"id"`
	Name    string        `json:"name"`
	Wallets []WalletState `json:"wallets"`
}

// CompanyState is a company as the sandbox sees it.
type CompanyState struct {
	ID      qredo.CompanyID `json:"id"`
	Name    string          `json:"name"`
	Account string          `json:"account"`
	Funds   []FundState     `json:"funds"`
}

// State is what the sandbox knows, apart from the single transactions.
type State struct {
	Now          qredo.Time                 `json:"now"`
	Users        []User                     `json:"users"`
	Companies    []CompanyState             `json:"companies"`
	Transactions int                        `json:"transactions"`
	Totals       map[qredo.AssetCode]Totals `json:"totals"`
}

// State returns what the sandbox knows, for tests and for people to look at.
func (s *Sandbox) State() (State, error) {
	out := State{Users: []User{}, Companies: []CompanyState{}, Totals: map[qredo.AssetCode]Totals{}}
	err := s.view(func(st *state, now time.Time) error {
		out.Now, out.Transactions = wireTime(now), st.moves
		for _, u := range st.users {
			out.Users = append(out.Users, u.User)
		}
		slices.SortFunc(out.Users, func(a, b User) int { return strings.Compare(a.Email, b.Email) })
		for _, id := range slices.Sorted(maps.Keys(st.companies)) {
			out.Companies = append(out.Companies, st.describe(st.companies[id], out.Totals))
		}
		for asset, t := range out.Totals {
			t.Deposited = -qredo.Amount(st.book.Balance(outside(ledger.Deposits, asset)))
			t.Withdrawn = qredo.Amount(st.book.Balance(outside(ledger.Withdrawn, asset)))
			t.Fees = qredo.Amount(st.book.Balance(outside(ledger.Fees, asset)))
			out.Totals[asset] = t
		}
		return nil
	})
	return out, err
}

// describe returns a company's state and adds its balances to the totals.
func (st *state) describe(c *company, totals map[qredo.AssetCode]Totals) CompanyState {
	out := CompanyState{ID: c.ID, Name: c.Company.Name, Account: c.Account, Funds: []FundState{}}
	for _, f := range c.funds {
		fs := FundState{ID: f.ID, Name: f.Name, Wallets: []WalletState{}}
		for _, w := range f.wallets {
			ws := WalletState{
				ID: w.ID, Name: w.Name, Asset: w.Asset, Address: w.Address, ShortCode: w.ShortCode,
				Balance: st.balance(w), Held: qredo.Amount(st.book.Balance(w.held())),
			}
			t := totals[w.Asset]
			t.Balances += ws.Balance
			totals[w.Asset] = t
			fs.Wallets = append(fs.Wallets, ws)
		}
		out.Funds = append(out.Funds, fs)
	}
	return out
}
