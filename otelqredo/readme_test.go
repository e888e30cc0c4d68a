package otelqredo_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// flat is a text without what formatting changes.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// Each Go block of the page is in example_test.go, which compiles.
func TestReadme(t *testing.T) {
	page, err := os.ReadFile("README.md")
	require.NoError(t, err)
	examples, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	require.NotEmpty(t, blocks)
	for _, b := range blocks {
		assert.Contains(t, flat(string(examples)), flat(b[1]))
	}
}

// Every documented instrument is measured, and every measured one is in the package's documentation, with its unit.
func TestDocumentedMetrics(t *testing.T) {
	source := ""
	for _, file := range []string{"client.go", "feed.go", "outbox.go", "inbox.go", "approver.go"} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		source += string(text)
	}
	doc, err := os.ReadFile("otelqredo.go")
	require.NoError(t, err)
	made := regexp.MustCompile(`(?:histogram|counter|Counter|Gauge)\("(qredo\.[a-z_.]+)"`).FindAllStringSubmatch(source, -1)
	require.Greater(t, len(made), 15)
	names := map[string]bool{"http.client.request.duration": true}
	for _, m := range made {
		names[m[1]] = true
		assert.Regexp(t, regexp.MustCompile(`//\t`+regexp.QuoteMeta(m[1])+` +(s|\{[a-z]+\}) `), string(doc))
	}
	page, err := os.ReadFile("../docs/observability.md")
	require.NoError(t, err)
	rows := regexp.MustCompile("(?m)^\\| `([a-z_.]+)`").FindAllStringSubmatch(string(page), -1)
	require.NotEmpty(t, rows)
	for _, row := range rows {
		assert.True(t, names[row[1]], row[1])
	}
}
