// Package wire reads the service's JSON into Go values.
//
// The service and its documents spell the same thing in several ways. What differs is absorbed here,
// when bytes become values, so that no caller sees it:
//
//   - keys match without regard to case, underscores and hyphens: tx_id, txID and TxID are one key;
//   - a field may have further names, in its tag alias:"other,another";
//   - a field tagged bare:"true" may come without what holds it: its own fields in that one's place;
//   - a whole number may come as a number or as text, a boolean as text, a text as a number;
//   - one object may stand where a list is expected; null, and for text an empty one, leave a value as it is;
//   - unknown keys are ignored.
//
// What is not absorbed is doubt about a figure: a number that is not whole, or does not fit its field, or a
// field that is there twice with different values, is an error that names the field.
package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// FieldError tells which field of a JSON document could not be read, and why.
type FieldError struct {
	Field   string // as a path: "history[3].amount"; empty for the document itself
	Problem string
}

func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Problem
	}
	return e.Field + ": " + e.Problem
}

// Unmarshal reads the JSON document data into the value that v points to. If that is a struct, a field of it
// that is tagged required:"true" must not be empty afterwards.
func Unmarshal(data []byte, v any) error {
	_, err := unmarshal(data, v)
	return err
}

// UnmarshalAnswer reads an answer as Unmarshal does, and refuses an object that has none of the struct's
// fields: it is not what it was taken for, however many fields may be absent from it.
func UnmarshalAnswer(data []byte, v any) error {
	known, err := unmarshal(data, v)
	if t := reflect.TypeOf(v).Elem(); err == nil && known == 0 && t.Kind() == reflect.Struct && !isCustom(t) {
		return errors.New("the body has none of the fields that belong to the answer")
	}
	return err
}

// unmarshal also tells how many keys named a field.
func unmarshal(data []byte, v any) (known int, err error) {
	dst := reflect.ValueOf(v)
	if dst.Kind() != reflect.Pointer || dst.IsNil() {
		return 0, errors.New("the destination must be a pointer that is not nil")
	}
	if !json.Valid(data) {
		return 0, syntaxError(data)
	}
	if own, ok := v.(json.Unmarshaler); ok { // null too: it may mean something to the type
		if err := own.UnmarshalJSON(bytes.TrimSpace(data)); err != nil {
			return 0, fieldProblem(err)
		}
		return 1, nil
	}
	dst = dst.Elem()
	d := decoder{data: data}
	if err := d.value(dst, isCustom(dst.Type())); err != nil || dst.Kind() != reflect.Struct || isCustom(dst.Type()) {
		return d.known, err
	}
	for _, f := range fieldsOf(dst.Type()).required {
		if f.in(dst).IsZero() {
			return d.known, &FieldError{Field: f.name, Problem: "is missing"}
		}
	}
	return d.known, nil
}

func syntaxError(data []byte) error {
	var raw json.RawMessage
	err := json.Unmarshal(data, &raw)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		return &FieldError{Problem: fmt.Sprintf("not JSON at byte %d: %v", syntax.Offset, err)}
	}
	return &FieldError{Problem: fmt.Sprintf("not JSON: %v", err)}
}

func (d *decoder) value(dst reflect.Value, custom bool) error {
	if d.next() == 'n' {
		d.skip()
		return nil
	}
	if custom {
		own, ok := dst.Addr().Interface().(json.Unmarshaler)
		if !ok {
			return d.standard(dst)
		}
		if err := own.UnmarshalJSON(d.skip()); err != nil {
			return fieldProblem(err)
		}
		return nil
	}
	switch dst.Kind() {
	case reflect.String:
		return d.text(dst)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return d.integer(dst)
	case reflect.Bool:
		return d.boolean(dst)
	case reflect.Struct:
		return d.object(dst)
	case reflect.Slice:
		if dst.Type().Elem().Kind() == reflect.Uint8 {
			return d.standard(dst)
		}
		return d.list(dst)
	case reflect.Pointer:
		if dst.IsNil() {
			dst.Set(reflect.New(dst.Type().Elem()))
		}
		return d.value(dst.Elem(), isCustom(dst.Type().Elem()))
	default:
		return d.standard(dst)
	}
}

func (d *decoder) text(dst reflect.Value) error {
	switch d.next() {
	case '"':
	case '{', '[', 't', 'f':
		return &FieldError{Problem: "is not text"}
	default:
		dst.SetString(string(d.skip()))
		return nil
	}
	start := d.pos
	if d.skipQuoted() || !utf8.Valid(d.data[start:d.pos]) {
		var s string
		if json.Unmarshal(d.data[start:d.pos], &s) == nil {
			dst.SetString(s)
			return nil
		}
	}
	text := d.data[start+1 : d.pos-1]
	if len(d.data) <= shortDocument {
		dst.SetString(string(text))
	} else {
		dst.SetString(d.share(text))
	}
	return nil
}

