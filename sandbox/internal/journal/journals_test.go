package journal_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox/internal/journal"
)

// texts are events that are text. What begins with "bad" cannot be encoded, nor "worse" be decoded.
type texts struct{}

var errBad = errors.New("it is bad")

func (texts) Encode(e string) ([]byte, error) {
	if strings.HasPrefix(e, "bad") {
		return nil, errBad
	}
	return []byte(e), nil
}

func (texts) Decode(data []byte) (string, error) {
	if strings.HasPrefix(string(data), "worse") {
		return "", errBad
	}
	return string(data), nil
}

func openBolt(t *testing.T, path string) *journal.Bolt[string] {
	t.Helper()
	b, err := journal.OpenBolt(path, texts{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, b.Close()) })
	return b
}

// TestJournals runs all journals through what they have in common.
func TestJournals(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) journal.Journal[string]{
		"memory": func(*testing.T) journal.Journal[string] { return &journal.Memory[string]{} },
		"file": func(t *testing.T) journal.Journal[string] {
			return openBolt(t, filepath.Join(t.TempDir(), "journal.db"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			j := open(t)
			assert.Empty(t, replay(t, j))
			want := []string{}
			for i := range 300 { // past the first byte of a key
				batch := []string{"event " + string(rune('a'+i%26)), "", strings.Repeat("x", i)}
				require.NoError(t, j.Append(batch))
				want = append(want, batch...)
			}
			require.NoError(t, j.Append(nil))
			assert.Equal(t, want, replay(t, j), "in their order")
			assert.Equal(t, want, replay(t, j), "reading takes nothing")

			stop, seen := errors.New("enough"), 0
			require.ErrorIs(t, j.Replay(func(string) error {
				if seen++; seen == 2 {
					return stop
				}
				return nil
			}), stop)
			assert.Equal(t, 2, seen)

			require.NoError(t, j.Reset())
			assert.Empty(t, replay(t, j))
			require.NoError(t, j.Append([]string{"after"}))
			assert.Equal(t, []string{"after"}, replay(t, j))
			require.NoError(t, j.Close())
			require.NoError(t, j.Close(), "closing again does nothing")
		})
	}
}

func TestBoltIsThereWhenItIsOpenedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	j := openBolt(t, path)
	require.NoError(t, j.Append([]string{"a", "b"}))
	require.NoError(t, j.Reset())
	require.NoError(t, j.Append([]string{"c", "d"}))
	require.NoError(t, j.Close())
	j = openBolt(t, path)
	require.NoError(t, j.Append([]string{"e"}))
	assert.Equal(t, []string{"c", "d", "e"}, replay(t, j))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestBoltAppendsAllOrNone(t *testing.T) {
	j := openBolt(t, filepath.Join(t.TempDir(), "journal.db"))
	require.NoError(t, j.Append([]string{"a"}))
	require.ErrorIs(t, j.Append([]string{"b", "bad", "c"}), errBad)
	require.NoError(t, j.Append([]string{"d"}))
	assert.Equal(t, []string{"a", "d"}, replay(t, j))
}

func TestBoltTellsWhichEventCannotBeRead(t *testing.T) {
	j := openBolt(t, filepath.Join(t.TempDir(), "journal.db"))
	require.NoError(t, j.Append([]string{"a", "b", "worse", "c"}))
	var seen []string
	err := j.Replay(func(e string) error {
		seen = append(seen, e)
		return nil
	})
	require.ErrorIs(t, err, errBad)
	require.ErrorContains(t, err, "event 3")
	assert.Equal(t, []string{"a", "b"}, seen)
}

func TestBoltFilesThatCannotBeUsed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	j := openBolt(t, path)
	_, err := journal.OpenBolt(path, texts{})
	require.ErrorContains(t, err, path, "another has it")
	require.NoError(t, j.Close())
	require.Error(t, j.Append([]string{"a"}), "it is closed")
	require.Error(t, j.Reset())
	require.Error(t, j.Replay(func(string) error { return nil }))

	text := filepath.Join(t.TempDir(), "text")
	require.NoError(t, os.WriteFile(text, []byte(strings.Repeat("no journal\n", 1000)), 0o600))
	_, err = journal.OpenBolt(text, texts{})
	require.ErrorContains(t, err, text)
	_, err = journal.OpenBolt(filepath.Join(path, "journal.db"), texts{})
	require.Error(t, err)
}
