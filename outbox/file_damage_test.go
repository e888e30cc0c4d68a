package outbox_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/internal/storetest"
)

// edit changes an entry in the closed file, wherever the file has it, as a fault of the disk would.
func edit(t *testing.T, path, key, old, changed string) {
	t.Helper()
	require.Len(t, changed, len(old))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	edits, start := 0, []byte(fmt.Sprintf(`{"key":%q`, key))
	for from := 0; ; {
		at := bytes.Index(data[from:], start)
		if at < 0 {
			break
		}
		from += at
		at = bytes.Index(data[from:], []byte(old))
		require.GreaterOrEqual(t, at, 0)
		copy(data[from+at:], changed)
		from += at + len(old)
		edits++
	}
	require.Positive(t, edits)
	require.NoError(t, os.WriteFile(path, data, 0o600))
}

// One bit of an amount flips on the disk: another amount than was asked for must not be paid.
func TestFlippedBitIsNotPaid(t *testing.T) {
	inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
		b.enqueue(t, "flipped", transfer(5000))
		b.enqueue(t, "sound", transfer(6000))
		require.NoError(t, b.store.Close())
		edit(t, b.path, "flipped", "5000", "7000")
		b.open(t)
		stop := b.run(t)
		defer stop()
		b.until(t, "sound", ended)
		e := b.until(t, "flipped", func(e outbox.Entry) bool { return e.State != outbox.StatePending })
		assert.Equal(t, outbox.StateHeld, e.State)
		assert.True(t, e.Unknown)
		assert.Contains(t, e.Reason, `"flipped" was changed`)
		require.Len(t, b.sent(), 1)
		assert.Contains(t, b.sent()[0].body, "6000")
		var listed []string
		for e, err := range b.box.List(t.Context(), outbox.Filter{Unknown: true}) {
			require.NoError(t, err)
			listed = append(listed, e.Key)
		}
		assert.Equal(t, []string{"flipped"}, listed)
		_, err := b.box.Enqueue(t.Context(), "flipped", transfer(5000))
		require.ErrorContains(t, err, `"flipped" was changed`)
	})
}

// One record cannot be decoded: the others are sent.
func TestRecordThatCannotBeDecoded(t *testing.T) {
	inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
		b.enqueue(t, "bad", transfer(1))
		b.enqueue(t, "sound", transfer(2))
		require.NoError(t, b.store.Close())
		edit(t, b.path, "bad", `{"key"`, `["key"`)
		b.open(t)
		stop := b.run(t)
		defer stop()
		assert.Equal(t, outbox.StateDone, b.until(t, "sound", ended).State)
		e := b.until(t, "bad", func(e outbox.Entry) bool { return e.State != outbox.StatePending })
		assert.Equal(t, outbox.StateHeld, e.State)
		assert.Contains(t, e.Reason, "bad")
	})
}

// A file that is cut says so, or has lost nothing: it has room ahead.
func TestFileThatIsCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	store, err := outbox.OpenStore(path)
	require.NoError(t, err)
	keys := 0
	for info, err := os.Stat(path); info.Size() < 1<<20; info, err = os.Stat(path) { // it has just grown, so that about half is used
		require.NoError(t, err)
		for range 50 {
			_, _, err := store.Add(t.Context(), storetest.Entry(fmt.Sprint("key-", keys)))
			require.NoError(t, err)
			keys++
		}
	}
	require.NoError(t, store.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	refused := 0
	for _, size := range []int{0, 1, len(whole) / 8, len(whole) / 4, len(whole) / 2, len(whole) * 3 / 4} {
		require.NoError(t, os.WriteFile(path, whole[:size], 0o600))
		if _, err := outbox.OpenStoreReadOnly(path); err != nil {
			require.ErrorContains(t, err, path)
		}
		store, err := outbox.OpenStore(path)
		if err != nil {
			require.ErrorContains(t, err, path)
			refused++
			continue
		}
		page, err := store.Page(t.Context(), outbox.Filter{}, outbox.Entry{}, keys+1)
		require.NoError(t, err)
		assert.Len(t, page, keys)
		require.NoError(t, store.Close())
	}
	assert.GreaterOrEqual(t, refused, 4)

	require.NoError(t, os.WriteFile(path, whole, 0o600))
	store, err = outbox.OpenStore(path)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, int64(len(whole)/4)))
	_, _, err = store.Add(t.Context(), storetest.Entry("after"))
	require.ErrorContains(t, err, path+" was cut while it was open")
	_, err = store.Get(t.Context(), "key-0")
	require.ErrorContains(t, err, path)
	require.NoError(t, store.Close())
}

