package qapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/wire"
)

// AssetBalance is the balance of an asset, in base units. According to the service's document, Total = Available + PendingIn -
// PendingOut; other figures are accepted anyway. The most that can be sent now is Available - PendingOut.
type AssetBalance struct {
	Total      qredo.Amount `json:"total"`      // what wallets will hold once everything pending is completed
	Available  qredo.Amount `json:"available"`  // what wallets hold, including what is waiting to leave them
	PendingIn  qredo.Amount `json:"pendingIn"`  // what comes in from swaps that wait for approval
	PendingOut qredo.Amount `json:"pendingOut"` // what leaves through pending transfers and swaps
	Scale      int64        `json:"scale"`      // base units in one whole unit: 100,000,000 for BTC
}

// Asset returns an asset with the balance's scale, which formats and parses amounts.
func (b AssetBalance) Asset(code qredo.AssetCode) qredo.Asset {
	return qredo.Asset{Code: code, Scale: b.Scale}
}

// Balances are balances by asset. On the wire they are an object or a list of objects.
type Balances map[qredo.AssetCode]AssetBalance

// UnmarshalJSON reads both forms. It returns an error if an asset appears twice.
func (b *Balances) UnmarshalJSON(data []byte) error {
	parts := []json.RawMessage{data}
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		parts = nil // otherwise what is read would overwrite the data
		if err := json.Unmarshal(data, &parts); err != nil {
			return err
		}
	}
	read := Balances{}
	for _, part := range parts {
		assets := json.NewDecoder(bytes.NewReader(part)) // not a map, which would silently keep the last of two
		if open, err := assets.Token(); err == nil && open == nil {
			continue // null
		} else if err != nil || open != json.Delim('{') {
			return &wire.FieldError{Problem: "is neither an object nor a list of objects"}
		}
		for assets.More() {
			name, err := assets.Token()
			if err != nil {
				return err
			}
			var raw json.RawMessage
			if err := assets.Decode(&raw); err != nil {
				return err
			}
			code := qredo.AssetCode(fmt.Sprint(name))
			var balance AssetBalance
			if err := wire.Unmarshal(raw, &balance); err != nil {
				return fmt.Errorf("%s: %w", code, err)
			}
			if _, twice := read[code]; twice {
				return &wire.FieldError{Field: string(code), Problem: "is listed twice"}
			}
			read[code] = balance
		}
	}
	*b = read
	return nil
}

// BalanceService reads an account's balances.
type BalanceService struct{ client *Client }

type balanceInfo struct {
	Assets Balances `json:"assets"`
}

// Get returns the balances of all funds together, by asset, in base units. It is empty if the account has no wallets.
//
// API: GET /balance
func (s *BalanceService) Get(ctx context.Context, opts ...qredo.CallOption) (Balances, error) {
	return part(ctx, s.client, api("GET /balance"), opts, func(a *balanceInfo) Balances { return a.Assets })
}
