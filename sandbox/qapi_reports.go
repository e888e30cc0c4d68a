package sandbox

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// WithPersonalAccount makes the account that the keys of Qredo API v1 report on a person's, which has trusted parties
// and no Web3 wallets. Default: an organization's, which has Web3 wallets and no trusted parties.
func WithPersonalAccount() Option {
	return func(s *Sandbox) error { s.choices.personal = true; return nil }
}

// organization is the account, if it is one, with its keys as only organizations have them.
type organization struct {
	qapi.Account
	APIKeys struct {
		Count int               `json:"number_of_keys"`
		Keys  []qapi.UserAPIKey `json:"user_api_keys"`
	} `json:"userAPIKeys"`
}

func getAccount(r *request) (any, error) {
	account := qapi.Account{ID: r.key.Account, Name: "Sandbox", Email: "sandbox@example.com", PartnerAPI: true}
	account.APIKeys = qapi.UserAPIKeys{{KeyID: r.key.ID, Name: "this key"}}
	if r.choices.personal {
		account.Username, account.DefaultFiat, account.TestnetAssets = "sandbox", "USD", true
		return map[string]any{"settings": account}, nil
	}
	settings := organization{Account: account}
	settings.Domain, settings.Address = "example.com", "nowhere"
	settings.Members, settings.ConnectClients, settings.RPCNetworks = []qapi.OrgMember{}, []string{}, []qapi.RPCNetwork{}
	for _, u := range r.st.users {
		settings.Members = append(settings.Members, qapi.OrgMember{ID: string(u.ID), Username: u.Username, Email: u.Email, Name: u.name()})
	}
	slices.SortFunc(settings.Members, func(a, b qapi.OrgMember) int { return strings.Compare(a.Email, b.Email) })
	for id, c := range r.st.coreClients {
		if c.Account == r.key.Account {
			settings.ConnectClients = append(settings.ConnectClients, string(id))
		}
	}
	slices.Sort(settings.ConnectClients)
	for _, n := range networks {
		settings.RPCNetworks = append(settings.RPCNetworks, qapi.RPCNetwork{Name: n.name, ChainID: qapi.NewBigInt(n.chainID)})
	}
	settings.APIKeys.Count, settings.APIKeys.Keys = len(account.APIKeys), account.APIKeys
	return map[string]any{"settings": settings}, nil
}

