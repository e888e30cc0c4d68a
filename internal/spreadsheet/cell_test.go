package spreadsheet_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/spreadsheet"
)

func TestCellsAreNoFormulas(t *testing.T) {
	for text, want := range map[string]string{
		"":                     "",
		"Invoice 7":            "Invoice 7",
		"a=b+c-d@e":            "a=b+c-d@e",
		`=HYPERLINK("x")`:      `'=HYPERLINK("x")`,
		"+1+cmd|' /C calc'!A0": "'+1+cmd|' /C calc'!A0",
		"-2+3\tx":              "'-2+3\tx",
		"@SUM(1+1)":            "'@SUM(1+1)",
		"\tx":                  "'\tx",
		"\t=1":                 "'\t'=1",
		"\r=1":                 "'\r'=1",
		"\nx":                  "'\nx",
		"＝1+1":                 "'＝1+1",
		"a;=1+1":               "a;'=1+1",
		"a\n@b;-c\t+d":         "a\n'@b;'-c\t'+d",
		"'=1":                  "'=1",
		"a; b":                 "a; b",
	} {
		require.Equal(t, want, spreadsheet.Cell(text), "%q", text)
	}
}

// FuzzCell holds Cell against an expression that says the same, and that each text is looked through by.
func FuzzCell(f *testing.F) {
	for _, text := range []string{"", "=1", "a=1", "a;=1", "a\n＋1", "x＝1", "\t", "a\t", "-", "a|@", "\xef", ";\xef\xbc\x8d1"} {
		f.Add(text)
	}
	formula := regexp.MustCompile(`(^|[\t\r\n;|])([=+\-@＝＋－＠])`)
	f.Fuzz(func(t *testing.T, text string) {
		want := formula.ReplaceAllString(text, "$1'$2")
		if want != "" && strings.ContainsRune("\t\r\n", rune(want[0])) {
			want = "'" + want
		}
		require.Equal(t, want, spreadsheet.Cell(text))
	})
}
