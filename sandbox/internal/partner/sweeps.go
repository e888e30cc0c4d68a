package partner

import (
	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/forms"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

func createSweep(r *serve.Request, u *world.Update, c *world.CoreClient, req qredo.SweepRequest) (any, error) {
	return submitted(u.CreateSweep(c, world.NewSweep{
		By: r.Caller(), From: req.WalletID, To: req.RecipientWalletID, Send: req.Send, Expires: req.Expires,
		Reference: req.Reference, Partner: req.PartnerTxID,
	}))
}

func getSweep(r *serve.Request, v *world.View, c *world.CoreClient) (any, error) {
	tx, err := v.Sweep(c, qredo.TxID(r.IDs["tx_id"]))
	if err != nil {
		return nil, err
	}
	return wireSweep(tx), nil
}

// wireSweep is the one transaction that is in snake_case.
func wireSweep(tx *world.Transaction) any {
	approvals := make([]map[string]any, len(tx.Round.Votes))
	for i, vote := range tx.Round.Votes {
		approvals[i] = map[string]any{
			"action_id": tx.Actions[i], "status": tx.Approval(vote), "timestamp": forms.Time(vote.At), "entity": vote.Member,
		}
	}
	return map[string]any{
		"tx_id": tx.ID, "tx_status": tx.Status, "status": approvals, "approver_count": tx.Round.Approvals(),
		"threshold_required": tx.Round.Threshold, "reference": tx.Reference, "initiated_timestamp": forms.Time(tx.Created),
		"expires": forms.Time(tx.Expires),
		"status_details": map[string]any{
			"wallet_id": tx.From, "recipient_wallet_id": tx.To, "asset": tx.Asset, "amount": tx.Amount, "fees": tx.Fee,
			"net_amount": tx.Amount - tx.Fee, "reference": tx.Reference, "requested_by": tx.CoreClient, "expires": 0, // the one above counts
		},
	}
}
