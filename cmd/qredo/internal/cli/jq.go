package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/itchyny/gojq"

	"github.com/qredo-go/qredo/internal/visible"
)

// filter is a jq expression that is applied to each object, as jq does with the lines of --output json.
type filter struct {
	code *gojq.Code
	left []any // the remaining objects, which the expression can read with input and inputs
}

func newFilter(expression string) (*filter, error) {
	query, err := gojq.Parse(expression)
	if err != nil {
		return nil, usagef("--jq: %s", plain(err.Error()))
	}
	f := &filter{}
	if f.code, err = gojq.Compile(query, gojq.WithInputIter(f)); err != nil { // without the environment, which holds secrets
		return nil, usagef("--jq: %s", plain(err.Error()))
	}
	return f, nil
}

// Next returns the next object.
func (f *filter) Next() (any, bool) {
	if len(f.left) == 0 {
		return nil, false
	}
	v := f.left[0]
	f.left = f.left[1:]
	return v, true
}

// filterAll prints the expression's results: text as it is, anything else as JSON, a line each.
func (a *app) filterAll(items []any) error {
	f := a.format.filter
	f.left = nil
	for _, item := range items {
		data, err := a.encode(item)
		if err != nil {
			return err
		}
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber() // numbers of any size stay exact
		var v any
		if err := decoder.Decode(&v); err != nil {
			return err
		}
		f.left = append(f.left, v)
	}
	for v, more := f.Next(); more; v, more = f.Next() {
		results := f.code.Run(v)
		for result, some := results.Next(); some; result, some = results.Next() {
			if err, failed := result.(error); failed {
				if halt := (*gojq.HaltError)(nil); errors.As(err, &halt) && halt.Value() == nil {
					return a.out.Flush()
				}
				return printError{fmt.Errorf("--jq: %s", plain(err.Error()))} // the command itself has run
			}
			if rounded(result) {
				return printError{errors.New("--jq: a number beyond 2^53 went through /, a decimal point or a function, which round there: use whole numbers with +, - and *")}
			}
			if err := a.filtered(result); err != nil {
				return err
			}
		}
	}
	return a.out.Flush()
}

// rounded reports whether a result contains a number that may have been rounded: jq computes with floats unless both
// numbers are whole, and floats are exact only up to 2^53.
func rounded(result any) bool {
	const exact = 1 << 53
	switch v := result.(type) {
	case float64:
		return v >= exact || v <= -exact
	case []any:
		return slices.ContainsFunc(v, rounded)
	case map[string]any:
		for _, inner := range v {
			if rounded(inner) {
				return true
			}
		}
	}
	return false
}

func (a *app) filtered(result any) error {
	if text, isText := result.(string); isText {
		fmt.Fprintln(a.out, a.onTerminal(text))
		return nil
	}
	data, err := gojq.Marshal(result)
	if err != nil {
		return err
	}
	if a.terminal.out {
		data = visible.JSON(data)
	}
	_, err = a.out.Write(append(data, '\n'))
	return err
}