// The index knows what is missing from the records, so a key does not seem unused.
func TestRecordThatIsGone(t *testing.T) {
	store := openFileStore(t)
	ctx := t.Context()
	for _, key := range []string{"gone", "begun", "sound"} {
		_, _, err := store.Add(ctx, storetest.Entry(key))
		require.NoError(t, err)
	}
	claims, err := store.Claim(ctx, outbox.Want{Now: storetest.Start, Until: storetest.Start.Add(time.Minute), Limit: 10})
	require.NoError(t, err)
	for _, c := range claims {
		c.Entry.Sending, c.Entry.Attempts = true, 1
		require.NoError(t, store.Begin(ctx, c))
	}
	require.NoError(t, store.Lose("gone"))
	require.NoError(t, store.DamageBegun("begun"))
	for _, key := range []string{"gone", "begun"} {
		stored, added, err := store.Add(ctx, storetest.Entry(key))
		require.NoError(t, err)
		assert.False(t, added)
		assert.Nil(t, stored.Request)
		assert.Contains(t, stored.Reason, key)
	}
	claims, err = store.Claim(ctx, outbox.Want{Lane: outbox.LaneRetry, Now: storetest.Start.Add(time.Hour), Until: storetest.Start.Add(2 * time.Hour), Limit: 10})
	require.NoError(t, err)
	require.Len(t, claims, 1)
	assert.Equal(t, "sound", claims[0].Entry.Key)
	page, err := store.Page(ctx, outbox.Filter{Unknown: true}, outbox.Entry{}, 10)
	require.NoError(t, err)
	assert.Len(t, page, 2)
	_, added, err := store.Add(ctx, storetest.Entry("gone"))
	require.NoError(t, err)
	assert.False(t, added, "also when it was set aside")
	held, err := store.Take(ctx, "gone", storetest.Start, storetest.Start)
	require.NoError(t, err)
	require.Error(t, store.Release(ctx, held), "nothing replaces it")
}

// One bit flips in the index, which decides what is sent. No payment is silently left unsent.
func TestFlippedBitOfTheIndex(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	store, err := outbox.OpenStore(path)
	require.NoError(t, err)
	for _, key := range []string{"first", "the payment", "third"} {
		_, _, err := store.Add(t.Context(), storetest.Entry(key))
		require.NoError(t, err)
	}
	require.NoError(t, store.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	row := []byte("\x00the payment\x00") // of pending entries that were not sent
	require.Positive(t, bytes.Count(whole, row))
	const length = 1 + len("the payment") + 17 + 4
	for bit := range 8 * length {
		data := bytes.Clone(whole)
		for from := 0; ; from += length { // also in pages that are no longer used
			at := bytes.Index(whole[from:], row)
			if at < 0 {
				break
			}
			from += at
			data[from+bit/8] ^= 1 << (bit % 8)
		}
		require.NoError(t, os.WriteFile(path, data, 0o600))
		_, err := outbox.OpenStore(path)
		require.ErrorContains(t, err, path, "bit %d", bit)
	}
}

// A commit that fails may be stored all the same. The queues then follow what is stored.
func TestQueueFollowsTheFile(t *testing.T) {
	store := openFileStore(t)
	ctx := t.Context()
	done, retry := storetest.Entry("done"), storetest.Entry("retry")
	done.State, retry.Attempts = outbox.StateDone, 1
	for _, e := range []outbox.Entry{done, retry} {
		_, _, err := store.Add(ctx, e)
		require.NoError(t, err)
	}
	store.Misplace("done", outbox.LaneNew)
	store.Misplace("retry", outbox.LaneNew)
	want := outbox.Want{Lane: outbox.LaneNew, Now: storetest.Start, Until: storetest.Start.Add(1), Limit: 10}
	claims, err := store.Claim(ctx, want)
	require.NoError(t, err)
	assert.Empty(t, claims)
	want.Lane = outbox.LaneRetry
	claims, err = store.Claim(ctx, want)
	require.NoError(t, err)
	require.Len(t, claims, 1)
	assert.Equal(t, retry, claims[0].Entry)
}

func TestFileOfAnotherForm(t *testing.T) {
	refused := func(path, why string, opts ...outbox.FileOption) {
		t.Helper()
		_, err := outbox.OpenStore(path, opts...)
		require.ErrorContains(t, err, path)
		require.ErrorContains(t, err, why)
		_, err = outbox.OpenStoreReadOnly(path, opts...)
		require.ErrorContains(t, err, path)
		require.ErrorContains(t, err, why)
	}
	made := func(opts ...outbox.FileOption) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "outbox.db")
		store, err := outbox.OpenStore(path, opts...)
		require.NoError(t, err)
		require.NoError(t, store.Close())
		return path
	}
	refused(withBuckets(t, "decisions", "expiries"), "of another program")
	path := made()
	withForm(t, path, "3")
	refused(path, "later version of this package, in form 3")
	withForm(t, path, "none")
	refused(path, "does not say of which version")
	key := outbox.WithSealingKey([]byte("0123456789abcdef"))
	refused(made(), "another sealing key", key)
	sealed := made(key)
	refused(sealed, "another sealing key")
	refused(sealed, "another sealing key", outbox.WithSealingKey([]byte("0123456789abcdeF")))
	for _, short := range [][]byte{nil, {}, []byte("0123456789abcde")} {
		_, err := outbox.OpenStore(sealed, outbox.WithSealingKey(short))
		requireInvalid(t, err, "sealing key")
		_, err = outbox.OpenStoreReadOnly(sealed, outbox.WithSealingKey(short))
		requireInvalid(t, err, "sealing key")
	}
	store, err := outbox.OpenStore(sealed, key)
	require.NoError(t, err)
	require.NoError(t, store.Close())
	text := filepath.Join(t.TempDir(), "text")
	require.NoError(t, os.WriteFile(text, []byte(strings.Repeat("no database\n", 2000)), 0o600))
	refused(text, "was not made by this program")
}
