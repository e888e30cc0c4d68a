package wire

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// quoted reads the text at the current position.
func (d *decoder) quoted() string {
	start := d.pos
	escaped, ascii := d.skipText()
	text := d.data[start+1 : d.pos-1]
	if escaped || !ascii && !utf8.Valid(text) {
		return d.unquote(text)
	}
	return d.share(text)
}

// skipText skips the text at the current position, and reports whether it has escapes, and only ASCII.
func (d *decoder) skipText() (escaped, ascii bool) {
	ascii = true
	for i := d.pos + 1; ; {
		if i >= d.pause {
			d.pos = i
			d.look()
		}
		if len(d.data)-i >= 8 {
			special := specials(binary.LittleEndian.Uint64(d.data[i:]))
			if special == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(special) / 8
		} else if i >= len(d.data) {
			d.pos = len(d.data)
			d.unexpected()
		}
		switch c := d.data[i]; {
		case c == '"':
			d.pos = i + 1
			return escaped, ascii
		case c == '\\':
			escaped, d.pos = true, i+1
			d.escape()
			i = d.pos
		case c < ' ':
			d.pos = i
			d.unexpected()
		default:
			ascii = ascii && c < utf8.RuneSelf
			i++
		}
	}
}

// specials examines eight bytes of a text at once. The lowest bit that it returns is in the first of them that is a
// quote, a backslash, a control character, or not ASCII: subtraction borrows only from the bytes after such a byte.
func specials(eight uint64) uint64 {
	const each, high = 0x0101010101010101, 0x8080808080808080
	return (eight | (eight - each*' ') | ((eight ^ each*'"') - each) | ((eight ^ each*'\\') - each)) & high
}

// escape skips what follows a backslash.
func (d *decoder) escape() {
	if d.pos < len(d.data) {
		switch d.data[d.pos] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			d.pos++
			return
		case 'u':
			for i := 0; i < 4; i++ {
				if d.pos++; d.pos >= len(d.data) || !isHex(d.data[d.pos]) {
					d.unexpected()
				}
			}
			d.pos++
			return
		}
	}
	d.unexpected()
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// unquote decodes what is between the quotes of a text, as encoding/json does: invalid UTF-8, and half a surrogate pair,
// becomes U+FFFD.
func (d *decoder) unquote(text []byte) string {
	out := make([]byte, 0, len(text))
	for next := pause; len(text) > 0; {
		if len(out) > next {
			next = len(out) + pause
			d.look()
		}
		if text[0] != '\\' {
			r, size := utf8.DecodeRune(text)
			out, text = utf8.AppendRune(out, r), text[size:]
			continue
		}
		c := text[1]
		text = text[2:]
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hexRune(text)
			text = text[4:]
			if utf16.IsSurrogate(r) {
				if len(text) >= 6 && text[0] == '\\' && text[1] == 'u' {
					if pair := utf16.DecodeRune(r, hexRune(text[2:])); pair != utf8.RuneError {
						r, text = pair, text[6:]
					}
				}
			}
			out = utf8.AppendRune(out, r)
			continue
		}
		out = append(out, c)
	}
	return string(out)
}

// hexRune decodes the four digits at the start of text.
func hexRune(text []byte) (r rune) {
	for _, c := range text[:4] {
		switch {
		case c <= '9':
			c -= '0'
		case c <= 'F':
			c -= 'A' - 10
		default:
			c -= 'a' - 10
		}
		r = r<<4 | rune(c)
	}
	return r
}
