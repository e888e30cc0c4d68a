package cli

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/qredo-go/qredo"
)

// What is printed has the names of the Go fields, in snake_case. The wire has several styles, and names
// that differ between operations; these do not.

// snakeCase turns a Go name into a field name: "PartnerTxID" is partner_tx_id.
func snakeCase(name string) string {
	runes := []rune(strings.ReplaceAll(name, "IDs", "Ids"))
	var b strings.Builder
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 {
			begins := !unicode.IsUpper(runes[i-1])
			endsRun := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if begins || endsRun {
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// field is one exported field of a struct.
type field struct {
	name  string // in Go
	value reflect.Value
}

// fieldsOf returns the exported fields, those of embedded structs in their place.
func fieldsOf(v reflect.Value) []field {
	var out []field
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch {
		case f.Anonymous && f.Type.Kind() == reflect.Struct && !isLeaf(f.Type):
			out = append(out, fieldsOf(v.Field(i))...)
		case f.IsExported():
			out = append(out, field{f.Name, v.Field(i)})
		}
	}
	return out
}

var textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()

// isLeaf reports whether a struct is one value, such as a time.
func isLeaf(t reflect.Type) bool {
	return t == reflect.TypeFor[time.Time]() || t == reflect.TypeFor[qredo.Time]() || t.Implements(textMarshaler)
}

// encodeJSON writes a value as JSON on one line. Times are RFC 3339 in UTC, amounts base units; lists are
// never null; what is absent is null.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	if err := encode(&b, reflect.ValueOf(v)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func encode(b *bytes.Buffer, v reflect.Value) error {
	if !v.IsValid() {
		b.WriteString("null")
		return nil
	}
	if v.CanInterface() {
		if text, null, ok := scalar(v); ok {
			if null {
				b.WriteString("null")
				return nil
			}
			return quote(b, text)
		}
		if raw, ok := v.Interface().(json.RawMessage); ok {
			if len(raw) == 0 {
				raw = json.RawMessage("null")
			}
			return json.Compact(b, raw)
		}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return encode(b, v.Elem())
	case reflect.Struct:
		b.WriteByte('{')
		for i, f := range fieldsOf(v) {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(b, "%q:", snakeCase(f.name))
			if err := encode(b, f.value); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case reflect.Map:
		return encodeMap(b, v)
	case reflect.Slice, reflect.Array:
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := encode(b, v.Index(i)); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case reflect.String:
		return quote(b, v.String())
	case reflect.Bool:
		b.WriteString(strconv.FormatBool(v.Bool()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		b.WriteString(strconv.FormatInt(v.Int(), 10))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		b.WriteString(strconv.FormatUint(v.Uint(), 10))
	default:
		data, err := json.Marshal(v.Interface())
		b.Write(data)
		return err
	}
	return nil
}

func encodeMap(b *bytes.Buffer, v reflect.Value) error {
	entries := map[string]reflect.Value{}
	for _, k := range v.MapKeys() {
		entries[fmt.Sprint(k.Interface())] = v.MapIndex(k)
	}
	b.WriteByte('{')
	for i, key := range slices.Sorted(maps.Keys(entries)) {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := quote(b, key); err != nil {
			return err
		}
		b.WriteByte(':')
		if err := encode(b, entries[key]); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

// scalar is the text of a value that is neither number nor plain text in Go, but is text in what is printed.
func scalar(v reflect.Value) (text string, null, ok bool) {
	switch x := v.Interface().(type) {
	case qredo.Secret:
		return x.String(), false, true
	case qredo.Time:
		return x.UTC().Format(time.RFC3339), x.IsZero(), true
	case time.Time:
		return x.UTC().Format(time.RFC3339), x.IsZero(), true
	case time.Duration:
		return x.String(), false, true
	case encoding.TextMarshaler:
		if v.Kind() == reflect.Pointer && v.IsNil() {
			return "", true, true
		}
		data, err := x.MarshalText()
		return string(data), err != nil || len(data) == 0, true
	}
	return "", false, false
}

func quote(b *bytes.Buffer, text string) error {
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // the line's end
	return nil
}
