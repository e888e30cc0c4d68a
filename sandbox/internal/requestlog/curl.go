package requestlog

import (
	"strings"
	"unicode"
)

// Curl is a line that sends the request again, without what authenticates it: variables of the shell stand for that, and a
// second line says how to get them. What is shortened in it has to be written out.
func (r *Record) Curl() string {
	u := r.RedactURL()
	parts := []string{"curl", "-g", "--path-as-is", "-sS", "-X", quote(r.Method), quote(u)}
	sign := "qredo sign --method " + quote(r.Method) + " --url " + quote(u)
	switch {
	case r.QAPI:
		sign += " --api qapi"
		parts = append(parts, "-H", `"qredo-api-key: $QREDO_QAPI_KEY"`, "-H", `"qredo-api-ts: $TIMESTAMP"`, "-H", `"qredo-api-sig: $SIGNATURE"`)
	case r.Header.Get("X-Api-Zkp") != "":
		sign = ""
		parts = append(parts, "-H", `"x-api-zkp: $PROOF"`)
	default:
		parts = append(parts, "-H", `"X-API-KEY: $QREDO_API_KEY"`, "-H", `"x-timestamp: $TIMESTAMP"`, "-H", `"x-sign: $SIGNATURE"`)
	}
	for _, name := range []string{"Accept", "Content-Type"} {
		if value := r.Header.Get(name); value != "" && pastable(value) {
			parts = append(parts, "-H", quote(name+": "+r.withoutCredentials(value)))
		}
	}
	body, encoding := r.RedactBody(r.Body)
	switch {
	case len(r.Body.Bytes) == 0:
	case encoding != "" || r.Body.Cut() || !pastable(body):
		parts = append(parts, "--data-binary", "@body")
		sign += " --body body"
	default:
		parts = append(parts, "--data-raw", quote(body))
		sign = "printf %s " + quote(body) + " | " + sign + " --body -"
	}
	line := strings.Join(parts, " ")
	if r.Header.Get("X-Api-Zkp") != "" {
		return line + "\n# PROOF is a proof by the signing agent"
	}
	return line + "\n# TIMESTAMP and SIGNATURE are what this says; with --curl at its end it prints a whole line:\n# " +
		strings.ReplaceAll(sign, "\n", "\n# ")
}

// pastable reports whether a text can be pasted into a terminal: what controls one would end the line, or the pasting.
func pastable(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c != '\n' && !unicode.IsGraphic(c) })
}

// shellQuotes leave nothing within single quotes that has a meaning there in any shell: in fish a backslash has.
var shellQuotes = strings.NewReplacer(`'`, `'\''`, `\`, `'\\'`)

// quote writes a text so that a shell takes it as one, whatever it says.
func quote(text string) string { return "'" + shellQuotes.Replace(text) + "'" }
