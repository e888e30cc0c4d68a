package qredo

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// Asset is something the service keeps, and how it is counted.
type Asset struct {
	Code      AssetCode `json:"code"`
	Name      string    `json:"name"`
	UnitCode  string    `json:"unitCode"`
	Scale     int64     `json:"scale"` // base units in one whole unit: 100000000 for BTC
	Enabled   bool      `json:"enabled"`
	TestAsset bool      `json:"testAsset"`
}

type assetList struct {
	Assets []Asset `json:"assets"`
}

// FeeType is what a fee is asked for.
type FeeType string

// What fees are charged for.
const (
	FeeWithdraw    FeeType = "withdraw"
	FeeTransferOut FeeType = "transferOut"
	FeeSwap        FeeType = "swap"
)

// FeesRequest asks what it would cost that an amount arrives.
type FeesRequest struct {
	Type   FeeType   `json:"type"` // required
	Asset  AssetCode `json:"asset"`
	Amount Amount    `json:"amount"` // what is to arrive, in base units
}

func (r FeesRequest) validate(time.Time) error {
	if r.Type == "" {
		return invalid("type", "must be withdraw, transferOut or swap, is empty")
	}
	return cmp.Or(checkText("asset", r.Asset), checkAmount("amount", r.Amount))
}

// Fees is what a movement costs, in base units: AmountToSend = NetAmount + Fees.
type Fees struct {
	NetAmount    Amount `json:"netAmount"`    // what arrives: the amount to ask for in a request
	AmountToSend Amount `json:"amountToSend"` // what leaves the wallet
	Fees         Amount `json:"fees"`         // 0 where the movement is free
}

// AssetsService tells what can be kept and what moving it costs.
type AssetsService struct{ client *Client }

// List returns all assets.
//
// API: GET /assets
func (s *AssetsService) List(ctx context.Context, opts ...CallOption) ([]Asset, error) {
	return list(ctx, s.client, api("GET /assets"), opts, func(a *assetList) []Asset { return a.Assets })
}

// Find returns the asset with a code. One that the service does not have is [ErrNotFound]. It reads the
// whole list: a program that needs several assets, or the same one often, should keep it.
//
// API: GET /assets
func (s *AssetsService) Find(ctx context.Context, code AssetCode, opts ...CallOption) (*Asset, error) {
	assets, err := s.List(ctx, opts...)
	if err != nil {
		return nil, err
	}
	for _, asset := range assets {
		if asset.Code == code {
			return &asset, nil
		}
	}
	return nil, fmt.Errorf("qredo: asset %q: %w; Assets.List has the codes", code, ErrNotFound)
}

// GetFees returns what it would cost, at this moment, that an amount arrives. The rates are the service's; a program
// must not compute them. It needs no money: a program that must know whether a service takes the amounts of
// requests for what arrives compares NetAmount of the answer with what it asked for.
//
// API: POST /fees
func (s *AssetsService) GetFees(ctx context.Context, req FeesRequest, opts ...CallOption) (*Fees, error) {
	return call[Fees](ctx, s.client, api("POST /fees").with(req).repeated(), opts)
}
