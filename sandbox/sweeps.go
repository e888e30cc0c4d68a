package sandbox

import (
	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

func createSweep(r *request, c *coreClient, req qredo.SweepRequest) (any, error) {
	return r.submit(req.PartnerTxID, func() (*transactionCreated, error) {
		w := r.st.walletNamed(string(req.WalletID))
		if req.WalletID == "" {
			return nil, badRequest("the wallet to sweep must be named")
		}
		if w == nil {
			return nil, notFound("wallet")
		}
		if tie := w.connection(c.ID); tie == nil || tie.status() != qredo.ConnectionConnected {
			return nil, badRequest("the wallet is not connected to the core client")
		}
		if !connectable(w.Type) { // its custody group is not passed over because it has a connection
			return nil, badRequest("the wallet is neither dedicated nor multi-counterparty")
		}
		to, err := r.recipient(w, string(req.RecipientWalletID))
		if err != nil {
			return nil, err
		}
		tx, err := r.newTransaction(kindSweep, w, req.Send, req.Expires, custody.Policy{Threshold: 1, Members: []string{string(c.ID)}})
		if err != nil {
			return nil, err
		}
		tx.To, tx.Reference, tx.CoreClient = to.ID, req.Reference, c.ID
		return tx, nil
	})
}

// getSweep answers with the one transaction that is in snake_case.
func getSweep(r *request, c *coreClient) (any, error) {
	tx := r.st.txs[qredo.TxID(r.path["tx_id"])]
	if tx == nil || tx.Kind != kindSweep || tx.CoreClient != c.ID {
		return nil, notFound("sweep")
	}
	approvals := make([]map[string]any, len(tx.round.Votes))
	for i, v := range tx.round.Votes {
		approvals[i] = map[string]any{
			"action_id": tx.Actions[i], "status": approvalStatus(v, tx), "timestamp": wireTime(v.At), "entity": v.Member,
		}
	}
	return map[string]any{
		"tx_id": tx.ID, "tx_status": tx.status, "status": approvals, "approver_count": tx.round.Approvals(),
		"threshold_required": tx.round.Threshold, "reference": tx.Reference, "initiated_timestamp": wireTime(tx.created),
		"expires": wireTime(tx.Expires),
		"status_details": map[string]any{
			"wallet_id": tx.From, "recipient_wallet_id": tx.To, "asset": tx.Asset, "amount": tx.Amount, "fees": tx.Fee,
			"net_amount": tx.Amount - tx.Fee, "reference": tx.Reference, "requested_by": c.ID, "expires": 0, // the one above counts
		},
	}, nil
}
