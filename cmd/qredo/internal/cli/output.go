package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/visible"
)

// The values of --output.
const (
	outputTable = "table"
	outputWide  = "wide"
	outputJSON  = "json"
	outputYAML  = "yaml"
	outputCSV   = "csv"
)

// outputFlags say how results are printed, along with --output.
type outputFlags struct {
	columns       []string
	jq            string
	quiet         bool
	amountsAsText bool
	noPager       bool
}

func (o *outputFlags) add(flags *flagSet) {
	listVar(flags, &o.columns, "columns", "fields to show in tables and CSV, by their JSON names")
	flags.StringVar(&o.jq, "jq", "", "filter the JSON with this jq expression")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "print only IDs, one a line")
	flags.BoolVar(&o.amountsAsText, "amounts-as-text", false, "write amounts as strings in JSON and YAML, for programs that round numbers")
	flags.BoolVar(&o.noPager, "no-pager", false, "do not use a pager on a terminal")
}

// format is how results of this run are printed.
type format struct {
	output  string
	shape   shape
	columns []column // of --columns
	filter  *filter  // of --jq
	begun   bool     // something was printed in YAML
	path    string   // of the command

	listed func(any) // lets tests see what lists contain; otherwise nil
}

// prepare checks how a command is to print its results, before anything is sent.
func (a *app) prepare(path string) error {
	listed, isList := lists[path]
	thing, isThing := things[path]
	f := format{output: a.settings.get(keyOutput).value, shape: listed, path: path, listed: a.format.listed}
	if isThing {
		f.shape = thing
	}
	o := a.global.results
	switch tabular := isList || isThing; {
	case o.jq != "" && f.output != "" && f.output != outputJSON && f.output != outputTable:
		return usagef("--jq works on JSON, not on %s", f.output)
	case o.jq != "" && (o.quiet || len(o.columns) > 0), o.quiet && len(o.columns) > 0:
		return usagef("only one of --jq, --quiet and --columns can be given")
	case len(o.columns) > 0 && (f.output == outputJSON || f.output == outputYAML):
		return usagef("--columns is for tables and CSV: use --jq with JSON")
	case len(o.columns) > 0 && !tabular:
		return usagef("--columns is for commands that print objects; qredo %s does not", path)
	case a.dry.on && (o.quiet || len(o.columns) > 0 || f.output == outputCSV):
		return usagef("a dry run has neither IDs nor columns to print: use --output json or yaml, or --jq")
	case path == "send" && (o.quiet || o.amountsAsText):
		return usagef("qredo send prints what it receives, without knowing IDs or amounts in it: use --jq")
	case f.output == outputCSV && !tabular:
		return usagef("qredo %s has no CSV output", path)
	}
	if o.jq != "" {
		var err error
		if f.filter, err = newFilter(o.jq); err != nil {
			return err
		}
		f.output = outputJSON
	}
	if len(o.columns) > 0 {
		var err error
		if f.columns, err = f.shape.chosen(o.columns); err != nil {
			return err
		}
	}
	a.format = f
	return nil
}

// json reports whether results are printed for programs, as complete objects: JSON or YAML.
func (a *app) json() bool { return a.format.output == outputJSON || a.format.output == outputYAML }

// csv reports whether results are printed as CSV.
func (a *app) csv() bool { return a.format.output == outputCSV }

// rows are objects to print, or the error why there are none.
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

// list prints objects: a line of JSON each, or a table with the command's columns.
func (a *app) list(r rows) error {
	if r.err != nil {
		return r.err
	}
	a.page()
	items := a.watched.changed(a, r.items)
	if a.format.listed != nil {
		for _, item := range items {
			a.format.listed(item)
		}
	}
	switch {
	case a.global.results.quiet:
		for _, item := range items {
			a.printID(item)
		}
		return nil
	case a.format.filter != nil:
		return a.filterAll(items)
	case a.json():
		for _, item := range items {
			if err := a.item(item); err != nil {
				return err
			}
		}
		if a.format.output == outputYAML && !a.format.begun && a.watched == nil {
			fmt.Fprintln(a.out, "[]")
		}
		return nil
	case a.csv():
		return a.csvTable(items)
	case a.watched.lines(a):
		return a.watched.tell(a, items)
	}
	a.printTable(items, a.columns())
	return nil
}

// columns are those of a table or of CSV.
func (a *app) columns() []column {
	if a.format.columns != nil {
		return a.format.columns
	}
	return a.format.shape.columns
}

// item prints one object of several: a line of JSON, or an element of a list in YAML.
func (a *app) item(v any) error {
	if a.format.output != outputYAML {
		return a.jsonLine(v)
	}
	return a.yaml(v, true)
}

// listEntries prints the entries of a store, each at once as JSON or together in a table of rows. No limit if 0.
func listEntries[E, R any](a *app, entries iter.Seq2[E, error], limit int, row func(E) R) error {
	var list []R
	n := 0
	for e, err := range entries {
		if err != nil {
			return err
		}
		if n++; limit > 0 && n > limit {
			fmt.Fprintf(a.err, "there are more than these %d\n", limit)
			break
		}
		if !a.json() {
			list = append(list, row(e))
		} else if err := a.item(e); err != nil {
			return err
		}
	}
	if a.json() {
		return nil
	}
	return a.list(found(list, nil))
}

