// Package visible shows texts of others to people, so that none can pass for another, or play with what shows it.
package visible

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Part is a piece of a text.
type Part struct {
	Text    string
	Escaped bool // it stands for what cannot be seen
}

// Text returns a text on one line, with what cannot be seen, or changes how the rest is shown, in its escaped form: a line
// break is \n, a change of direction \u202e, a byte that is no UTF-8 \xff.
func Text(text string) string {
	var out strings.Builder
	for _, part := range Parts(text) {
		out.WriteString(part.Text)
	}
	return out.String()
}

// Parts is Text in pieces: by turns those that are as they were, and those that are escaped.
func Parts(text string) []Part {
	var parts []Part
	begin := 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if seen(r, size) {
			i += size
			continue
		}
		if begin < i {
			parts = append(parts, Part{Text: text[begin:i]})
		}
		var escaped strings.Builder
		for i < len(text) && !seen(r, size) {
			escaped.WriteString(escape(r, text[i:i+size]))
			i += size
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		parts = append(parts, Part{Text: escaped.String(), Escaped: true})
		begin = i
	}
	if begin < len(text) {
		parts = append(parts, Part{Text: text[begin:]})
	}
	return parts
}

// blank are characters that Go considers printable but that show nothing.
var blank = []*unicode.RangeTable{unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector}

// seen reports whether a character is shown as it is.
func seen(r rune, size int) bool {
	const brailleBlank = '\u2800'
	invalid := r == utf8.RuneError && size == 1
	return !invalid && r != brailleBlank && unicode.IsPrint(r) && !unicode.In(r, blank...)
}

func escape(r rune, bytes string) string {
	switch {
	case r == utf8.RuneError && len(bytes) == 1:
		return fmt.Sprintf(`\x%02x`, bytes[0])
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r > 0xffff:
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}
