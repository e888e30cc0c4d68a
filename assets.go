package qredo

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// Asset is something that the service can hold, and the unit it is counted in.
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

// FeeType is the kind of movement that a fee is for.
type FeeType string

// The kinds of movements that cost a fee.
const (
	FeeWithdraw    FeeType = "withdraw"
	FeeTransferOut FeeType = "transferOut"
	FeeSwap        FeeType = "swap"
)

// FeesRequest asks for the fee of a movement by which the given amount arrives.
type FeesRequest struct {
	Type   FeeType   `json:"type"` // required
	Asset  AssetCode `json:"asset"`
	Amount Amount    `json:"amount"` // the amount that should arrive, in base units
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
	Fees         Amount `json:"fees"`         // 0 if the movement is free
}

// AssetsService lists assets and fees.
type AssetsService struct{ client *Client }

// List returns all assets.
//
// API: GET /assets
func (s *AssetsService) List(ctx context.Context, opts ...CallOption) ([]Asset, error) {
	return list(ctx, s.client, api("GET /assets"), opts, func(a *assetList) []Asset { return a.Assets })
}

// Find returns the asset with the given code, or [ErrNotFound] if the service does not have it. Each call reads the whole list:
// if you need several assets, or the same one often, keep the result.
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

// GetFees returns the current fees for a movement by which the given amount arrives. The service sets the rates; do not
// calculate fees yourself. No money is needed for this call. To check whether a service takes the amount of a request to be
// what arrives, compare the NetAmount of the answer with the amount that you asked about.
//
// API: POST /fees
func (s *AssetsService) GetFees(ctx context.Context, req FeesRequest, opts ...CallOption) (*Fees, error) {
	return call[Fees](ctx, s.client, api("POST /fees").with(req).repeated(), opts)
}
