package wire

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// ParseInt reads a whole number that fits in 64 bits from a JSON number or from text that holds one.
// 1.0 and 1e3 are whole numbers, 1.5 is not; nothing is ever rounded.
func ParseInt(raw []byte) (int64, error) {
	s := raw
	if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	if n, ok := short(s); ok {
		return n, nil
	}
	if len(s) <= longestNumber {
		if n, err := strconv.ParseInt(string(s), 10, 64); err == nil && s[0] != '+' {
			return n, nil
		}
	}
	if len(s) > longestNumber {
		return 0, &FieldError{Problem: clip(string(s[:longestNumber])) + " is too long for a number"}
	}
	text := string(s)
	if !json.Valid(s) || strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, &FieldError{Problem: "is not a number"}
	}
	digits, whole := expand(text)
	if !whole {
		return 0, &FieldError{Problem: clip(text) + " is not a whole number"}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, &FieldError{Problem: clip(text) + " does not fit in 64 bits"}
	}
	return n, nil
}

// short reads the most common numbers: a few digits.
func short(s []byte) (n int64, ok bool) {
	digits := bytes.TrimPrefix(s, []byte("-"))
	if len(digits) == 0 || len(digits) > 18 { // 18 digits always fit
		return 0, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if len(digits) < len(s) {
		n = -n
	}
	return n, true
}

const longestNumber = 64 << 10 // bytes

// expand writes a JSON number without a decimal point and exponent. It returns false if the number has a fraction.
func expand(number string) (digits string, whole bool) {
	const limit = 40 // beyond any 64-bit number, and short enough to write out
	mantissa, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	integer, fraction, _ := strings.Cut(mantissa, ".")
	fraction = strings.TrimRight(fraction, "0")
	digits = integer + fraction
	if strings.Trim(digits, "-0") == "" {
		return "0", true
	}
	shift := 0
	if exponent != "" {
		var err error
		if shift, err = strconv.Atoi(exponent); err != nil && strings.HasPrefix(exponent, "-") {
			return "", false
		}
	}
	shift = max(shift, math.MinInt/2) - len(fraction)
	if shift > limit {
		return strings.Repeat("9", limit), true
	}
	if shift >= 0 {
		return digits + strings.Repeat("0", shift), true
	}
	cut := len(digits) + shift
	if cut <= 0 || strings.Trim(digits[cut:], "0") != "" {
		return "", false
	}
	return digits[:cut], true
}

func clip(s string) string {
	const most = 40
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
