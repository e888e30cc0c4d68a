package cli

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
)

// encodeJSON writes a value as JSON on one line, by encoding/json, with the wire's names and values.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}

// amountsAsText puts quotes around the amounts in the JSON of a value, at any depth. It walks both side by side, since only
// the value's types say what is an amount.
func amountsAsText(data []byte, v reflect.Value) []byte {
	q := quoter{data: data, decoder: json.NewDecoder(bytes.NewReader(data))}
	q.decoder.UseNumber()
	q.walk(v)
	return append(q.out, data[q.done:]...)
}

type quoter struct {
	data    []byte
	decoder *json.Decoder
	out     []byte
	done    int // how much of data is in out
}

// walk reads one value of the JSON, and the Go value that it came from, which is invalid if not known.
func (q *quoter) walk(v reflect.Value) {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	token, err := q.decoder.Token()
	if err != nil {
		return
	}
	switch token := token.(type) {
	case json.Number:
		if v.IsValid() && v.Type() == reflect.TypeFor[qredo.Amount]() {
			end := int(q.decoder.InputOffset())
			q.out = append(append(append(q.out, q.data[q.done:end-len(token)]...), '"'), token...)
			q.out = append(q.out, '"')
			q.done = end
		}
	case json.Delim:
		for i := 0; q.decoder.More(); i++ {
			if token == '[' {
				q.walk(element(v, i))
				continue
			}
			key, _ := q.decoder.Token()
			name, _ := key.(string)
			q.walk(memberNamed(v, name))
		}
		_, _ = q.decoder.Token() // its end
	}
}

func element(v reflect.Value, i int) reflect.Value {
	if (v.Kind() == reflect.Slice || v.Kind() == reflect.Array) && i < v.Len() {
		return v.Index(i)
	}
	return reflect.Value{}
}

func memberNamed(v reflect.Value, name string) reflect.Value {
	switch {
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		return v.MapIndex(reflect.ValueOf(name).Convert(v.Type().Key()))
	case v.Kind() != reflect.Struct:
		return reflect.Value{}
	}
	if e, isEntry := v.Interface().(outbox.Entry); isEntry && name == "request" { // it is nested below its kind
		return reflect.ValueOf(map[string]any{kindOf(e): e.Request})
	}
	_, found, _ := find(v, name)
	return found
}

// yamlOf is JSON as a YAML tree, with order and figures unchanged. On a terminal, text with invisible characters is quoted,
// so that it can be escaped.
func yamlOf(data []byte, terminal bool) (*yaml.Node, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var read func() (*yaml.Node, error)
	read = func() (*yaml.Node, error) {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case json.Delim:
			node := &yaml.Node{Kind: yaml.MappingNode}
			if token == '[' {
				node.Kind = yaml.SequenceNode
			}
			for decoder.More() {
				child, err := read()
				if err != nil {
					return nil, err
				}
				node.Content = append(node.Content, child)
			}
			if len(node.Content) == 0 {
				node.Style = yaml.FlowStyle
			}
			_, err = decoder.Token()
			return node, err
		case string:
			node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: token}
			if terminal && plain(token) != token || !yamlText.MatchString(token) || slices.Contains(yamlWords, strings.ToLower(token)) {
				node.Style = yaml.DoubleQuotedStyle
			}
			return node, nil
		case json.Number:
			node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: token.String()}
			if strings.ContainsAny(node.Value, ".eE") {
				node.Tag = "!!float"
			}
			return node, nil
		case bool:
			node := &yaml.Node{}
			return node, node.Encode(token)
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
	}
	return read()
}

// Text that is safe in YAML without quotes: other readers take 0x… for a number, 1:30 for minutes and no for false.
var (
	yamlText  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9 ._/@-]*$`)
	yamlWords = []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
)
