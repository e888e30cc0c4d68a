package wire_test

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/wire"
)

// named is a map with a type of its own for its keys.
type named map[name]any

type name string

var opens = []string{
	`{"a":[1,"x",null,true,false,{"b":-1.5e3}],"a":2}`, `"\ud83d\ude00\ud83d\u0041\ude00\n\/"`, `"\ud800\ud800\udc00"`, `"\ud800"`, `[{},[],""]`, `null`, `1`, "\"\xff\xed\xa0\x80a\"",
	`{"":{"\u0061":1,"a":2}}`, `{"a":null}`, `"\"\\\b\f\r\t"`,
}

// An open type is decoded as by the standard library, except for a key with conflicting values.
func TestUnmarshalOpen(t *testing.T) {
	for _, document := range opens {
		requireAsStandard(t, []byte(document))
	}
	long := `{"a":["` + strings.Repeat(`é\n\ud83d\ude00`, 100_000) + `",` + strings.Repeat(`{"b":[1]},`, 50_000) + `1]}`
	requireAsStandard(t, []byte(long))

	kept := map[string]any{"kept": 1}
	require.NoError(t, wire.Unmarshal([]byte(`{"a":null,"b":"x"}`), &kept))
	require.Equal(t, map[string]any{"kept": 1, "a": nil, "b": "x"}, kept)
	var typed named
	require.NoError(t, wire.Unmarshal([]byte(`{"A_b":[1]}`), &typed))
	require.Equal(t, named{"A_b": []any{json.Number("1")}}, typed)
	var failure *wire.FieldError
	require.ErrorAs(t, wire.Unmarshal([]byte(`{"a":{"b":"x"}}`), new(map[string]map[string]int)), &failure)
	require.Equal(t, "a", failure.Field)
	require.Error(t, wire.Unmarshal([]byte(`[1]`), new(map[string]any)))
	into := 7
	var open any = &into
	require.NoError(t, wire.Unmarshal([]byte(`8`), &open))
	require.Equal(t, 8, into)
}

func FuzzUnmarshalOpen(f *testing.F) {
	for _, document := range opens {
		f.Add([]byte(document))
	}
	f.Fuzz(func(t *testing.T, data []byte) { requireAsStandard(t, data) })
}

func requireAsStandard(t *testing.T, data []byte) {
	t.Helper()
	var ours, theirs any
	var ourMap, theirMap map[string]any
	var ourTexts, theirTexts map[string]string
	for _, into := range [][2]any{{&ours, &theirs}, {&ourMap, &theirMap}, {&ourTexts, &theirTexts}} {
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		want := decoder.Decode(into[1])
		if !json.Valid(data) {
			continue
		}
		got := wire.Unmarshal(data, into[0])
		if got != nil && strings.Contains(got.Error(), "duplicate key") { // the standard library takes the last of them
			continue
		}
		if (got == nil) != (want == nil) {
			t.Fatalf("%.200q: %v, the standard library: %v", data, got, want)
		} else if got == nil && !reflect.DeepEqual(into[0], into[1]) {
			t.Fatalf("%.200q:\n%.200v\n%.200v", data, into[0], into[1])
		}
	}
}

// endsAfter is a context that ends when it is looked at for the nth time.
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

// Long operations stop when nobody waits for them any more: the check for JSON, and each way of decoding.
func TestUnmarshalStops(t *testing.T) {
	const many = 1 << 20
	type entry struct {
		A int    `json:"a"`
		B string `json:"b"`
	}
	list := `{"list":[` + strings.TrimSuffix(strings.Repeat(`{"a":1,"b":"x"},`, many/10), ",") + `]}`
	escapes := `{"b":"` + strings.Repeat(`\u00e9`, many/4) + `"}`
	for what, tc := range map[string]struct {
		document string
		into     func() any
	}{
		"a list":           {list, func() any { return new(struct{ List []entry }) }},
		"an unknown list":  {list, func() any { return new(entry) }},
		"an open value":    {list, func() any { return new(any) }},
		"a map":            {list, func() any { return new(map[string]any) }},
		"raw":              {list, func() any { return new(struct{ List json.RawMessage }) }},
		"a map of numbers": {`{` + strings.Repeat(`"x":1,`, many/5) + `"y":2}`, func() any { return new(map[string]int) }},
		"digits":           {`{"a":` + strings.Repeat("1", many) + `}`, func() any { return new(struct{ X int }) }},
		"a text":           {`{"b":"` + strings.Repeat("a", many) + `"}`, func() any { return new(entry) }},
		"escapes":          {escapes, func() any { return new(entry) }},
		"an unknown text":  {escapes, func() any { return new(struct{ X int }) }},
		"an open text":     {escapes, func() any { return new(any) }},
	} {
		looks := len(tc.document) / (64 << 10)
		for _, at := range []int{0, 1, looks / 2, looks - 2} { // from its beginning to its end
			err := wire.UnmarshalContext(&endsAfter{t.Context(), at}, []byte(tc.document), tc.into())
			require.ErrorIs(t, err, context.Canceled, "%s after %d looks of %d", what, at, looks)
		}
		require.NoError(t, wire.UnmarshalContext(&endsAfter{t.Context(), 10 * looks}, []byte(tc.document), tc.into()), what)
	}
}
