package sandbox

import (
	"net/http"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

func createSweep(r *request, c *coreClient, req qredo.SweepRequest) (any, error) {
	return r.submit(req.PartnerTxID, func() (*transactionCreated, error) {
		w := r.st.wallets[req.WalletID]
		if req.WalletID == "" {
			return nil, badRequest("the wallet to sweep must be named")
		}
		if w == nil {
			return nil, notFound("wallet")
		}
		if tie := w.connection(c.ID); tie == nil || tie.status() != connectConnected {
			return nil, &fault{http.StatusBadRequest, "", "the wallet is not connected to the core client"}
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

// sweepInfo is the wire form of a sweep: the one transaction that is in snake_case.
type sweepInfo struct {
	ApproverCount     int             `json:"approver_count"`
	Expires           qredo.Time      `json:"expires"`
	Initiated         qredo.Time      `json:"initiated_timestamp"`
	Reference         string          `json:"reference"`
	Status            []sweepApproval `json:"status"`
	Details           sweepDetails    `json:"status_details"`
	ThresholdRequired int             `json:"threshold_required"`
	TxID              qredo.TxID      `json:"tx_id"`
	TxStatus          qredo.TxStatus  `json:"tx_status"`
}

type sweepApproval struct {
	ActionID qredo.ActionID       `json:"action_id"`
	Status   qredo.ApprovalStatus `json:"status"`
	Time     qredo.Time           `json:"timestamp"`
	Entity   string               `json:"entity"`
}

type sweepDetails struct {
	Amount            qredo.Amount    `json:"amount"`
	Asset             qredo.AssetCode `json:"asset"`
	Expires           qredo.Time      `json:"expires"`
	Fees              qredo.Amount    `json:"fees"`
	WalletID          qredo.WalletID  `json:"wallet_id"`
	NetAmount         qredo.Amount    `json:"net_amount"`
	RecipientWalletID qredo.WalletID  `json:"recipient_wallet_id"`
	Reference         string          `json:"reference"`
	RequestedBy       string          `json:"requested_by"`
}

func getSweep(r *request, c *coreClient) (any, error) {
	tx := r.st.txs[qredo.TxID(r.path["tx_id"])]
	if tx == nil || tx.Kind != kindSweep || tx.CoreClient != c.ID {
		return nil, notFound("sweep")
	}
	info := sweepInfo{
		ApproverCount: tx.round.Approvals(), Expires: wireTime(tx.Expires), Initiated: wireTime(tx.created), Reference: tx.Reference,
		ThresholdRequired: tx.round.Threshold, TxID: tx.ID, TxStatus: tx.status,
		Details: sweepDetails{
			Amount: qredo.Amount(tx.Amount), Asset: tx.Asset, Expires: wireTime(tx.Expires), Fees: qredo.Amount(tx.Fee),
			WalletID: tx.From, NetAmount: qredo.Amount(tx.Amount - tx.Fee), RecipientWalletID: tx.To, Reference: tx.Reference,
			RequestedBy: string(c.ID),
		},
	}
	for i, v := range tx.round.Votes {
		info.Status = append(info.Status, sweepApproval{
			ActionID: tx.Actions[i], Status: approvalStatus(v, tx), Time: wireTime(v.At), Entity: v.Member,
		})
	}
	return info, nil
}
