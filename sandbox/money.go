package sandbox

import (
	"math/big"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// Money is an exact amount of an asset: it is text, so that no reader mistakes it for a number with a fraction.
type Money struct {
	Base  string          `json:"base"`           // in base units, even beyond 64 bits
	Whole string          `json:"whole,omitzero"` // in whole units, "0.25"; empty if the asset is not offered
	Asset qredo.AssetCode `json:"asset"`
}

// inWords is the amount with its asset, in base units if whole units are not known.
func (m Money) inWords() string {
	if m.Whole == "" {
		return m.Base + " base units of " + string(m.Asset)
	}
	return m.Whole + " " + string(m.Asset)
}

func money(v *world.View, asset qredo.AssetCode, amount qredo.Amount) Money {
	return bigMoney(v, asset, big.NewInt(int64(amount)))
}

func bigMoney(v *world.View, asset qredo.AssetCode, amount *big.Int) Money {
	m := Money{Base: amount.String(), Asset: asset}
	if known, err := v.Asset(asset); err == nil {
		m.Whole = wholeUnits(known, amount)
	}
	return m
}

// wholeUnits writes base units as the asset's Format does, also beyond 64 bits. It is empty if the asset's scale is not a
// power of ten.
func wholeUnits(asset qredo.Asset, amount *big.Int) string {
	if zero := asset.Format(0); zero != "0" {
		return ""
	}
	integer, rest := new(big.Int).QuoRem(new(big.Int).Abs(amount), big.NewInt(asset.Scale), new(big.Int))
	text := integer.String() + strings.TrimPrefix(asset.Format(qredo.Amount(rest.Int64())), "0")
	if amount.Sign() < 0 {
		return "-" + text
	}
	return text
}

// instant is a time as views show it: UTC, to the millisecond.
func instant(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// Named is something that has an ID and a name.
type Named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Page selects one page of a list.
type Page struct {
	After string `json:"after,omitzero"` // Next of the previous page; empty for the first
	Limit int    `json:"limit,omitzero"` // default 50, at most 500
}

// paged is the requested part of a list.
func paged[T any](p Page, all []T) (world.Listed[T], error) {
	limit, err := listLimit(p.Limit)
	if err != nil {
		return world.Listed[T]{}, err
	}
	return world.PageOf(all, p.After, limit)
}
