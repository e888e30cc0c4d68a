package access

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

const byteOrderMark = "\ufeff"

const bodyRemedy = "turn the body into bytes once, and sign and send the same bytes"

// bodyForms are what may have been signed in place of a body, with up to so many slips each.
func bodyForms(sent string, most int) []form {
	forms := []form{{text: sent}}
	seen := map[string]bool{sent: true}
	add := func(text, found string, slips int) {
		if !seen[text] {
			seen[text] = true
			forms = append(forms, form{text, found, bodyRemedy, slips})
		}
	}
	add("", "the body was not signed", 1)
	if sent == "" {
		for _, text := range []string{"{}", "null", "undefined", "None", `""`, "[]"} {
			add(text, text+" was signed for a request without a body", 1)
		}
		return forms
	}
	add(strings.TrimSpace(sent), "the body was signed without the white space around it", 1)
	add(strings.TrimRight(sent, "\r\n"), "the body was signed without its last line end", 1)
	add(sent+"\n", "the body was signed with a line end after it, as echo and editors add it", 1)
	add(sent+"\r\n", "the body was signed with a line end (CR LF) after it", 1)
	add(sent+" ", "the body was signed with a space after it", 1)
	unix := strings.ReplaceAll(sent, "\r\n", "\n")
	add(unix, "the body was signed with line ends of Unix (LF), and sent with those of Windows (CR LF)", 1)
	add(strings.ReplaceAll(unix, "\n", "\r\n"), "the body was signed with line ends of Windows (CR LF), and sent with those of Unix (LF)", 1)
	if text, marked := strings.CutPrefix(sent, byteOrderMark); marked {
		add(text, "the body was signed without the byte order mark (U+FEFF) that it begins with", 1)
	} else {
		add(byteOrderMark+sent, "the body was signed with a byte order mark (U+FEFF) before it", 1)
	}
	echoed := carriedOut(sent)
	add(echoed, `the body was signed with its escapes (\n, \\) carried out, as echo of some shells does: use printf %s`, 1)
	add(echoed+"\n", `the body was signed with its escapes (\n, \\) carried out and a line end after it, as echo of some shells does: use printf %s`, 1)
	add("[object Object]", "[object Object] was signed: the object has to be turned into text before", 1)
	if shown := pythonObject(sent); shown != "" {
		add(shown, "the body was signed as Python shows an object, not as JSON: use json.dumps, once", 1)
	}
	for _, t := range jsonTexts {
		add(quotedAs(sent, t.escaped), "the body was signed as a text within JSON: it was turned into JSON twice", 1)
	}
	if len(sent) > longText {
		most = 1 // each form costs as much as the text is long
	}
	respell(sent, most, add)
	return forms
}

// carriedOut carries out the escapes of a text as echo does in shells that follow System V.
func carriedOut(text string) string {
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\r`, "\r", `\b`, "\b", `\f`, "\f", `\v`, "\v", `\a`, "\a").Replace(text)
}

// pythonObject is JSON as Python shows the object that it makes of it, "" if it is no JSON.
func pythonObject(sent string) string {
	if !json.Valid([]byte(sent)) {
		return ""
	}
	words := map[string]string{"true": "True", "false": "False", "null": "None", ",": ", ", ":": ": "}
	var b strings.Builder
	for _, token := range jsonToken.FindAllString(sent, -1) {
		if token[0] == '"' {
			text := strings.Trim(strconv.Quote(unquoted(token)), `"`)
			token = "'" + strings.ReplaceAll(strings.ReplaceAll(text, `\"`, `"`), "'", `\'`) + "'"
		} else if word := words[token]; word != "" {
			token = word
		}
		b.WriteString(token)
	}
	return b.String()
}

// spelling is one way in which one aspect of a body was spelled otherwise; none is as it was sent.
type spelling struct {
	phrase string
	n      int // place in the list of its aspect
}

