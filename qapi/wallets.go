package qapi

import (
	"context"

	"github.com/qredo-go/qredo"
)

// HistoryEntry is a movement of a wallet. What its figures count, the caller must say: see [Figure]. The service's
// document has no sign for them; those of the sandbox are signed as in the Partner API, negative for what left the
// wallet.
type HistoryEntry struct {
	TxID      qredo.TxID      `json:"txID"`
	ChainTxID string          `json:"chainTxID"`
	WalletID  qredo.WalletID  `json:"walletID"`
	Asset     qredo.AssetCode `json:"asset"`
	Amount    Figure          `json:"amount"` // net amount and fees together
	Fees      Figure          `json:"fees"`
	NetAmount Figure          `json:"netAmount"` // what the recipient gets
	Status    qredo.TxStatus  `json:"status"`
	Time      qredo.Time      `json:"timestamp"`
}

// WalletsService tells what wallets did.
type WalletsService struct{ client *Client }

type walletHistory struct {
	History []HistoryEntry `json:"history"`
}

// ListHistory returns what moved in a wallet, all of it. A wallet that there is not is [qredo.ErrNotFound].
//
// API: GET /wallet/{wallet_id}/history
func (s *WalletsService) ListHistory(ctx context.Context, id qredo.WalletID, opts ...qredo.CallOption) ([]HistoryEntry, error) {
	return part(ctx, s.client, api("GET /wallet/{wallet_id}/history", string(id)), opts, func(a *walletHistory) []HistoryEntry { return a.History })
}
