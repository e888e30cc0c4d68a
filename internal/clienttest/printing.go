package clienttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
)

// Printings are the ways in which a value gets into logs and terminals.
func Printings(t *testing.T, value any) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		all[verb] = fmt.Sprintf(verb, value)
	}
	all["Sprint"] = fmt.Sprint(value)
	data, err := json.Marshal(value)
	if err == nil { // some have functions, which JSON has no form for
		all["JSON"] = string(data)
	}
	var text, lines bytes.Buffer
	debug := &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}
	slog.New(slog.NewTextHandler(&text, debug)).Debug("m", "value", value, slog.Group("g", "value", value))
	slog.New(slog.NewJSONHandler(&lines, debug)).Debug("m", "value", value, slog.Group("g", "value", value))
	all["slog text"], all["slog JSON"] = text.String(), lines.String()
	return all
}

// Quoted is a text as JSON has it.
func Quoted(s string) string {
	data, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(data)
}
