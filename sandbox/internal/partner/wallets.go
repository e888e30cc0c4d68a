package partner

import (
	"strconv"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/forms"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// wallet finds the wallet that the path names.
func wallet(r *serve.Request, v *world.View) (*world.Wallet, error) {
	return v.Wallet(r.Account(), r.IDs["wallet_id"])
}

// readableWallet finds the wallet that the path names also where it is only connected to the key's account.
func readableWallet(r *serve.Request, v *world.View) (*world.Wallet, error) {
	return v.ReadableWallet(r.Account(), r.IDs["wallet_id"])
}

// walletInFund finds the wallet that the path names, in the fund that it names.
func walletInFund(r *serve.Request, v *world.View) (*world.Wallet, error) {
	f, err := fund(r, v)
	if err != nil {
		return nil, err
	}
	return v.WalletInFund(f, r.IDs["wallet_id"])
}

func wireWallet(v *world.View, w *world.Wallet) qredo.Wallet {
	return qredo.Wallet{
		ID: w.ID, Name: w.Name, Asset: w.Asset, Type: w.Type, Status: w.Status(),
		Address: w.Address, AddressType: w.AddressType, ShortCode: w.ShortCode, Balance: v.Balance(w),
		CustodyGroupWithdraw: forms.PolicyID(w.Policy(qredo.PolicyWithdraw)), CustodyGroupTx: forms.PolicyID(w.Policy(qredo.PolicyTx)),
		PolicyWithdraw: forms.WalletPolicy(v, w, qredo.PolicyWithdraw), PolicyTx: forms.WalletPolicy(v, w, qredo.PolicyTx),
		Connected: forms.Connected(v, w),
	}
}

func getWallet(_ *serve.Request, v *world.View, w *world.Wallet) (any, error) {
	return wireWallet(v, w), nil
}

func updatePolicy(_ *serve.Request, u *world.Update, w *world.Wallet, req qredo.PolicyRequest) (any, error) {
	return serve.Done(u.UpdatePolicy(w, world.NewPolicy{
		ID: req.PolicyID, Type: req.Type, Group: world.Group{Threshold: req.Threshold, Members: req.Members},
	}))
}

func getMaxAmount(r *serve.Request, v *world.View, w *world.Wallet) (any, error) {
	kind, known := map[qredo.MaxType]qredo.FeeType{
		"": qredo.FeeTransferOut, qredo.MaxTransfer: qredo.FeeTransferOut, qredo.MaxWithdraw: qredo.FeeWithdraw, qredo.MaxSwap: qredo.FeeSwap,
	}[qredo.MaxType(r.Query.Get("tx_type"))]
	if !known {
		return nil, serve.BadRequest("tx_type must be transfer, withdraw or swap")
	}
	// Which of the two is the smaller figure, no source says.
	available := v.Balance(w)
	if text := r.Query.Get("pending"); text != "" {
		countIn, err := strconv.ParseBool(text)
		if err != nil {
			return nil, serve.BadRequest("pending must be 0 or 1")
		}
		if countIn {
			available = v.Available(w)
		}
	}
	return fees(v.Choices.Most(kind, w.Asset, available)), nil
}

func listExchanges(_ *serve.Request, v *world.View) (any, error) {
	known := v.Exchanges()
	list := make([]qredo.Exchange, len(known))
	for i, e := range known {
		list[i] = qredo.Exchange(e)
	}
	return map[string]any{"exchanges": list}, nil
}
