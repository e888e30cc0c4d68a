package wire

import (
	"encoding/json"
	"reflect"
)

// open reads a value of any kind, as encoding/json does, except that numbers are kept as text: a float would round them.
// A duplicate key with conflicting values is recorded in d.twice.
func (d *decoder) open() any {
	switch c := d.next(); c {
	case '"':
		return d.quoted()
	case '[':
		list := []any{}
		for more := d.begin(']'); more; more = d.more(']') {
			list = append(list, d.open())
		}
		return list
	case '{':
		object := map[string]any{}
		for more := d.begin('}'); more; more = d.more('}') {
			key := d.name()
			value := d.open()
			if before, found := object[key]; found && !reflect.DeepEqual(before, value) {
				d.twice = append(d.twice, key)
			}
			object[key] = value
		}
		return object
	case 't', 'f':
		d.skip()
		return c == 't'
	case 'n':
		d.skip()
		return nil
	default:
		return json.Number(d.skip())
	}
}

// name reads any key and its colon.
func (d *decoder) name() string {
	if d.next() != '"' {
		d.unexpected()
	}
	key := d.quoted()
	d.colon()
	return key
}

// table reads an object into a map, as encoding/json does: existing entries stay. The values of a duplicate key must be
// equal.
func (d *decoder) table(dst reflect.Value) error {
	if d.next() != '{' {
		return d.standard(dst) // which says what is wrong
	}
	if dst.IsNil() {
		dst.Set(reflect.MakeMap(dst.Type()))
	}
	elem := reflect.New(dst.Type().Elem()).Elem()
	open := elem.Kind() == reflect.Interface && elem.NumMethod() == 0
	seen := map[string]bool{}
	for more := d.begin('}'); more; more = d.more('}') {
		key := d.name()
		elem.SetZero()
		switch {
		case !open:
			if err := d.standard(elem); err != nil {
				return within(key, err)
			}
		default:
			if read := d.open(); read != nil {
				elem.Set(reflect.ValueOf(read))
			}
			if err := d.doubt(); err != nil {
				return within(key, err)
			}
		}
		at := reflect.ValueOf(key).Convert(dst.Type().Key())
		if seen[key] && !reflect.DeepEqual(dst.MapIndex(at).Interface(), elem.Interface()) {
			return within(key, &FieldError{Problem: "duplicate key with conflicting values"})
		}
		seen[key] = true
		dst.SetMapIndex(at, elem)
	}
	return nil
}

// doubt is the error for a duplicate key in an open value.
func (d *decoder) doubt() error {
	if len(d.twice) == 0 {
		return nil
	}
	return &FieldError{Field: d.twice[0], Problem: "duplicate key with conflicting values"}
}
