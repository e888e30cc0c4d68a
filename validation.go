package qredo

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

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

// checkID refuses an ID that is empty or would change the path that it is put into.
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

// checkPartnerTxID refuses a key that the service might mistake for another, or for none, so that one key would stand
// for two payments: as it appears in a log or a form, after trimming white space, or after a round trip through JSON.
// Empty text means no key.
func checkPartnerTxID(id PartnerTxID) error {
	const field = "partner_txID"
	text := string(id)
	unseen := func(r rune) bool { // line breaks, and zero-width characters such as U+200B
		return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
	}
	switch {
	case !utf8.ValidString(text):
		return invalid(field, "must be UTF-8")
	case text != "" && strings.TrimSpace(text) == "":
		return invalid(field, "must have more than white space, or be left out")
	case text != strings.TrimSpace(text):
		return invalid(field, "must have no white space around it, is %q", clip(text, 100))
	case strings.ContainsFunc(text, unseen):
		return invalid(field, "must have no control or invisible characters, is %q", clip(text, 100))
	}
	return nil
}

// latest is the last second of the year 9999, the latest time that can be meant: later values are milliseconds or
// smaller units. Counts of milliseconds or smaller since 1978 all exceed it.
const latest = 253_402_300_799

// checkSeconds refuses a time that is not in seconds.
func checkSeconds(field string, t Time) error {
	if n := t.seconds(); n > latest {
		return invalid(field, "must be in seconds and not after the year 9999, is %d: were these milliseconds? See TimeOf", n)
	}
	return nil
}

func checkExpiry(expires Time, now time.Time) error {
	if err := checkSeconds("expires", expires); err != nil {
		return err
	}
	switch {
	case expires.IsZero():
		return invalid("expires", "must be set: until when the transaction can be approved, or the quote be taken")
	case expires.seconds() <= now.Unix():
		return invalid("expires", "must be in the future, is %s, now is %s",
			expires.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return nil
}

// checkHeaderText refuses text that is not valid in a header.
func checkHeaderText(field, text string) error {
	if problem := headerProblem(text); problem != "" {
		return invalid(field, "%s", problem)
	}
	return nil
}

// headerProblem says why text is not valid in a header. It does not repeat the text, which may be a secret.
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
