package clienttest

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
)

var verbs = []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c", "%U", "%t", "%e", "%g"}

// Printings are the ways in which a value gets into logs and terminals.
func Printings(t *testing.T, value any) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, verb := range verbs {
		all[verb] = fmt.Sprintf(verb, value)
	}
	all["Sprint"] = fmt.Sprint(value)
	data, err := json.Marshal(value)
	if err == nil { // some have functions, which JSON cannot encode
		all["JSON"] = string(data)
	}
	var text, lines bytes.Buffer
	debug := &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey { // whose digits may be those of a PIN
			return slog.Attr{}
		}
		return a
	}}
	slog.New(slog.NewTextHandler(&text, debug)).Debug("m", "value", value, slog.Group("g", "value", value))
	slog.New(slog.NewJSONHandler(&lines, debug)).Debug("m", "value", value, slog.Group("g", "value", value))
	all["slog text"], all["slog JSON"] = text.String(), lines.String()
	return all
}

// DeepPrintings are [Printings], and what a value shows if its formatting methods cannot be called, so that only
// functions keep a secret: in an unexported field of another struct, to encoders, and to reflection.
func DeepPrintings(t *testing.T, value any) map[string]string {
	t.Helper()
	all := Printings(t, value)
	inside := struct{ inner any }{value}
	forms := map[string]any{"inside": inside, "inside, by pointer": &inside}
	if v := reflect.ValueOf(value); v.Kind() == reflect.Pointer && !v.IsNil() {
		forms["of what it points to"] = v.Elem().Interface()
		forms["of what it points to, inside"] = struct{ inner any }{v.Elem().Interface()}
	}
	for form, value := range forms {
		for _, verb := range verbs {
			all[verb+" "+form] = fmt.Sprintf(verb, value)
		}
	}
	if data, err := xml.Marshal(value); err == nil {
		all["XML"] = string(data)
	}
	var encoded bytes.Buffer
	if gob.NewEncoder(&encoded).Encode(value) == nil {
		all["gob"] = encoded.String()
	}
	var found strings.Builder
	dump(&found, reflect.ValueOf(value), map[reflect.Value]bool{})
	all["reflection"] = found.String()
	return all
}

// dump writes what a printer finds that goes through a value by reflection, including pointers and unexported fields,
// without calling its formatting methods. Bytes appear as text, in decimal, hexadecimal and base64.
func dump(out *strings.Builder, v reflect.Value, seen map[reflect.Value]bool) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() || v.Kind() == reflect.Pointer && seen[v] {
			return
		}
		seen[v] = true
		dump(out, v.Elem(), seen)
	case reflect.Struct:
		for i := range v.NumField() {
			dump(out, v.Field(i), seen)
		}
	case reflect.Map:
		for each := v.MapRange(); each.Next(); {
			dump(out, each.Key(), seen)
			dump(out, each.Value(), seen)
		}
	case reflect.Slice, reflect.Array:
		var data []byte
		for i := range v.Len() {
			if v.Type().Elem().Kind() == reflect.Uint8 {
				data = append(data, byte(v.Index(i).Uint())) //nolint:gosec // it is one
			} else {
				dump(out, v.Index(i), seen)
			}
		}
		fmt.Fprintln(out, string(data), data, hex.EncodeToString(data), base64.StdEncoding.EncodeToString(data))
	case reflect.Invalid, reflect.Func, reflect.Chan, reflect.UnsafePointer: // these show nothing
	default:
		fmt.Fprintln(out, v)
	}
}

// Quoted is a text as JSON has it.
func Quoted(s string) string {
	data, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(data)
}
