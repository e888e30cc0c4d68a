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

// preview is what the preview of the old program had in place of two URLs. It built both from them.
type preview struct{ scheme, domain, path, wsScheme string }

// apply makes the URLs.
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

// field is a key of the configuration, with those below it.
type field struct {
	name  string
	below []field
}

// fieldsOf are the keys of a struct.
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

// keys are what the keys of a file mean.
type keys struct {
	preview preview
	unknown []string
	seen    map[place]bool // where something is referred to in a circle, or again and again
}

// place is a mapping, and where it stands for one. A mapping with an anchor may stand in several places.
type place struct {
	node  *yaml.Node
	above string
}

// rename gives the keys of the preview the names that they have had since, and notes which keys there are that nothing reads. A key is
// known only in one of these two spellings: one that the old program did not know must not switch anything on.
func (k *keys) rename(node *yaml.Node, fields []field, above string) {
	node = meant(node)
	if node.Kind != yaml.MappingNode || k.seen[place{node, above}] {
		return
	}
	k.seen[place{node, above}] = true
	for i := 0; i+1 < len(node.Content); i += 2 { // first: what is merged counts less than what stands there
		if key, value := node.Content[i], meant(node.Content[i+1]); isMerge(key) {
			k.rename(value, fields, above)
			if value.Kind == yaml.SequenceNode {
				for _, one := range slices.Backward(value.Content) { // the first counts most
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

// meant is what an alias stands for.
func meant(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func isMerge(key *yaml.Node) bool { return key.ShortTag() == "!!merge" }

var notInNames = regexp.MustCompile(`[^A-Za-z0-9_.-].*`)

// nameOf is a key as far as it can be shown: where a blank was forgotten after a colon, a key has a value in it.
func nameOf(key *yaml.Node) string {
	name := strings.ReplaceAll(key.Value, "\n", " ")
	if shown := notInNames.ReplaceAllString(name, "…"); shown != name || shown == "" {
		return fmt.Sprintf("%s (line %d)", shown, key.Line)
	}
	return name
}

// field is where a key of the preview goes that is no longer there; nil if it is none.
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

// snake is a key as the preview wrote it: CORSAllowOrigins is cors_allow_origins.
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
