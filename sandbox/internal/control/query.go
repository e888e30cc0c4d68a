package control

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/qredo-go/qredo/internal/wire"
)

// ReadQuery is for calls that are [Raw]: it fills in from the query of a request, as for others.
func ReadQuery(r *http.Request, in any) error {
	if err := readQuery(r.URL.RawQuery, in); err != nil {
		return &Refusal{http.StatusBadRequest, err.Error()}
	}
	return nil
}

// readQuery fills what a call that tells something is given, from the query of its URL: each key is the JSON name of a
// field, and is there once. Texts, numbers and booleans stand there as they are.
func readQuery(query string, in any) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return fmt.Errorf("the query: %w", err)
	}
	known := map[string]reflect.Kind{}
	for _, f := range reflect.VisibleFields(reflect.TypeOf(in).Elem()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		known[name] = f.Type.Kind()
	}
	given := map[string]any{}
	for name, texts := range values {
		switch {
		case name == "" || known[name] == reflect.Invalid:
			return fmt.Errorf("the query: unknown parameter %q", name)
		case len(texts) > 1:
			return fmt.Errorf("the query: duplicate parameter %s", name)
		case texts[0] == "": // says nothing
		case known[name] == reflect.Uint64: // which the wire has none of
			given[name] = json.Number(texts[0])
		default:
			given[name] = texts[0]
		}
	}
	data, err := json.Marshal(given)
	if err != nil {
		return fmt.Errorf("the query: %w", err)
	}
	return wire.Unmarshal(data, in) // which reads numbers and booleans from texts
}

// WriteQuery is the query that [ReadQuery] reads, with its ?.
func WriteQuery(in any) (string, error) {
	query, err := writeQuery(in)
	return "?" + query, err
}

// writeQuery is the query that [readQuery] reads.
func writeQuery(in any) (string, error) {
	data, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return "", err
	}
	values := url.Values{}
	for name, field := range fields {
		text := string(field)
		if strings.HasPrefix(text, `"`) {
			if err := json.Unmarshal(field, &text); err != nil {
				return "", err
			}
		}
		values.Set(name, text)
	}
	return values.Encode(), nil
}
