package durable

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newest returns the meta that counts.
func newest(t *testing.T, file []byte) boltMeta {
	t.Helper()
	first, ok := readMeta(file)
	require.True(t, ok)
	second, ok := readMeta(file[os.Getpagesize():])
	require.True(t, ok)
	if second.txID > first.txID {
		return second
	}
	return first
}

func TestBoltThatIsCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.db")
	fill(t, path)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	m := newest(t, whole)
	used := int(m.pages * m.pageSize)
	require.LessOrEqual(t, used, len(whole))
	for _, size := range []int{0, 1, 100, 4096, 5000, 8192, 12288, used / 4, used / 2, used * 3 / 4, used - 1} {
		require.NoError(t, os.WriteFile(path, whole[:size], 0o600))
		_, err = OpenBolt(path)
		assertNamed(t, err, path)
		_, err = ReadBolt(path)
		assertNamed(t, err, path)
	}
	for _, harmless := range [][]byte{whole[:used], append(whole, make([]byte, 100_000)...)} { // bbolt takes room ahead
		require.NoError(t, os.WriteFile(path, harmless, 0o600))
		b, err := OpenBolt(path)
		require.NoError(t, err)
		require.NoError(t, use(b))
		require.NoError(t, b.Close())
	}
}

func TestBoltOfSomethingElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.db")
	require.NoError(t, os.WriteFile(path, make([]byte, 1<<20), 0o600))
	_, err := OpenBolt(path)
	assertNamed(t, err, path)
	require.ErrorContains(t, err, "was not made by this program")

	// One meta of two tells that a change was lost.
	fresh := filepath.Join(t.TempDir(), "file.db")
	fill(t, fresh)
	for _, page := range []int64{0, 1} {
		data, err := os.ReadFile(fresh)
		require.NoError(t, err)
		data[page*int64(os.Getpagesize())+40] ^= 1
		require.NoError(t, os.WriteFile(path, data, 0o600))
		_, err = OpenBolt(path)
		assertNamed(t, err, path)
		require.ErrorContains(t, err, "lost its last change")
	}
	_, err = OpenBolt(filepath.Join(path, "below a file"))
	require.ErrorContains(t, err, path)
	_, err = ReadBolt(path + " that is not there")
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.NoFileExists(t, path+" that is not there")
}

// TestBoltWithBitsFlipped flips bits anywhere, before the file is opened and while it is open. That may go unnoticed:
// protecting records is up to those who keep them. But at most a call fails.
func TestBoltWithBitsFlipped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.db")
	fill(t, path)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(1, 2))
	page := os.Getpagesize()
	flip := func(data []byte) {
		// Half of them in the heads of pages and of their elements, where they do most.
		at := random.IntN(len(data))
		if random.IntN(2) == 0 {
			at = at/page*page + random.IntN(min(200, len(data)-at/page*page))
		}
		data[at] ^= 1 << random.IntN(8)
	}
	refused, failed := 0, 0
	for range 400 {
		data := append([]byte(nil), whole...)
		flip(data)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		b, err := OpenBolt(path)
		if err != nil {
			refused++
			assertNamed(t, err, path)
			continue
		}
		b.db.NoSync = true // it takes most of the time
		if err := use(b); errors.Is(err, ErrDamaged) {
			failed++
			assert.ErrorContains(t, err, path)
		}
		require.NoError(t, b.Close())
	}
	t.Log("refused:", refused, "failed:", failed)
	assert.Positive(t, refused)
	assert.Positive(t, failed)

	for range 50 {
		require.NoError(t, os.WriteFile(path, whole, 0o600))
		b, err := OpenBolt(path)
		require.NoError(t, err)
		b.db.NoSync = true
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		require.NoError(t, err)
		at := (2 + random.IntN(len(whole)/page-2)) * page
		_, err = file.WriteAt(make([]byte, page), int64(at))
		require.NoError(t, err)
		require.NoError(t, file.Close())
		if err := use(b); err != nil {
			assertNamed(t, err, path)
		}
		require.NoError(t, b.Close())
	}
}

// TestBoltThatLeadsAstray has pages refer to wrong pages: bbolt would follow them until its stack is full, or overwrite
// pages in use.
func TestBoltThatLeadsAstray(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.db")
	fill(t, path)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	page := os.Getpagesize()
	m, branch := newest(t, whole), 0
	for at := 2 * page; at < int(m.pages)*page; at += page {
		if order.Uint16(whole[at+8:]) == branchPage && order.Uint16(whole[at+10:]) > 2 && order.Uint64(whole[at:]) == uint64(at/page) {
			branch = at
		}
	}
	require.NotZero(t, branch)
	astray := func(change func(data []byte)) {
		t.Helper()
		data := append([]byte(nil), whole...)
		change(data)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		_, err := OpenBolt(path)
		assertNamed(t, err, path)
	}
	child := branch + headSize + 8
	astray(func(data []byte) { order.PutUint64(data[child:], uint64(branch/page)) })
	astray(func(data []byte) { order.PutUint64(data[child:], order.Uint64(data[child+headSize:])) })
	astray(func(data []byte) { order.PutUint64(data[child:], m.pages) })
	astray(func(data []byte) { order.PutUint64(data[child:], 1) })
	list := int(m.freelist) * page
	astray(func(data []byte) { order.PutUint64(data[list+headSize:], order.Uint64(data[child+headSize:])) }) // in use
	astray(func(data []byte) { order.PutUint16(data[list+10:], 0xFFF0) })
	astray(func(data []byte) { order.PutUint16(data[list+8:], leafPage) })
	astray(func(data []byte) { order.PutUint64(data[int(m.root)*page:], 99) })
}
