package sandbox

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// accountSettings is an organization: whom the keys of the sandbox belong to.
type accountSettings struct {
	qapi.Account
	APIKeys struct {
		Count int               `json:"number_of_keys"`
		Keys  []qapi.UserAPIKey `json:"user_api_keys"`
	} `json:"userAPIKeys"`
}

func getAccount(r *request) (any, error) {
	var settings accountSettings
	settings.Account = qapi.Account{
		ID: r.key.account, Name: "Sandbox", Email: "sandbox@example.com", Domain: "example.com", Address: "nowhere",
		PartnerAPI: true, Members: []qapi.OrgMember{}, ConnectClients: []string{}, RPCNetworks: []qapi.RPCNetwork{},
	}
	for _, u := range r.st.users {
		settings.Members = append(settings.Members, qapi.OrgMember{ID: string(u.ID), Username: u.Username, Email: u.Email, Name: u.name()})
	}
	slices.SortFunc(settings.Members, func(a, b qapi.OrgMember) int { return strings.Compare(a.Email, b.Email) })
	for id, c := range r.st.coreClients {
		if c.Account == r.key.account {
			settings.ConnectClients = append(settings.ConnectClients, string(id))
		}
	}
	slices.Sort(settings.ConnectClients)
	for _, n := range networks {
		settings.RPCNetworks = append(settings.RPCNetworks, qapi.RPCNetwork{Name: n.name, ChainID: qapi.NewBigInt(n.chainID)})
	}
	settings.APIKeys.Count, settings.APIKeys.Keys = 1, []qapi.UserAPIKey{{KeyID: r.key.id, Name: "this key"}}
	return map[string]any{"settings": settings}, nil
}

// accountFunds are the funds of the key's account, oldest first.
func (r *request) accountFunds() []*fund {
	var funds []*fund
	for _, f := range r.st.funds {
		if f.company.Account == r.key.account {
			funds = append(funds, f)
		}
	}
	slices.SortFunc(funds, func(a, b *fund) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return funds
}

// balancesOf sums up what wallets have, by asset.
func (r *request) balancesOf(wallets []*wallet) qapi.Balances {
	balances := qapi.Balances{}
	incoming := r.st.incoming()
	for _, w := range wallets {
		b := balances[w.Asset]
		if asset, err := r.asset(w.Asset); err == nil {
			b.Scale = asset.Scale
		}
		b.Total += r.st.balance(w)
		b.Available += qredo.Amount(r.st.book.Balance(w.available()))
		b.PendingOut += qredo.Amount(r.st.book.Balance(w.held()))
		b.PendingIn += incoming[w]
		balances[w.Asset] = b
	}
	return balances
}

// incoming is what transfers that wait for approval will bring to each wallet.
func (st *state) incoming() map[*wallet]qredo.Amount {
	sums := map[*wallet]qredo.Amount{}
	for _, tx := range st.expiries { // these are the transactions that wait, and a few that have ended
		if tx.to != nil && tx.isOpen() {
			sums[tx.to] += qredo.Amount(tx.Amount - tx.Fee)
		}
	}
	return sums
}

func getBalance(r *request) (any, error) {
	var wallets []*wallet
	for _, f := range r.accountFunds() {
		wallets = append(wallets, f.wallets...)
	}
	return map[string]any{"assets": r.balancesOf(wallets)}, nil
}

func listFunds(r *request) (any, error) {
	archived := false
	if text := r.query.Get("archived"); text != "" {
		var err error
		if archived, err = strconv.ParseBool(text); err != nil {
			return nil, badRequest("archived must be true or false")
		}
	}
	list := []qapi.FundSummary{}
	for _, f := range r.accountFunds() {
		if archived {
			break // nothing ever is
		}
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
	if f == nil || f.company.Account != r.key.account {
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
		info.Members = append(info.Members, qapi.FundMember{Entity: m.Entity, Permissions: qapi.Permissions{
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
	}
	return policy
}

func getFundLedger(r *request, f *fund) (any, error) {
	answer := qapi.Ledger{Entries: []qapi.LedgerEntry{}, Wallets: []qapi.LedgerWallet{}}
	named := map[qredo.WalletID]bool{}
	for _, e := range f.entries.all {
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

// wireReport is a ledger entry as this API has it: with the Partner API's amounts, and a number for a type.
func (r *request) wireReport(e entry) qapi.LedgerEntry {
	p := wireEntry(e)
	out := qapi.LedgerEntry{
		TxID: p.TxID, Type: apiNames[e.tx.Kind].entry, Asset: p.Asset, Amount: p.Amount, Fees: p.Fees, NetAmount: p.NetAmount,
		FundID: p.FundID, WalletID: p.WalletID, Address: p.Address, CounterpartyID: p.CounterpartyID,
		CounterpartyName: p.CounterpartyName, Reference: p.Reference, BenefitOf: p.BenefitOf, AccountNo: p.AccountNo,
		ChainTxID: p.ChainTxID, LayerOneTxIDs: []string{}, Time: p.Time,
	}
	if p.ChainTxID != "" {
		out.LayerOneTxIDs = append(out.LayerOneTxIDs, p.ChainTxID)
	}
	if p.CounterpartyID != "" {
		out.CounterpartyEntity = &qredo.Entity{
			ID: p.CounterpartyID, Name: p.CounterpartyName, AccountCode: p.CounterpartyID, Initials: initials(p.CounterpartyName),
			Type: qredo.TrustedPartyCompany, Company: &qredo.EntityCompany{Name: p.CounterpartyName},
		}
	}
	return out
}

func getWalletHistory(_ *request, w *wallet) (any, error) {
	history := make([]qapi.HistoryEntry, len(w.history))
	for i, e := range w.history {
		h := wireHistory(e)
		history[i] = qapi.HistoryEntry{
			TxID: h.TxID, ChainTxID: h.ChainTxID, WalletID: h.WalletID, Asset: h.Asset, Amount: h.Amount, Fees: h.Fees,
			NetAmount: h.NetAmount, Status: qredo.TxApproved, Time: h.Time,
		}
	}
	return map[string]any{"history": history}, nil
}

// listAllTrusted lists the people that the account's companies trust, each once.
func listAllTrusted(r *request) (any, error) {
	members := map[qredo.TrustedEntityID]qapi.TrustedParty{}
	for _, c := range r.st.companies {
		for _, p := range c.parties {
			u := r.st.users[string(p.PartyID)]
			if u == nil || c.Account != r.key.account {
				continue
			}
			m := qapi.TrustedParty{
				UserID: string(u.ID), FirstName: u.FirstName, LastName: u.LastName, Email: u.Email, Username: u.Username,
				Pending: !p.accepted, Created: wireTime(p.created),
			}
			if known, twice := members[u.ID]; twice {
				m.Pending = m.Pending && known.Pending
				if known.Created.Before(m.Created.Time) {
					m.Created = known.Created
				}
			}
			members[u.ID] = m
		}
	}
	list := slices.AppendSeq([]qapi.TrustedParty{}, maps.Values(members))
	slices.SortFunc(list, func(a, b qapi.TrustedParty) int { return strings.Compare(a.Email, b.Email) })
	return map[string]any{"members": list}, nil
}
