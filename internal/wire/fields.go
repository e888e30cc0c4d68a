package wire

import (
	"cmp"
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// field is the destination of one JSON key.
type field struct {
	name   string // as in errors
	index  []int
	custom bool
	alias  bool
	bit    uint64 // to record that it was seen; beyond the first 64 fields of a struct there is none
	key    []byte // the usual spelling with its colon; nil if a key has to be looked up
	next   *field // the field that is declared after it
}

// in returns the field within a struct, allocating the embedded structs on the way. The zero Value means that one of them
// cannot be allocated.
func (f *field) in(v reflect.Value) reflect.Value {
	for _, i := range f.index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				if !v.CanSet() {
					return reflect.Value{}
				}
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v
}

// fields holds the fields of a struct type.
type fields struct {
	byName   map[string]*field // as they are usually spelled
	byKey    map[string]*field // folded
	required []*field
	first    *field // of those that are declared
}

const longestKey = 64 // no field's name is longer, so a longer key is unknown

// spelled returns the field for a key in any spelling, if there is one.
func (fs *fields) spelled(key []byte) *field {
	if len(key) > longestKey {
		return nil
	}
	var buf [longestKey]byte
	return fs.byKey[string(fold(buf[:0], key))]
}

// fold converts a key to lower case and removes underscores and hyphens.
func fold(dst, key []byte) []byte {
	for _, c := range key {
		switch {
		case c == '_' || c == '-':
		case 'A' <= c && c <= 'Z':
			dst = append(dst, c+'a'-'A')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

var fieldCache sync.Map // of reflect.Type to *fields

func fieldsOf(t reflect.Type) *fields {
	if known, ok := fieldCache.Load(t); ok {
		return known.(*fields)
	}
	fs := &fields{byName: map[string]*field{}, byKey: map[string]*field{}}
	visible := reflect.VisibleFields(t)
	for i, sf := range visible {
		name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if !sf.IsExported() || name == "-" || sf.Anonymous && name == "" && sf.Type.Kind() == reflect.Struct {
			continue
		}
		if name == "" {
			name = sf.Name
		}
		own := field{name: name, index: sf.Index, custom: isCustom(sf.Type), bit: 1 << i}
		key := string(fold(nil, []byte(name)))
		if known := fs.byKey[key]; known != nil && !known.alias && len(known.index) <= len(own.index) {
			continue // as in Go, the outer of two fields takes precedence, and a name takes precedence over any alias
		}
		fs.byKey[key] = &own
		if sf.Tag.Get("required") != "" {
			fs.required = append(fs.required, &own)
		}
		for alias := range strings.SplitSeq(sf.Tag.Get("alias"), ",") {
			key = string(fold(nil, []byte(alias)))
			if _, taken := fs.byKey[key]; key != "" && !taken {
				other := own
				other.name, other.alias = alias, true
				fs.byKey[key] = &other
			}
		}
	}
	for _, sf := range visible {
		if sf.Tag.Get("bare") == "" {
			continue
		}
		for key, inner := range fieldsOf(sf.Type).byKey {
			if _, taken := fs.byKey[key]; !taken {
				bare := *inner
				bare.bit <<= len(visible)
				bare.index = slices.Concat(sf.Index, inner.index)
				bare.key, bare.next = nil, nil // those are fields of another struct
				fs.byKey[key] = &bare
			}
		}
	}
	for _, f := range fs.byKey {
		if fs.byKey[string(fold(nil, []byte(f.name)))] == f {
			fs.byName[f.name] = f
		}
	}
	fs.chain(visible)
	actual, _ := fieldCache.LoadOrStore(t, fs)
	return actual.(*fields)
}

// chain links the fields in the order of their declaration.
func (fs *fields) chain(declared []reflect.StructField) {
	for at := &fs.first; len(declared) > 0; declared = declared[1:] {
		name, _, _ := strings.Cut(declared[0].Tag.Get("json"), ",")
		f := fs.byName[cmp.Or(name, declared[0].Name)]
		if f == nil || f.key != nil { // it is already in the chain
			continue
		}
		quoted := strconv.Quote(f.name)
		if len(quoted) > len(f.name)+len(`""`) {
			continue // Go and JSON write it differently
		}
		f.key = []byte(quoted + ":")
		*at, at = f, &f.next
	}
}

var customCache sync.Map // of reflect.Type to bool

var (
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// isCustom reports whether a type decodes its own JSON or text.
func isCustom(t reflect.Type) bool {
	if known, ok := customCache.Load(t); ok {
		return known.(bool)
	}
	p := reflect.PointerTo(t)
	custom := t.Kind() != reflect.Pointer && (p.Implements(jsonUnmarshaler) || p.Implements(textUnmarshaler))
	customCache.Store(t, custom)
	return custom
}
