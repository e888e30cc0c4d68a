package cli

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// shape is what a command prints: objects of a type, and the fields that a table shows.
type shape struct {
	of      reflect.Type
	columns []column
	reads   bool // it changes nothing, so it can be watched
}

// column is a field in a table, by its name on the wire. A dot separates a field from a field of it.
type column struct {
	name string
	rank int  // 0 is always shown; the highest goes first where the terminal is narrow
	id   bool // --quiet prints the first of these that is not empty
}

// wideOnly is the rank of columns that only --output wide and CSV show.
const wideOnly = 9

// reads is the shape of a command that only reads, so it can be watched.
func reads[T any](columns string) shape {
	s := prints[T](columns)
	s.reads = true
	return s
}

// prints is the shape of what a command prints. Columns are separated by spaces: NAME* for the ID, NAME/3 for a rank,
// NAME/w for wide tables only.
func prints[T any](columns string) shape {
	return shape{of: reflect.TypeFor[T](), columns: columnsOf(columns)}
}

func columnsOf(text string) []column {
	var out []column
	for _, word := range strings.Fields(text) {
		name, rank, _ := strings.Cut(word, "/")
		c := column{name: strings.TrimSuffix(name, "*"), id: strings.HasSuffix(name, "*")}
		if c.rank, _ = strconv.Atoi(rank); rank == "w" {
			c.rank = wideOnly
		}
		out = append(out, c)
	}
	return out
}

// chosen are the columns that --columns names. An unknown field is an error that lists the known ones.
func (s shape) chosen(names []string) ([]column, error) {
	known := fieldNames(s.of)
	var out []column
	for _, name := range names {
		i := slices.Index(known, name)
		if i < 0 {
			i = slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, name) })
		}
		if i < 0 {
			return nil, usagef("--columns: unknown field %q; the fields are: %s", name, strings.Join(known, ", "))
		}
		out = append(out, column{name: known[i]})
	}
	return out, nil
}

// fieldNames are the names of a type's fields that fit a table cell, including nested fields.
func fieldNames(t reflect.Type) []string {
	const deepest = 4
	var names []string
	var walk func(t reflect.Type, prefix string, depth int)
	walk = func(t reflect.Type, prefix string, depth int) {
		for _, m := range members(t) {
			inner := m.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			switch {
			case inner.Kind() == reflect.Struct && !isLeaf(inner):
				if depth < deepest {
					walk(inner, prefix+m.name+".", depth+1)
				}
			case inner.Kind() == reflect.Map, inner.Kind() == reflect.Interface, inner.Kind() == reflect.Slice && isRecord(inner.Elem()):
			default:
				names = append(names, prefix+m.name)
			}
		}
	}
	walk(t, "", 1)
	return names
}

// member is a field of a struct by its name on the wire.
type member struct {
	name string
	reflect.StructField
}

// members are the fields of a struct as encoding/json sees them: embedded structs are replaced by their fields, except
// those that the struct has itself.
func members(t reflect.Type) []member {
	var out []member
	var walk func(t reflect.Type, at []int)
	walk = func(t reflect.Type, at []int) {
		for i := range t.NumField() {
			f := t.Field(i)
			f.Index = append(slices.Clone(at), i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct && !isLeaf(f.Type) {
				walk(f.Type, f.Index)
				continue
			}
			if name == "-" || !f.IsExported() {
				continue
			}
			if name == "" {
				name = f.Name
			}
			known := slices.IndexFunc(out, func(m member) bool { return m.name == name })
			switch {
			case known < 0:
				out = append(out, member{name, f})
			case len(f.Index) < len(out[known].Index):
				out = append(slices.Delete(out, known, known+1), member{name, f})
			}
		}
	}
	walk(t, nil)
	return out
}

// find returns a field by its name on the wire, and the struct that contains it. An unknown field is not valid.
func find(v reflect.Value, path string) (parent, found reflect.Value, goName string) {
	for name := range strings.SplitSeq(path, ".") {
		for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		if v.Kind() != reflect.Struct {
			return parent, reflect.Value{}, ""
		}
		all := members(v.Type())
		i := slices.IndexFunc(all, func(m member) bool { return m.name == name })
		if i < 0 {
			return v, reflect.Value{}, ""
		}
		parent, v, goName = v, v.FieldByIndex(all[i].Index), all[i].Name
	}
	return parent, v, goName
}
