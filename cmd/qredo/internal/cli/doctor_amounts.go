package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

// checkAmounts finds out from one quote of fees what the amount in a request means to the service: what arrives, as
// documented, or what leaves the wallet. It moves nothing.
func (d *diagnosis) checkAmounts(ctx context.Context) {
	const code = "amounts"
	cannotTell := func(format string, args ...any) {
		d.warn(code, "before you send more, send a small amount and compare what arrives with what you asked for",
			"cannot tell whether the amount in a request is what arrives: "+format, args...)
	}
	client, err := d.app.newClient(d.auth, setting{value: d.base, source: "the base URL"})
	if err != nil {
		cannotTell("%s", reason(err))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	assets, err := client.Assets.List(ctx, qredo.WithoutRetry())
	if err != nil {
		cannotTell("%s", reason(err))
		return
	}
	if len(assets) == 0 {
		cannotTell("the service has no assets")
		return
	}
	asset := assets[max(0, slices.IndexFunc(assets, func(a qredo.Asset) bool { return a.Enabled }))]
	// A withdrawal, because transfers may be free.
	ask := qredo.FeesRequest{Type: qredo.FeeWithdraw, Asset: asset.Code, Amount: 200_000}
	quote, err := client.Assets.GetFees(ctx, ask, qredo.WithoutRetry())
	switch {
	case err != nil:
		cannotTell("%s", reason(err))
	case quote.NetAmount+quote.Fees != quote.AmountToSend || quote.Fees < 0:
		cannotTell("the quote for %d %s does not add up: netAmount %d, fees %d, amountToSend %d",
			ask.Amount, asset.Code, quote.NetAmount, quote.Fees, quote.AmountToSend)
	case quote.Fees == 0:
		cannotTell("a withdrawal of %s costs nothing", asset.Code)
	case quote.NetAmount == ask.Amount:
		d.ok(code, "the amount in a request is what arrives, and fees come on top: for %d %s, %d leave the wallet",
			ask.Amount, asset.Code, quote.AmountToSend)
	case quote.AmountToSend == ask.Amount:
		d.warn(code, "ask for the amount plus its fee; what this program says about amounts does not hold for this service",
			"the amount in a request is what leaves the wallet, and fees are taken out of it: of %d %s, %d arrive. Elsewhere it is what arrives",
			ask.Amount, asset.Code, quote.NetAmount)
	default:
		cannotTell("asked about %d %s, the quote is about another amount: netAmount %d, amountToSend %d",
			ask.Amount, asset.Code, quote.NetAmount, quote.AmountToSend)
	}
}

func reason(err error) string { return strings.TrimPrefix(err.Error(), "qredo: ") }
