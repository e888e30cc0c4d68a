package durabletest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"
)

// Update is the variable that has tests write the files that say what a form is, where it is set. A form that was released is not changed: it
// gets another version, and the files of the one before stay.
const Update = "QREDO_TEST_UPDATE_FORMS"

// Unpack writes a fixture, testdata/name.gz, to a file of the test's own.
func Unpack(t testing.TB, name string) (path string) {
	t.Helper()
	packed, err := os.Open(filepath.Join("testdata", name+".gz"))
	require.NoError(t, err)
	from, err := gzip.NewReader(packed)
	require.NoError(t, err)
	data, err := io.ReadAll(from)
	require.NoError(t, err)
	require.NoError(t, packed.Close())
	path = filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// Is holds a text against the file testdata/name.
func Is(t testing.TB, text, name string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv(Update) != "" {
		require.NoError(t, os.MkdirAll("testdata", 0o755))          //nolint:gosec // as all folders of the repository
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644)) //nolint:gosec // as all files of the repository
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), text, "the form has changed: give it another version, and have the one before be read too")
}

// Dump returns what a bbolt file holds as a text: a line for each bucket, with its sequence, and for each row. Keys and values are quoted.
func Dump(t testing.TB, path string) string {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second, ReadOnly: true})
	require.NoError(t, err)
	var text bytes.Buffer
	require.NoError(t, db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error { return dump(&text, fmt.Sprintf("%+q", name), b) })
	}))
	require.NoError(t, db.Close())
	return text.String()
}

func dump(to io.Writer, at string, b *bolt.Bucket) error {
	_, err := fmt.Fprintf(to, "%s / %d\n", at, b.Sequence())
	if err != nil {
		return err
	}
	return b.ForEach(func(key, value []byte) error {
		within := fmt.Sprintf("%s %+q", at, key)
		if value == nil {
			return dump(to, within, b.Bucket(key))
		}
		_, err := fmt.Fprintf(to, "%s = %+q\n", within, value)
		return err
	})
}

// Build makes the bbolt file that Dump has made the text testdata/name of.
func Build(t testing.TB, name string) (path string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	path = filepath.Join(t.TempDir(), name)
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second, NoSync: true})
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bolt.Tx) error {
		for line := range strings.Lines(strings.ReplaceAll(string(text), "\r\n", "\n")) {
			if err := build(tx, strings.TrimSuffix(line, "\n")); err != nil {
				return fmt.Errorf("%s: %w", line, err)
			}
		}
		return nil
	}))
	require.NoError(t, db.Close())
	return path
}

func build(tx *bolt.Tx, line string) error {
	names, rest, err := unquote(line)
	if err != nil {
		return err
	}
	b, err := tx.CreateBucketIfNotExists([]byte(names[0]))
	last := len(names) - 1
	for i, name := range names[1:] {
		if err == nil && (i+1 < last || strings.HasPrefix(rest, "/")) {
			b, err = b.CreateBucketIfNotExists([]byte(name))
		}
	}
	if err != nil {
		return err
	}
	if sequence, ok := strings.CutPrefix(rest, "/ "); ok {
		n, err := strconv.ParseUint(sequence, 10, 64)
		if err != nil {
			return err
		}
		return b.SetSequence(n)
	}
	values, _, err := unquote(strings.TrimPrefix(rest, "= "))
	if err != nil {
		return err
	}
	return b.Put([]byte(names[last]), []byte(values[0]))
}

// unquote reads the quoted texts that a line begins with, and returns the rest.
func unquote(line string) (texts []string, rest string, err error) {
	for strings.HasPrefix(line, `"`) {
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			return nil, "", err
		}
		text, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, "", err
		}
		texts, line = append(texts, text), strings.TrimPrefix(line[len(quoted):], " ")
	}
	if len(texts) == 0 {
		return nil, "", strconv.ErrSyntax
	}
	return texts, line, nil
}