// respell adds a body in other Unicode forms and, if it is JSON, as other libraries write it: those first that differ
// in the fewest aspects.
func respell(sent string, most int, add func(text, found string, slips int)) {
	asSent := spelling{n: -1}
	unicodes, texts, numbers, layouts, orders, ends := []spelling{asSent}, []spelling{asSent}, []spelling{asSent}, []spelling{asSent}, []spelling{asSent}, []spelling{asSent}
	for i, phrase := range []string{"with its letters composed (Unicode NFC)", "with its letters decomposed (Unicode NFD)"} {
		unicodes = append(unicodes, spelling{phrase, i})
	}
	text, marked := strings.CutPrefix(sent, byteOrderMark)
	isJSON := json.Valid([]byte(text))
	var spelled []jsonNumber
	if isJSON {
		for i, t := range jsonTexts {
			texts = append(texts, spelling{t.phrase, i})
		}
		count := 0
		for _, token := range jsonToken.FindAllString(text, -1) {
			if isJSONNumber(token) {
				count++
			}
		}
		spelled = jsonNumbers(count)
		for i, n := range spelled {
			numbers = append(numbers, spelling{n.phrase, i})
		}
		for i, l := range jsonLayouts {
			layouts = append(layouts, spelling{l.phrase, i})
		}
		orders = append(orders, spelling{"with its keys in another order (of the alphabet)", 0})
		ends = append(ends, spelling{"with a line end after it", 0})
	}
	aspects := [][]spelling{unicodes, texts, numbers, layouts, orders, ends}
	for slips := 1; slips <= most; slips++ {
		combine(aspects, slips, func(chosen []spelling) {
			var phrases []string
			for _, c := range chosen {
				if c.phrase != "" {
					phrases = append(phrases, c.phrase)
				}
			}
			form := respelled(text, isJSON, chosen, spelled)
			if marked {
				form = byteOrderMark + form
			}
			add(form, "the body was signed "+strings.Join(phrases, ", and "), slips)
		})
	}
}

// combine calls f with one spelling of each aspect, where the given number of them differ from the first.
func combine(aspects [][]spelling, others int, f func(chosen []spelling)) {
	var choose func(chosen []spelling, left int)
	choose = func(chosen []spelling, left int) {
		if len(chosen) == len(aspects) {
			if left == 0 {
				f(chosen)
			}
			return
		}
		for i, s := range aspects[len(chosen)] {
			if i == 0 || left > 0 {
				choose(append(slices.Clip(chosen), s), left-min(i, 1))
			}
		}
	}
	choose(nil, others)
}

func respelled(text string, isJSON bool, chosen []spelling, spelled []jsonNumber) string {
	switch chosen[0].n {
	case 0:
		text = norm.NFC.String(text)
	case 1:
		text = norm.NFD.String(text)
	}
	if !isJSON {
		return text
	}
	if texts, numbers := chosen[1].n, chosen[2].n; texts >= 0 || numbers >= 0 {
		place := -1
		text = jsonToken.ReplaceAllStringFunc(text, func(token string) string {
			switch {
			case texts >= 0 && token[0] == '"':
				return requoted(token, jsonTexts[texts].escaped)
			case numbers >= 0 && isJSONNumber(token):
				place++
				if v, err := strconv.ParseFloat(token, 64); err == nil {
					return spelled[numbers].written(place, token, v)
				}
			}
			return token
		})
	}
	if layout, order := chosen[3].n, chosen[4].n; layout >= 0 || order >= 0 {
		node, _ := parseJSON(jsonToken.FindAllString(text, -1))
		if layout < 0 {
			layout = max(0, slices.IndexFunc(jsonLayouts, func(l jsonLayout) bool { return l.of(node) == strings.TrimSpace(text) }))
		}
		if order >= 0 {
			node = node.sorted()
		}
		text = jsonLayouts[layout].of(node)
	}
	if chosen[5].n >= 0 {
		text += "\n"
	}
	return text
}
