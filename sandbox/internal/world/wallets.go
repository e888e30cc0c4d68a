package world

import (
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// Wallet holds one asset.
type Wallet struct {
	walletAdded
	Fund        *Fund
	History     Entries // what has moved, oldest first
	Connections []*Connection
	number      uint32 // its place among all
	entries     entryIndex
	locks       map[qredo.PolicyType][]*Transaction // the updates of its policies that wait for approval
	incoming    big.Int                             // of swaps that wait
	balances    []qredo.Amount                      // after each movement of History
	highest     qredo.Amount                        // of them
}

type walletAdded struct {
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
	Connect        []Counterparty
}

type walletsAdded struct {
	FundID  qredo.FundID
	Wallets []walletAdded
}

func (e walletsAdded) apply(st *state, _ time.Time) {
	f := st.funds[e.FundID]
	for _, added := range e.Wallets {
		w := &Wallet{walletAdded: added, Fund: f, locks: map[qredo.PolicyType][]*Transaction{}}
		for _, c := range added.Connect {
			w.Connections = append(w.Connections, &Connection{CoreClientID: qredo.CoreClientID(c.CounterpartyID), ClientID: c.ClientID})
		}
		st.addWallet(w)
	}
}

func (st *state) addWallet(w *Wallet) {
	st.inOrder = append(st.inOrder, w)
	w.number = uint32(len(st.inOrder)) //nolint:gosec // no memory holds so many
	w.Fund.Wallets = append(w.Fund.Wallets, w)
	st.wallets[w.ID] = w
	st.byAddress[addressKey(w.Address)] = w
	st.byShortCode[shortCodeKey(w.ShortCode)] = w
}

func (e walletsAdded) has(shortCode string) bool {
	return slices.ContainsFunc(e.Wallets, func(w walletAdded) bool { return w.ShortCode == shortCode })
}

// Policy returns who approves what leaves the wallet: its own group, or the fund's.
func (w *Wallet) Policy(t qredo.PolicyType) *custody.Policy {
	own, inherited := &w.PolicyTx, w.Fund.PolicyTx
	if t == qredo.PolicyWithdraw {
		own, inherited = &w.PolicyWithdraw, w.Fund.PolicyWithdraw
	}
	if *own != nil {
		return *own
	}
	return inherited
}

// WaitingUpdate returns the newest update of a policy of the wallet's that waits for approval, nil if none does.
func (w *Wallet) WaitingUpdate(t qredo.PolicyType) *Transaction {
	if updates := w.locks[t]; len(updates) > 0 {
		return updates[len(updates)-1]
	}
	return nil
}

// walletNamed returns the wallet with an ID or short code, of whatever account.
func (st *state) walletNamed(name string) *Wallet {
	if w := st.wallets[qredo.WalletID(strings.TrimSpace(name))]; w != nil {
		return w
	}
	return st.byShortCode[shortCodeKey(name)]
}

// Wallet returns a wallet of an account, named by its ID or short code.
func (st *state) Wallet(account, name string) (*Wallet, error) {
	w := st.walletNamed(name)
	if w == nil || w.Fund.Company.Account != account {
		return nil, notFound("wallet")
	}
	return w, nil
}

// ReadableWallet returns a wallet if an account has it, or has a core client that it is connected to: an exchange
// looks at what it holds in custody for its clients.
func (st *state) ReadableWallet(account, name string) (*Wallet, error) {
	if w := st.walletNamed(name); w != nil {
		for _, c := range w.Connections {
			if c.Status() == qredo.ConnectionConnected && st.coreClients[c.CoreClientID].Account == account {
				return w, nil
			}
		}
	}
	return st.Wallet(account, name)
}

// WalletInFund returns a wallet of a fund.
func (st *state) WalletInFund(f *Fund, name string) (*Wallet, error) {
	w, err := st.Wallet(f.Company.Account, name)
	if err != nil || w.Fund != f {
		return nil, notFound("wallet")
	}
	return w, nil
}

// NewWallet is what a wallet is made from.
type NewWallet struct {
	Name         string
	Asset        qredo.AssetCode
	Type         qredo.WalletType
	Withdraw, Tx *Group // its own custody groups; if nil, the fund's groups apply
	Connect      []Counterparty
}

// newWallets checks what wallets are asked for and gives them identifiers and addresses.
func (u *Update) newWallets(f *Fund, asked []NewWallet) (walletsAdded, error) {
	type nameInFund struct {
		name  string
		asset qredo.AssetCode
	}
	taken := map[nameInFund]bool{}
	for _, w := range f.Wallets {
		taken[nameInFund{w.Name, w.Asset}] = true
	}
	added := walletsAdded{FundID: f.ID}
	for _, ask := range asked {
		asset, err := u.Asset(ask.Asset)
		if err != nil {
			return added, err
		}
		key := nameInFund{ask.Name, ask.Asset}
		if u.Choices.Strict && ask.Name != "" && taken[key] {
			return added, conflict("the fund has a wallet named %q for %s", ask.Name, ask.Asset)
		}
		taken[key] = true
		w := walletAdded{Name: ask.Name, Asset: ask.Asset, Type: ask.Type, ID: qredo.WalletID(u.ids.account())}
		if w.Connect, err = u.counterparties(ask); err != nil {
			return added, err
		}
		w.Address, w.AddressType, w.Key = u.ids.address(asset)
		for w.ShortCode == "" || u.walletNamed(w.ShortCode) != nil || added.has(w.ShortCode) {
			w.ShortCode = u.ids.shortCode()
		}
		w.PolicyWithdraw, w.PolicyTx, err = u.newPolicies(f.Company, strings.TrimSpace("Wallet "+ask.Name), ask.Withdraw, ask.Tx)
		if err != nil {
			return added, err
		}
		added.Wallets = append(added.Wallets, w)
	}
	return added, nil
}

// makeWallets makes wallets, asks their counterparties to approve the connections, and returns the wallets' IDs.
func (u *Update) makeWallets(f *Fund, asked []NewWallet) ([]qredo.WalletID, error) {
	added, err := u.newWallets(f, asked)
	if err != nil {
		return nil, err
	}
	u.change(added)
	u.connect(added)
	ids := make([]qredo.WalletID, len(added.Wallets))
	for i, w := range added.Wallets {
		ids[i] = w.ID
	}
	return ids, nil
}

// AddWallets adds wallets to a fund and returns their IDs.
func (u *Update) AddWallets(f *Fund, asked []NewWallet) ([]qredo.WalletID, error) {
	if len(asked) == 0 {
		return nil, invalid("wallets must not be empty")
	}
	return u.makeWallets(f, asked)
}

// AddAssets adds a wallet for each of some assets to a fund and returns the wallets' IDs.
func (u *Update) AddAssets(f *Fund, assets []qredo.AssetCode) ([]qredo.WalletID, error) {
	if len(assets) == 0 {
		return nil, invalid("assets must not be empty")
	}
	held := map[qredo.AssetCode]bool{}
	for _, w := range f.Wallets {
		held[w.Asset] = true
	}
	var asked []NewWallet
	for _, asset := range assets {
		if u.Choices.Strict && held[asset] {
			return nil, conflict("the fund has %s already", asset)
		}
		held[asset] = true
		asked = append(asked, NewWallet{Asset: asset})
	}
	return u.makeWallets(f, asked)
}

// policyLife is how long a custody group has for approving a policy's update: the request does not say.
const policyLife = 24 * time.Hour

// NewPolicy is what a policy of a wallet's is to be from now on.
type NewPolicy struct {
	ID   qredo.PolicyID
	Type qredo.PolicyType
	Group
}

// UpdatePolicy asks the custody group of a wallet's policy to approve another group in its place.
func (u *Update) UpdatePolicy(w *Wallet, asked NewPolicy) error {
	old := w.PolicyTx
	switch asked.Type {
	case qredo.PolicyTx:
	case qredo.PolicyWithdraw:
		old = w.PolicyWithdraw
	default:
		return invalid("type must be %s or %s", qredo.PolicyTx, qredo.PolicyWithdraw)
	}
	switch {
	case old == nil:
		return invalid("the wallet has no %s of its own, and a fund's cannot be updated", asked.Type)
	case asked.ID != qredo.PolicyID(old.ID):
		return invalid("policy_id is not that of the wallet's %s", asked.Type)
	case u.Choices.Strict && w.WaitingUpdate(asked.Type) != nil:
		return invalid("an update of this policy waits for approval")
	}
	updated, err := u.newPolicy(w.Fund.Company, old.Name, "policy", &asked.Group)
	if err != nil {
		return err
	}
	updated.ID = old.ID
	tx := transactionCreated{
		ID: qredo.TxID(u.ids.ksuid(u.Now)), Kind: KindPolicyUpdate, From: w.ID, Asset: w.Asset,
		Expires: u.Now.Add(policyLife), NewPolicy: updated, PolicyType: asked.Type,
	}
	u.askApproval(&tx, *old)
	u.change(tx)
	return nil
}

// updatePolicy gives the wallet the policy that an approved update has. In any case the update waits no more.
func (w *Wallet) updatePolicy(tx *Transaction) {
	w.locks[tx.PolicyType] = slices.DeleteFunc(w.locks[tx.PolicyType], func(waiting *Transaction) bool { return waiting.number == tx.number })
	if tx.Status != qredo.TxApproved {
		return
	}
	if tx.PolicyType == qredo.PolicyWithdraw {
		w.PolicyWithdraw = tx.NewPolicy
	} else {
		w.PolicyTx = tx.NewPolicy
	}
}
