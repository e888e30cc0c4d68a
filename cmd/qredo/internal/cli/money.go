package cli

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/qredo-go/qredo"
)

// splitAmount cuts "0.015BTC" into its figure and its asset.
func splitAmount(text string) (figure string, asset qredo.AssetCode) {
	text = strings.TrimSpace(text)
	end := strings.IndexFunc(text, func(r rune) bool {
		return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == ' '
	})
	if end < 0 {
		return text, ""
	}
	return text[:end], qredo.AssetCode(strings.TrimSpace(text[end:]))
}

// money reads a typed amount, for a wallet or operation that takes one asset, or any asset if want is empty. It refuses
// amounts that are not positive or not exact, or of another asset.
func (a *app) money(ctx context.Context, flag, text string, baseUnits bool, want qredo.AssetCode) (qredo.AssetAmount, error) {
	none := qredo.AssetAmount{}
	figure, unit := splitAmount(text)
	if baseUnits {
		units, err := strconv.ParseInt(figure, 10, 64)
		switch {
		case err != nil || unit != "":
			return none, usagef("--%s must be a whole number of base units, not %q", flag, text)
		case units <= 0:
			return none, usagef("--%s must be more than zero, not %q", flag, text)
		case want == "":
			return none, usagef("--%s in base units needs the wallet's ID: this service does not give the asset for a short code", flag)
		}
		return qredo.AssetAmount{Asset: want, Amount: qredo.Amount(units)}, nil
	}
	if unit == "" {
		return none, usagef("--%s must name its asset, as in %sBTC; or give base units with --base-units", flag, figure)
	}
	asset, err := a.assets.find(ctx, unit)
	switch {
	case errors.Is(err, errUnknownAsset):
		return none, usagef("--%s: unknown asset %q: see qredo asset list", flag, unit)
	case err != nil:
		return none, err
	case want != "" && asset.Code != want:
		return none, usagef("--%s is in %s, but must be in %s here", flag, asset.Code, want)
	}
	amount, err := asset.Parse(figure)
	if err != nil {
		return none, usagef("--%s: %s", flag, strings.TrimPrefix(err.Error(), "qredo: "))
	}
	if amount <= 0 {
		return none, usagef("--%s must be more than zero, not %q", flag, text)
	}
	return qredo.AssetAmount{Asset: asset.Code, Amount: amount}, nil
}
