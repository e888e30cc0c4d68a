package sandbox_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"github.com/qredo-go/qredo/sandbox"
)

// reopen is a later sandbox on the folder of one that is closed, with the same clock and seed.
func (s service) reopen(dir string) service {
	s.t.Helper()
	require.NoError(s.t, s.Close())
	return s.onFolder(dir)
}

func (s service) onFolder(dir string) service {
	s.t.Helper()
	c := s.clock
	later := newService(s.t, sandbox.WithStore(dir), sandbox.WithClock(c.Now))
	later.clock = c
	s.t.Cleanup(func() { assert.NoError(s.t, later.Close()) })
	return later
}

// everything is all that a sandbox answers, by the path that was asked. It asks with both accounts' keys.
func (s service) everything() map[string]string {
	s.t.Helper()
	out := map[string]string{}
	state, err := s.State()
	require.NoError(s.t, err)
	out["state"] = string(mustJSON(s.t, state))
	for _, u := range state.Users {
		open, err := s.Pending(string(u.ID))
		require.NoError(s.t, err)
		out["pending "+string(u.ID)] = string(mustJSON(s.t, open))
	}
	read := func(key, path string) answer {
		got := s.as(key).get(path).ok()
		out[key+" "+path] = string(got.Body)
		return got
	}
	for _, key := range []string{"own", "strange"} {
		read(key, "/exchanges")
		read(key, "/liquidityhub")
		for _, id := range read(key, "/coreclient").column("clients", "id") {
			bot := approver{s.as(key), id}
			read(key, bot.path("/wallets"))
			for _, action := range read(key, bot.path("/actions")).column("actions", "id") {
				if tx := read(key, bot.path("/action/"+action)); tx.at("type") == "ApproveTransfer" {
					out["sweep "+action] = string(s.as(key).get(bot.path("/sweep/" + tx.at("details.txID"))).Body)
				}
			}
		}
	}
	for _, c := range state.Companies {
		company, key := "/company/"+string(c.ID), map[bool]string{true: "own", false: "strange"}[c.Account == "default"]
		for _, path := range []string{"", "/trustedparty", "/holding", "/liquidityhub"} {
			read(key, company+path)
		}
		for _, f := range c.Funds {
			fund := company + "/fund/" + string(f.ID)
			for _, path := range []string{"", "/deposit", "/whitelist"} {
				read(key, fund+path)
			}
			ledger := read(key, fund+"/ledger?limit=100000")
			for _, id := range ledger.column("List", "TxID") {
				for _, kind := range []string{"transfer", "withdraw", "atomicswap/make", "atomicswap/take"} {
					path := company + "/" + kind + "/" + id
					tx := s.as(key).get(path)
					out[path] = string(tx.Body)
					if tx.Status != http.StatusOK {
						continue
					}
					members := tx.column("status", "userID")
					for i, action := range tx.column("status", "actionID") { // those that have ended are in no list
						at := "/coreclient/" + members[i] + "/action/" + action
						out[at] = string(s.as(key).get(at).Body)
					}
				}
			}
			for _, w := range f.Wallets {
				for _, path := range []string{"", "/history", "/max"} {
					read(key, "/wallet/"+string(w.ID)+path)
				}
			}
		}
	}
	return out
}

func TestStoreBringsEverythingBack(t *testing.T) {
	dir := t.TempDir()
	r := newRandomRun(t, 14, sandbox.WithStore(dir))
	for round := range 3 {
		r.run(200)
		before := r.everything()
		require.Greater(t, len(before), 100)
		r.service = r.reopen(dir)
		r.bots = []approver{{r.service, r.bots[0].id}, {r.as("strange"), r.bots[1].id}}
		after := r.everything()
		require.Equal(t, before["state"], after["state"], "round %d", round)
		for path, body := range before {
			require.Equal(t, body, after[path], path)
		}
		require.Len(t, after, len(before))
		r.check()
	}
	for _, kind := range []string{"transfer", "withdraw", "sweep", "make", "take"} {
		assert.True(t, slices.ContainsFunc(r.txs, func(tx *bookedTx) bool { return tx.kind == kind }), "the run must do a %s", kind)
	}
	r.repeat() // what was sent before is still found
	require.NoError(t, r.Advance(25*time.Hour))
	r.check()
	assert.Empty(t, r.waiting, "what expires does so in a later sandbox too")
}

