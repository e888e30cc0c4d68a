// Package path puts IDs into the paths of operations, and finds them there.
package path

import (
	"fmt"
	"net/url"
	"strings"
)

// Problem tells which ID cannot be put into a path, and why.
type Problem struct{ Field, Rule string }

// Expand puts IDs into the placeholders of a path, in order, each escaped on its own. There must be one for each.
func Expand(template string, ids []string) (string, *Problem) { return Below("", template, ids) }

// Below is [Expand] with a base before the path.
func Below(base, template string, ids []string) (string, *Problem) {
	size := len(base) + len(template)
	for _, id := range ids {
		size += len(id)
	}
	var whole strings.Builder
	whole.Grow(size)
	whole.WriteString(base)
	used, rest := 0, template
	for first := true; ; first = false {
		segment, after, more := strings.Cut(rest, "/")
		if !first {
			whole.WriteByte('/')
		}
		name, ok := strings.CutPrefix(segment, "{")
		switch {
		case !ok:
			whole.WriteString(segment)
		case used == len(ids):
			return "", &Problem{strings.TrimSuffix(name, "}"), "must be given"}
		default:
			if problem := Check(strings.TrimSuffix(name, "}"), ids[used]); problem != nil {
				return "", problem
			}
			whole.WriteString(url.PathEscape(ids[used]))
			used++
		}
		if rest = after; !more {
			break
		}
	}
	if used < len(ids) {
		return "", &Problem{"path", fmt.Sprintf("must have a place for each ID, has %d for %d", used, len(ids))}
	}
	return whole.String(), nil
}

// Check refuses an ID that is missing or that would change the path it is put into. A wallet's may be its short
// code, which is words with spaces between: in a path they are escaped.
func Check(field, id string) *Problem {
	switch id {
	case "":
		return &Problem{field, "must not be empty"}
	case ".", "..":
		return &Problem{field, fmt.Sprintf("must be an ID, is %q", id)}
	}
	words := strings.HasSuffix(field, "wallet_id") && strings.TrimSpace(id) == id
	for _, c := range id {
		if c == ' ' && words {
			continue
		}
		if c <= ' ' || c == 0x7f || strings.ContainsRune(`/\?#%`, c) {
			return &Problem{field, fmt.Sprintf("must not contain %q, is %q", c, id[:min(len(id), 100)])}
		}
	}
	return nil
}