// accountFunds are the funds of the key's account, oldest first.
func (r *request) accountFunds() []*fund {
	var funds []*fund
	for _, f := range r.st.funds {
		if f.company.Account == r.key.Account {
			funds = append(funds, f)
		}
	}
	slices.SortFunc(funds, func(a, b *fund) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return funds
}

// balancesOf sums up what wallets have, by asset: what is held for what waits is in the available balance too.
func (r *request) balancesOf(wallets []*wallet) qapi.Balances {
	balances := qapi.Balances{}
	incoming := r.st.incoming()
	for _, w := range wallets {
		b := balances[w.Asset]
		if asset, err := r.asset(w.Asset); err == nil {
			b.Scale = asset.Scale
		}
		b.Available += r.st.balance(w)
		b.PendingOut += qredo.Amount(r.st.book.Balance(w.held()))
		b.PendingIn = upTo64Bits(b.PendingIn, incoming[w])
		b.Total = upTo64Bits(b.Available, b.PendingIn) - b.PendingOut
		balances[w.Asset] = b
	}
	return balances
}

// incoming is what swaps that wait will bring to each wallet.
func (st *state) incoming() map[*wallet]qredo.Amount {
	sums := map[*wallet]qredo.Amount{}
	for _, tx := range st.expiries { // these are the transactions that wait, and a few that have ended
		switch into := st.wallets[tx.Receive]; {
		case into == nil || !tx.isOpen():
		case tx.Kind == kindSwapMake:
			sums[into] = upTo64Bits(sums[into], tx.Quote.Receive.Amount)
		case tx.Kind == kindSwapTake:
			sums[into] = upTo64Bits(sums[into], qredo.Amount(tx.swap.Amount-tx.swap.Fee))
		}
	}
	return sums
}

// upTo64Bits adds amounts that are not negative. A quote can want more than there is of an asset, so that what swaps
// would bring can be beyond 64 bits: then the sum is the greatest that fits, and not a negative one.
func upTo64Bits(a, b qredo.Amount) qredo.Amount { return a + min(b, math.MaxInt64-a) }

func getBalance(r *request) (any, error) {
	var wallets []*wallet
	for _, f := range r.accountFunds() {
		wallets = append(wallets, f.wallets...)
	}
	return map[string]any{"assets": r.balancesOf(wallets)}, nil
}

func listFunds(r *request) (any, error) {
	if text := r.query.Get("archived"); text != "" { // includes what is archived, which nothing ever is
		if _, err := strconv.ParseBool(text); err != nil {
			return nil, badRequest("archived must be true or false")
		}
	}
	list := []qapi.FundSummary{}
	for _, f := range r.accountFunds() {
		holdings, err := json.Marshal(r.balancesOf(f.wallets))
		if err != nil {
			return nil, err
		}
		list = append(list, qapi.FundSummary{ID: f.ID, Name: f.Name, Holdings: holdings})
	}
	return counted("total", "funds", list), nil
}

// accountFund returns the fund that the path names, if the key's account has it.
func (r *request) accountFund() (*fund, error) {
	f := r.st.funds[qredo.FundID(r.path["fund_id"])]
	if f == nil || f.company.Account != r.key.Account {
		return nil, notFound("fund")
	}
	return f, nil
}

func getFundInfo(r *request, f *fund) (any, error) {
	info := qapi.Fund{
		ID: f.ID, Name: f.Name, Description: f.Description,
		CustodyGroupWithdraw: policyID(f.PolicyWithdraw), CustodyGroupTx: policyID(f.PolicyTx),
		PolicyWithdraw: r.fundPolicy(f, f.PolicyWithdraw), PolicyTx: r.fundPolicy(f, f.PolicyTx),
		Members: []qapi.FundMember{}, Wallets: []qapi.Wallet{},
	}
	for _, m := range r.fundMembers(f) {
		info.Members = append(info.Members, qapi.FundMember{Entity: r.described(m.Entity), Permissions: qapi.Permissions{
			Custodian: m.Permissions.Withdraw, Trader: m.Permissions.Transfer,
		}})
	}
	for _, w := range f.wallets {
		wired := r.wireWallet(w)
		info.Wallets = append(info.Wallets, qapi.Wallet{
			ID: wired.ID, Name: wired.Name, Asset: wired.Asset, Type: wired.Type, Status: wired.Status,
			Address: wired.Address, AddressType: wired.AddressType, ShortCode: wired.ShortCode, Balance: wired.Balance,
			PolicyWithdraw: wired.PolicyWithdraw, PolicyTx: wired.PolicyTx, Connected: wired.Connected,
		})
	}
	return map[string]any{"fundInfo": info}, nil
}

// fundPolicy is a policy with what this API tells of it besides.
func (r *request) fundPolicy(f *fund, p *custody.Policy) *qredo.Policy {
	policy := r.wirePolicy(p)
	if policy != nil {
		policy.EntityID, policy.Funds, policy.FundsCount, policy.WalletCount = string(f.ID), []string{string(f.ID)}, 1, len(f.wallets)
		for i := range policy.Members {
			policy.Members[i].Entity = r.described(policy.Members[i].Entity)
		}
	}
	return policy
}

// described is an entity with what this API tells of it besides: where a person is, and whose anything else is.
func (r *request) described(e qredo.Entity) qredo.Entity {
	if e.User != nil {
		e.Address = e.User.Email
	}
	if c := r.st.companies[qredo.CompanyID(e.ID)]; c != nil {
		e.Owner = c.Account
	}
	if c := r.st.coreClients[qredo.CoreClientID(e.ID)]; c != nil {
		e.Owner = c.Account
	}
	return e
}

func getFundLedger(r *request, f *fund) (any, error) {
	answer := qapi.Ledger{Entries: []qapi.LedgerEntry{}, Wallets: []qapi.LedgerWallet{}}
	named := map[qredo.WalletID]bool{}
	for _, e := range f.entries.all.page(r.choices.order, 0, len(f.entries.all)) {
		if e.tx.Kind != kindDeposit && !e.tx.status.Done() {
			continue // an entry has no status, so that it tells of what is done
		}
		answer.Entries = append(answer.Entries, r.wireReport(e))
		if w := e.wallet(); !named[w.ID] {
			named[w.ID] = true
			answer.Wallets = append(answer.Wallets, qapi.LedgerWallet{WalletID: w.ID, FundName: f.Name, WalletName: w.Name, Type: w.Type})
		}
	}
	answer.Total = len(answer.Entries)
	return answer, nil
}

// figure is an amount as ledgers and histories have it.
func (r *request) figure(code qredo.AssetCode, amount qredo.Amount) qapi.Figure {
	if asset, err := r.asset(code); err == nil && r.choices.wholeUnits {
		return qapi.Figure(asset.Format(amount))
	}
	return qapi.Figure(strconv.FormatInt(int64(amount), 10))
}

// wireReport is a ledger entry as this API has it: with a number for a type.
func (r *request) wireReport(e entry) qapi.LedgerEntry {
	p := wireEntry(e)
	out := qapi.LedgerEntry{
		TxID: p.TxID, Type: apiNames[e.tx.Kind].entry, Asset: p.Asset, Amount: r.figure(p.Asset, p.Amount),
		Fees: r.figure(p.Asset, p.Fees), NetAmount: r.figure(p.Asset, p.NetAmount),
		FundID: p.FundID, WalletID: p.WalletID, Address: p.Address, CounterpartyID: p.CounterpartyID,
		CounterpartyName: p.CounterpartyName, Reference: p.Reference, BenefitOf: p.BenefitOf, AccountNo: p.AccountNo,
		ChainTxID: p.ChainTxID, LayerOneTxIDs: e.tx.layerOne(), Time: p.Time,
	}
	if p.CounterpartyID != "" {
		counterparty := r.described(companyEntity(r.st.companies[qredo.CompanyID(p.CounterpartyID)]))
		out.CounterpartyEntity = &counterparty
	}
	return out
}

func getWalletHistory(r *request, w *wallet) (any, error) {
	history := make([]qapi.HistoryEntry, len(w.history))
	for i, e := range w.history {
		h := wireHistory(e)
		history[i] = qapi.HistoryEntry{
			TxID: h.TxID, ChainTxID: h.ChainTxID, WalletID: h.WalletID, Asset: h.Asset, Amount: r.figure(h.Asset, h.Amount),
			Fees: r.figure(h.Asset, h.Fees), NetAmount: r.figure(h.Asset, h.NetAmount), Status: qredo.TxApproved, Time: h.Time,
		}
	}
	return map[string]any{"history": history}, nil
}

// listAllTrusted lists the people that the account's companies trust, each once.
func listAllTrusted(r *request) (any, error) {
	if !r.choices.personal {
		return nil, badRequest("trusted parties are for personal accounts: this key is an organization's")
	}
	members := map[qredo.TrustedEntityID]qapi.TrustedParty{}
	for _, c := range r.st.companies {
		for _, p := range c.parties {
			u := r.st.users[string(p.PartyID)]
			if u == nil || c.Account != r.key.Account {
				continue
			}
			m := qapi.TrustedParty{
				UserID: string(u.ID), FirstName: u.FirstName, LastName: u.LastName, Email: u.Email, Username: u.Username,
				Pending: !p.accepted,
			}
			if p.accepted {
				m.Created = wireTime(p.created)
			}
			known, twice := members[u.ID]
			if !twice || known.Pending || !m.Pending && m.Created.Before(known.Created.Time) {
				members[u.ID] = m // of several, the one who was first to accept
			}
		}
	}
	list := slices.AppendSeq([]qapi.TrustedParty{}, maps.Values(members))
	slices.SortFunc(list, func(a, b qapi.TrustedParty) int { return strings.Compare(a.Email, b.Email) })
	return map[string]any{"members": list}, nil
}
