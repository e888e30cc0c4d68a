// Package spreadsheet makes texts of others safe to open in a program that computes.
package spreadsheet

import (
	"regexp"
	"strings"
)

// begins matches the start of a cell that a spreadsheet takes for a formula: also in full-width characters, and after the
// separators of other formats. A comma-separated file that is opened with semicolons as separators is split at the
// semicolons, even within quotes.
var begins = regexp.MustCompile(`(^|[\t\r\n;|])([=+\-@＝＋－＠])`)

// Cell returns a text as a cell that no spreadsheet takes for a formula: an apostrophe stands before what would begin one.
// Other texts remain as they are. It is for texts, and not for figures: a minus sign is one of these beginnings.
func Cell(text string) string {
	if harmless(text) {
		return text
	}
	text = begins.ReplaceAllString(text, "$1'$2")
	if text != "" && strings.ContainsRune("\t\r\n", rune(text[0])) { // some programs skip these, and what follows them counts
		return "'" + text
	}
	return text
}

// harmless reports whether Cell would leave a text unchanged, as is almost always so: an export has millions of cells,
// and a regular expression for each would take most of its time.
func harmless(text string) bool {
	before := byte(';')
	for i := range len(text) {
		switch c := text[i]; c {
		case '=', '+', '-', '@', "＝"[0]: // full-width ones start with the same byte
			if strings.IndexByte("\t\r\n;|", before) >= 0 {
				return false
			}
		case '\t', '\r', '\n':
			if i == 0 {
				return false
			}
		}
		before = text[i]
	}
	return true
}
