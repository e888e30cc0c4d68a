package sandbox

import (
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
	"github.com/qredo-go/qredo/sandbox/internal/forms"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// The calls below stand for what happened outside the Partner API: what people did in the mobile app, and
// what came over a chain. They are served over HTTP too, under /sandbox/v1/; see [Control].

// User is a person with the app. The calls below identify a user by ID or by e-mail.
type User struct {
	ID        qredo.TrustedEntityID `json:"id"` // assigned by the sandbox; also the ID of the user as a trusted party
	Email     string                `json:"email"`
	Username  string                `json:"username"`
	FirstName string                `json:"first_name"`
	LastName  string                `json:"last_name"`
}

// CreateUser creates a user and returns them with their ID. An e-mail address that was invited to a trusted network keeps the
// ID it got then. An address that already has a user is a conflict.
func (s *Sandbox) CreateUser(u User) (User, error) {
	err := s.update(func(w *world.Update) error {
		made, err := w.CreateUser(world.Person(u))
		u = User(made)
		return err
	})
	return u, err
}

// Accept has a user accept a company's request to join its trusted network, or all requests if companyID is empty. It returns
// [qredo.ErrNotFound] if no request is waiting.
func (s *Sandbox) Accept(user string, companyID qredo.CompanyID) error {
	return s.update(func(w *world.Update) error { return w.Accept(user, companyID) })
}

// Deposit is an amount that came into a wallet over a chain.
type Deposit struct {
	TxID      qredo.TxID      `json:"tx_id"`
	ChainTxID string          `json:"chain_tx_id"` // on Qredo's own chain, as in ledger and history
	WalletID  qredo.WalletID  `json:"wallet_id"`
	Asset     qredo.AssetCode `json:"asset"`
	Amount    qredo.Amount    `json:"amount"`
}

// Deposit credits a wallet with an amount in base units, at once and without a fee. to is the wallet's deposit address (the
// case of one that begins with 0x does not matter), its ID, or its short code.
func (s *Sandbox) Deposit(to string, amount qredo.Amount) (Deposit, error) {
	return s.DepositBy("", to, amount)
}

// DepositBy is Deposit in a transaction that also contains other deposits: chainTxID is [Deposit].ChainTxID of one of them, or
// any 64 hexadecimal digits. A transaction may pay the same amount to a wallet twice.
func (s *Sandbox) DepositBy(chainTxID, to string, amount qredo.Amount) (Deposit, error) {
	var made world.Deposit
	err := s.update(func(w *world.Update) (err error) {
		made, err = w.Deposit(to, amount, chainTxID)
		return err
	})
	if err != nil {
		return Deposit{}, err
	}
	return Deposit{TxID: made.TxID, ChainTxID: made.Hash, WalletID: made.Wallet.ID, Asset: made.Wallet.Asset, Amount: amount}, nil
}

// PendingApproval is something that a user is asked to approve. It has no amount if it moves nothing that the service counts: a
// Web3 transaction has a value, a chain and data instead.
type PendingApproval struct {
	ActionID  qredo.ActionID  `json:"action_id"`
	TxID      qredo.TxID      `json:"tx_id"`
	Type      string          `json:"type"` // the type of transaction: "transfer", "withdrawal", "swap", …
	CompanyID qredo.CompanyID `json:"company_id"`
	FundID    qredo.FundID    `json:"fund_id"`
	WalletID  qredo.WalletID  `json:"wallet_id"`
	Recipient string          `json:"recipient"` // a wallet's ID or an address
	Asset     qredo.AssetCode `json:"asset"`
	Amount    qredo.Amount    `json:"amount,omitzero"`
	NetAmount qredo.Amount    `json:"net_amount,omitzero"`
	Fees      qredo.Amount    `json:"fees,omitzero"`
	Value     string          `json:"value,omitzero"` // for Web3 transactions, in wei
	GasLimit  string          `json:"gas_limit,omitzero"`
	GasPrice  string          `json:"gas_price,omitzero"` // the maximum, in wei
	ChainID   string          `json:"chain_id,omitzero"`
	Data      string          `json:"data,omitzero"`
	Reference string          `json:"reference"`
	Expires   qredo.Time      `json:"expires"`
}

// Pending lists what is waiting for the approval of a user, or of a core client, oldest first. [Sandbox.Approvals] gives more
// details.
func (s *Sandbox) Pending(user string) ([]PendingApproval, error) {
	list := []PendingApproval{}
	err := s.view(func(v *world.View) error {
		open, err := v.OpenActions(user)
		for _, id := range open {
			list = append(list, pending(id, v.Action(id).Tx))
		}
		return err
	})
	return list, err
}

// pending is what an action asks.
func pending(id qredo.ActionID, tx *world.Transaction) PendingApproval {
	f := tx.Sender.Fund
	p := PendingApproval{
		ActionID: id, TxID: tx.ID, Type: string(tx.Kind), CompanyID: f.Company.ID, FundID: f.ID,
		WalletID: tx.From, Recipient: tx.Address, Asset: tx.Asset, Amount: qredo.Amount(tx.Amount),
		NetAmount: tx.Net(), Fees: qredo.Amount(tx.Fee), Reference: tx.Reference, Expires: forms.Time(tx.Expires),
	}
	if tx.Recipient != nil {
		p.Recipient = string(tx.Recipient.ID)
	}
	if call := tx.Web3; call != nil {
		p.Value, p.ChainID, p.Data = call.Value.String(), call.ChainID.String(), call.Data
		p.GasLimit, p.GasPrice = call.GasLimit.String(), gasPrice(call)
	}
	return p
}

// gasPrice is the highest price of gas that a call asks for.
func gasPrice(call *world.Web3Call) string {
	if !call.FeeCap.IsZero() {
		return call.FeeCap.String()
	}
	return call.GasPrice.String()
}

// Approve has a user, or a core client, approve an action, given by its ID or that of its transaction. Somebody who has already
// decided cannot decide again, and an action that has ended cannot be approved: both are conflicts.
func (s *Sandbox) Approve(user, actionOrTxID string) error {
	return s.decide(user, actionOrTxID, custody.Approve)
}

// Reject has a user, or a core client, reject an action: see [Sandbox.Approve].
func (s *Sandbox) Reject(user, actionOrTxID string) error {
	return s.decide(user, actionOrTxID, custody.Reject)
}

func (s *Sandbox) decide(user, actionOrTxID string, choice custody.Choice) error {
	return s.update(func(w *world.Update) error { return w.Decide(user, actionOrTxID, choice) })
}

// RejectOnChain makes the service's chain refuse a pending transaction: once everyone has approved it, it ends as
// chain_rejected and has moved nothing. For a swap, name either side; both end. Give the transaction's ID, or that of an action
// that asks for it. A transaction that has ended is a conflict.
func (s *Sandbox) RejectOnChain(actionOrTxID string) error {
	return s.update(func(w *world.Update) error { return w.RejectOnChain(actionOrTxID) })
}

// ListExchange adds a core client to the list of exchanges that wallets can be connected to. The exchange's ID is the core
// client's.
func (s *Sandbox) ListExchange(exchange qredo.Exchange) error {
	return s.update(func(w *world.Update) error { return w.ListExchange(world.Exchange(exchange)) })
}

// Advance moves the sandbox's clock forward; whatever expires by then does so. Timestamps of requests are still checked against
// the clock that was passed in, so clients need not follow.
func (s *Sandbox) Advance(by time.Duration) error {
	return s.update(func(w *world.Update) error { return w.Advance(by) })
}

// Totals says where all of an asset is. Deposited = Balances + Withdrawn + Fees always holds.
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
	Held      qredo.Amount    `json:"held"` // the part of the balance that is waiting for approval
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

// State is what the sandbox knows, except for individual transactions.
type State struct {
	Now          qredo.Time                 `json:"now"`
	Users        []User                     `json:"users"`
	Companies    []CompanyState             `json:"companies"`
	Transactions int                        `json:"transactions"`
	Totals       map[qredo.AssetCode]Totals `json:"totals"`
}

// State returns what the sandbox knows, for tests and for people to inspect.
func (s *Sandbox) State() (State, error) {
	out := State{Users: []User{}, Companies: []CompanyState{}, Totals: map[qredo.AssetCode]Totals{}}
	err := s.view(func(v *world.View) error {
		out.Now, out.Transactions = forms.Time(v.Now), v.Moves()
		for _, u := range v.Users() {
			out.Users = append(out.Users, User(u.Person))
		}
		for _, c := range v.Companies() {
			out.Companies = append(out.Companies, describe(v, c, out.Totals))
		}
		for asset, t := range out.Totals {
			t.Deposited, t.Withdrawn, t.Fees = v.Deposited(asset), v.Withdrawn(asset), v.FeesOf(asset)
			out.Totals[asset] = t
		}
		return nil
	})
	return out, err
}

// describe returns a company's state and adds its balances to the totals.
func describe(v *world.View, c *world.Company, totals map[qredo.AssetCode]Totals) CompanyState {
	out := CompanyState{ID: c.ID, Name: c.Profile.Name, Account: c.Account, Funds: []FundState{}}
	for _, f := range c.Funds {
		fs := FundState{ID: f.ID, Name: f.Name, Wallets: []WalletState{}}
		for _, w := range f.Wallets {
			ws := WalletState{
				ID: w.ID, Name: w.Name, Asset: w.Asset, Address: w.Address, ShortCode: w.ShortCode, Balance: v.Balance(w), Held: v.Held(w),
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