// jsonLine prints one object in JSON or YAML, at once, so that a reader at the end of a pipe gets it.
func (a *app) jsonLine(v any) error {
	switch {
	case a.global.results.quiet:
		a.printID(v)
		return a.out.Flush()
	case a.format.filter != nil:
		return a.filterAll([]any{v})
	case a.format.output == outputYAML:
		return a.yaml(v, false)
	}
	data, err := a.encode(v)
	if err != nil {
		return err
	}
	_, _ = a.out.Write(append(visible.JSON(data), '\n'))
	return a.out.Flush()
}

// encode is an object as it is printed in JSON.
func (a *app) encode(v any) ([]byte, error) {
	data, err := encodeJSON(v)
	if err == nil && a.global.results.amountsAsText {
		data = amountsAsText(data, reflect.ValueOf(v))
	}
	return data, err
}

// yaml prints an object as YAML: as a document, or as an element of a list.
func (a *app) yaml(v any, element bool) error {
	data, err := a.encode(v)
	if err != nil {
		return err
	}
	node, err := yamlOf(data, a.terminal.out)
	if err != nil {
		return err
	}
	if element {
		node = &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{node}}
	} else if a.format.begun {
		fmt.Fprintln(a.out, "---")
	}
	a.format.begun = true
	encoder := yaml.NewEncoder(a.out)
	if a.terminal.out {
		encoder = yaml.NewEncoder(&visibleLines{to: a.out})
	}
	encoder.SetIndent(2)
	if err := encoder.Encode(node); err != nil {
		return err
	}
	return a.out.Flush()
}

// show takes the two results of a call and prints its object: a line of JSON, or its non-empty fields, one per line.
func (a *app) show(v any, err error) error {
	if err != nil {
		return err
	}
	a.page()
	if len(a.watched.changed(a, []any{v})) == 0 {
		return nil
	}
	switch {
	case a.global.results.quiet, a.json():
		return a.jsonLine(v)
	case a.csv():
		a.format.shape = a.shapeOf(v)
		return a.csvTable([]any{v})
	case a.format.columns != nil:
		a.printTable([]any{v}, a.format.columns)
		return nil
	}
	a.fields(reflect.ValueOf(v), "", "")
	return nil
}

// done takes the result of a call that returns nothing, and prints that it is done.
func (a *app) done(err error, format string, args ...any) error {
	switch {
	case err != nil:
		return err
	case a.global.results.quiet:
		return nil
	case a.json():
		return a.jsonLine(struct {
			Done bool `json:"done"`
		}{true})
	}
	fmt.Fprintf(a.out, format+"\n", args...)
	return nil
}

// shapeOf is the shape of an object: the command's own, or another's if --wait ends with that.
func (a *app) shapeOf(item any) shape {
	of := reflect.TypeOf(item)
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if of != a.format.shape.of {
		for _, s := range things {
			if s.of == of {
				return s
			}
		}
	}
	return a.format.shape
}

// printID prints an object's ID: the first non-empty one of those that its command names.
func (a *app) printID(item any) {
	for _, c := range a.shapeOf(item).columns {
		if _, v, _ := find(reflect.ValueOf(item), c.name); c.id && v.IsValid() {
			if id := a.onTerminal(a.raw(v)); id != "" {
				fmt.Fprintln(a.out, id)
				return
			}
		}
	}
}

// onTerminal is a text with invisible characters escaped if it goes to a terminal.
func (a *app) onTerminal(text string) string {
	if a.terminal.out {
		return plain(text)
	}
	return text
}

// raw is a value as text, unchanged.
func (a *app) raw(v reflect.Value) string {
	v = reflect.Indirect(v)
	if !v.IsValid() {
		return ""
	}
	if v.Kind() == reflect.Interface {
		return a.raw(v.Elem())
	}
	if text, null, ok := scalar(v); ok {
		if null {
			return ""
		}
		return text
	}
	switch x := v.Interface().(type) {
	case qredo.Amount:
		return fmt.Sprint(int64(x))
	case json.RawMessage:
		return string(x)
	}
	if v.Kind() == reflect.Slice {
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = a.raw(v.Index(i))
		}
		return strings.Join(parts, ", ")
	}
	return fmt.Sprint(v.Interface())
}

// text is a value for people to read, on one line.
func (a *app) text(v reflect.Value, asset qredo.AssetCode) string {
	v = reflect.Indirect(v)
	if !v.IsValid() {
		return ""
	}
	if amount, isAmount := v.Interface().(qredo.Amount); isAmount {
		return a.figure(amount, asset)
	}
	if v.Kind() == reflect.Slice && v.Type() != reflect.TypeFor[json.RawMessage]() {
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = a.text(v.Index(i), asset)
		}
		return strings.Join(parts, ", ")
	}
	return plain(a.raw(v))
}

// figure is an amount in its asset's unit, or in base units if the asset is not known.
func (a *app) figure(amount qredo.Amount, code qredo.AssetCode) string {
	if code != "" {
		if asset, err := a.assets.find(context.Background(), code); err == nil {
			return plain(asset.Format(amount) + " " + string(code))
		}
	}
	return plain(strings.TrimSpace(fmt.Sprintf("%d base units %s", amount, code)))
}

// plain makes text from outside safe for a terminal: one line, with invisible characters escaped.
func plain(text string) string { return visible.Text(text) }

// plainLines is plain for a text of several lines. It must not be used on text from a service, which could add lines.
func plainLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = plain(lines[i])
	}
	return strings.Join(lines, "\n")
}
