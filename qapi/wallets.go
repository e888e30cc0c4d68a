package qapi

import (
	"context"
	"net/http"

	"github.com/qredo-go/qredo"
)

// HistoryEntry is a movement of a wallet. Amounts are in base units.
type HistoryEntry struct {
	TxID      qredo.TxID      `json:"txID"`
	ChainTxID string          `json:"chainTxID"`
	WalletID  qredo.WalletID  `json:"walletID"`
	Asset     qredo.AssetCode `json:"asset"`
	Amount    qredo.Amount    `json:"amount"`
	Fees      qredo.Amount    `json:"fees"`
	NetAmount qredo.Amount    `json:"netAmount"`
	Status    qredo.TxStatus  `json:"status"`
	Time      qredo.Time      `json:"timestamp"`
}

// WalletsService tells what wallets did.
type WalletsService struct{ client *Client }

type walletHistory struct {
	History []HistoryEntry `json:"history"`
}

// History returns what moved in a wallet.
//
// API: GET /wallet/{wallet_id}/history
func (s *WalletsService) History(ctx context.Context, id qredo.WalletID, opts ...qredo.CallOption) ([]HistoryEntry, error) {
	got, err := call[walletHistory](ctx, s.client, operation{
		method: http.MethodGet, path: "/wallet/{wallet_id}/history", ids: []string{string(id)},
	}, opts)
	if err != nil {
		return nil, err
	}
	return got.History, nil
}
