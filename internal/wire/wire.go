// Package wire reads the service's JSON into Go values.
//
// The service and its documents spell the same thing in several ways. What differs is absorbed here,
// when bytes become values, so that no caller sees it:
//
//   - keys match without regard to case, underscores and hyphens: tx_id, txID and TxID are one key;
//   - a field may have further names, in its tag alias:"other,another";
//   - a field tagged bare:"true" may come without what holds it: its own fields in that one's place;
//   - a whole number may come as a number or as text, a boolean as text, a text as a number;
//   - a single object is accepted where a list is expected; null, and an empty text, leave a value as it is, except for
//     a document that is null and decoded by the type itself;
//   - unknown keys are ignored.
//
// Ambiguous figures are not tolerated: a number that is not whole or does not fit its field, and a duplicate field or
// map key with conflicting values, are errors that name the field.
package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Unmarshal reads the JSON document data into the value that v points to. If that is a struct, a field of it
// that is tagged required:"true" must not be empty afterwards. What v has after an error is not to be used.
func Unmarshal(data []byte, v any) error { return UnmarshalContext(context.Background(), data, v) }

// UnmarshalContext reads as Unmarshal does, for as long as its caller waits: soon after ctx has ended, its error is
// returned. A type that reads its own JSON is waited for, unless it is a
// [ContextUnmarshaler].
func UnmarshalContext(ctx context.Context, data []byte, v any) error {
	_, err := unmarshal(ctx, data, v)
	return err
}

// ContextUnmarshaler is a type that reads its own JSON, and no longer than its caller waits. Whether data is JSON is for
// the type to check.
type ContextUnmarshaler interface {
	UnmarshalJSONContext(ctx context.Context, data []byte) error
}

// UnmarshalAnswer reads an answer as Unmarshal does, and refuses an object that has none of the struct's
// fields: it is not what it was taken for, however many fields may be absent from it.
func UnmarshalAnswer(data []byte, v any) error {
	return UnmarshalAnswerContext(context.Background(), data, v)
}

// UnmarshalAnswerContext reads an answer as [UnmarshalContext] does.
func UnmarshalAnswerContext(ctx context.Context, data []byte, v any) error {
	known, err := unmarshal(ctx, data, v)
	if t := reflect.TypeOf(v).Elem(); err == nil && known == 0 && t.Kind() == reflect.Struct && !isCustom(t) {
		return errors.New("the body has none of the fields that belong to the answer")
	}
	return err
}

// unmarshal also returns how many keys named a field.
func unmarshal(ctx context.Context, data []byte, v any) (known int, err error) {
	dst := reflect.ValueOf(v)
	if dst.Kind() != reflect.Pointer || dst.IsNil() {
		return 0, errors.New("the destination must be a non-nil pointer")
	}
	if own, ok := v.(ContextUnmarshaler); ok {
		err := own.UnmarshalJSONContext(ctx, data)
		if err != nil && (ctx.Err() == nil || !errors.Is(err, ctx.Err())) {
			err = fieldProblem(err)
		}
		return 1, err
	}
	if own, ok := v.(json.Unmarshaler); ok { // null too: it may mean something to the type
		if err := checkJSON(ctx, data); err != nil {
			return 0, syntaxError(data, err)
		}
		if err := own.UnmarshalJSON(bytes.TrimSpace(data)); err != nil {
			return 0, fieldProblem(err)
		}
		return 1, nil
	}
	dst = dst.Elem()
	d := decoder{data: data, ctx: ctx, pause: pause}
	if err := d.document(dst); err != nil || dst.Kind() != reflect.Struct || isCustom(dst.Type()) {
		return d.known, err
	}
	for _, f := range fieldsOf(dst.Type()).required {
		if f.in(dst).IsZero() {
			return d.known, &FieldError{Field: f.name, Problem: "is missing"}
		}
	}
	return d.known, nil
}

// document reads the whole document. If it is not JSON, it says so, whatever else was wrong before that.
func (d *decoder) document(dst reflect.Value) error {
	problem, err := d.whole(dst)
	if problem != nil {
		err = checkJSON(d.ctx, d.data)
	}
	if err != nil {
		return syntaxError(d.data, err)
	}
	return problem
}

