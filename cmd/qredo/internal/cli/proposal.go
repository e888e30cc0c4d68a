package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/visible"
)

// proposal is a request for a transaction as it is shown before the user confirms it. Everything has been looked up, and
// what is shown is what is sent. What cannot be looked up is shown as not known. Neither that nor a warning keeps anybody
// from requesting the transaction: the service decides whether it can be made.
type proposal struct {
	app      *app
	c        partnerCall
	gets     string // what the line is called that says what arrives, if not that
	title    string
	lines    []planned
	warnings []string
	funds    map[qredo.WalletID]*qredo.Fund // where wallets are
	company  *qredo.Company
}

func (p *proposal) line(name, format string, args ...any) {
	p.lines = append(p.lines, planned{name, fmt.Sprintf(format, args...)})
}

func (p *proposal) unknown(name string, err error) {
	p.line(name, "not known: %s", strings.TrimPrefix(err.Error(), "qredo: "))
}

func (p *proposal) warn(format string, args ...any) {
	p.warnings = append(p.warnings, fmt.Sprintf(format, args...))
}

// quoted is a name that somebody else chose, in quotation marks, so that it cannot pass for anything else.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `\"`) + `"` }

// titled is an ID with its name.
func titled[ID ~string](name string, id ID) string {
	if name == "" {
		return string(id)
	}
	return quoted(name) + " " + string(id)
}

// exact is an amount in its asset's unit and in base units.
func (a *app) exact(amount qredo.Amount, asset qredo.AssetCode) string {
	text := a.figure(amount, asset)
	if units := fmt.Sprintf("%d base units", amount); !strings.HasPrefix(text, units) {
		text += " (" + units + ")"
	}
	return text
}

