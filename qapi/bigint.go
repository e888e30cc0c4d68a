package qapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// BigInt is an EVM number: a whole number from 0 to 2²⁵⁶-1, such as an amount of wei. On the wire it is decimal text. The zero
// BigInt, whose Int is nil, means "not given".
type BigInt struct{ *big.Int }

const evmBits = 256

// NewBigInt returns a number that fits in 64 bits. For a larger one, use BigInt{Int: x}.
func NewBigInt(n int64) BigInt { return BigInt{big.NewInt(n)} }

// ParseBigInt parses decimal digits, such as "1000000000000000000". Anything else is a [*qredo.ValidationError].
func ParseBigInt(digits string) (BigInt, error) {
	b, err := readBigInt(digits)
	if err != nil || strings.Trim(digits, "0123456789") != "" {
		return BigInt{}, invalid("figure", "must be decimal digits and below 2^256, is %q", digits[:min(len(digits), 100)])
	}
	return b, nil
}

// IsZero reports whether the number is not given. The number 0 counts as given.
func (b BigInt) IsZero() bool { return b.Int == nil }

// String returns decimal digits, or an empty string if the number is not given.
func (b BigInt) String() string {
	if b.Int == nil {
		return ""
	}
	return b.Int.String()
}

// MarshalJSON writes a string of decimal digits, which is empty if the number is not given.
func (b BigInt) MarshalJSON() ([]byte, error) { return strconv.AppendQuote(nil, b.String()), nil }

// UnmarshalJSON reads a number, or a string that contains one, exactly. An empty string means "not given". It returns an error
// for a number that has a fraction, is negative, or does not fit in 256 bits.
func (b *BigInt) UnmarshalJSON(data []byte) error {
	text := string(data)
	if len(text) > 1 && text[0] == '"' {
		text = strings.TrimSpace(text[1 : len(text)-1])
	}
	if text == "" || text == "null" {
		*b = BigInt{}
		return nil
	}
	read, err := readBigInt(text)
	if err != nil {
		return err
	}
	*b = read
	return nil
}

// MarshalText writes decimal digits.
func (b BigInt) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (b *BigInt) UnmarshalText(text []byte) error {
	return b.UnmarshalJSON(strconv.AppendQuote(nil, string(text)))
}

// The embedded type has more encodings, which would otherwise be used, and which would fail for a missing figure.

// AppendText appends what MarshalText writes.
func (b BigInt) AppendText(text []byte) ([]byte, error) { return append(text, b.String()...), nil }

// GobEncode writes what MarshalText writes.
func (b BigInt) GobEncode() ([]byte, error) { return b.MarshalText() }

// GobDecode reads what GobEncode writes.
func (b *BigInt) GobDecode(data []byte) error { return b.UnmarshalText(data) }

// Scan reads decimal digits, for package fmt.
func (b *BigInt) Scan(state fmt.ScanState, _ rune) error {
	digits, err := state.Token(true, nil)
	if err != nil {
		return err
	}
	read, err := ParseBigInt(string(digits))
	if err != nil {
		return err
	}
	*b = read
	return nil
}

// Format prints the number with the verbs of [big.Int], and with %v and %s as String does.
func (b BigInt) Format(s fmt.State, verb rune) {
	if verb == 'v' {
		verb = 'd'
	}
	if b.Int != nil {
		b.Int.Format(s, verb)
	}
}

// Problems with a figure.
var (
	errNotNumber = errors.New("is not a number")
	errNotWhole  = errors.New("is not a whole number")
	errNegative  = errors.New("is negative")
	errTooLarge  = errors.New("does not fit in 256 bits")
)

const longestFigure = 400 // characters; nobody means a longer figure

func readBigInt(text string) (BigInt, error) {
	if len(text) > longestFigure {
		return BigInt{}, errTooLarge
	}
	n, ok := new(big.Int), strings.Trim(text, "0123456789") == ""
	if ok {
		n, ok = n.SetString(text, 10)
	} else if json.Valid([]byte(text)) && strings.Trim(text, "0123456789+-.eE") == "" {
		var err error
		if n, err = expand(text); err != nil {
			return BigInt{}, err
		}
		ok = true
	}
	switch {
	case !ok:
		return BigInt{}, errNotNumber
	case n.Sign() < 0:
		return BigInt{}, errNegative
	case n.BitLen() > evmBits:
		return BigInt{}, errTooLarge
	}
	return BigInt{n}, nil
}

// expand decodes a JSON number with a decimal point, an exponent or a sign.
func expand(text string) (*big.Int, error) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	if strings.Trim(mantissa, "-0.") == "" {
		return new(big.Int), nil
	}
	if exponent != "" {
		// Beyond the longest figure, whatever the mantissa, but short enough to write out below.
		power, err := strconv.Atoi(exponent)
		switch {
		case strings.HasPrefix(exponent, "-") && (err != nil || power < -longestFigure):
			return nil, errNotWhole
		case err != nil || power > 2*longestFigure:
			return nil, errTooLarge
		}
	}
	exact, ok := new(big.Rat).SetString(text)
	switch {
	case !ok:
		return nil, errNotNumber
	case !exact.IsInt():
		return nil, errNotWhole
	}
	return exact.Num(), nil
}
