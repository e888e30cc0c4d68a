package access

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON can be spelled in many ways that mean the same: programs sign one, and send what another library has made of it.

// jsonToken is a text, a number or word, or a mark. What is between tokens is white space.
var jsonToken = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|[^\s{}\[\],:"]+|[{}\[\],:]`)

// jsonNode is a value with its texts and numbers as they were written.
type jsonNode struct {
	text     string // of a text, number or word; else what it opens with
	keys     []string
	children []jsonNode
}

func parseJSON(tokens []string) (node jsonNode, rest []string) {
	node.text, rest = tokens[0], tokens[1:]
	if node.text != "{" && node.text != "[" {
		return node, rest
	}
	for rest[0] != "}" && rest[0] != "]" {
		if rest[0] == "," {
			rest = rest[1:]
		}
		if node.text == "{" {
			node.keys = append(node.keys, rest[0])
			rest = rest[2:]
		}
		var child jsonNode
		child, rest = parseJSON(rest)
		node.children = append(node.children, child)
	}
	return node, rest[1:]
}

// sorted orders the members of objects by their names.
func (n jsonNode) sorted() jsonNode {
	order := make([]int, len(n.children))
	for i := range order {
		order[i] = i
	}
	if n.text == "{" {
		slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(unquoted(n.keys[a]), unquoted(n.keys[b])) })
	}
	out := jsonNode{text: n.text}
	for _, i := range order {
		if n.text == "{" {
			out.keys = append(out.keys, n.keys[i])
		}
		out.children = append(out.children, n.children[i].sorted())
	}
	return out
}

// jsonLayout is the white space of a library.
type jsonLayout struct {
	comma, colon, indent string
	arrayInLine          bool // arrays stay on a line, with spaces within their brackets
	phrase               string
}

var jsonLayouts = []jsonLayout{
	{",", ":", "", false, "without white space"},
	{", ", ": ", "", false, "with a space after each comma and colon, as Python writes it"},
	{",", ": ", "  ", false, "indented by two spaces"},
	{",", ": ", "    ", false, "indented by four spaces"},
	{",", ": ", "\t", false, "indented by tabs"},
	{",", " : ", "  ", true, "indented as Jackson does"},
}

func (l jsonLayout) write(b *strings.Builder, n jsonNode, margin string) {
	if n.text != "{" && n.text != "[" {
		b.WriteString(n.text)
		return
	}
	inner, end, between := "", "", l.comma
	switch {
	case l.arrayInLine && n.text == "[":
		inner, end, between = " ", " ", ", "
	case l.indent != "" && len(n.children) > 0:
		inner, end = "\n"+margin+l.indent, "\n"+margin
		between += inner
	}
	deeper := margin + l.indent
	if l.arrayInLine && n.text == "[" {
		deeper = margin
	}
	b.WriteString(n.text + inner)
	for i, child := range n.children {
		if i > 0 {
			b.WriteString(between)
		}
		if n.text == "{" {
			b.WriteString(n.keys[i] + l.colon)
		}
		l.write(b, child, deeper)
	}
	b.WriteString(end + string(n.text[0]+2)) // } after {, ] after [
}

func (l jsonLayout) of(n jsonNode) string {
	var b strings.Builder
	l.write(&b, n, "")
	return b.String()
}

// jsonTexts are how libraries write what is in a text.
var jsonTexts = []struct {
	escaped func(r rune) string // "" if it stands as it is
	phrase  string
}{
	{func(rune) string { return "" }, `without the \u escapes and \/ that it was sent with`},
	{beyondASCII(`\u%04x`), `with characters as \u escapes, as Python writes them`},
	{beyondASCII(`\u%04X`), `with characters as \u escapes, their digits in capitals`},
	{either(only("/", `\%c`), beyondASCII(`\u%04x`)), `with / as \/ and characters as \u escapes, as PHP writes them`},
	{only("/", `\%c`), `with / as \/`},
	{only("<>&\u2028\u2029", `\u%04x`), `with <, > and & as \u escapes, as Go writes them`},
	{only("<>&='\u2028\u2029", `\u%04x`), `with <, >, &, = and ' as \u escapes, as Gson writes them`},
	{either(only("<>&'+`\"\x7f", `\u%04X`), beyondASCII(`\u%04X`)), `with <, >, &, +, quotation marks and other characters as \u escapes, as .NET writes them`},
}