// lookUpFunds finds the funds of wallets, in one pass over the company's funds.
func (p *proposal) lookUpFunds(ctx context.Context, wallets ...*qredo.Wallet) error {
	p.funds = map[qredo.WalletID]*qredo.Fund{}
	if p.c.company == "" {
		return errors.New("no company is named: give --company")
	}
	missing := map[qredo.WalletID]bool{}
	for _, w := range wallets {
		if w != nil && w.Asset != "" {
			missing[w.ID] = true
		}
	}
	matches, err := p.c.Funds.List(ctx, p.c.company)
	for _, m := range matches {
		if len(missing) == 0 {
			break
		}
		fund, fundErr := p.c.Funds.Get(ctx, p.c.company, m.ID)
		if fundErr != nil { // another fund may have the wallet
			if err == nil {
				err = fundErr
			}
			continue
		}
		for _, w := range fund.Wallets {
			if missing[w.ID] {
				p.funds[w.ID] = fund
				delete(missing, w.ID)
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return err
}

// places adds the lines about where a payment comes from and goes to. Somebody else's wallet, of which only the ID or
// short code is known, has no asset.
func (p *proposal) places(ctx context.Context, from, to *qredo.Wallet) {
	problem := p.lookUpFunds(ctx, from, to)
	var companyErr error
	if p.c.company != "" {
		if p.company, companyErr = p.c.Companies.Get(ctx, p.c.company); companyErr != nil {
			p.company = &qredo.Company{ID: p.c.company}
		}
	}
	p.place("from", from, problem)
	if to != nil {
		p.place("to", to, problem)
	}
	if companyErr != nil {
		p.unknown("company's name", companyErr)
	}
}

func (p *proposal) place(name string, w *qredo.Wallet, problem error) {
	if w.Asset == "" {
		p.line(name, "%s, not known: no wallet that this API key can see has this ID or short code", w.ID)
		return
	}
	p.line(name, "%s", titled(w.Name, w.ID))
	switch fund := p.funds[w.ID]; {
	case fund != nil:
		p.line("in", "fund %s of company %s", titled(fund.Name, fund.ID), titled(p.company.Name, p.company.ID))
	case problem != nil:
		p.unknown("in", problem)
	default:
		p.line("in", "a fund of another company than %s", titled(p.company.Name, p.company.ID))
		if name == "from" {
			p.warn("wallet %s does not belong to the company: the service will refuse this. Name its company with --company", w.ID)
		}
	}
	if w.Status != "" && w.Status != qredo.WalletReady {
		p.warn("the wallet %s is %s: the service may refuse it until it is ready", w.ID, w.Status)
	}
}

// sent adds the lines about what arrives, what it costs, and what is there before and after.
func (p *proposal) sent(ctx context.Context, from *qredo.Wallet, send qredo.AssetAmount, fee qredo.FeeType, kind qredo.MaxType) {
	a, arrives := p.app, cmp.Or(p.gets, "arrives")
	leaves := qredo.Amount(-1) // not known
	var fees *qredo.Fees
	err := errors.New("the service gives none for sweeps")
	if fee != "" {
		fees, err = p.c.Assets.GetFees(ctx, qredo.FeesRequest{Type: fee, Asset: send.Asset, Amount: send.Amount})
	}
	if err != nil {
		p.line(arrives, "%s", a.exact(send.Amount, send.Asset))
		p.unknown("fees", err)
		p.line("leaves the wallet", "not known: what arrives, and the fees")
	} else {
		leaves, a.dry.fees = fees.AmountToSend, fees
		p.line(arrives, "%s", a.exact(fees.NetAmount, send.Asset))
		p.line("fees", "%s", a.exact(fees.Fees, send.Asset))
		p.line("leaves the wallet", "%s", a.exact(fees.AmountToSend, send.Asset))
		if fees.NetAmount != send.Amount {
			p.warn("this service says that %s arrives if %s is requested", a.exact(fees.NetAmount, send.Asset), a.exact(send.Amount, send.Asset))
		}
	}
	p.available(ctx, from, send, leaves, kind)
}

// available adds the wallet's balance, how much of it can leave, and what is left of that.
func (p *proposal) available(ctx context.Context, from *qredo.Wallet, send qredo.AssetAmount, leaves qredo.Amount, kind qredo.MaxType) {
	a := p.app
	if from.Asset == "" {
		p.unknown("available", errors.New("the wallet cannot be looked up"))
		return
	}
	p.line("balance", "%s, including what waits for approval", a.exact(from.Balance, from.Asset))
	// It is not documented whether counting in what waits makes the figure smaller or larger: use the smaller one.
	most, err := p.c.Wallets.GetMaxAmount(ctx, from.ID, qredo.MaxAmountOptions{Type: kind, Pending: true})
	if settled, settledErr := p.c.Wallets.GetMaxAmount(ctx, from.ID, qredo.MaxAmountOptions{Type: kind}); settledErr == nil &&
		(err != nil || settled.NetAmount < most.NetAmount) {
		most, err = settled, nil
	}
	if err != nil {
		p.unknown("available", err)
		p.unknown("will be left", errors.New("what is available is not"))
		return
	}
	p.line("available", "%s, fees included", a.exact(most.AmountToSend, from.Asset))
	switch {
	case send.Amount > most.NetAmount || leaves > most.AmountToSend:
		p.line("will be left", "nothing: there is not enough")
		p.warn("this is more than can leave the wallet now, which is %s; the rest is not there, or is held for pending transactions. "+
			"The service is likely to refuse this: send less, or send it later", a.exact(most.NetAmount, from.Asset))
	case leaves < 0:
		p.unknown("will be left", errors.New("the fees are not"))
	default:
		p.line("will be left", "%s", a.exact(most.AmountToSend-leaves, from.Asset))
	}
}

// approvers adds who has to approve what leaves a wallet: the wallet's own group or its fund's.
func (p *proposal) approvers(w *qredo.Wallet, withdrawal bool) {
	fund := p.funds[w.ID]
	if fund == nil {
		return
	}
	policy := cmp.Or(w.PolicyTx, fund.PolicyTx)
	if withdrawal {
		policy = cmp.Or(w.PolicyWithdraw, fund.PolicyWithdraw)
	}
	if policy == nil || len(policy.Members) == 0 {
		p.warn("neither the wallet nor its fund has anybody who can approve this: it will wait until it expires")
		return
	}
	var names []string
	for _, m := range policy.Members {
		e, name := m.Entity, m.Entity.Name
		if e.User != nil {
			name = cmp.Or(e.User.Email, strings.TrimSpace(e.User.FirstName+" "+e.User.LastName), name)
		} else if e.CoreClient != nil {
			name = cmp.Or(e.CoreClient.Name, name)
		}
		names = append(names, cmp.Or(name, e.ID))
	}
	p.line("approval by", "%d of %s", policy.Threshold, strings.Join(names, ", "))
}

// address adds where a withdrawal goes, and whether that is allowed.
func (p *proposal) address(ctx context.Context, from *qredo.Wallet, address string, asset qredo.AssetCode) {
	fund := p.funds[from.ID]
	if fund == nil {
		p.line("to", "%s", address)
		p.unknown("whitelisted as", errors.New("the fund of the wallet is not"))
		return
	}
	list, err := p.c.Funds.ListWhitelist(ctx, p.c.company, fund.ID, qredo.WhitelistOptions{})
	if err != nil {
		p.line("to", "%s", address)
		p.unknown("whitelisted as", err)
		return
	}
	same := func(e qredo.WhitelistEntry) bool { return sameAddress(e.Address, address) }
	i := slices.IndexFunc(list, func(e qredo.WhitelistEntry) bool { return e.Asset == asset && same(e) })
	p.line("to", "%s", address)
	switch {
	case i >= 0 && list[i].Name == "":
		p.line("whitelisted as", "yes, without a name")
		return
	case i >= 0:
		p.line("whitelisted as", "%s", quoted(list[i].Name))
		return
	}
	p.line("whitelisted as", "not on the fund's whitelist")
	other := ""
	if i = slices.IndexFunc(list, same); i >= 0 {
		other = ", only for " + string(list[i].Asset)
	}
	p.warn("the address is not on the fund's whitelist for %s%s: the service will refuse this. Make sure whose address it is, then add it: "+
		"qredo fund whitelist add %s --asset %s --address %s", asset, other, visible.Shell(string(fund.ID)), visible.Shell(string(asset)), visible.Shell(address))
}

// sameAddress compares addresses letter for letter, except those in hexadecimal, in which capitals are a checksum.
func sameAddress(x, y string) bool {
	hexadecimal := len(x) == 42 && strings.HasPrefix(strings.ToLower(x), "0x")
	return x == y || hexadecimal && strings.EqualFold(x, y)
}

// soon is the least time that approvers should have.
const soon = 10 * time.Minute

// expires adds when it expires.
func (p *proposal) expires(until qredo.Time) {
	if until.IsZero() {
		return
	}
	left := until.Sub(p.app.now()).Round(time.Second)
	at := until.UTC().Format("2006-01-02 15:04:05 MST")
	const day, year = 24 * time.Hour, 8766 * time.Hour
	switch {
	case left > 100*year: // a duration ends at 292 years
		p.line("expires", "%s, in more than 100 years", at)
	case left > 2*year:
		p.line("expires", "%s, in %d years", at, left/year)
	case left > 10*day:
		p.line("expires", "%s, in %d days", at, left/day)
	default:
		p.line("expires", "%s, in %s", at, left)
	}
	if left < soon {
		p.warn("it expires in %s and must be approved before that: give a later --expires", left)
	}
}

// check refuses a request that cannot be right, as the client does before it sends one.
func (p *proposal) check(ctx context.Context, request any) error {
	_, err := p.c.Prepare(ctx, http.MethodPost, "/request", request)
	return err
}

// show shows the proposal.
func (p *proposal) show() {
	p.app.plan(p.title, p.lines...)
	p.app.warned(p.warnings)
}

// authorizer adds the core client that must authorise it before the custody group is asked.
func (p *proposal) authorizer(ctx context.Context, id qredo.CoreClientID) {
	if id == "" {
		return
	}
	p.line("first asked is", "%s", p.agent(ctx, id))
}

// agent is a core client with its name, if it belongs to the API key.
func (p *proposal) agent(ctx context.Context, id qredo.CoreClientID) string {
	clients, err := p.c.CoreClients.List(ctx)
	i := slices.IndexFunc(clients, func(c qredo.CoreClient) bool { return c.ID == id })
	if err != nil || i < 0 {
		return fmt.Sprintf("%s, whose name is not known", id)
	}
	return titled(clients[i].Name, id)
}

// sweeper adds the core client that sweeps a wallet, and whether the wallet is connected to it.
func (p *proposal) sweeper(ctx context.Context, id qredo.CoreClientID, wallet qredo.WalletID) {
	p.line("approval by", "%s alone", p.agent(ctx, id))
	connected, err := p.c.CoreClients.ListWallets(ctx, id)
	i := slices.IndexFunc(connected, func(w qredo.CoreClientWallet) bool { return w.WalletID == wallet })
	switch {
	case err != nil:
		p.unknown("connected", err)
	case i < 0:
		p.warn("wallet %s is not connected to the core client: the service is likely to refuse this", wallet)
	case connected[i].Status != qredo.ApprovalApproved:
		p.warn("the connection of wallet %s to the core client is %s: the service is likely to refuse this", wallet, connected[i].Status)
	}
}
