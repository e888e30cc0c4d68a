package store

import (
	"os"
	"testing"
)

// File is what a journal needs of a file.
type File = file

// Through has journals use files that a test makes of the real ones.
func Through(t *testing.T, change func(path string, f *os.File) File) {
	t.Helper()
	before := openFile
	openFile = func(path string, flag int) (file, error) {
		f, err := os.OpenFile(path, flag, 0o600)
		if err != nil {
			return nil, err
		}
		return change(path, f), nil
	}
	t.Cleanup(func() { openFile = before })
}

// FoldAt has journals be folded when they have so many bytes.
func FoldAt(size int64) { least = size }
