package sandbox_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

func (s service) export(opts ...sandbox.ExportOption) []byte {
	s.t.Helper()
	var b bytes.Buffer
	require.NoError(s.t, s.Export(&b, opts...))
	return b.Bytes()
}

// A world that is exported and imported is the same to all who look, goes on the same, and is the same text again: also one that came from
// a journal, and one whose journal was folded.
func TestAnImportedWorldIsTheSame(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			keys, dir := t.TempDir(), t.TempDir()
			r := newRandomRun(t, 100+seed, sandbox.WithKeyDir(keys), sandbox.WithStore(dir))
			t.Cleanup(func() { assert.NoError(t, r.Close()) })
			r.run(300)
			text := r.export(sandbox.WithPrivateKeys())
			before := r.everything()

			other := newService(t, sandbox.WithKeyDir(keys), sandbox.WithClock(r.clock.Now), sandbox.WithSeed(99))
			other.clock = r.clock
			require.NoError(t, other.Import(bytes.NewReader(text)))
			require.Equal(t, string(text), string(other.export(sandbox.WithPrivateKeys())))
			after := other.everything()
			for path, body := range before {
				require.Equal(t, body, after[path], path)
			}
			require.Len(t, after, len(before))

			require.NoError(t, r.Close())
			require.NoError(t, r.Close())
			later := newService(t, sandbox.WithKeyDir(keys), sandbox.WithStore(dir), sandbox.WithClock(r.clock.Now), sandbox.WithSeed(98))
			t.Cleanup(func() { assert.NoError(t, later.Close()) })
			require.Equal(t, string(text), string(later.export(sandbox.WithPrivateKeys())), "by its journal")
			later.clock = r.clock

			// Both go on the same.
			one, two := *r, *r
			one.service, two.service = later, other
			one.random, two.random = rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 1))
			for _, run := range []*randomRun{&one, &two} {
				run.bots = []approver{{run.service, r.bots[0].id}, {run.as("strange"), r.bots[1].id}}
				require.NoError(t, run.Advance(time.Minute))
				company := run.newCompany("After", "after.example")
				fund := run.newFund(company, object{"name": "Fund"})
				run.newWallet(company, fund, object{"asset": eth})
				for _, w := range r.wallets[:4] {
					_, err := run.Deposit(w.address, 77)
					require.NoError(t, err)
				}
				for range 20 {
					run.decide()
					run.decideByBot()
				}
				require.NoError(t, run.Advance(2*time.Hour))
			}
			require.Equal(t, string(one.export()), string(two.export()))
		})
	}
}

func TestADamagedWorldIsRefused(t *testing.T) {
	w := newWorld(t)
	w.credit(w.treasury, 5000)
	tx := w.transfer(nil).ok().at("tx_id")
	require.NoError(t, w.Approve(alice, tx))
	text := w.export()
	before := w.everything()
	refused := func(text []byte, reason, why string) {
		t.Helper()
		err := w.Import(bytes.NewReader(text))
		require.ErrorIs(t, err, qredo.ErrBadRequest, why)
		require.ErrorContains(t, err, reason, why)
	}
	end := bytes.LastIndex(text, []byte(`{"end"`))
	for bit := 0; bit < 8*len(text); bit++ {
		damaged := bytes.Clone(text)
		damaged[bit/8] ^= 1 << (bit % 8)
		refused(damaged, "line", fmt.Sprint("bit ", bit%8, " of byte ", bit/8))
		if bit/8 < end {
			bit += 16 // each of the last line, which has the digest of the others
		}
	}
	lines := strings.SplitAfter(string(text), "\n")
	lines = lines[:len(lines)-1]
	refused(text[:len(text)-5], fmt.Sprintf("after line %d", len(lines)-1), "a part of a line is missing")
	refused([]byte(strings.Join(lines[:len(lines)-1], "")), fmt.Sprintf("after line %d: it ends before its end", len(lines)-1), "the last line is missing")
	refused([]byte(strings.Join(lines[1:], "")), "line 1: this is no world", "the first line is missing")
	refused([]byte(strings.Join(append(lines, lines[3]), "")), fmt.Sprintf("line %d: something comes after", len(lines)+1), "a line too many")
	refused([]byte(strings.Replace(string(text), `"version":1`, `"version":2`, 1)), "line 1: it has version 2", "a later version")
	refused([]byte(strings.Replace(string(text), `"seed":`, `"mood":1,"seed":`, 1)), "line 1: it is damaged, or of a later version", "a later version's field")
	refused(nil, "after line 0", "nothing")
	assert.Equal(t, before, w.everything())
	assert.Equal(t, string(text), string(w.export()))
}

