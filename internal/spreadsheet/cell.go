// Package spreadsheet makes texts of others safe to open in a program that computes.
package spreadsheet

import (
	"regexp"
	"strings"
)

// begins is where a cell may begin that a spreadsheet takes for a formula: in full-width characters too, and after what
// separates cells elsewhere. A file with commas that is opened where semicolons separate is cut at the semicolons, whatever
// is quoted.
var begins = regexp.MustCompile(`(^|[\t\r\n;|])([=+\-@＝＋－＠])`)

// Cell returns a text as a cell that no spreadsheet takes for a formula: an apostrophe stands before what would begin one.
// Other texts remain as they are. It is for texts, and not for figures: a minus sign is one of these beginnings.
func Cell(text string) string {
	if harmless(text) {
		return text
	}
	text = begins.ReplaceAllString(text, "$1'$2")
	if text != "" && strings.ContainsRune("\t\r\n", rune(text[0])) { // they are passed over by some, and what comes after them counts
		return "'" + text
	}
	return text
}

// harmless reports whether a text has nothing that Cell would change, as nearly all have: an export has millions, and a regular
// expression for each would be most of its time.
func harmless(text string) bool {
	before := byte(';')
	for i := range len(text) {
		switch c := text[i]; c {
		case '=', '+', '-', '@', "＝"[0]: // those of full width begin with the same byte
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
