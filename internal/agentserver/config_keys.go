package agentserver

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// preview is what the old program's preview had in place of two URLs. It built both from these.
type preview struct{ scheme, domain, path, wsScheme string }

// apply builds the URLs.
func (p preview) apply(c *Config) {
	if p == (preview{}) {
		return
	}
	or := func(value, fallback string) string {
		if value == "" {
			return fallback
		}
		return value
	}
	place := "://" + or(p.domain, "play-api.qredo.network") + "/" + strings.Trim(or(p.path, "/api/v1/p"), "/")
	c.Base.QredoAPI = or(p.scheme, "https") + place
	c.Websocket.QredoWebsocket = or(p.wsScheme, "wss") + place + "/coreclient/feed"
}

// field is a key of the configuration, with the keys below it.
type field struct {
	name  string
	below []field
}

// fieldsOf returns the keys of a struct.
func fieldsOf(of any) (fields []field) {
	t := reflect.TypeOf(of)
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		one := field{name: name}
		if f.Type.Kind() == reflect.Struct {
			one.below = fieldsOf(reflect.Zero(f.Type).Interface())
		}
		fields = append(fields, one)
	}
	return fields
}

// keys interprets the keys of a file.
type keys struct {
	preview preview
	unknown []string
	seen    map[place]bool // for references in a circle, or very many of them
}

// place is a mapping, and the field that it is the value of. A mapping with an anchor may occur in several places.
type place struct {
	node  *yaml.Node
	above string
}

// rename gives the preview's keys their current names, and records unknown keys. A key is known only in one of these two
// spellings: one that the old program did not know must not switch anything on.
func (k *keys) rename(node *yaml.Node, fields []field, above string) {
	node = meant(node)
	if node.Kind != yaml.MappingNode || k.seen[place{node, above}] {
		return
	}
	k.seen[place{node, above}] = true
	for i := 0; i+1 < len(node.Content); i += 2 { // first: merged keys have a lower precedence than explicit ones
		if key, value := node.Content[i], meant(node.Content[i+1]); isMerge(key) {
			k.rename(value, fields, above)
			if value.Kind == yaml.SequenceNode {
				for _, one := range slices.Backward(value.Content) { // the first one takes precedence
					k.rename(one, fields, above)
				}
			}
		}
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], meant(node.Content[i+1])
		if into := k.preview.field(above + key.Value); into != nil {
			*into = value.Value
			continue
		}
		known := slices.IndexFunc(fields, func(f field) bool { return key.Value == f.name || key.Value == snake(f.name) })
		switch {
		case isMerge(key):
		case known < 0:
			k.unknown = append(k.unknown, above+nameOf(key))
		default:
			key.Value = fields[known].name
			k.rename(value, fields[known].below, above+key.Value+".")
		}
	}
}

// meant resolves an alias.
func meant(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func isMerge(key *yaml.Node) bool { return key.ShortTag() == "!!merge" }

var notInNames = regexp.MustCompile(`[^A-Za-z0-9_.-].*`)

// nameOf is a key as far as it can be shown: without a blank after the colon, a value becomes part of a key.
func nameOf(key *yaml.Node) string {
	name := strings.ReplaceAll(key.Value, "\n", " ")
	if shown := notInNames.ReplaceAllString(name, "…"); shown != name || shown == "" {
		return fmt.Sprintf("%s (line %d)", shown, key.Line)
	}
	return name
}

// field returns the new place of a key of the preview that no longer exists; nil if there is none.
func (p *preview) field(key string) *string {
	switch key {
	case "base.http_scheme":
		return &p.scheme
	case "base.qredo_api_domain":
		return &p.domain
	case "base.qredo_api_base_path":
		return &p.path
	case "websocket.ws_scheme":
		return &p.wsScheme
	}
	return nil
}

// snake is a key in the preview's spelling: CORSAllowOrigins is cors_allow_origins.
func snake(camel string) string {
	var b strings.Builder
	letters := []rune(camel)
	for i, r := range letters {
		begins := unicode.IsUpper(r) && i > 0 &&
			(unicode.IsLower(letters[i-1]) || i+1 < len(letters) && unicode.IsLower(letters[i+1]))
		if begins {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
