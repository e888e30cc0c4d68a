package durabletest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/qredo-go/qredo/internal/durable"
	"github.com/qredo-go/qredo/internal/durable/durabletest"
)

func TestSyncsFolder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	within := filepath.Join(dir, "folder")
	for _, c := range []struct {
		name  string
		do    func() error
		syncs bool
	}{
		{"nothing", func() error { return nil }, false},
		{"a sync", func() error { return durable.SyncFolder(dir) }, true},
		{"a file that is synced, with its name", func() error { return durable.Replace(path, nil) }, true},
		{"a file that is not", func() error { return os.WriteFile(path, nil, 0o600) }, false},
		{"a name alone", func() error { return os.Rename(path, path+".renamed") }, false},
		{"a folder that is made", func() error { return os.Mkdir(within, 0o700) }, false},
		{"a sync of the folder within", func() error { return durable.SyncFolder(within) }, false},
	} {
		assert.Equal(t, c.syncs, durabletest.SyncsFolder(t, dir, func() { assert.NoError(t, c.do()) }), c.name)
	}
}
