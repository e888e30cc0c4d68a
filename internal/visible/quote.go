package visible

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Shell quotes a text as one word of a line that people paste into a POSIX shell. Invisible characters are escaped in the
// word and unchanged in the argument, except for NUL, which no argument can contain. Line ends at the end of a text
// remain line ends in the word: the shell would otherwise strip them.
func Shell(text string) string {
	text = strings.ReplaceAll(text, "\x00", "")
	const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+,-."
	if text != "" && strings.Trim(text, safe) == "" {
		return text
	}
	if Text(text) == text {
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	begin := strings.TrimRight(text, "\n")
	ends := text[len(begin):]
	if ends != "" {
		ends = "'" + ends + "'"
	}
	if Text(begin) == begin {
		return Shell(begin) + ends
	}
	var word strings.Builder
	for i := 0; i < len(begin); {
		r, size := utf8.DecodeRuneInString(begin[i:])
		if seen(r, size) && !strings.ContainsRune(`\'!`, r) { // ! has a meaning within double quotes in an interactive shell
			word.WriteString(begin[i : i+size])
		} else {
			for _, b := range []byte(begin[i : i+size]) {
				fmt.Fprintf(&word, `\0%03o`, b)
			}
		}
		i += size
	}
	return `"$(printf %b '` + word.String() + `')"` + ends
}

// JSON returns JSON with what cannot be seen within its texts as \u escapes: it says the same to every program, and does
// nothing to a terminal. Bytes that are no UTF-8 become \ufffd, as they do for those who read them.
func JSON(data []byte) []byte {
	var out []byte
	inText := false
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case inText && r == '\\' && i+1 < len(data) && data[i+1] < utf8.RuneSelf && data[i+1] >= ' ':
			size = 2
			out = append(out, data[i:i+size]...)
		case r == '"':
			inText = !inText
			out = append(out, '"')
		case inText && !seen(r, size):
			if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
				out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
			} else {
				out = fmt.Appendf(out, `\u%04x`, r)
			}
		default:
			out = append(out, data[i:i+size]...)
		}
		i += size
	}
	return out
}
