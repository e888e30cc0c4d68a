package agentserver

import (
	"errors"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// quoting are the errors of package yaml that repeat the file's content, and their replacements. Its other errors are
// fixed texts.
var quoting = []struct {
	form *regexp.Regexp
	says string
}{
	{regexp.MustCompile(`(?s)cannot unmarshal .* into (?:\[\])?(?:agentserver\.)?(\w+)$`), "the value cannot be read as $1"},
	{regexp.MustCompile(`(?s)mapping key .* already defined at (line \d+)$`), "a key is already defined at $1"},
	{regexp.MustCompile(`(?s)unknown anchor '.*' referenced$`), "what begins with * must be in quotation marks"},
	{regexp.MustCompile(`(?s)anchor '.*' value contains itself$`), "what begins with * contains itself"},
	{regexp.MustCompile(`(?s)cannot decode .* as a (?:!!)?(\w+)$`), "a value cannot be read as $1"},
}

// withoutValues removes from an error of package yaml what it repeats from the file.
func withoutValues(err error) error {
	texts := []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	if several := (*yaml.TypeError)(nil); errors.As(err, &several) {
		texts = several.Errors
	}
	for i, text := range texts {
		for _, q := range quoting {
			text = q.form.ReplaceAllString(text, q.says)
		}
		texts[i] = text
	}
	return errors.New(strings.Join(texts, "; "))
}
