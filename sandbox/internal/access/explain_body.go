package access

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const byteOrderMark = "\ufeff"

func bodyForms(sent []byte) []form {
	const remedy = "turn the body into bytes once, and sign and send the same bytes"
	forms := []form{{text: string(sent)}}
	add := func(text, found string) {
		for _, f := range forms {
			if f.text == text {
				return
			}
		}
		forms = append(forms, form{text, found, remedy})
	}
	add("", "the body was not signed")
	add(strings.TrimSpace(string(sent)), "the body was signed without the white space around it")
	add(strings.TrimRight(string(sent), "\r\n"), "the body was signed without its last line end")
	add(string(sent)+"\n", "the body was signed with a line end after it")
	add(strings.ReplaceAll(string(sent), "\r\n", "\n"), "the body was signed with other line ends")
	if len(sent) == 0 {
		add("{}", "{} was signed for a request without a body")
		add("null", "null was signed for a request without a body")
		add("undefined", "undefined was signed for a request without a body")
		return forms
	}
	if text, marked := strings.CutPrefix(string(sent), byteOrderMark); marked {
		add(text, "the body was signed without the byte order mark (U+FEFF) that it begins with")
	} else {
		add(byteOrderMark+string(sent), "the body was signed with a byte order mark (U+FEFF) before it")
	}
	add(escapeAll(string(sent)), "the body was signed with characters as \\u escapes")
	add(unescapeAll(string(sent)), "the body was signed without the \\u escapes that it was sent with")
	reformat(sent, add)
	return forms
}

// reformat adds a JSON body as other programs and libraries write it.
func reformat(sent []byte, add func(text, found string)) {
	const found = "the body was signed in another format than it was sent in"
	var compact bytes.Buffer
	if json.Compact(&compact, sent) != nil {
		return
	}
	var sorted any
	decoder := json.NewDecoder(bytes.NewReader(sent))
	decoder.UseNumber()
	bodies := [][]byte{compact.Bytes()}
	if decoder.Decode(&sorted) == nil {
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(sorted); err == nil {
			bodies = append(bodies, bytes.TrimRight(b.Bytes(), "\n"))
		}
	}
	for i, body := range bodies {
		what := found
		if i > 0 {
			what = "the body was signed with its keys in another order than it was sent in"
		}
		add(string(body), what)
		add(spaced(body), what)
		for _, other := range []string{escapeAll(string(body)), escapeAll(spaced(body))} {
			add(other, what+", and with characters as \\u escapes")
		}
		var escaped bytes.Buffer
		json.HTMLEscape(&escaped, body)
		add(escaped.String(), what)
		for _, indent := range []string{"  ", "    ", "\t"} {
			var b bytes.Buffer
			if json.Indent(&b, body, "", indent) == nil {
				add(b.String(), what)
				add(b.String()+"\n", what)
			}
		}
		add(string(body)+"\n", what)
	}
}

// spaced writes compact JSON with a space after each colon and comma, as Python does.
func spaced(compact []byte) string {
	var b strings.Builder
	inText, escaped := false, false
	for _, c := range compact {
		b.WriteByte(c)
		switch {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = true
		case c == '"':
			inText = !inText
		case !inText && (c == ':' || c == ','):
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// escapeAll writes what is not ASCII as \u escapes, as many libraries do.
func escapeAll(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

var unicodeEscape = regexp.MustCompile(`(?i)(\\u[0-9a-f]{4})+`)

// unescapeAll writes \u escapes of what is not ASCII as the characters themselves.
func unescapeAll(text string) string {
	return unicodeEscape.ReplaceAllStringFunc(text, func(escapes string) string {
		var units []uint16
		for part := range strings.SplitSeq(strings.ToLower(escapes)[2:], `\u`) {
			unit, _ := strconv.ParseUint(part, 16, 16) // four digits
			if unit < utf8.RuneSelf {
				return escapes
			}
			units = append(units, uint16(unit))
		}
		return string(utf16.Decode(units))
	})
}
