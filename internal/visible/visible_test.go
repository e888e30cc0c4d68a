package visible

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
)

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "",
		"invoice-17":            "invoice-17",
		"Zürich 東京 שלום 🙂":      "Zürich 東京 שלום 🙂",
		"two\nlines\r\n":        `two\nlines\r\n`,
		"a\x1b[31mred\x00":      `a\u001b[31mred\u0000`,
		"tab\there":             `tab\there`,
		"1000\u202e0005":        `1000\u202e0005`,
		"\u2066a\u2069":         `\u2066a\u2069`,
		"zero\u200bwidth":       `zero\u200bwidth`,
		"no\u00a0break":         `no\u00a0break`,
		"line\u2028separator":   `line\u2028separator`,
		"filler\u3164\u115f":    `filler\u3164\u115f`,
		"selector\ufe0f":        `selector\ufe0f`,
		"tag\U000e0041":         `tag\U000e0041`,
		"blank\u2800":           `blank\u2800`,
		"bytes\xff\xc3":         `bytes\xff\xc3`,
		"replaced\ufffd":        "replaced\ufffd",
		`what is \u202e itself`: `what is \u202e itself`,
	} {
		assert.Equal(t, want, Text(text))
	}
}

// TestNothingUnseenIsLeft: no character that a terminal or a browser acts upon comes through.
func TestNothingUnseenIsLeft(t *testing.T) {
	acts := []*unicode.RangeTable{unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Bidi_Control, unicode.Other_Default_Ignorable_Code_Point}
	look := func(r rune) {
		if shown := Text(string(r)); strings.ContainsFunc(shown, func(r rune) bool { return unicode.In(r, acts...) }) {
			t.Errorf("%U is shown as it is", r)
		}
	}
	for _, table := range acts {
		for _, r := range table.R16 {
			for c := rune(r.Lo); c <= rune(r.Hi); c += rune(r.Stride) {
				look(c)
			}
		}
		for _, r := range table.R32 {
			for c := rune(r.Lo); c <= rune(r.Hi); c += rune(r.Stride) {
				look(c)
			}
		}
	}
}

func TestPartsSayWhatIsEscaped(t *testing.T) {
	assert.Equal(t, []Part{{`\u0007\n`, true}, {"a", false}, {`\u202e`, true}, {`\n b`, false}}, Parts("\a\na\u202e\\n b"))
	assert.Empty(t, Parts(""))
}
