package wire

import (
	"context"
	"encoding/json"
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
		require.Equal(t, json.Valid([]byte(document)), checkJSON(t.Context(), []byte(document)) == nil, "%.60q", document)
	}
}

// When the caller no longer wants a document, decoding stops at the next check, wherever that is.
func TestCheckJSONStops(t *testing.T) {
	for name, document := range map[string]string{
		"a list": "[" + strings.Repeat("1,", 10*pause), "objects": "[" + strings.Repeat(`{"a":{}},`, pause), "a text": `"` + strings.Repeat("a", 10*pause),
		"escapes": `"` + strings.Repeat(`\n`, 10*pause),
	} {
		require.ErrorIs(t, checkJSON(&endsAfter{t.Context(), 1}, []byte(document)), context.Canceled, name)
	}
}

// endsAfter is a context that ends when it has been looked at so often.
type endsAfter struct {
	context.Context
	looks int
}

func (e *endsAfter) Err() error {
	if e.looks--; e.looks < 0 {
		return context.Canceled
	}
	return nil
}

// What is JSON is JSON to the standard library, and nothing else.
func FuzzCheckJSON(f *testing.F) {
	for _, document := range documents {
		if len(document) < 1000 { // the engine is slow with long ones
			f.Add([]byte(document))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, want := checkJSON(t.Context(), data), json.Valid(data); (got == nil) != want {
			t.Fatalf("%q: valid %v, but %v", data, want, got)
		}
	})
}
