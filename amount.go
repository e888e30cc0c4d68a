package qredo

import (
	"strconv"
	"strings"

	"github.com/qredo-go/qredo/internal/wire"
)

// Amount is a quantity of an asset in its base unit: satoshi for BTC, gwei (not wei) for ETH. It is a whole number, never
// rounded. Use [Asset.Parse] and [Asset.Format] to convert from and to the decimal figures that people use.
type Amount int64

// UnmarshalJSON reads a whole number, or a string that contains one. It returns an error for a number with a fraction, or one
// that does not fit in 64 bits.
func (a *Amount) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	n, err := wire.ParseInt(data)
	if err != nil {
		return err
	}
	*a = Amount(n)
	return nil
}

// Parse converts a decimal figure in whole units, such as "1.5", to base units, exactly. It accepts an optional minus sign,
// digits, and a point with digits. It returns a [*ValidationError] for more decimals than the asset has, anything else in the
// text, or a result that does not fit in 64 bits.
func (a Asset) Parse(figure string) (Amount, error) {
	decimals, err := a.decimals()
	if err != nil {
		return 0, err
	}
	integer, fraction, point := strings.Cut(strings.TrimPrefix(figure, "-"), ".")
	switch {
	case !allDigits(integer) || point && !allDigits(fraction):
		return 0, invalid("amount", "must be a decimal number such as 1.5, is %q", figure)
	case len(fraction) > decimals:
		return 0, invalid("amount", "%s has more than the %d decimals of %s", figure, decimals, a.Code)
	}
	digits := integer + fraction + strings.Repeat("0", decimals-len(fraction))
	if strings.HasPrefix(figure, "-") {
		digits = "-" + digits
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, invalid("amount", "%s %s is beyond 64 bits in base units", figure, a.Code)
	}
	return Amount(n), nil
}

// ParsePositive converts like [Asset.Parse], but returns a [*ValidationError] for zero and negative figures, which cannot be
// sent.
func (a Asset) ParsePositive(figure string) (Amount, error) {
	amount, err := a.Parse(figure)
	if err == nil && amount <= 0 {
		return 0, invalid("amount", "must be more than zero, is %s", clip(figure, 100))
	}
	return amount, err
}

// AssetAmount returns a quantity to send, from a decimal figure in whole units such as "0.5", as [Asset.ParsePositive] reads
// it. [AssetAmount.In] is the reverse.
func (a Asset) AssetAmount(figure string) (AssetAmount, error) {
	amount, err := a.ParsePositive(figure)
	if err != nil {
		return AssetAmount{}, err
	}
	return AssetAmount{Asset: a.Code, Amount: amount}, nil
}

// Format converts base units to a decimal figure in whole units, exactly and without trailing zeros. [Asset.Parse] converts it
// back. If the asset's scale is not a power of ten, so that there may be no such figure, Format returns the base units and says
// so: "150 base units".
func (a Asset) Format(amount Amount) string {
	digits := strconv.FormatInt(int64(amount), 10)
	decimals, err := a.decimals()
	if err != nil {
		return digits + " base units"
	}
	sign := ""
	if amount < 0 {
		sign, digits = "-", digits[1:]
	}
	if missing := decimals + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	integer, fraction := digits[:len(digits)-decimals], strings.TrimRight(digits[len(digits)-decimals:], "0")
	if fraction == "" {
		return sign + integer
	}
	return sign + integer + "." + fraction
}

// decimals is the number of decimal places in the asset's scale.
func (a Asset) decimals() (int, error) {
	n := 0
	for scale := a.Scale; scale > 1; scale /= 10 {
		if scale%10 != 0 {
			return 0, invalid("scale", "of %s must be a power of ten, is %d", a.Code, a.Scale)
		}
		n++
	}
	if a.Scale < 1 {
		return 0, invalid("scale", "of %s must be a power of ten, is %d; take the asset from Assets.List", a.Code, a.Scale)
	}
	return n, nil
}

func allDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}
