package durable

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A file is closed by another while a change of it is about to begin, or was just committed.
func TestBoltClosedMeanwhile(t *testing.T) {
	b, err := OpenBolt(filepath.Join(t.TempDir(), "file.db"))
	require.NoError(t, err)
	require.NoError(t, b.Buckets(bucket))
	last := b.last.Load().txID
	require.NoError(t, b.Close())
	require.ErrorIs(t, b.unchanged(), ErrClosed, "not a panic: bbolt has nothing mapped any more")
	require.NoError(t, b.committed(last+1, nil), "it is stored")
	require.ErrorIs(t, b.committed(last+1, ErrDamaged), ErrDamaged)
}
