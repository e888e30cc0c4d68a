package inbox_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/inbox/internal/storetest"
	"github.com/qredo-go/qredo/internal/durable/durabletest"
)

// TestFileForm fails when this version writes another form 1, or cannot read the one that it wrote.
func TestFileForm(t *testing.T) {
	path := filepath.Join(t.TempDir(), "inbox.db")
	store, err := inbox.OpenStore(path)
	require.NoError(t, err)
	storetest.Fill(t, store)
	require.NoError(t, store.Close())
	durabletest.Is(t, durabletest.Dump(t, path), "inbox-form1.txt")
	storetest.CheckFilled(t, openPath(t, durabletest.Build(t, "inbox-form1.txt")))
}
