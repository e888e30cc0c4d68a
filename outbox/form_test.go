package outbox_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/durable/durabletest"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/internal/storetest"
)

// all returns what a store holds, by key.
func all(t *testing.T, store outbox.Store) map[string]outbox.Entry {
	t.Helper()
	entries := map[string]outbox.Entry{}
	page, err := store.Page(t.Context(), outbox.Filter{}, outbox.Entry{}, 1000)
	require.NoError(t, err)
	for _, e := range page {
		entries[e.Key] = e
	}
	return entries
}

// TestFileOfFirstVersion opens a file that the code of version 0.1.0 has written: nothing of it is lost, and nothing is sent twice.
func TestFileOfFirstVersion(t *testing.T) {
	path := durabletest.Unpack(t, "outbox-0.1.0.db")
	before, err := os.ReadFile(path)
	require.NoError(t, err)

	_, err = outbox.OpenStoreReadOnly(path)
	require.ErrorContains(t, err, "was made by version 0.1.0: open it once")
	_, err = outbox.OpenStore(path, outbox.WithSealingKey([]byte("0123456789abcdef")))
	require.ErrorContains(t, err, "version 0.1.0 sealed nothing: use no sealing key")
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after, "a file that is refused is not changed")

	for range 2 { // once in the old form, and once in the new
		store, err := outbox.OpenStore(path)
		require.NoError(t, err)
		storetest.CheckFirst(t, store)
		require.NoError(t, store.Close())
	}
	store, err := outbox.OpenStoreReadOnly(path)
	require.NoError(t, err)
	storetest.CheckFirst(t, store)
	require.NoError(t, store.Close())
}

// TestFirstVersionGoesOn: what version 0.1.0 has left is sent as it would have been, and what may have been made waits for a person.
func TestFirstVersionGoesOn(t *testing.T) {
	inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
		<-time.After(time.Until(storetest.FirstWritten)) // by the clock of the bubble
		require.NoError(t, b.store.Close())
		b.path = durabletest.Unpack(t, "outbox-0.1.0.db")
		b.open(t)
		client, err := qredo.NewClient(keyed{digest: "this one"}, qredo.WithBaseURL("http://127.0.0.1/p"), qredo.WithHTTPClient(b.client()))
		require.NoError(t, err)
		b.box, err = outbox.New(client, b.store)
		require.NoError(t, err)
		was := all(t, b.store)
		held := func(e outbox.Entry) bool { return e.State == outbox.StateHeld }
		stop := b.run(t)
		for _, key := range []string{"pending", "pending ü", "withdrawal"} {
			assert.Equal(t, outbox.StateDone, b.until(t, key, ended).State, key)
		}
		for _, key := range []string{"sending", "unknown"} {
			e := b.until(t, key, held)
			assert.True(t, e.Unknown, key)
			assert.Contains(t, e.Reason, "did not keep with which API key", key)
		}
		b.until(t, "sent", ended)
		require.Len(t, b.sent(), 3)
		for _, key := range []string{"sending", "unknown"} {
			_, err := b.box.Retry(t.Context(), key, "Bob: it is the same API key")
			require.NoError(t, err)
			assert.Equal(t, outbox.StateDone, b.until(t, key, ended).State, key)
		}
		for key, e := range was { // a program that enqueues all of it again
			again, err := b.box.Enqueue(t.Context(), key, withoutPartner(e.Request))
			require.NoError(t, err, key)
			assert.Equal(t, e.PartnerTxID, again.PartnerTxID, key)
		}
		other := withoutPartner(was["pending ü"].Request).(outbox.Transfer)
		other.Send.Amount++
		_, err = b.box.Enqueue(t.Context(), "pending ü", other)
		require.ErrorAs(t, err, new(*outbox.KeyConflictError))
		stop()
		ids := map[string]bool{}
		for _, p := range b.sent() {
			ids[p.partner] = true
		}
		assert.Len(t, b.sent(), 5)
		for _, key := range []string{"pending", "pending ü", "withdrawal", "sending", "unknown"} {
			assert.True(t, ids[string(was[key].PartnerTxID)], "%s is sent with the PartnerTxID that it had", key)
		}
	})
}

func withoutPartner(r outbox.Request) outbox.Request {
	switch r := r.(type) {
	case outbox.Transfer:
		r.PartnerTxID = ""
		return r
	case outbox.Withdrawal:
		r.PartnerTxID = ""
		return r
	}
	return r
}

// Version 0.1.0 opens any file that has its buckets. What it stores there is noticed.
func TestFileThatFirstVersionHasWrittenToSince(t *testing.T) {
	path := durabletest.Unpack(t, "outbox-0.1.0.db")
	store, err := outbox.OpenStore(path)
	require.NoError(t, err)
	require.NoError(t, store.PutDue(nil))
	require.NoError(t, store.Close())
	store, err = outbox.OpenStore(path)
	require.NoError(t, err, "it was opened, and nothing was stored")
	require.NoError(t, store.PutDue([]byte("01234567key")))
	require.NoError(t, store.Close())
	_, err = outbox.OpenStore(path)
	require.ErrorContains(t, err, "version 0.1.0 has written to "+path)
}

// An entry that cannot be read keeps the whole file as it is.
func TestFileOfFirstVersionDamaged(t *testing.T) {
	path := durabletest.Unpack(t, "outbox-0.1.0.db")
	edit(t, path, "done", `"state":"done"`, `"state":"dono"`)
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	_, err = outbox.OpenStore(path)
	require.ErrorContains(t, err, `and is left as it is: what is stored under "done" is no entry of version 0.1.0`)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// Version 0.1.0 let two entries have one transaction. The file is taken over all the same; a person finds out which of them it was made for.
func TestFileOfFirstVersionWithOneTransactionTwice(t *testing.T) {
	path := durabletest.Unpack(t, "outbox-0.1.0.db")
	db, err := bolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bolt.Tx) error {
		entries := tx.Bucket([]byte("entries"))
		for _, key := range []string{"rejected", "sent"} {
			value, own := entries.Get([]byte(key)), []byte(`"tx_id":"tx-`+key+`"`)
			require.Contains(t, string(value), string(own))
			require.NoError(t, entries.Put([]byte(key), bytes.Replace(value, own, []byte(`"tx_id":"tx-done"`), 1)))
		}
		return nil
	}))
	require.NoError(t, db.Close())
	store, err := outbox.OpenStore(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	storetest.CheckShared(t, store)
}

// TestFileForm fails when this version writes another form 2, or cannot read the one that it wrote.
func TestFileForm(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	store, err := outbox.OpenStore(path)
	require.NoError(t, err)
	entries := storetest.EachState()
	for _, e := range entries {
		_, added, err := store.Add(t.Context(), e)
		require.NoError(t, err)
		require.True(t, added)
	}
	claim, err := store.Take(t.Context(), entries[0].Key, storetest.Start, storetest.Start.Add(time.Minute))
	require.NoError(t, err)
	claim.Entry.Sending, claim.Entry.Attempts, claim.Entry.APIKey = true, 3, "another digest"
	require.NoError(t, store.Begin(t.Context(), claim))
	entries[0] = claim.Entry
	require.NoError(t, store.Close())
	durabletest.Is(t, durabletest.Dump(t, path), "outbox-form2.txt")

	store, err = outbox.OpenStore(durabletest.Build(t, "outbox-form2.txt"))
	require.NoError(t, err)
	found := all(t, store)
	require.Len(t, found, len(entries))
	for _, e := range entries {
		assert.Equal(t, e, found[e.Key])
	}
	require.NoError(t, store.Close())
}
