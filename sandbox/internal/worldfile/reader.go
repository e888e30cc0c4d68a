// Package worldfile reads handwritten worlds and makes them: companies, people, funds, money and payments, which refer to
// each other by name. It reports all problems at once, with line and column.
package worldfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/qredo-go/qredo/internal/visible"
)

// Place is a place in a file, counted from 1.
type Place struct{ Line, Column int }

// Problem is an error in the file and its place. The place is zero if it concerns the whole file.
type Problem struct {
	Place
	Text string
}

// Text is a text in the file. A missing one is empty and has no place.
type Text struct {
	Value string
	Place
}

// problems collects a file's problems.
type problems []Problem

func (p *problems) add(at Place, format string, args ...any) {
	*p = append(*p, Problem{at, fmt.Sprintf(format, args...)})
}

// mostProblems is how many are reported: the rest is usually of the same kind.
const mostProblems = 50

func (p *problems) sorted() []Problem {
	slices.SortStableFunc(*p, func(a, b Problem) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column)) })
	found := slices.Compact(*p)
	if more := len(found) - mostProblems; more > 0 {
		return append(found[:mostProblems:mostProblems], Problem{Text: fmt.Sprintf("and %d more", more)})
	}
	return found
}

// reader reads a parsed YAML document. It continues after a problem.
type reader struct{ problems }

// A field reads the value of a key.
type field = func(*yaml.Node)

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// document returns a file's only document, or nil. Anchors, aliases and tags are refused: a file must mean what people see.
func (r *reader) document(data []byte) *yaml.Node {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		r.add(Place{}, "it is empty")
		return nil
	} else if err != nil {
		parts := yamlLine.FindStringSubmatch(strings.SplitN(err.Error(), "\n", 2)[0])
		if parts == nil {
			parts = []string{"", "", err.Error()}
		}
		line, _ := strconv.Atoi(parts[1])
		r.add(Place{Line: line}, "it is no YAML: %s", parts[2])
		return nil
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		r.add(Place{second.Line, second.Column}, "only one document is read: what comes after --- is another")
	}
	r.plain(&document)
	if len(r.problems) > 0 {
		return nil
	}
	return document.Content[0]
}

func (r *reader) plain(n *yaml.Node) {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		r.add(at(n), "anchors and aliases are not read: write it out")
		return
	case n.Style&yaml.TaggedStyle != 0:
		r.add(at(n), "tags are not read: %s", visible.Text(n.Tag))
	case n.Kind == yaml.ScalarNode && visible.Text(n.Value) != n.Value:
		r.add(at(n), "a character in it is not seen: %s", shown(n.Value))
	}
	for _, part := range n.Content {
		r.plain(part)
	}
}

func at(n *yaml.Node) Place { return Place{n.Line, n.Column} }

// shown is a text for a message, on one line and not too long.
func shown(text string) string {
	const most = 60
	text = visible.Text(text)
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return strconv.Quote(text)
}

var kinds = map[yaml.Kind]string{yaml.MappingNode: "has keys", yaml.SequenceNode: "is a list", yaml.ScalarNode: "is a single value"}

// object reads keys and their values. A key without a value counts as missing.
func (r *reader) object(n *yaml.Node, what string, fields map[string]field, required ...string) {
	if n.Kind != yaml.MappingNode {
		r.add(at(n), "%s must have keys: it %s", what, kinds[n.Kind])
		return
	}
	seen := map[string]int{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		read, known := fields[key.Value]
		first, twice := seen[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || !known:
			r.add(at(key), "%s has no key %s: it can have %s", what, shown(key.Value), strings.Join(sortedKeys(fields), ", "))
			continue
		case twice:
			r.add(at(key), "the key %s is here twice: the first is in line %d", key.Value, first)
			continue
		}
		seen[key.Value] = key.Line
		if value.Kind == yaml.ScalarNode && value.Tag == "!!null" {
			if slices.Contains(required, key.Value) {
				r.add(at(key), "%s of %s must not be empty", key.Value, what)
			}
			continue
		}
		read(value)
	}
	for _, key := range required {
		if _, found := seen[key]; !found {
			r.add(at(n), "%s must have the key %s", what, key)
		}
	}
}

func sortedKeys(fields map[string]field) []string {
	keys := make([]string, 0, len(fields))
	for key := range fields {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// text reads a single value as it is written, even a number, which could otherwise lose digits.
func (r *reader) text(what string, into *Text) field {
	return func(n *yaml.Node) {
		switch {
		case n.Kind != yaml.ScalarNode:
			r.add(at(n), "%s must be a single value: it %s", what, kinds[n.Kind])
		case strings.TrimSpace(n.Value) == "":
			r.add(at(n), "%s must not be empty", what)
		default:
			*into = Text{n.Value, at(n)}
		}
	}
}

// list reads each item of a list.
func (r *reader) list(what string, item field) field {
	return func(n *yaml.Node) {
		if n.Kind != yaml.SequenceNode {
			r.add(at(n), "%s must be a list: it %s", what, kinds[n.Kind])
			return
		}
		for _, part := range n.Content {
			item(part)
		}
	}
}

// texts reads a list of single values.
func (r *reader) texts(what string, into *[]Text) field {
	return r.list(what, func(n *yaml.Node) {
		var t Text
		if r.text("each of "+what, &t)(n); t.Value != "" {
			*into = append(*into, t)
		}
	})
}
