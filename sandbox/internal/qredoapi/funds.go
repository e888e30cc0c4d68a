package qredoapi

import (
	"encoding/json"
	"math/big"
	"strconv"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
	"github.com/qredo-go/qredo/sandbox/internal/forms"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// balances sums up what wallets have, by asset: what is held for what waits is in the available balance too.
func balances(v *world.View, wallets []*world.Wallet) qapi.Balances {
	balances := qapi.Balances{}
	incoming := map[qredo.AssetCode]*big.Int{}
	for _, w := range wallets {
		b := balances[w.Asset]
		if asset, err := v.Asset(w.Asset); err == nil {
			b.Scale = asset.Scale
		}
		b.Available += v.Balance(w)
		b.PendingOut += v.Held(w)
		sum := w.Incoming()
		if before := incoming[w.Asset]; before != nil {
			sum.Add(sum, before)
		}
		incoming[w.Asset] = sum
		b.PendingIn = world.UpTo64Bits(sum)
		b.Total = world.UpTo64Bits(new(big.Int).Add(sum, big.NewInt(int64(b.Available)))) - b.PendingOut
		balances[w.Asset] = b
	}
	return balances
}

func getBalance(r *serve.Request, v *world.View) (any, error) {
	var wallets []*world.Wallet
	for _, f := range v.AccountFunds(r.Account()) {
		wallets = append(wallets, f.Wallets...)
	}
	return map[string]any{"assets": balances(v, wallets)}, nil
}

func listFunds(r *serve.Request, v *world.View) (any, error) {
	if text := r.Query.Get("archived"); text != "" { // includes what is archived, which nothing ever is
		if _, err := strconv.ParseBool(text); err != nil {
			return nil, serve.BadRequest("archived must be true or false")
		}
	}
	list := []qapi.FundSummary{}
	for _, f := range v.AccountFunds(r.Account()) {
		holdings, err := json.Marshal(balances(v, f.Wallets))
		if err != nil {
			return nil, err
		}
		list = append(list, qapi.FundSummary{ID: f.ID, Name: f.Name, Holdings: holdings})
	}
	return serve.Counted("total", "funds", list), nil
}

func getFundInfo(_ *serve.Request, v *world.View, f *world.Fund) (any, error) {
	info := qapi.Fund{
		ID: f.ID, Name: f.Name, Description: f.Description,
		CustodyGroupWithdraw: forms.PolicyID(f.PolicyWithdraw), CustodyGroupTx: forms.PolicyID(f.PolicyTx),
		PolicyWithdraw: fundPolicy(v, f, f.PolicyWithdraw), PolicyTx: fundPolicy(v, f, f.PolicyTx),
		Members: fundMembers(v, f), Wallets: []qapi.Wallet{},
	}
	for _, w := range f.Wallets {
		info.Wallets = append(info.Wallets, qapi.Wallet{
			ID: w.ID, Name: w.Name, Asset: w.Asset, Type: w.Type, Status: w.Status(),
			Address: w.Address, AddressType: w.AddressType, ShortCode: w.ShortCode, Balance: v.Balance(w),
			PolicyWithdraw: forms.WalletPolicy(v, w, qredo.PolicyWithdraw), PolicyTx: forms.WalletPolicy(v, w, qredo.PolicyTx),
			Connected: forms.Connected(v, w),
		})
	}
	return map[string]any{"fundInfo": info}, nil
}

// fundMembers are those named in the fund's custody groups, with what that lets them approve: in the Partner API the
// one member of a fund is its company.
func fundMembers(v *world.View, f *world.Fund) []qapi.FundMember {
	members := []qapi.FundMember{}
	place := map[string]int{}
	member := func(id string) *qapi.Permissions {
		i, known := place[id]
		if !known {
			i = len(members)
			place[id] = i
			members = append(members, qapi.FundMember{Entity: described(v, forms.Entity(v, id))})
		}
		return &members[i].Permissions
	}
	if p := f.PolicyWithdraw; p != nil {
		for _, id := range p.Members {
			member(id).Custodian = true
		}
	}
	if p := f.PolicyTx; p != nil {
		for _, id := range p.Members {
			member(id).Trader = true
		}
	}
	return members
}

// fundPolicy is a policy with what this API tells of it besides.
func fundPolicy(v *world.View, f *world.Fund, p *custody.Policy) *qredo.Policy {
	policy := forms.Policy(v, p)
	if policy != nil {
		policy.EntityID, policy.Funds, policy.FundsCount, policy.WalletCount = string(f.ID), []string{string(f.ID)}, 1, len(f.Wallets)
		for i := range policy.Members {
			policy.Members[i].Entity = described(v, policy.Members[i].Entity)
		}
	}
	return policy
}

// described is an entity with what this API tells of it besides: where a person is, and whose anything else is.
func described(v *world.View, e qredo.Entity) qredo.Entity {
	if e.User != nil {
		e.Address = e.User.Email
	}
	if c := v.AnyCompany(qredo.CompanyID(e.ID)); c != nil {
		e.Owner = c.Account
	}
	if c := v.AnyCoreClient(qredo.CoreClientID(e.ID)); c != nil {
		e.Owner = c.Account
	}
	return e
}