func TestStoreHasWhatWasAnswered(t *testing.T) {
	dir, copied := t.TempDir(), t.TempDir()
	w := newWorld(t, sandbox.WithStore(dir))
	t.Cleanup(func() { assert.NoError(t, w.Close()) })
	w.credit(w.treasury, 5000)
	tx := w.transfer(object{"partner_txID": "p"}).ok().at("tx_id")
	require.NoError(t, w.Approve(alice, tx))
	// As the program would leave it behind if it was killed now.
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		copyFile(t, filepath.Join(dir, entry.Name()), filepath.Join(copied, entry.Name()))
	}
	later := w
	later.service = w.onFolder(copied)
	assert.Equal(t, "approved", later.status(tx))
	assert.Equal(t, w.everything(), later.everything())
	again := later.transfer(object{"partner_txID": "p"}).ok()
	assert.Equal(t, []string{tx, "existing"}, []string{again.at("tx_id"), again.at("status")})
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	require.NoError(t, err)
	defer func() { _ = in.Close() }()
	out, err := os.Create(to)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, err)
	require.NoError(t, out.Close())
}

func TestStoreIsForOneSandboxAtATime(t *testing.T) {
	dir := t.TempDir()
	first, err := sandbox.New(sandbox.WithStore(dir))
	require.NoError(t, err)
	_, err = sandbox.New(sandbox.WithStore(dir))
	require.ErrorContains(t, err, "another program has "+dir+" open")
	_, err = sandbox.Start(sandbox.WithStore(dir))
	require.Error(t, err)
	require.NoError(t, first.Close())
	require.NoError(t, first.Close(), "closing again does nothing")
	second, err := sandbox.New(sandbox.WithStore(dir))
	require.NoError(t, err)
	require.NoError(t, second.Close())

	t.Run("and is let go by one that does not start", func(t *testing.T) {
		_, err := sandbox.Start(sandbox.WithStore(dir), sandbox.WithListen("nonsense"))
		require.Error(t, err)
		third, err := sandbox.New(sandbox.WithStore(dir))
		require.NoError(t, err)
		require.NoError(t, third.Close())
	})
	t.Run("and must be a folder", func(t *testing.T) {
		_, err := sandbox.New(sandbox.WithStore(filepath.Join(dir, "lock")))
		require.Error(t, err)
	})
}

// oldStore makes a store as it was made before there were snapshots.
func oldStore(t *testing.T, dir string, events ...string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o700))
	db, err := bolt.Open(filepath.Join(dir, "journal.db"), 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bolt.Tx) error {
		bucket, err := tx.CreateBucket([]byte("events"))
		for i, event := range events {
			if err == nil {
				err = bucket.Put(binary.BigEndian.AppendUint64(nil, uint64(i+1)), []byte(event))
			}
		}
		return err
	}))
	require.NoError(t, db.Close())
}

