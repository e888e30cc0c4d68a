package sandbox

import (
	"context"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/control"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// ListFilter selects one page of a list.
type ListFilter struct {
	Search string `json:"search,omitzero"`
	Page
}

// Companies is one page of the list of companies.
type Companies struct {
	Companies []CompanySummary `json:"companies"`
	Total     int              `json:"total"`
	Next      string           `json:"next,omitzero"`
}

// CompanySummary is a company with its holdings.
type CompanySummary struct {
	ID      qredo.CompanyID `json:"id"`
	Name    string          `json:"name"`
	Account string          `json:"account"`
	Funds   int             `json:"funds"`
	Wallets int             `json:"wallets"`
	Waiting int             `json:"waiting"` // number of pending transactions
}

// CompanyDetail is a company with everything it has.
type CompanyDetail struct {
	ID      qredo.CompanyID `json:"id"`
	Name    string          `json:"name"`
	Account string          `json:"account"`
	Funds   []FundDetail    `json:"funds"`
	Trusted []Trusted       `json:"trusted"`
}

// Trusted is a party that a company trusts, or has asked to join its trusted network.
type Trusted struct {
	Named
	Kind     qredo.TrustedPartyType `json:"kind"`
	Email    string                 `json:"email,omitzero"` // for a person
	Accepted bool                   `json:"accepted"`
}

// FundDetail is a fund with its wallets.
type FundDetail struct {
	Named
	Wallets   []WalletSummary      `json:"wallets"`
	Policies  []Policy             `json:"policies"`
	Whitelist []WhitelistedAddress `json:"whitelist"`
}

// WhitelistedAddress is an address that a fund may withdraw an asset to.
type WhitelistedAddress struct {
	Asset   qredo.AssetCode `json:"asset"`
	Address string          `json:"address"`
	Name    string          `json:"name"`
}

// WalletSummary is a wallet with its contents: what is available, and what is held for pending transactions.
type WalletSummary struct {
	Named
	Asset     qredo.AssetCode    `json:"asset"`
	Decimals  *int               `json:"decimals,omitzero"` // the asset's; nil if it is not offered
	Address   string             `json:"address"`
	ShortCode string             `json:"short_code"`
	Type      qredo.WalletType   `json:"type"`
	Status    qredo.WalletStatus `json:"status"`
	Balance   Money              `json:"balance"`
	Held      Money              `json:"held"`
	Available Money              `json:"available"`
}

// WalletDetail is a wallet with its policies and its history.
type WalletDetail struct {
	WalletSummary
	Fund        Named             `json:"fund"`
	Company     Named             `json:"company"`
	Policies    []Policy          `json:"policies"` // its own, or the fund's
	Connections []ConnectedClient `json:"connections"`
	Incoming    Money             `json:"incoming"` // what pending swaps would bring in
	Chart       []ChartPoint      `json:"chart"`    // the balance over time, in at most 400 points; the first and the last are exact
	Max         string            `json:"max"`      // the highest balance so far, in base units
}

// ConnectedClient is a core client that a wallet is connected to, or was asked to be connected to.
type ConnectedClient struct {
	Named
	ClientID string                 `json:"client_id,omitzero"` // its ID for the wallet's owner
	Status   qredo.ConnectionStatus `json:"status"`
}

// ChartPoint is a balance, in base units, from a point in time on.
type ChartPoint struct {
	At      time.Time `json:"at"`
	Balance string    `json:"balance"`
}

// Movements is one page of a wallet's movements, newest first.
type Movements struct {
	Movements []Movement `json:"movements"`
	Total     int        `json:"total"`
	Next      string     `json:"next,omitzero"`
}

// Movement is an amount that came into a wallet or left it.
type Movement struct {
	TxID    qredo.TxID `json:"tx_id"`
	Type    string     `json:"type"`
	At      time.Time  `json:"at"`
	Amount  Money      `json:"amount"`  // negative for what leaves, with its fee
	Fees    Money      `json:"fees"`    // the fee's part of it; not negative
	Balance Money      `json:"balance"` // afterwards
	Status  string     `json:"status"`
	Other   string     `json:"other"` // the wallet or address on the other side, by name if it has one
}

// AssetTotal says where all of an asset is. Deposited = Balances + Withdrawn + Fees must always hold; Holds says whether it does.
type AssetTotal struct {
	Asset     qredo.AssetCode `json:"asset"`
	Deposited Money           `json:"deposited"`
	Balances  Money           `json:"balances"`
	Withdrawn Money           `json:"withdrawn"`
	Fees      Money           `json:"fees"`
	Holds     bool            `json:"holds"`
}

// AssetTotals says where all of each asset is, for assets that have wallets.
type AssetTotals struct {
	Totals []AssetTotal `json:"totals"`
}

// Companies lists the companies of all accounts, oldest first. Search looks for text in their names, domains and IDs.
func (s *Sandbox) Companies(filter ListFilter) (Companies, error) {
	out := Companies{Companies: []CompanySummary{}}
	err := s.view(func(v *world.View) error {
		limit, err := listLimit(filter.Limit)
		if err != nil {
			return err
		}
		part, err := v.CompaniesPage(filter.Search, filter.After, limit)
		for _, c := range part.List {
			wallets := 0
			for _, f := range c.Funds {
				wallets += len(f.Wallets)
			}
			out.Companies = append(out.Companies, CompanySummary{
				ID: c.ID, Name: c.Profile.Name, Account: c.Account, Funds: len(c.Funds), Wallets: wallets, Waiting: c.Waiting(),
			})
		}
		out.Total, out.Next = part.Total, part.Next
		return err
	})
	return out, err
}

// Company returns a company with its funds and their wallets.
func (s *Sandbox) Company(id qredo.CompanyID) (CompanyDetail, error) {
	var out CompanyDetail
	err := s.view(func(v *world.View) error {
		c := v.AnyCompany(id)
		if c == nil {
			return serve.NotFound("company")
		}
		out = CompanyDetail{ID: c.ID, Name: c.Profile.Name, Account: c.Account, Funds: []FundDetail{}, Trusted: []Trusted{}}
		for _, f := range c.Funds {
			out.Funds = append(out.Funds, fundDetail(v, f))
		}
		for _, p := range c.Parties {
			trusted := Trusted{Named: Named{string(p.PartyID), p.Name}, Kind: p.Type, Accepted: p.Accepted}
			if u := v.User(string(p.PartyID)); u != nil {
				trusted.Email = u.Email
			}
			out.Trusted = append(out.Trusted, trusted)
		}
		return nil
	})
	return out, err
}

func fundDetail(v *world.View, f *world.Fund) FundDetail {
	out := FundDetail{Named: fundNamed(f), Wallets: []WalletSummary{}, Policies: []Policy{}, Whitelist: []WhitelistedAddress{}}
	for _, w := range f.Wallets {
		out.Wallets = append(out.Wallets, walletSummary(v, w))
	}
	if f.PolicyWithdraw != nil {
		out.Policies = append(out.Policies, policy(v, qredo.PolicyWithdraw, f.PolicyWithdraw))
	}
	if f.PolicyTx != nil {
		out.Policies = append(out.Policies, policy(v, qredo.PolicyTx, f.PolicyTx))
	}
	for _, entry := range f.Whitelist {
		out.Whitelist = append(out.Whitelist, WhitelistedAddress(entry))
	}
	return out
}

func walletSummary(v *world.View, w *world.Wallet) WalletSummary {
	return WalletSummary{
		Named: Named{string(w.ID), walletName(w)}, Asset: w.Asset, Decimals: decimals(v, w.Asset), Address: w.Address, ShortCode: w.ShortCode,
		Type: w.Type, Status: w.Status(), Balance: money(v, w.Asset, v.Balance(w)), Held: money(v, w.Asset, v.Held(w)),
		Available: money(v, w.Asset, v.Available(w)),
	}
}

// decimals is an asset's number of decimals, nil if it is not known.
func decimals(v *world.View, code qredo.AssetCode) *int {
	asset, err := v.Asset(code)
	if err != nil {
		return nil
	}
	_, fraction, _ := strings.Cut(asset.Format(1), ".") // "0.00000001"; "1" has none
	n := len(fraction)
	return &n
}

// chartPoints is the most points in a chart.
const chartPoints = 400

// Wallet returns a wallet of any account, given its ID, short code or address.
func (s *Sandbox) Wallet(name string) (WalletDetail, error) {
	var out WalletDetail
	err := s.view(func(v *world.View) error {
		w, err := v.AnyWallet(name)
		if err != nil {
			return err
		}
		out = WalletDetail{
			WalletSummary: walletSummary(v, w), Fund: fundNamed(w.Fund), Company: companyNamed(w.Fund.Company),
			Policies: []Policy{}, Connections: []ConnectedClient{}, Chart: []ChartPoint{},
			Incoming: bigMoney(v, w.Asset, w.Incoming()), Max: money(v, w.Asset, w.Highest()).Base,
		}
		for _, t := range []qredo.PolicyType{qredo.PolicyWithdraw, qredo.PolicyTx} {
			if p := w.Policy(t); p != nil {
				out.Policies = append(out.Policies, policy(v, t, p))
			}
		}
		for _, c := range w.Connections {
			out.Connections = append(out.Connections, ConnectedClient{memberNamed(v, string(c.CoreClientID)), c.ClientID, c.Status()})
		}
		for _, p := range v.BalanceOverTime(w, chartPoints) {
			out.Chart = append(out.Chart, ChartPoint{instant(p.At), money(v, w.Asset, p.Balance).Base})
		}
		return nil
	})
	return out, err
}

// Movements lists a wallet's movements, newest first.
func (s *Sandbox) Movements(wallet string, page Page) (Movements, error) {
	out := Movements{Movements: []Movement{}}
	err := s.view(func(v *world.View) error {
		w, err := v.AnyWallet(wallet)
		if err != nil {
			return err
		}
		limit, err := listLimit(page.Limit)
		if err != nil {
			return err
		}
		part, err := v.HistoryPage(w, page.After, limit)
		for _, h := range part.List {
			m, own := h.Moved(), h.Tx
			if h.In && own.OtherSide != nil {
				own = own.OtherSide // what came in return for it
			}
			out.Movements = append(out.Movements, Movement{
				TxID: m.ID, Type: string(own.Kind), At: instant(h.Tx.Ended), Amount: money(v, w.Asset, m.Amount),
				Fees: money(v, w.Asset, -m.Fee), Balance: money(v, w.Asset, h.Balance), Status: statusOf(h.Tx), Other: otherSide(h.Entry),
			})
		}
		out.Total, out.Next = part.Total, part.Next
		return err
	})
	return out, err
}

// otherSide names the other side of an entry.
func otherSide(e world.Entry) string {
	switch other := e.Movement().Other; {
	case other != nil:
		return walletName(other)
	case e.In:
		return ""
	}
	if entry, _ := e.Tx.Sender.Fund.Whitelisted(e.Tx.Asset, e.Tx.Address); entry.Name != "" {
		return entry.Name
	}
	return e.Tx.Address
}

// Totals says where all of each asset is.
func (s *Sandbox) Totals() (AssetTotals, error) {
	out := AssetTotals{Totals: []AssetTotal{}}
	err := s.view(func(v *world.View) error {
		for _, b := range v.BalancesByAsset() {
			deposited, withdrawn, fees := v.Deposited(b.Asset), v.Withdrawn(b.Asset), v.FeesOf(b.Asset)
			out.Totals = append(out.Totals, AssetTotal{
				Asset: b.Asset, Deposited: money(v, b.Asset, deposited), Balances: money(v, b.Asset, b.Amount),
				Withdrawn: money(v, b.Asset, withdrawn), Fees: money(v, b.Asset, fees), Holds: deposited == b.Amount+withdrawn+fees,
			})
		}
		return nil
	})
	return out, err
}

// Companies lists the companies: see [Sandbox.Companies].
func (c *Control) Companies(ctx context.Context, filter ListFilter) (Companies, error) {
	return callCompanies.Ask(ctx, c.client(), filter)
}

// Company returns a company: see [Sandbox.Company].
func (c *Control) Company(ctx context.Context, id qredo.CompanyID) (CompanyDetail, error) {
	return callCompany.Ask(ctx, c.client(), control.None{}, string(id))
}

// Wallet returns a wallet: see [Sandbox.Wallet].
func (c *Control) Wallet(ctx context.Context, name string) (WalletDetail, error) {
	return callWallet.Ask(ctx, c.client(), control.None{}, name)
}

// Movements lists a wallet's movements: see [Sandbox.Movements].
func (c *Control) Movements(ctx context.Context, wallet string, page Page) (Movements, error) {
	return callMovements.Ask(ctx, c.client(), page, wallet)
}

// Totals says where all of each asset is: see [Sandbox.Totals].
func (c *Control) Totals(ctx context.Context) (AssetTotals, error) {
	return callTotals.Ask(ctx, c.client(), control.None{})
}

var (
	callCompanies = control.Get("/companies", func(s *Sandbox, _ ids, in ListFilter) (Companies, error) { return s.Companies(in) })
	callCompany   = control.Get("/companies/{id}", func(s *Sandbox, at ids, _ control.None) (CompanyDetail, error) {
		return s.Company(qredo.CompanyID(at["id"]))
	})
	callWallet    = control.Get("/wallets/{id}", func(s *Sandbox, at ids, _ control.None) (WalletDetail, error) { return s.Wallet(at["id"]) })
	callMovements = control.Get("/wallets/{id}/movements", func(s *Sandbox, at ids, in Page) (Movements, error) { return s.Movements(at["id"], in) })
	callTotals    = control.Get("/totals", func(s *Sandbox, _ ids, _ control.None) (AssetTotals, error) { return s.Totals() })
)
