package qapi

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/wire"
)

// Figure is an amount in a ledger or history, exactly as received: a decimal number, such as 0.001156, -2 or 1.5e-3. It is
// empty if there was none.
//
// The service's document uses whole units there, so that 0.001156 is 115,600 satoshi, but base units in balances. Nothing in an
// answer says which it is: 1 can be a bitcoin or a satoshi. So a Figure is not a [qredo.Amount] until you say what it counts,
// with [Figure.WholeUnits] or [Figure.BaseUnits]. Decide that once for a service, and check it against a movement whose amount
// you know. Neither method ever rounds, or mistakes one for the other.
type Figure string

// WholeUnits converts a figure in whole units of an asset, as in the service's document, to base units: 0.001156 BTC is 115600.
// Get asset from [AssetBalance.Asset]. It returns a [*qredo.ValidationError] for a figure that is finer than a base unit, does
// not fit in 64 bits, or is empty.
func (f Figure) WholeUnits(asset qredo.Asset) (qredo.Amount, error) {
	if _, err := asset.Parse("0"); err != nil {
		return 0, err // its scale is not a power of ten
	}
	decimals := len(strconv.FormatInt(asset.Scale, 10)) - 1
	mantissa, exponent, _ := strings.Cut(strings.ToLower(string(f)), "e")
	shift := 0
	if exponent != "" {
		shift, _ = strconv.Atoi(exponent) // a scale beyond 64 bits is clamped, with the same result
	}
	shift = min(max(shift, math.MinInt/2), math.MaxInt/2) + decimals
	return f.read(mantissa+"e"+strconv.Itoa(shift), "has more than the %d decimals of %s", decimals, asset.Code)
}

// BaseUnits converts a figure in base units, as the sandbox writes them. It returns a [*qredo.ValidationError] for a figure
// with a fraction, which cannot be in base units, and for one that does not fit in 64 bits or is empty.
func (f Figure) BaseUnits() (qredo.Amount, error) {
	return f.read(string(f), "has a fraction, so it is not in base units but in whole units")
}

// read reads the number of base units that a figure stands for. A fraction is a problem that the caller handles.
func (f Figure) read(number, problem string, args ...any) (qredo.Amount, error) {
	if f.check() != nil {
		return 0, invalid("figure", "must be a decimal number, is %q", clip(string(f)))
	}
	n, err := wire.ParseInt([]byte(number))
	switch {
	case err == nil:
		return qredo.Amount(n), nil
	case strings.HasSuffix(err.Error(), "does not fit in 64 bits"):
		return 0, invalid("figure", "%s is beyond 64 bits in base units", clip(string(f)))
	}
	return 0, invalid("figure", clip(string(f))+" "+problem, args...)
}

// check refuses text that is not a JSON number.
func (f Figure) check() error {
	if strings.Trim(string(f), "0123456789+-.eE") != "" || !json.Valid([]byte(f)) {
		return &wire.FieldError{Problem: "is not a number"}
	}
	return nil
}

// UnmarshalJSON reads a number, or a string that contains one, and keeps it character for character. An empty string means
// none.
func (f *Figure) UnmarshalJSON(data []byte) error {
	text, err := wire.Text(data)
	if err != nil {
		return &wire.FieldError{Problem: "is not a number"}
	}
	read := Figure(strings.TrimSpace(text))
	if read != "" {
		if err := read.check(); err != nil {
			return err
		}
	}
	*f = read
	return nil
}

// MarshalJSON writes the number as received, or null for none. It returns an error if it is not a number.
func (f Figure) MarshalJSON() ([]byte, error) {
	if f == "" {
		return []byte("null"), nil
	}
	return []byte(f), f.check()
}

// clip shortens a text of any length for display.
func clip(text string) string { return text[:min(len(text), 100)] }