func only(runes, format string) func(rune) string {
	return func(r rune) string {
		if strings.ContainsRune(runes, r) {
			return fmt.Sprintf(format, r)
		}
		return ""
	}
}

func beyondASCII(format string) func(rune) string {
	return func(r rune) string {
		switch {
		case r < utf8.RuneSelf:
			return ""
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			return fmt.Sprintf(format+format, high, low)
		}
		return fmt.Sprintf(format, r)
	}
}

func either(first, second func(rune) string) func(rune) string {
	return func(r rune) string {
		if text := first(r); text != "" {
			return text
		}
		return second(r)
	}
}

var shortEscapes = map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}

// requoted writes a text's characters as a library does.
func requoted(literal string, escaped func(rune) string) string {
	return quotedAs(unquoted(literal), escaped)
}

func quotedAs(text string, escaped func(rune) string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		written := cmp.Or(escaped(r), shortEscapes[r])
		if written == "" && r < ' ' {
			written = fmt.Sprintf(`\u%04x`, r)
		}
		b.WriteString(cmp.Or(written, string(r)))
	}
	b.WriteByte('"')
	return b.String()
}

func unquoted(literal string) string {
	var text string
	_ = json.Unmarshal([]byte(literal), &text) // it is a part of valid JSON
	return text
}

// jsonNumber is how a language writes numbers that it has read as floats.
type jsonNumber struct {
	written func(place int, sent string, value float64) string // place: which number of the body it is
	phrase  string
}

const mostTyped = 4 // numbers of which each may be a float or not

// jsonNumbers are how languages write so many numbers.
func jsonNumbers(count int) []jsonNumber {
	all := []jsonNumber{
		{func(_ int, _ string, v float64) string { return jsNumber(v) }, "with its numbers as JavaScript writes them (1 for 1.0)"},
		{func(_ int, sent string, v float64) string {
			if !strings.ContainsAny(sent, ".eE") {
				return sent
			}
			return decimals(v, 1e-4, 1e16, 'e')
		}, "with its numbers as Python writes them (100.0 for 1e2)"},
		{func(_ int, _ string, v float64) string { return decimals(v, 1e-3, 1e7, 'E') }, "with its numbers as Java writes a double (1.0E7 for 10000000)"},
	}
	some := 1<<min(count, mostTyped) - 1
	for floats := some; floats > 0; floats-- { // first all of them
		all = append(all, jsonNumber{func(place int, sent string, v float64) string {
			if count <= mostTyped && floats>>place&1 == 0 {
				return sent
			}
			return decimals(v, 1e-4, 1e16, 'e')
		}, "with its numbers as decimals (1.0 for 1)"})
		if count > mostTyped {
			break
		}
	}
	return all
}

func jsNumber(v float64) string {
	if size := max(v, -v); size != 0 && (size < 1e-6 || size >= 1e21) {
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', -1, 64), "e")
		return mantissa + "e" + exponent[:1] + strings.TrimLeft(exponent[1:], "0")
	}
	return strconv.FormatFloat(v+0, 'f', -1, 64)
}

// decimals writes a number with a point, or between the bounds' outside with an exponent after a mark.
func decimals(v, least, most float64, mark byte) string {
	if size := max(v, -v); size == 0 || size >= least && size < most {
		text := strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	}
	text := strconv.FormatFloat(v, 'e', -1, 64)
	if mark == 'e' {
		return text
	}
	mantissa, exponent, _ := strings.Cut(text, "e") // Java: 1.0E7
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exponent)
	return mantissa + "E" + strconv.Itoa(n)
}

func isJSONNumber(token string) bool { return token[0] == '-' || token[0] >= '0' && token[0] <= '9' }
