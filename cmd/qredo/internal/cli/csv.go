package cli

import (
	"context"
	"encoding/csv"
	"fmt"
	"reflect"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/spreadsheet"
)

// csvTable prints objects as CSV (RFC 4180), with all columns. An amount takes two cells: whole units and base units. A
// text that a spreadsheet would take for a formula gets an apostrophe in front.
func (a *app) csvTable(items []any) error {
	w := csv.NewWriter(a.out)
	w.UseCRLF = true
	columns := a.columns()
	if !a.format.begun {
		var head []string
		for _, c := range columns {
			head = append(head, c.name)
			if isAmount(a.format.shape.of, c.name) {
				head = append(head, c.name+"_base_units")
			}
		}
		_ = w.Write(head) // Error tells
		a.format.begun = true
	}
	for _, item := range items {
		var cells []string
		for _, c := range columns {
			parent, v, goName := find(reflect.ValueOf(item), c.name)
			switch {
			case isAmount(a.format.shape.of, c.name):
				cells = append(cells, a.csvAmount(parent, v, goName)...)
			case v.IsValid() && (v.CanInt() || v.CanUint() || v.CanFloat()) && !isLeaf(v.Type()):
				cells = append(cells, fmt.Sprint(v.Interface()))
			default:
				cells = append(cells, spreadsheet.Cell(a.onTerminal(a.raw(v))))
			}
		}
		_ = w.Write(cells)
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	return a.out.Flush()
}

// isAmount reports whether a type's field is an amount.
func isAmount(t reflect.Type, path string) bool {
	_, v, _ := find(example(t), path)
	return v.IsValid() && v.Type() == reflect.TypeFor[qredo.Amount]()
}

// example is a value of a type without nil pointers to structs.
func example(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	if t.Kind() != reflect.Struct {
		return v
	}
	for _, f := range reflect.VisibleFields(t) {
		if f.IsExported() && len(f.Index) == 1 && f.Type.Kind() == reflect.Pointer && f.Type.Elem().Kind() == reflect.Struct && f.Type.Elem() != t {
			v.FieldByIndex(f.Index).Set(reflect.New(f.Type.Elem()))
		}
	}
	return v
}

// csvAmount is an amount in whole units, or empty if they are not known, and in base units.
func (a *app) csvAmount(parent, v reflect.Value, goName string) []string {
	if !v.IsValid() || moved(parent) != "" {
		return []string{"", ""}
	}
	amount, _ := v.Interface().(qredo.Amount)
	whole := ""
	if code := assetBeside(parent, goName); code != "" {
		asset, err := a.assets.find(context.Background(), code)
		if figure := asset.Format(amount); err == nil {
			if read, err := asset.Parse(figure); err == nil && read == amount { // it fails if the scale is not a power of ten
				whole = figure
			}
		}
	}
	return []string{whole, fmt.Sprint(int64(amount))}
}
