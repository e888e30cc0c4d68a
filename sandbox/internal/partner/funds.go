package partner

import (
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/forms"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// fund finds the fund that the path names.
func fund(r *serve.Request, v *world.View) (*world.Fund, error) {
	return v.Fund(r.Account(), companyID(r), qredo.FundID(r.IDs["fund_id"]))
}

func createFund(_ *serve.Request, u *world.Update, c *world.Company, req qredo.FundRequest) (any, error) {
	made, err := u.CreateFund(c, world.NewFund{
		Name: req.Name, Description: req.Description,
		Withdraw: (*world.Group)(req.CustodyGroupWithdraw), Tx: (*world.Group)(req.CustodyGroupTx), Wallets: newWallets(req.Wallets),
	})
	if err != nil {
		return nil, err
	}
	return qredo.CreatedFund{
		ID: made.ID, CustodyGroupWithdraw: forms.PolicyID(made.PolicyWithdraw), CustodyGroupTx: forms.PolicyID(made.PolicyTx),
	}, nil
}

// newWallets is what wallets are to be made from.
func newWallets(reqs []qredo.WalletRequest) []world.NewWallet {
	asked := make([]world.NewWallet, len(reqs))
	for i, req := range reqs {
		asked[i] = world.NewWallet{
			Name: req.Name, Asset: req.Asset, Type: req.Type,
			Withdraw: (*world.Group)(req.CustodyGroupWithdraw), Tx: (*world.Group)(req.CustodyGroupTx),
		}
		for _, account := range req.Connect {
			asked[i].Connect = append(asked[i].Connect, world.Counterparty(account))
		}
	}
	return asked
}

type walletsRequest struct {
	Wallets []qredo.WalletRequest `json:"wallets"`
}

func addWallets(_ *serve.Request, u *world.Update, f *world.Fund, req walletsRequest) (any, error) {
	ids, err := u.AddWallets(f, newWallets(req.Wallets))
	return map[string]any{"wallets": ids}, err
}

type assetsRequest struct {
	Assets []qredo.AssetCode `json:"assets"`
}

func addAssets(_ *serve.Request, u *world.Update, f *world.Fund, req assetsRequest) (any, error) {
	ids, err := u.AddAssets(f, req.Assets)
	return map[string]any{"wallets": ids}, err
}

func searchFunds(r *serve.Request, _ *world.View, c *world.Company) (any, error) {
	text := searchText(r)
	list := []qredo.FundMatch{}
	for _, f := range c.Funds {
		if strings.Contains(strings.ToLower(f.Name), text) {
			list = append(list, qredo.FundMatch{ID: f.ID, Name: f.Name})
		}
	}
	return serve.Counted("total_count", "list", list), nil
}

func getFund(_ *serve.Request, v *world.View, f *world.Fund) (any, error) {
	detail := qredo.Fund{
		ID: f.ID, Name: f.Name, Description: f.Description,
		CustodyGroupWithdraw: forms.PolicyID(f.PolicyWithdraw), CustodyGroupTx: forms.PolicyID(f.PolicyTx),
		PolicyWithdraw: forms.Policy(v, f.PolicyWithdraw), PolicyTx: forms.Policy(v, f.PolicyTx),
		// Those named in the fund's custody groups are members in Qredo API v1 only.
		Members: []qredo.FundMember{{Entity: forms.Company(f.Company), Permissions: qredo.Permissions{Admin: true}}},
		Assets:  []qredo.AssetCode{}, Wallets: []qredo.Wallet{},
	}
	seen := map[qredo.AssetCode]bool{}
	for _, w := range f.Wallets {
		if !seen[w.Asset] {
			seen[w.Asset] = true
			detail.Assets = append(detail.Assets, w.Asset)
		}
		detail.Wallets = append(detail.Wallets, wireWallet(v, w))
	}
	return detail, nil
}

func listDepositAddresses(_ *serve.Request, v *world.View, f *world.Fund) (any, error) {
	list := make([]qredo.DepositAddress, len(f.Wallets))
	for i, w := range f.Wallets {
		list[i] = qredo.DepositAddress{Asset: w.Asset, Address: w.Address, Balance: v.Balance(w)}
	}
	return serve.Counted("total_count", "list", list), nil
}

func listWhitelist(r *serve.Request, _ *world.View, f *world.Fund) (any, error) {
	address, asset := r.Query.Get("address"), qredo.AssetCode(r.Query.Get("asset"))
	list := []qredo.WhitelistEntry{}
	for _, entry := range f.Whitelist {
		if (address == "" || entry.Is(address)) && (asset == "" || entry.Asset == asset) {
			list = append(list, qredo.WhitelistEntry(entry))
		}
	}
	return serve.Counted("total_count", "list", list), nil
}

func addToWhitelist(_ *serve.Request, u *world.Update, f *world.Fund, req qredo.WhitelistEntry) (any, error) {
	return serve.Done(u.AllowAddress(f, world.WhitelistedAddress(req)))
}