func TestWithWorld(t *testing.T) {
	w := newWorld(t)
	w.credit(w.treasury, 5000)
	public, private := w.export(), w.export(sandbox.WithPrivateKeys())
	assert.NotContains(t, string(public), `"api_key"`)
	assert.NotContains(t, string(public), `"private"`)

	s, err := sandbox.New(sandbox.WithWorld(bytes.NewReader(private)), sandbox.WithClock(w.clock.Now))
	require.NoError(t, err)
	var again bytes.Buffer
	require.NoError(t, s.Export(&again, sandbox.WithPrivateKeys()))
	assert.Equal(t, string(private), again.String(), "also its own keys")

	dir := t.TempDir()
	for range 2 { // the second time there is something already
		s, err := sandbox.New(sandbox.WithWorld(bytes.NewReader(public)), sandbox.WithStore(dir), sandbox.WithClock(w.clock.Now))
		require.NoError(t, err)
		state, err := s.State()
		require.NoError(t, err)
		require.NotEmpty(t, state.Companies)
		_, err = s.Deposit(w.treasury, 1)
		require.NoError(t, err)
		require.NoError(t, s.Close())
	}
	s, err = sandbox.New(sandbox.WithStore(dir), sandbox.WithClock(w.clock.Now))
	require.NoError(t, err)
	state, err := s.State()
	require.NoError(t, err)
	assert.EqualValues(t, 5002, state.Totals[btc].Deposited)
	require.NoError(t, s.Close())

	_, err = sandbox.New(sandbox.WithWorld(bytes.NewReader(public[:len(public)/2])))
	var wrong *qredo.ValidationError
	require.ErrorAs(t, err, &wrong)
	require.ErrorContains(t, err, "line")
}

func TestSnapshotsByName(t *testing.T) {
	for name, opts := range map[string][]sandbox.Option{"in memory": nil, "stored": {sandbox.WithStore(t.TempDir())}} {
		t.Run(name, func(t *testing.T) {
			w := withFunds(t, opts...)
			t.Cleanup(func() { assert.NoError(t, w.Close()) })
			before := w.everything()
			require.NoError(t, w.TakeSnapshot("before"))
			w.transfer(nil).ok()
			require.NoError(t, w.Advance(time.Hour))
			require.NoError(t, w.TakeSnapshot("after.1"))
			list, err := w.Snapshots()
			require.NoError(t, err)
			require.Len(t, list, 2)
			assert.Equal(t, []string{"after.1", "before"}, []string{list[0].Name, list[1].Name})
			assert.Equal(t, list[1].Transactions+1, list[0].Transactions)
			assert.Equal(t, startOfTime.Add(time.Hour), list[0].At)
			assert.Positive(t, list[0].Bytes)

			require.NoError(t, w.RestoreSnapshot("before"))
			assert.Equal(t, before, w.everything())
			require.NoError(t, w.DeleteSnapshot("before"))
			for _, name := range []string{"before", "", ".", "../apikey", "a/b", strings.Repeat("a", 65)} {
				require.ErrorIs(t, w.RestoreSnapshot(name), qredo.ErrNotFound, name)
				require.ErrorIs(t, w.DeleteSnapshot(name), qredo.ErrNotFound, name)
				if name != "before" {
					require.ErrorIs(t, w.TakeSnapshot(name), qredo.ErrBadRequest, name)
				}
			}
		})
	}
}
