package qapi

import (
	"context"

	"github.com/qredo-go/qredo"
)

// HistoryEntry is a movement of a wallet. You have to say what its figures count: see [Figure]. The service's document has no
// signs for them; the sandbox's are signed as in the Partner API, negative for what left the wallet.
type HistoryEntry struct {
	TxID      qredo.TxID      `json:"txID"`
	ChainTxID string          `json:"chainTxID"`
	WalletID  qredo.WalletID  `json:"walletID"`
	Asset     qredo.AssetCode `json:"asset"`
	Amount    Figure          `json:"amount"` // net amount plus fees
	Fees      Figure          `json:"fees"`
	NetAmount Figure          `json:"netAmount"` // what the recipient gets
	Status    qredo.TxStatus  `json:"status"`
	Time      qredo.Time      `json:"timestamp"`
}

// WalletsService reads wallets' histories.
type WalletsService struct{ client *Client }

type walletHistory struct {
	History []HistoryEntry `json:"history"`
}

// ListHistory returns all movements of a wallet. It returns [qredo.ErrNotFound] for an unknown wallet.
//
// API: GET /wallet/{wallet_id}/history
func (s *WalletsService) ListHistory(ctx context.Context, id qredo.WalletID, opts ...qredo.CallOption) ([]HistoryEntry, error) {
	return part(ctx, s.client, api("GET /wallet/{wallet_id}/history", string(id)), opts, func(a *walletHistory) []HistoryEntry { return a.History })
}
