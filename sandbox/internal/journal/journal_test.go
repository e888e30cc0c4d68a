package journal_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox/internal/journal"
)

func replay(t *testing.T, j journal.Journal[string]) []string {
	t.Helper()
	var events []string
	require.NoError(t, j.Replay(func(e string) error {
		events = append(events, e)
		return nil
	}))
	return events
}

func TestMemoryKeepsTheOrder(t *testing.T) {
	var j journal.Journal[string] = &journal.Memory[string]{}
	assert.Empty(t, replay(t, j))
	require.NoError(t, j.Append([]string{"a", "b"}))
	require.NoError(t, j.Append(nil))
	require.NoError(t, j.Append([]string{"c"}))
	assert.Equal(t, []string{"a", "b", "c"}, replay(t, j))
	assert.Equal(t, []string{"a", "b", "c"}, replay(t, j), "reading takes nothing")

	stop, seen := errors.New("enough"), 0
	assert.Equal(t, stop, j.Replay(func(string) error {
		if seen++; seen == 2 {
			return stop
		}
		return nil
	}))
	assert.Equal(t, 2, seen)

	require.NoError(t, j.Reset())
	assert.Empty(t, replay(t, j))
	require.NoError(t, j.Append([]string{"d"}))
	assert.Equal(t, []string{"d"}, replay(t, j))
	require.NoError(t, j.Close())
}
