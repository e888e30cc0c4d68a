package cli

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/qredo-go/qredo"
)

// thing has an ID for the service and a name for people: a company, fund, wallet, trusted party, core client or exchange.
type thing struct {
	ID    string `json:"id"`
	Code  string `json:"code,omitzero"` // a wallet's short code, which can replace the ID
	Name  string `json:"name,omitzero"`
	Other string `json:"other,omitzero"` // a second name: a party's address
	About string `json:"about,omitzero"` // for people
	Where string `json:"where,omitzero"` // tells things of the same name apart
}

// String is a thing as errors show it.
func (t thing) String() string {
	text := t.ID
	if about := t.about(t.Name, t.Other, t.About, t.Where); about != "" {
		text += " (" + about + ")"
	}
	return plain(text)
}

func (t thing) about(parts ...string) string {
	return plain(strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), ", "))
}

// isID reports whether a text has the form of the service's IDs. Such a text is never taken for a name: anybody who can
// name a wallet could give it another wallet's ID as its name.
func isID(text string) bool {
	const shortest = 20
	text = bare(text) // as names are compared: surrounding white space does not turn it into a name
	return len(text) >= shortest && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// bare is a text in one Unicode form, without surrounding white space.
func bare(text string) string { return strings.TrimSpace(norm.NFKC.String(text)) }

// typed is an ID without characters that came along when it was copied; any other text is returned as typed.
func typed(text string) string {
	if isID(text) {
		return bare(text)
	}
	return text
}

// isShortCode reports whether a text has the form of a wallet's short code: three words, perhaps with hyphens or capitals.
func isShortCode(text string) bool {
	words := strings.Fields(codeKey(text))
	return len(words) == 3 && !strings.ContainsFunc(strings.Join(words, ""), func(r rune) bool { return r < 'a' || r > 'z' })
}

// codeKey is the form in which short codes are compared.
func codeKey(text string) string {
	return strings.Join(strings.Fields(strings.ToLower(strings.ReplaceAll(text, "-", " "))), " ")
}

// nameKey is the form in which names are compared. Names that differ only in case, spaces or Unicode form have the same
// key, since a reader cannot tell which is meant.
func nameKey(text string) string {
	folded := norm.NFKC.String(cases.Fold().String(norm.NFKC.String(text)))
	return strings.Join(strings.Fields(folded), " ")
}

// pick returns the thing that a text means: the one with this ID, or this short code, or the only one with this name.
func pick(what, where, text string, things []thing) (thing, error) {
	for _, means := range []func(thing) bool{
		func(t thing) bool { return t.ID == text },
		func(t thing) bool { return t.Code != "" && codeKey(t.Code) == codeKey(text) },
		func(t thing) bool {
			key := nameKey(text)
			// Somebody with an address could use another's address as a name.
			named := nameKey(t.Name) == key && (t.Other == "" || !strings.Contains(key, "@"))
			return key != "" && (named || nameKey(t.Other) == key)
		},
	} {
		var found []thing
		for _, t := range things {
			if means(t) && !slices.ContainsFunc(found, func(f thing) bool { return f.ID == t.ID }) {
				found = append(found, t)
			}
		}
		switch len(found) {
		case 0:
			continue
		case 1:
			return found[0], nil
		}
		return thing{}, &nameError{what: what, where: where, text: text, could: found}
	}
	return thing{}, &nameError{what: what, where: where, text: text, none: true, could: things}
}

// nameError is the error about a name that does not name exactly one thing.
type nameError struct {
	what, where, text string
	none              bool    // nothing has it
	could             []thing // what it could mean; or everything there is, if nothing has it
	answer            error   // the service's error about it as an ID, if it was asked
}

func (e *nameError) Error() string {
	const most = 10
	var list []string
	for _, t := range e.could[:min(len(e.could), most)] {
		list = append(list, t.String())
	}
	if more := len(e.could) - most; more > 0 {
		list = append(list, fmt.Sprintf("%d more", more))
	}
	where := ""
	if e.where != "" {
		where = " in " + e.where
	}
	all := strings.Join(list, "; ")
	switch {
	case !e.none:
		return fmt.Sprintf("%s could be any of %d %s%s; give the ID: %s", inQuotes(e.text), len(e.could), plural(e.what), where, all)
	case len(list) == 0:
		return fmt.Sprintf("no %s has the ID or name %s: there is none%s", e.what, inQuotes(e.text), where)
	}
	return fmt.Sprintf("no %s has the ID or name %s%s; there are: %s", e.what, inQuotes(e.text), where, all)
}

func plural(what string) string {
	if stem, found := strings.CutSuffix(what, "y"); found {
		return stem + "ies"
	}
	return what + "s"
}

// Unwrap makes an unknown name "not found", and an ambiguous one a mistake in the command line.
func (e *nameError) Unwrap() []error {
	switch {
	case !e.none:
		return []error{usageError{e.Error()}}
	case e.answer != nil:
		return []error{qredo.ErrNotFound, e.answer}
	}
	return []error{qredo.ErrNotFound}
}

func inQuotes(text string) string { return `"` + plain(text) + `"` }
