package cli

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"

	"github.com/qredo-go/qredo"
)

// fields prints the fields of an object, one per line, without the empty ones.
func (a *app) fields(v reflect.Value, indent string, asset qredo.AssetCode) {
	if v = reflect.Indirect(v); !v.IsValid() {
		return
	}
	for _, f := range fieldsOf(v) {
		name := plain(f.name)
		if v.Kind() == reflect.Struct {
			name = label(f.name)
		}
		a.field(name, f.value, indent, cmp.Or(f.asset, asset))
	}
}

// label is a field's name on the wire as people read it: "partner_txID" is "partner tx id".
func label(name string) string { return strings.ReplaceAll(snakeCase(name), "_", " ") }

func (a *app) field(name string, v reflect.Value, indent string, asset qredo.AssetCode) {
	name = plain(name) // a map's names come from outside
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

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(width-columnsWide(text), 0))
}

// wrap breaks a text between words to fit the terminal. The lines after the first are indented.
func (a *app) wrap(text string, indent int) string {
	const narrow = 20
	if a.width-indent < narrow {
		return text
	}
	var out strings.Builder
	at := 0
	for i, word := range strings.Split(text, " ") {
		length := columnsWide(word)
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
