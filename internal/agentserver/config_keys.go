package agentserver

import (
	"reflect"
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

// rename gives the keys of the preview the names that they have had since, and tells which keys there are that nothing reads. A key is
// known only in one of these two spellings: one that the old program did not know must not switch anything on.
func rename(node *yaml.Node, fields []field, above string) (p preview, unknown []string) {
	if node.Kind != yaml.MappingNode {
		return p, nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if into := p.field(above + key.Value); into != nil {
			*into = value.Value
			continue
		}
		known := false
		for _, f := range fields {
			if key.Value != f.name && key.Value != snake(f.name) {
				continue
			}
			known, key.Value = true, f.name
			if value.Kind == yaml.AliasNode {
				value = value.Alias
			}
			below, more := rename(value, f.below, above+f.name+".")
			p.merge(below)
			unknown = append(unknown, more...)
			break
		}
		if !known {
			unknown = append(unknown, above+key.Value)
		}
	}
	return p, unknown
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

func (p *preview) merge(other preview) {
	for _, pair := range [][2]*string{{&p.scheme, &other.scheme}, {&p.domain, &other.domain}, {&p.path, &other.path}, {&p.wsScheme, &other.wsScheme}} {
		if *pair[1] != "" {
			*pair[0] = *pair[1]
		}
	}
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
