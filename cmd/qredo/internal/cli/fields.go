package cli

import (
	"bytes"
	"cmp"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/web3"
	"github.com/qredo-go/qredo/sandbox"
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

// field is one member of an object: an exported field of a struct, or an entry of a map.
type field struct {
	name   string
	goName string // of a struct's field
	value  reflect.Value
	asset  qredo.AssetCode // in which it is counted, if it is an amount and the object says so
}

// fieldsOf returns the members of an object: a struct's in their order, with those of embedded structs in their
// place but for those that it has itself; a map's in the order of their names.
func fieldsOf(v reflect.Value) []field {
	var out []field
	if v.Kind() == reflect.Map {
		for _, k := range v.MapKeys() {
			asset, _ := k.Interface().(qredo.AssetCode)
			out = append(out, field{name: fmt.Sprint(k), value: v.MapIndex(k), asset: asset})
		}
		slices.SortFunc(out, func(x, y field) int { return strings.Compare(x.name, y.name) })
		return out
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch {
		case f.Anonymous && f.Type.Kind() == reflect.Struct && !isLeaf(f.Type):
			for _, inner := range fieldsOf(v.Field(i)) {
				if own, found := v.Type().FieldByName(inner.goName); found && len(own.Index) == 1 && !own.Anonymous {
					continue
				}
				inner.asset = cmp.Or(inner.asset, assetBeside(v, ""))
				out = append(out, inner)
			}
		case f.IsExported() && f.Type == reflect.TypeFor[qredo.Amount]() && moved(v) != "":
			out = append(out, field{name: snakeCase(f.Name), goName: f.Name, value: reflect.ValueOf((*qredo.Amount)(nil))})
		case f.IsExported():
			out = append(out, field{snakeCase(f.Name), f.Name, v.Field(i), assetBeside(v, f.Name)})
		}
	}
	return out
}

// moved says what something would move that has no amount of which the service knows; "" if it has one. A 0 would be
// read as nothing.
func moved(v reflect.Value) string {
	const unknown = "not known"
	if !v.CanInterface() {
		return ""
	}
	switch x := v.Interface().(type) {
	case qredo.ActionDetails:
		if x.Amount == 0 && x.ClientData["value"] != nil {
			return web3.Of(&x).String()
		} else if x.Amount == 0 {
			return unknown
		}
	case sandbox.PendingApproval:
		if x.Amount == 0 && x.Value != "" {
			return web3.Of(&qredo.ActionDetails{ClientData: map[string]any{
				"value": x.Value, "gasLimit": x.GasLimit, "gasPrice": x.GasPrice, "chainID": x.ChainID, "data": x.Data,
			}}).String()
		} else if x.Amount == 0 {
			return unknown
		}
	}
	return ""
}

// assetBeside is the asset of an amount in a struct: the field SendAsset for SendAmount, else the field Asset.
func assetBeside(v reflect.Value, name string) qredo.AssetCode {
	for _, candidate := range []string{strings.TrimSuffix(name, "Amount") + "Asset", "Asset"} {
		if f := v.FieldByName(candidate); f.IsValid() {
			if code, ok := f.Interface().(qredo.AssetCode); ok {
				return code
			}
		}
	}
	return ""
}

// isLeaf reports whether a struct is one value, such as a time.
func isLeaf(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[encoding.TextMarshaler]())
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
	switch kind := v.Kind(); {
	case kind == reflect.Pointer || kind == reflect.Interface:
		return encode(b, v.Elem())
	case kind == reflect.Struct || kind == reflect.Map:
		fields := fieldsOf(v)
		return encodeAll(b, "{}", len(fields), func(i int) error {
			if err := quote(b, fields[i].name); err != nil {
				return err
			}
			b.WriteByte(':')
			return encode(b, fields[i].value)
		})
	case kind == reflect.Slice || kind == reflect.Array:
		return encodeAll(b, "[]", v.Len(), func(i int) error { return encode(b, v.Index(i)) })
	case kind == reflect.String:
		return quote(b, v.String())
	case v.CanInt():
		b.WriteString(strconv.FormatInt(v.Int(), 10))
		return nil
	}
	data, err := json.Marshal(v.Interface())
	b.Write(data)
	return err
}

// encodeAll writes n values between brackets.
func encodeAll(b *bytes.Buffer, brackets string, n int, write func(i int) error) error {
	b.WriteByte(brackets[0])
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := write(i); err != nil {
			return err
		}
	}
	b.WriteByte(brackets[1])
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
