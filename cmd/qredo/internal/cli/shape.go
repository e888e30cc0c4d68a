package cli

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// shape is what a command prints: objects of a type, and which of their fields stand in a table.
type shape struct {
	of      reflect.Type
	columns []column
	reads   bool // it changes nothing, and can be watched
}

// column is a field in a table, by its name on the wire; a field of a field has a point between.
type column struct {
	name string
	rank int  // 0 is always shown; the highest goes first where the terminal is narrow
	id   bool // it is what --quiet prints: the first of these that is not empty
}

// wideOnly is the rank of columns that stand in no table but that of --output wide, and in CSV.
const wideOnly = 9

// reads is the shape of what a command reads, and can be watched.
func reads[T any](columns string) shape {
	s := prints[T](columns)
	s.reads = true
	return s
}

// prints is the shape of what a command prints. Columns are written with spaces between them: NAME* for the ID, NAME/3 for a
// rank, NAME/w for wide tables only.
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

// chosen are the columns that --columns names. What is no field is an error that says what there is.
func (s shape) chosen(names []string) ([]column, error) {
	known := fieldNames(s.of)
	var out []column
	for _, name := range names {
		i := slices.Index(known, name)
		if i < 0 {
			i = slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, name) })
		}
		if i < 0 {
			return nil, usagef("--columns: there is no field %q, there are: %s", name, strings.Join(known, ", "))
		}
		out = append(out, column{name: known[i]})
	}
	return out, nil
}

// fieldNames are the names of a type's fields that fit a cell, with those of its fields' fields.
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

// members are the fields of a struct as encoding/json has them: with those of embedded structs in their place, but for
// those that it has itself.
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

// find returns a field by its name on the wire, and the struct that it is in. It is not valid if there is none.
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
