package cli

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/visible"
)

// The values of --output.
const (
	outputTable = "table"
	outputJSON  = "json"
)

func (a *app) json() bool {
	return a.settings != nil && a.settings.get(keyOutput).value == outputJSON
}

// rows are objects to be printed, or why there are none.
type rows struct {
	items []any
	err   error
}

// found takes the two results of a call that returns a list.
func found[T any](list []T, err error) rows {
	items := make([]any, len(list))
	for i := range list {
		items[i] = list[i]
	}
	return rows{items, err}
}

// list prints objects: a line of JSON each, or a table with the named fields. A field of a field is named
// with a point between.
func (a *app) list(r rows, columns ...string) error {
	if r.err != nil {
		return r.err
	}
	if a.json() {
		for _, item := range r.items {
			if err := a.jsonLine(item); err != nil {
				return err
			}
		}
		return nil
	}
	lines := [][]string{make([]string, len(columns))}
	for i, c := range columns {
		lines[0][i] = heading(c)
	}
	for _, item := range r.items {
		lines = append(lines, a.cells(item, columns))
	}
	a.table(lines)
	return nil
}

// cells are an object's fields as they stand in a table.
func (a *app) cells(item any, columns []string) []string {
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = a.cell(reflect.ValueOf(item), c)
	}
	return row
}

// heading is the title of a column: "TxID" is TX ID, "Details.Asset" is ASSET.
func heading(column string) string {
	last := column[strings.LastIndex(column, ".")+1:]
	return strings.ToUpper(strings.ReplaceAll(snakeCase(last), "_", " "))
}

func (a *app) cell(v reflect.Value, column string) string {
	for name := range strings.SplitSeq(column, ".") {
		if v = reflect.Indirect(v); !v.IsValid() {
			return ""
		}
		parent := v
		if v = v.FieldByName(name); !v.IsValid() {
			return ""
		}
		if amount := reflect.Indirect(v); amount.IsValid() && amount.Type() == reflect.TypeFor[qredo.Amount]() {
			return cmp.Or(plain(moved(parent)), a.text(amount, assetBeside(parent, name)))
		}
	}
	return a.text(v, "")
}

// jsonLine prints one object, at once, so that a reader at the other end of a pipe gets it.
func (a *app) jsonLine(v any) error {
	data, err := encodeJSON(v)
	if err != nil {
		return err
	}
	_, _ = a.out.Write(append(data, '\n'))
	return a.out.Flush()
}

// show takes the two results of a call and prints its object: a line of JSON, or its fields below each other
// without those that are empty.
func (a *app) show(v any, err error) error {
	if err != nil {
		return err
	}
	if a.json() {
		return a.jsonLine(v)
	}
	a.fields(reflect.ValueOf(v), "", "")
	return nil
}

// done takes the result of a call that has no answer of its own, and prints that it is done.
func (a *app) done(err error, format string, args ...any) error {
	if err != nil {
		return err
	}
	if a.json() {
		return a.jsonLine(struct{ Done bool }{true})
	}
	fmt.Fprintf(a.out, format+"\n", args...)
	return nil
}

func (a *app) fields(v reflect.Value, indent string, asset qredo.AssetCode) {
	if v = reflect.Indirect(v); !v.IsValid() {
		return
	}
	for _, f := range fieldsOf(v) {
		name := f.name
		if v.Kind() == reflect.Struct {
			name = strings.ReplaceAll(name, "_", " ")
		}
		a.field(name, f.value, indent, cmp.Or(f.asset, asset))
	}
}

func (a *app) field(name string, v reflect.Value, indent string, asset qredo.AssetCode) {
	const width = 24
	for v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() {
		return
	}
	if isAmount := v.Type() == reflect.TypeFor[qredo.Amount](); v.IsZero() && v.Kind() != reflect.Bool && !isAmount {
		return
	}
	inner := reflect.Indirect(v)
	switch {
	case inner.Kind() == reflect.Struct && !isLeaf(inner.Type()), inner.Kind() == reflect.Map:
		fmt.Fprintf(a.out, "%s%s\n", indent, a.bold(name))
		a.fields(inner, indent+"  ", asset)
	case inner.Kind() == reflect.Slice && inner.Type() != reflect.TypeFor[[]byte]() && inner.Len() > 0 && isRecord(inner.Type().Elem()):
		fmt.Fprintf(a.out, "%s%s\n", indent, a.bold(name))
		for i := range inner.Len() {
			fmt.Fprintf(a.out, "%s  %s\n", indent, a.dim(fmt.Sprintf("%d.", i+1)))
			a.fields(inner.Index(i), indent+"  ", asset)
		}
	default:
		text := a.text(inner, asset)
		fmt.Fprintf(a.out, "%s%s %s\n", indent, pad(name, max(width-len(indent), 1)), a.paint(a.wrap(text, width+1)))
	}
}

func isRecord(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && !isLeaf(t)
}

// text is a value as people read it, on one line.
func (a *app) text(v reflect.Value, asset qredo.AssetCode) string {
	v = reflect.Indirect(v)
	if !v.IsValid() {
		return ""
	}
	if text, null, ok := scalar(v); ok {
		if null {
			return ""
		}
		return plain(text)
	}
	if amount, isAmount := v.Interface().(qredo.Amount); isAmount {
		return a.figure(amount, asset)
	}
	if v.Kind() == reflect.Slice {
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = a.text(v.Index(i), asset)
		}
		return strings.Join(parts, ", ")
	}
	return plain(fmt.Sprint(v.Interface()))
}

// figure is an amount as people say it, or in base units where its asset is not known.
func (a *app) figure(amount qredo.Amount, code qredo.AssetCode) string {
	if code != "" {
		if asset, err := a.assets.find(context.Background(), code); err == nil {
			return asset.Format(amount) + " " + string(code)
		}
	}
	return strings.TrimSpace(fmt.Sprintf("%d base units %s", amount, code))
}

// plain makes text from outside safe for a terminal: one line, with what cannot be seen in its escaped form.
func plain(text string) string { return visible.Text(text) }

// table prints rows with their columns aligned. The first row is the heading.
func (a *app) table(rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	paint := a.bold
	before := 0 // of the last column
	for _, width := range widths[:len(widths)-1] {
		before += width + 2
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			if i == len(row)-1 {
				line.WriteString(paint(a.wrap(cell, before)))
				break
			}
			line.WriteString(paint(cell) + strings.Repeat(" ", widths[i]+2-utf8.RuneCountInString(cell)))
		}
		fmt.Fprintln(a.out, strings.TrimRight(line.String(), " "))
		paint = a.paint
	}
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(width-utf8.RuneCountInString(text), 0))
}

// wrap breaks a text between words where a terminal would break it anywhere. The lines after the first are indented.
func (a *app) wrap(text string, indent int) string {
	const narrow = 20
	if a.width-indent < narrow {
		return text
	}
	var out strings.Builder
	at := 0
	for i, word := range strings.Split(text, " ") {
		length := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case at+1+length > a.width-indent:
			out.WriteString("\n" + strings.Repeat(" ", indent))
			at = 0
		default:
			out.WriteByte(' ')
			at++
		}
		out.WriteString(word)
		at += length
	}
	return out.String()
}
