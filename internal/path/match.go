package path

import (
	"net/url"
	"strings"
)

// Match holds the segments of a path that was asked for against those of a template, and returns what stands at the
// template's placeholders, by name.
func Match(template, segments []string) (ids map[string]string, matches bool) {
	if len(template) != len(segments) {
		return nil, false
	}
	for i, t := range template {
		if t != segments[i] && (!strings.HasPrefix(t, "{") || segments[i] == "") {
			return nil, false
		}
	}
	ids = map[string]string{}
	for i, t := range template {
		if name, ok := strings.CutPrefix(t, "{"); ok {
			id, err := url.PathUnescape(segments[i])
			if err != nil {
				return nil, false
			}
			ids[strings.TrimSuffix(name, "}")] = id
		}
	}
	return ids, true
}