func (d *decoder) integer(dst reflect.Value) error {
	n, err := ParseInt(d.skip())
	if err != nil {
		return fieldProblem(err)
	}
	if dst.OverflowInt(n) {
		return &FieldError{Problem: fmt.Sprintf("%d does not fit in %d bits", n, dst.Type().Bits())}
	}
	dst.SetInt(n)
	return nil
}

func (d *decoder) boolean(dst reflect.Value) error {
	switch raw := strings.ToLower(string(bytes.Trim(d.skip(), `"`))); raw {
	case "true":
		dst.SetBool(true)
	case "false":
		dst.SetBool(false)
	default:
		return &FieldError{Problem: "is neither true nor false"}
	}
	return nil
}

func (d *decoder) list(dst reflect.Value) error {
	elem := dst.Type().Elem()
	custom := isCustom(elem)
	dst.SetLen(0)
	add := func() error {
		n := dst.Len()
		if n == dst.Cap() {
			dst.Grow(4) // or more, as append does
		}
		dst.SetLen(n + 1)
		slot := dst.Index(n)
		slot.SetZero()
		return d.value(slot, custom)
	}
	if d.next() != '[' {
		return add()
	}
	d.pos++
	for i := 0; d.more(']'); i++ {
		if err := add(); err != nil {
			return within(fmt.Sprintf("[%d]", i), err)
		}
	}
	if dst.IsNil() {
		dst.Set(reflect.MakeSlice(dst.Type(), 0, 0))
	}
	return nil
}

func (d *decoder) object(dst reflect.Value) error {
	if d.next() != '{' {
		return &FieldError{Problem: "is not an object"}
	}
	d.pos++
	fields := fieldsOf(dst.Type())
	var seen uint64 // the fields whose own names have come
	for d.more('}') {
		start := d.pos
		d.skipQuoted()
		key := d.data[start+1 : d.pos-1] // one with escapes is no field's
		f := fields.byName[string(key)]
		if f == nil {
			f = fields.spelled(key)
		}
		d.next()
		d.pos++ // the colon
		if f == nil {
			d.skip()
			continue
		}
		d.known++
		c := d.next()
		own, v := seen&f.bit != 0, f.in(dst)
		empty := c == 'n' || v.Kind() == reflect.String && bytes.HasPrefix(d.data[d.pos:], []byte(`""`))
		if empty || !v.IsValid() || f.alias && (own || !v.IsZero()) {
			d.skip() // null and empty text say nothing, and what the field's own name says counts
			continue
		}
		if !f.alias {
			seen |= f.bit
		}
		before := v
		if own { // once more
			before = reflect.New(v.Type()).Elem()
			before.Set(v)
			v.SetZero()
		}
		if err := d.value(v, f.custom); err != nil {
			return within(f.name, err)
		}
		if own && !reflect.DeepEqual(before.Interface(), v.Interface()) {
			return &FieldError{Field: f.name, Problem: "is there twice, with different values"}
		}
	}
	return nil
}

// standard leaves what the service's types do not use (maps, any, floats) to encoding/json, with
// numbers kept as their text where the type is open: a float would round them.
func (d *decoder) standard(dst reflect.Value) error {
	dec := json.NewDecoder(bytes.NewReader(d.skip()))
	dec.UseNumber()
	if err := dec.Decode(dst.Addr().Interface()); err != nil {
		return fieldProblem(err)
	}
	return nil
}

// Text reads a JSON value as text, as a string field takes it: for types that read their own.
func Text(data []byte) (string, error) {
	if n := len(data) - 1; n > 0 && data[0] == '"' && data[n] == '"' {
		plain := true // no more than what stands between its quotes
		for _, c := range data[1:n] {
			plain = plain && c != '"' && c != '\\' && ' ' <= c && c <= '~'
		}
		if plain {
			return string(data[1:n]), nil
		}
	}
	var s string
	err := Unmarshal(data, &s)
	return s, err
}

func within(outer string, err error) error {
	var inner *FieldError
	if !errors.As(err, &inner) {
		inner = &FieldError{Problem: err.Error()}
	}
	field := outer
	switch {
	case strings.HasPrefix(inner.Field, "["):
		field += inner.Field
	case inner.Field != "":
		field += "." + inner.Field
	}
	return &FieldError{Field: field, Problem: inner.Problem}
}

// fieldProblem makes what is wrong with a value a [*FieldError].
func fieldProblem(err error) error {
	if field := (*FieldError)(nil); errors.As(err, &field) {
		return field
	}
	return &FieldError{Problem: err.Error()}
}
