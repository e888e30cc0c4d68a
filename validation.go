package qredo

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo/internal/path"
)

func checkGiven(field string, given bool) error {
	if !given {
		return invalid(field, "must not be nil")
	}
	return nil
}

func checkText[T ~string](field string, text T) error {
	if strings.TrimSpace(string(text)) == "" {
		return invalid(field, "must not be empty")
	}
	return nil
}

func checkOneOf[T ~string](field string, value T, allowed ...T) error {
	if !slices.Contains(allowed, value) {
		return invalid(field, "must be one of %q, is %q", allowed, value)
	}
	return nil
}

// checkID refuses an ID that is missing or that would change the path it is put into.
func checkID[T ~string](field string, id T) error {
	if problem := path.Check(field, string(id)); problem != nil {
		return invalid(field, "%s", problem.Rule)
	}
	return nil
}

func checkHex(field, text string) error {
	if _, err := hex.DecodeString(text); err != nil || text == "" {
		return invalid(field, "must be hexadecimal and not empty")
	}
	return nil
}

func checkAmount(field string, amount Amount) error {
	if amount <= 0 {
		return invalid(field, "must be more than zero base units, is %d", int64(amount))
	}
	return nil
}

func checkExpiry(expires Time, now time.Time) error {
	switch {
	case expires.IsZero():
		return invalid("expires", "must be set: until when the transaction can be approved, or the quote be taken")
	case expires.seconds() <= now.Unix():
		return invalid("expires", "must be in the future, is %s, now is %s",
			expires.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return nil
}

// checkHeaderText refuses text that cannot be a header's value.
func checkHeaderText(field, text string) error {
	if problem := headerProblem(text); problem != "" {
		return invalid(field, "%s", problem)
	}
	return nil
}

// headerProblem says why text cannot be a header's value. It does not repeat the text, which may be a secret.
func headerProblem(text string) string {
	for i, c := range []byte(text) {
		if c <= ' ' || c > '~' {
			return fmt.Sprintf("must be visible ASCII without line breaks or spaces, byte %d is not", i)
		}
	}
	if text == "" {
		return "must not be empty"
	}
	return ""
}
