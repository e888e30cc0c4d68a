package partner

import (
	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/forms"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

func makeSwap(r *serve.Request, u *world.Update, req qredo.SwapRequest) (any, error) {
	return submitted(u.OfferSwap(world.NewSwap{
		Sending: sending(r, req.SendWalletID, req.Send, req.Expires, req.PartnerTxID),
		Into:    req.ReceiveWalletID, Quote: world.Quote{Receive: req.Receive, Hub: req.AddToLiquidityHub}, Reference: req.Reference,
	}))
}

func takeSwap(r *serve.Request, u *world.Update, req qredo.TakeRequest) (any, error) {
	return submitted(u.TakeSwap(world.NewTake{
		By: r.Caller(), Company: companyID(r), Swap: req.SwapID, From: req.SendWalletID, Into: req.ReceiveWalletID,
		Reference: req.Reference, Partner: req.PartnerTxID,
	}))
}

func cancelMake(r *serve.Request, u *world.Update, c *world.Company) (any, error) {
	return serve.Done(u.CancelSwap(c, qredo.TxID(r.IDs["tx_id"])))
}

type listRequest struct {
	TxID qredo.TxID `json:"tx_id"`
}

func listOnHub(_ *serve.Request, u *world.Update, c *world.Company, req listRequest) (any, error) {
	return serve.Done(u.ListSwap(c, req.TxID))
}

func listCompanyHub(r *serve.Request, v *world.View, c *world.Company) (any, error) {
	return hub(r, v, func(tx *world.Transaction) bool { return tx.Sender.Fund.Company == c }), nil
}

func listHub(r *serve.Request, v *world.View) (any, error) {
	return hub(r, v, func(*world.Transaction) bool { return true }), nil
}

// hub lists the quotes of the key's account.
func hub(r *serve.Request, v *world.View, owns func(*world.Transaction) bool) any {
	items := []qredo.HubQuote{}
	for _, tx := range v.Hub(r.Account()) {
		items = append(items, qredo.HubQuote{
			TxID: tx.ID, SendAsset: tx.Asset, SendAmount: tx.Net(),
			ReceiveAsset: tx.Quote.Receive.Asset, ReceiveAmount: tx.Quote.Receive.Amount,
			Owner: owns(tx), Added: forms.Time(tx.Listed), Expires: forms.Time(tx.Expires),
		})
	}
	return map[string]any{"items": items}
}