// whole reads the whole document. It returns what is wrong with a value separately from why it could not be read to its
// end.
func (d *decoder) whole(dst reflect.Value) (problem, why error) {
	defer stop(&why)
	if problem = d.value(dst, isCustom(dst.Type())); problem == nil {
		d.end()
	}
	return problem, nil
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
	case reflect.Interface:
		if dst.NumMethod() > 0 || !dst.IsNil() {
			return d.standard(dst)
		}
		if read := d.open(); read != nil {
			dst.Set(reflect.ValueOf(read))
		}
		return d.doubt()
	case reflect.Map:
		if key := dst.Type().Key(); key.Kind() != reflect.String || isCustom(key) {
			return d.standard(dst)
		}
		return d.table(dst)
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
		dst.SetString(d.quoted())
		return nil
	case '{', '[', 't', 'f':
		return &FieldError{Problem: "is not text"}
	default:
		dst.SetString(string(d.skip()))
		return nil
	}
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
	custom, began := isCustom(elem), d.pos
	dst.SetLen(0)
	add := func() error {
		n := dst.Len()
		if n == dst.Cap() {
			dst.Grow(d.room(n, d.pos-began))
		}
		dst.SetLen(n + 1)
		slot := dst.Index(n)
		slot.SetZero()
		return d.value(slot, custom)
	}
	if d.next() != '[' {
		return add()
	}
	for more := d.begin(']'); more; more = d.more(']') {
		if err := add(); err != nil {
			return within(fmt.Sprintf("[%d]", dst.Len()-1), err)
		}
	}
	if n := dst.Len(); dst.IsNil() || n > fewElements && n < dst.Cap()-n/4 { // its length was overestimated
		dst.Set(reflect.AppendSlice(reflect.MakeSlice(dst.Type(), 0, n), dst))
	}
	return nil
}

const fewElements = 64

// room estimates by how many elements a list with n elements should grow, given the remaining bytes: as many as the rest
// of the document can have, but not many times what it has, since other things may follow it.
func (d *decoder) room(n, bytes int) int {
	if n < fewElements {
		return max(4, n)
	}
	rest := (len(d.data) - d.pos) / (bytes / n)
	return min(rest+rest/16+4, 7*n)
}

func (d *decoder) object(dst reflect.Value) error {
	if d.next() != '{' {
		return &FieldError{Problem: "is not an object"}
	}
	fields := fieldsOf(dst.Type())
	var seen uint64 // fields that were given under their own names
	f, next := (*field)(nil), fields.first
	for more := d.begin('}'); more; more = d.more('}') {
		if f, next = d.field(fields, next); f == nil {
			d.skip()
			continue
		}
		d.known++
		c := d.next()
		own, v := seen&f.bit != 0, f.in(dst)
		empty := c == 'n' || v.Kind() == reflect.String && bytes.HasPrefix(d.data[d.pos:], []byte(`""`))
		if empty || !v.IsValid() || f.alias && (own || !v.IsZero()) {
			d.skip() // null and empty text are ignored, and a field's own name takes precedence
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
			return &FieldError{Field: f.name, Problem: "duplicate key with conflicting values"}
		}
	}
	return nil
}

// field skips a key and its colon, and returns the field for it, if there is one. Usually that is the next one in the
// struct; what is expected then is returned with it.
func (d *decoder) field(of *fields, expected *field) (f, next *field) {
	d.next()
	if expected != nil && bytes.HasPrefix(d.data[d.pos:], expected.key) {
		d.pos += len(expected.key)
		return expected, expected.next
	}
	key := d.key() // no field's name has escapes
	if f = of.byName[string(key)]; f == nil {
		f = of.spelled(key)
	}
	if f == nil {
		return nil, expected
	}
	return f, f.next
}

// standard leaves to encoding/json what the service's types do not use (arrays, floats, other values of maps), with
// numbers kept as text if the type is open.
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
		plain := true // exactly what is between its quotes
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
