package wire_test

import (
	"encoding/json"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/qredo-go/qredo/internal/wire"
)

// one is an object within another.
type one struct {
	X int `json:"X"`
}

// plain has only what encoding/json can read, too.
type plain struct {
	S string            `json:"s"`
	N int64             `json:"n"`
	I int8              `json:"i"`
	B bool              `json:"b"`
	L []string          `json:"l"`
	O one               `json:"o"`
	P *plain            `json:"p"`
	D []plain           `json:"d"`
	M map[string]string `json:"m"`
	F float64           `json:"f"`
	R json.RawMessage   `json:"r"`
}

// What both accept, both decode alike. The packages intentionally differ in which keys are the same, in what null does to
// an existing value, and in what they accept.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `[]`, `{"s":"a\u00e9\n\"","n":-5,"i":7,"b":true}`, `{"l":["a",null,"b"],"o":{"X":1},"p":{"p":{"s":"x"}}}`,
		`{"d":[{"n":1},{"d":[]}],"m":{"a":"b"},"f":1.5e3,"r":{"a":[1, 2]}}`, "{\"s\":\"\xff\xfe\"}", `{"s":"\ud800"}`, `{"n":9223372036854775807}`,
		` { "x" : [ { } , "]" ] , "s" : "y" } `, `{"n":1e2}`, `{"i":300}`, `{"s":1}`, `{"l":"a"}`, "\ufeff{}", `{"S":"upper"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var ours, theirs plain
		err := wire.Unmarshal(data, &ours)
		if err != nil && err.Error() == "" {
			t.Fatal("an error says nothing")
		}
		if !json.Valid(data) {
			if err == nil {
				t.Fatalf("%q is not JSON", data)
			}
			return
		}
		standard := json.Unmarshal(data, &theirs)
		if !isComparable(data) || standard != nil {
			return
		}
		if err != nil {
			t.Fatalf("%q: encoding/json reads it, but: %v", data, err)
		}
		if !reflect.DeepEqual(ours, theirs) {
			t.Fatalf("%q:\n%+v\n%+v", data, ours, theirs)
		}
	})
}

// isComparable reports whether a document avoids the intentional differences: keys with anything but letters, repeated
// keys, and a null.
func isComparable(data []byte) bool {
	if strings.Contains(string(data), "null") {
		return false
	}
	keysDiffer := func(raw json.RawMessage) bool {
		decoder := json.NewDecoder(strings.NewReader(string(raw)))
		type frame struct {
			object, wantKey bool
			seen            map[string]bool
		}
		var stack []frame
		for {
			token, err := decoder.Token()
			if err != nil {
				return false
			}
			top := len(stack) - 1
			if key, ok := token.(string); ok && top >= 0 && stack[top].wantKey {
				folded := strings.ToLower(key)
				if stack[top].seen[folded] || strings.Trim(folded, "abcdefghijklmnopqrstuvwxyz") != "" {
					return true
				}
				stack[top].seen[folded], stack[top].wantKey = true, false
				continue
			}
			switch token {
			case json.Delim('{'), json.Delim('['):
				object := token == json.Delim('{')
				stack = append(stack, frame{object, object, map[string]bool{}})
				continue
			case json.Delim('}'), json.Delim(']'):
				stack = stack[:top]
			}
			if top = len(stack) - 1; top >= 0 {
				stack[top].wantKey = stack[top].object
			}
		}
	}
	return !keysDiffer(data) && !strings.Contains(string(data), `\u`) // an escaped key belongs to no field
}

// A number is read exactly or refused; the reference is arithmetic without bounds.
func FuzzParseInt(f *testing.F) {
	for _, seed := range []string{
		`0`, `-0`, `"7"`, `7.0`, `1.5`, `15e-1`, `700e-2`, `9223372036854775807`, `-9223372036854775808`, `9223372036854775808`, `1e18`, `1e19`, `0.07e2`,
		`"007"`, `+1`, `1000000000000000000000000000000000000000000000000000e-50`, `0e-9999999999`, `""`, `.5`, `1e400`, `-1.0e-0`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := wire.ParseInt(raw)
		number := string(raw)
		if len(number) > 1 && number[0] == '"' && number[len(number)-1] == '"' {
			number = number[1 : len(number)-1]
		}
		figure := number != "" && strings.Trim(number, "0123456789+-.eE") == ""
		if err != nil && (!figure || !json.Valid([]byte(number))) {
			return // not a number
		}
		if !figure {
			t.Fatalf("%q is read as %d", raw, got)
		}
		if _, exponent, ok := strings.Cut(strings.ToLower(number), "e"); ok {
			if n, err := strconv.Atoi(exponent); err != nil || n > 5000 || n < -5000 {
				return // beyond what the reference can write out
			}
		}
		exact, ok := new(big.Rat).SetString(number)
		fits := ok && exact.IsInt() && exact.Num().IsInt64()
		switch {
		case err != nil && fits:
			t.Fatalf("%q is %s, but: %v", raw, exact, err)
		case err == nil && (!fits || exact.Num().Int64() != got):
			t.Fatalf("%q is %s, read as %d", raw, exact, got)
		}
	})
}
