package wire_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/wire"
)

func TestShorten(t *testing.T) {
	keep := func(element []byte) bool { return bytes.Contains(element, []byte("keep")) }
	for body, want := range map[string]string{
		`{"list":[{"a":"keep"},{"a":"drop"},{"a":["keep",{}]}]}`:     `{"list":[{"a":"keep"},{"a":["keep",{}]}]}`,
		`{"n":12345678901234567890,"o":{"p":[{}]},"t":"x","z":null}`: `{"n":12345678901234567890,"t":"x","z":null}`,
		`{"one":[1,2],"two":["keep"]}`:                               `{"one":[],"two":["keep"]}`,
		`{}`:                                                         `{}`,
	} {
		got, err := wire.Shorten(strings.NewReader(body), 1000, keep)
		require.NoError(t, err, body)
		assert.Equal(t, want, string(got))
	}
	for _, body := range []string{``, `[]`, `<html>`, `{} {}`, `{}x`} {
		_, err := wire.Shorten(strings.NewReader(body), 1000, keep)
		require.Error(t, err, body)
	}
	const body = `{"list":[{"a":"keep"},1],"o":{"p":[{}]},"n":5}`
	for i := range len(body) {
		_, err := wire.Shorten(strings.NewReader(body[:i]), 1000, keep)
		require.Error(t, err, "cut after %s", body[:i])
		if i > 0 {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, "cut after %s", body[:i])
		}
		_, err = wire.Shorten(strings.NewReader(body[:i]+"?"), 1000, keep)
		require.Error(t, err, "other after %s", body[:i])
		if !inText(body[:i]) {
			require.NotErrorIs(t, err, io.ErrUnexpectedEOF, "other after %s", body[:i])
		}
	}
}

// inText tells whether a text of JSON without escapes ends within a string.
func inText(json string) bool { return strings.Count(json, `"`)%2 == 1 }

// However long the body is, only what is kept and one element are held in memory.
func TestShortenHoldsLittle(t *testing.T) {
	list := io.MultiReader(strings.NewReader(`{"list":["keep"`), endless(`,"drop"`, 50<<20), strings.NewReader(`]}`))
	got, err := wire.Shorten(list, 1<<20, func(element []byte) bool { return string(element) == `"keep"` })
	require.NoError(t, err)
	assert.JSONEq(t, `{"list":["keep"]}`, string(got))

	list = io.MultiReader(strings.NewReader(`{"list":["keep"`), endless(`,"keep"`, 50<<20), strings.NewReader(`]}`))
	_, err = wire.Shorten(list, 1<<20, func([]byte) bool { return true })
	require.ErrorContains(t, err, "what is kept of the body is longer than the limit of 1048576 bytes")

	list = io.MultiReader(strings.NewReader(`{"list":["`), endless("x", 50<<20), strings.NewReader(`"]}`))
	_, err = wire.Shorten(list, 1<<20, func([]byte) bool { return true })
	require.ErrorContains(t, err, "an element of the body is longer than the limit")
}

// endless repeats a text for about the given number of bytes.
func endless(text string, bytes int) io.Reader {
	part := strings.Repeat(text, 1000)
	var parts []io.Reader
	for range bytes / len(part) {
		parts = append(parts, strings.NewReader(part))
	}
	return io.MultiReader(parts...)
}
