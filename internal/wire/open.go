package wire

import (
	"encoding/json"
	"reflect"
)

// open reads a value of any kind, as encoding/json does but for numbers, which are kept as their text: a float would round
// them.
func (d *decoder) open() any {
	switch c := d.next(); c {
	case '"':
		return d.quoted()
	case '[':
		list := []any{}
		for d.pos++; d.more(']'); {
			list = append(list, d.open())
		}
		return list
	case '{':
		object := map[string]any{}
		for d.pos++; d.more('}'); {
			key := d.key()
			object[key] = d.open()
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

// table reads an object into a map, as encoding/json does: what is in it stays, and of two equal keys the last counts.
func (d *decoder) table(dst reflect.Value) error {
	if d.next() != '{' {
		return d.standard(dst) // which says what is wrong
	}
	if dst.IsNil() {
		dst.Set(reflect.MakeMap(dst.Type()))
	}
	elem := reflect.New(dst.Type().Elem()).Elem()
	open := elem.Kind() == reflect.Interface && elem.NumMethod() == 0
	for d.pos++; d.more('}'); {
		key := d.key()
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
		}
		dst.SetMapIndex(reflect.ValueOf(key).Convert(dst.Type().Key()), elem)
	}
	return nil
}
