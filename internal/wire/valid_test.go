package wire

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var documents = []string{
	``, ` `, `{}`, `[]`, ` { } `, `[ ]`, `null`, `true`, `false`, `tru`, `nulll`, `0`, `-0`, `00`, `01`, `-`, `1.`, `1.5`, `.5`, `1e5`, `1E+5`, `1e-5`, `1e`, `1e+`, `-1.0e0`,
	`"a"`, `"`, `"\"`, `"\\"`, `"\u00e9"`, `"\u00g9"`, `"\u00"`, `"\x"`, "\"\n\"", "\"\x7f\"", "\"\xff\"", "\ufeff{}", `{"a":1}`, `{"a":1,}`, `{"a"}`, `{"a":}`, `{,}`, `{a:1}`,
	`{"a":1,"b":[1,2,{"c":null}]}`, `[1,]`, `[,1]`, `[1 2]`, `[1}`, `{"a":1]`, `[[]`, `[]]`, `{} {}`, `1 2`, `{"a":[{},{"b":"c"}]}`, `[true,false,null,"x",-1.5e3]`,
	strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001), strings.Repeat(`{"a":`, 10_001) + "1" + strings.Repeat("}", 10_001),
	`"` + strings.Repeat("a", 3*pause) + `"`, `"` + strings.Repeat(`\n`, pause) + `"`, `"` + strings.Repeat("a", pause-1) + `\u00e9"`, strings.Repeat(" ", 2*pause) + "1", strings.Repeat("1", 2*pause),
}

func TestCheckJSON(t *testing.T) {
	for _, document := range documents {
		require.Equal(t, json.Valid([]byte(document)), checkJSON([]byte(document), nil) == nil, "%.60q", document)
	}
}

// A document of which the caller wants no more is left at the next look, wherever that is.
func TestCheckJSONStops(t *testing.T) {
	enough := errors.New("enough")
	for name, document := range map[string]string{
		"a list": "[" + strings.Repeat("1,", 10*pause), "objects": "[" + strings.Repeat(`{"a":{}},`, pause), "a text": `"` + strings.Repeat("a", 10*pause),
		"escapes": `"` + strings.Repeat(`\n`, 10*pause),
	} {
		looks := 0
		err := checkJSON([]byte(document), func() error {
			if looks++; looks == 2 {
				return enough
			}
			return nil
		})
		require.ErrorIs(t, err, enough, name)
	}
}

// What is JSON is JSON to the standard library, and nothing else.
func FuzzCheckJSON(f *testing.F) {
	for _, document := range documents {
		if len(document) < 1000 { // the engine is slow with long ones
			f.Add([]byte(document))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, want := checkJSON(data, nil), json.Valid(data); (got == nil) != want {
			t.Fatalf("%q: valid %v, but %v", data, want, got)
		}
	})
}