func TestAStoreOfBeforeIsReadOnce(t *testing.T) {
	const advanced = `{"At":"2026-03-01T12:00:00Z","Type":"clockAdvanced","Change":{"By":1000000000}}`
	dir := t.TempDir()
	oldStore(t, dir, advanced, advanced)
	s := newService(t).onFolder(dir)
	assert.Equal(t, startOfTime.Add(2*time.Second), s.Now())
	company := s.newCompany("Acme", "acme.example")
	s = s.reopen(dir)
	assert.Equal(t, startOfTime.Add(2*time.Second), s.Now(), "and not twice")
	s.get("/company/" + company).ok()
	assert.FileExists(t, filepath.Join(dir, "journal.db.old"))
	assert.NoFileExists(t, filepath.Join(dir, "journal.db"))

	require.NoError(t, s.Close())
	oldStore(t, dir, advanced)
	_, err := sandbox.New(sandbox.WithStore(dir))
	require.ErrorContains(t, err, "older version", "which of the two counts nobody can tell")

	for _, text := range []string{`{"At":"2026-03-01T12:00:00Z","Type":"companyMerged","Change":{}}`, "garbage"} {
		dir := t.TempDir()
		oldStore(t, dir, advanced, text)
		for range 2 { // it stays as it is
			_, err := sandbox.New(sandbox.WithStore(dir))
			require.ErrorContains(t, err, "event 2")
		}
	}
}

func TestWhatCannotBeStoredDoesNotHappen(t *testing.T) {
	w := newWorld(t, sandbox.WithStore(t.TempDir()))
	before := w.everything()
	require.NoError(t, w.Close()) // the disk is gone
	w.post("/company", object{"name": "Late"}).refused(500, "storing")
	_, err := w.Deposit(w.get("/wallet/"+w.treasury).at("address"), 5)
	require.Error(t, err)
	require.Error(t, w.Advance(time.Hour))
	require.Error(t, w.Reset())
	assert.Equal(t, before, w.everything())
}

func TestResetOfAStore(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, sandbox.WithStore(dir))
	w.credit(w.treasury, 5000)
	w.transfer(object{"partner_txID": "p"}).ok()
	require.NoError(t, w.Advance(time.Hour))
	require.NoError(t, w.Reset())
	company := w.newCompany("After", "after.example")
	s := w.reopen(dir)
	state, err := s.State()
	require.NoError(t, err)
	assert.Empty(t, state.Users)
	require.Len(t, state.Companies, 1)
	assert.Equal(t, company, string(state.Companies[0].ID))
	assert.Equal(t, startOfTime, s.Now(), "the clock is set back too")
	s.get(w.inCompany("")).refused(404, "company")
}

// allIDs are the identifiers and addresses of a world's wallets and transactions.
func (w world) allIDs() []string {
	w.t.Helper()
	var ids []string
	for range 5 {
		wallet := w.get("/wallet/" + w.newWallet(w.company, w.fund, object{"asset": btc})).ok()
		ids = append(ids, wallet.at("wallet_id"), wallet.at("address"), wallet.at("short_code"))
		tx := w.transfer(nil).ok().at("tx_id")
		ids = append(ids, tx)
		ids = append(ids, w.get(w.inCompany("/transfer/"+tx)).ok().column("status", "actionID")...)
	}
	return ids
}

func TestAStoreWithASeedRepeatsNoID(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, sandbox.WithStore(dir))
	w.credit(w.treasury, 1_000_000)
	ids := w.allIDs()
	for restart := range 4 {
		if restart == 2 {
			w.service = w.reopen(dir) // twice without a change in between
		}
		w.service = w.reopen(dir)
		ids = append(ids, w.allIDs()...)
	}
	slices.Sort(ids)
	assert.Len(t, slices.Compact(slices.Clone(ids)), len(ids))
}

func TestExpiriesThatAStoreCanKeep(t *testing.T) {
	const last int64 = 253402300799 // 9999-12-31T23:59:59Z
	for name, opts := range map[string][]sandbox.Option{"stored": {sandbox.WithStore(t.TempDir())}, "in memory": nil} {
		t.Run(name, func(t *testing.T) {
			w := withFunds(t, opts...)
			t.Cleanup(func() { assert.NoError(t, w.Close()) })
			w.transfer(object{"expires": last}).ok()
			w.transfer(object{"expires": last + 1}).refused(400, "expires")
			w.transfer(object{"expires": fmt.Sprint(int64(1) << 62)}).refused(400, "expires")
			w.withdrawal(object{"expires": last + 1}).refused(400, "expires")
		})
	}
}
