package requestlog

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
)

var (
	// secretField is what in JSON is called like a secret, or a signature.
	secretField = regexp.MustCompile(`(?i)secret|private[-_ ]?key|api[-_ ]?key|pass(w|phrase|code)|pwd|signature|^sig$|zkp|proof|token|^authorization$|bearer|credential|mnemonic|cookie`)
	// namedPart is a part of a query, or of a form.
	namedPart = regexp.MustCompile(`(^|[?&;#\s"])([^=?&;#\s"\\]+)=([^=?&;#\s"\\][^?&;#\s"\\]*)`)
	// Credentials that are recognized by their form, whatever their name.
	privateKey = regexp.MustCompile(`(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END|$)`)
	bearer     = regexp.MustCompile(`\b((?:[Bb]earer|[Bb]asic|BEARER|BASIC) )[\w.~+/=-]{12,}`)
)

// Redact is a text that has the URL or a body in it, or both: they are known by their form, whatever is around them.
func (r *Record) Redact(text string) string {
	text = redactJSON(text)
	if !strings.Contains(text, "=") {
		return r.withoutCredentials(text)
	}
	text = namedPart.ReplaceAllStringFunc(text, func(part string) string {
		m := namedPart.FindStringSubmatch(part)
		if !secretName.MatchString(unescaped(m[2])) {
			return part
		}
		return m[1] + m[2] + "=" + shorten(m[3], 0)
	})
	return r.withoutCredentials(text)
}

// redactJSON shortens what in JSON is called a secret: a text, a long number, or all that is in a list or an object. All else stays as
// it was, byte for byte; what is no JSON, or is cut, is read as far as it looks like it.
func redactJSON(text string) string {
	if !strings.Contains(text, `"`) {
		return text
	}
	var out strings.Builder
	out.Grow(len(text))
	secret := map[string]bool{} // by the names there were
	hidden, within := false, 0  // the next value is a secret, or so many lists and objects around it are
	for i := 0; i < len(text); {
		end := i + 1
		switch c := text[i]; c {
		case '"':
			end = endOfText(text, i)
			token := text[i:end]
			switch isName := strings.HasPrefix(strings.TrimLeft(text[end:], " \t\r\n"), ":"); {
			case isName:
				is, known := secret[token]
				if !known {
					is = secretField.MatchString(plainText(token))
					secret[token] = is
				}
				hidden = is
			case hidden || within > 0:
				token, hidden = shortenText(token), false
			default:
				token = redactNested(token)
			}
			out.WriteString(token)
			i = end
			continue
		case '{', '[':
			if hidden || within > 0 {
				within++
			}
			hidden = false
		case '}', ']':
			within = max(within-1, 0)
			hidden = false
		case ',':
			hidden = false
		case ':', ' ', '\t', '\r', '\n':
		default:
			for end < len(text) && !strings.ContainsRune("\"{}[],: \t\r\n", rune(text[end])) {
				end++
			}
			if word := text[i:end]; (hidden || within > 0) && shorten(word, 0) != ellipsis {
				out.WriteString(`"` + shorten(word, 0) + `"`)
				i = end
				continue
			}
		}
		out.WriteString(text[i:end])
		i = end
	}
	return out.String()
}

// endOfText is where a text that begins at a quote ends: behind its other quote, or where it was cut.
func endOfText(text string, begin int) int {
	for i := begin + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// plainText is what a text in quotes says, as far as it can be read.
func plainText(quoted string) string {
	var plain string
	if !strings.Contains(quoted, `\`) {
		return strings.Trim(quoted, `"`)
	}
	if json.Unmarshal([]byte(quoted), &plain) != nil {
		return strings.NewReplacer(`"`, "", `\`, "").Replace(quoted)
	}
	return plain
}

func shortenText(quoted string) string {
	inner, closed := strings.CutSuffix(quoted[1:], `"`)
	if strings.Contains(inner, `\`) { // which must not be cut within
		inner = ellipsis
	}
	inner = `"` + shorten(inner, 0)
	if closed {
		inner += `"`
	}
	return inner
}

// redactNested is a text in quotes that may be JSON itself.
func redactNested(quoted string) string {
	if !strings.Contains(quoted, `\"`) {
		return quoted
	}
	var plain string
	if json.Unmarshal([]byte(quoted), &plain) != nil { // it is cut
		if json.Unmarshal([]byte(strings.TrimRight(quoted, `\`)+`"`), &plain) != nil {
			return `"` + ellipsis
		}
	}
	redacted := redactJSON(plain)
	again, err := json.Marshal(redacted)
	switch {
	case redacted == plain:
		return quoted
	case err != nil:
		return `"` + ellipsis + `"`
	}
	return string(again)
}

func unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}
