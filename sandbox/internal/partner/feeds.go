package partner

import (
	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// actionFeed gives all pending actions first, and then each new one.
func actionFeed(_ *serve.Request, _ *world.View, client *world.CoreClient) (serve.Feed, error) {
	id, next := client.ID, -1
	return func(v *world.View) []any {
		c := v.AnyCoreClient(id)
		if c == nil {
			return nil // reset since
		}
		var actions []qredo.ActionID
		if next < 0 {
			actions = v.OpenActionsOf(c)
		} else {
			for _, ref := range c.Asked[min(next, len(c.Asked)):] {
				actions = append(actions, v.AskedAction(ref))
			}
		}
		next = len(c.Asked)
		messages := make([]any, 0, len(actions))
		for _, action := range actions {
			if wired := wireAction(v, action); wired.Status == qredo.ApprovalPending {
				messages = append(messages, wired)
			}
		}
		return messages
	}, nil
}

// walletFeed gives what moves in the dedicated wallets that are connected to core clients of the key's account,
// whoever owns them.
var walletFeed = serve.LogFeed(func(l world.Log) []world.EntryRef { return l.Moves }, func(v *world.View, ref world.EntryRef) any {
	e := v.Entry(ref)
	h := wireHistory(e)
	return qredo.WalletEvent{
		Status: qredo.TxApproved, WalletID: h.WalletID, TxID: h.TxID, ChainTxID: h.ChainTxID, Asset: h.Asset,
		Amount: h.Amount, Fees: h.Fees, NetAmount: h.NetAmount, Sweep: e.Tx.Kind == world.KindSweep, Time: h.Time,
	}
})

// hubFeed gives what changes on the liquidity hub.
var hubFeed = serve.LogFeed(func(l world.Log) []world.QuoteNotice { return l.Quotes }, func(_ *world.View, n world.QuoteNotice) any {
	return qredo.SwapEvent{TxID: n.ID, Status: n.Status}
})
