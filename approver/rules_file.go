package approver

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/qredo-go/qredo/internal/visible"
)

// document parses the only YAML document of a file. The file must not contain anything that people cannot see, or see in
// another place than where it applies.
func (l *loader) document(data []byte) *yaml.Node {
	l.seen(data)
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		l.fault(nil, "it is empty")
		return nil
	} else if err != nil {
		l.fault(nil, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
		return nil
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		l.fault(&second, "only one document is read")
	}
	l.plain(&document)
	return document.Content[0]
}

// seen refuses characters that are invisible, or change how others are displayed, even in comments: some of them end a
// line for YAML but not for an editor. Such a character is never needed.
func (l *loader) seen(data []byte) {
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.ReplaceAll(strings.TrimSuffix(line, "\r"), "\t", " ")
		if i == 0 {
			line = strings.TrimPrefix(line, "\ufeff") // which editors write at the beginning
		}
		if shown := visible.Text(line); shown != line {
			l.fault(&yaml.Node{Line: i + 1}, "the line has a character in it that is not seen: %s", shown)
		}
	}
}

// plain refuses anchors, aliases and tags, and invisible characters in values with escapes.
func (l *loader) plain(node *yaml.Node) {
	spaced := strings.NewReplacer("\n", " ", "\t", " ").Replace(node.Value)
	switch {
	case node.Kind == yaml.AliasNode || node.Anchor != "":
		l.fault(node, "anchors and aliases are not read")
	case node.Style&yaml.TaggedStyle != 0:
		l.fault(node, "tags are not read: %s", node.Tag)
	case visible.Text(spaced) != spaced:
		l.fault(node, "a character in it is not seen: %s", visible.Text(spaced))
	}
	for _, child := range node.Content {
		l.plain(child)
	}
}

// word is the syntax of a list's name.
var word = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// typeName is the syntax of a type of action.
var typeName = regexp.MustCompile(`^Approve[A-Za-z0-9]+$`)

// readDictionary reads what a file says besides its rules.
func (l *loader) readDictionary(fields map[string]*yaml.Node) {
	l.lists, l.used, l.decimals, l.counted = map[string][]string{}, map[string]bool{}, map[string]int{}, map[string]bool{}
	for asset, places := range knownDecimals {
		l.decimals[string(asset)] = places
	}
	for _, t := range knownTypes {
		l.types = append(l.types, string(t))
	}
	slices.Sort(l.types)
	if node := fields["types"]; node != nil {
		for _, name := range l.texts(node, node, "types") {
			if slices.Contains(l.types, name) || !typeName.MatchString(name) {
				l.fault(node, "%q: types are those that are not known yet, and are written as in ApproveSomething", name)
			}
			l.types = append(l.types, name)
		}
	}
	decimals := l.mapping(fields["decimals"], "decimals")
	for _, asset := range slices.Sorted(maps.Keys(decimals)) {
		node, places := decimals[asset], int64(0)
		if node.Tag != "!!int" || node.Decode(&places) != nil || places < 0 || places > 18 {
			l.fault(node, "decimals of %s must be a whole number from 0 to 18, is %q", asset, node.Value)
		}
		if is, known := l.decimals[asset]; known && int64(is) != places {
			l.fault(node, "%s has %d decimals", asset, is)
		}
		l.decimals[asset] = int(places)
	}
	lists := l.mapping(fields["lists"], "lists")
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		node := lists[name]
		if _, taken := vocabulary[name]; taken || !word.MatchString(name) || slices.Contains(reserved, name) {
			l.fault(node, "%q cannot be the name of a list", name)
		}
		l.lists[name] = l.texts(node, node, name)
	}
}

// reserved are keywords of the expression language.
var reserved = []string{"true", "false", "nil", "and", "or", "not", "in", "let", "if", "else", "contains", "startsWith", "endsWith", "matches", "lower", "upper", "trim"}

// mapping returns the values of a mapping by key, with any keys, each of which may occur once.
func (l *loader) mapping(node *yaml.Node, key string) map[string]*yaml.Node {
	if node == nil {
		return nil
	}
	var keys []string
	for i := 0; i < len(node.Content) && node.Kind == yaml.MappingNode; i += 2 {
		keys = append(keys, node.Content[i].Value)
	}
	if len(keys) == 0 {
		l.fault(node, "%s must have keys and values", key)
		return nil
	}
	return l.fields(node, keys...)
}

// texts reads a list of distinct texts. Facts are compared with them, so they must be what they look like.
func (l *loader) texts(parent, node *yaml.Node, key string) []string {
	var all []string
	for _, one := range l.list(parent, node, key, "text") {
		switch {
		case one.Kind != yaml.ScalarNode || one.Tag == "!!null" || strings.TrimSpace(one.Value) != one.Value || one.Value == "":
			l.fault(one, "%s must be texts, without space around them", key)
		case one.Style == 0 && one.Tag != "!!str":
			l.fault(one, "%s: set %s in quotes: YAML takes it for something else than text", key, one.Value)
		case strings.ContainsFunc(one.Value, func(r rune) bool { return r > '~' }):
			l.fault(one, "%s: %q is no ASCII: it may look like what it is not", key, one.Value)
		case slices.ContainsFunc(all, func(before string) bool { return same(before, one.Value) }):
			l.fault(one, "%s: duplicate %s", key, one.Value)
		}
		all = append(all, one.Value)
	}
	return all
}
