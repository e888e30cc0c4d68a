package cli

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/web3"
	"github.com/qredo-go/qredo/sandbox"
)

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

// field is one member of an object: a field of a struct, or an entry of a map.
type field struct {
	name  string
	value reflect.Value
	asset qredo.AssetCode // the asset of an amount, if the object says it
}

// fieldsOf returns the members of an object: a struct's with their names on the wire, a map's sorted by name.
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
	for _, m := range members(v.Type()) {
		value := v.FieldByIndex(m.Index)
		if m.Type == reflect.TypeFor[qredo.Amount]() && moved(v) != "" {
			value = reflect.ValueOf((*qredo.Amount)(nil))
		}
		out = append(out, field{m.name, value, assetBeside(v, m.Name)})
	}
	return out
}

// moved describes what would move if the service knows no amount for it; "" if it knows one. A 0 would be read as nothing.
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

// scalar is the text of a value that is neither a number nor a string in Go, but is printed as text.
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
