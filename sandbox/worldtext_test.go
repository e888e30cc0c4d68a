package sandbox_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"regexp"
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

// shown is all that the console shows of the world.
func (s service) shown() map[string]string {
	s.t.Helper()
	out := map[string]string{}
	note := func(what string, shown any, err error) {
		require.NoError(s.t, err, what)
		out[what] = string(mustJSON(s.t, shown))
	}
	all := sandbox.Page{Limit: 500}
	transactions, err := s.Transactions(sandbox.TransactionFilter{Page: all})
	note("transactions", transactions, err)
	for _, tx := range transactions.Transactions {
		detail, err := s.Transaction(string(tx.ID))
		detail.RequestID = 0 // of the log of requests, which is the sandbox's
		note("transaction "+string(tx.ID), detail, err)
	}
	expiries, err := s.Expiries(500)
	note("expiries", expiries, err)
	approvers, err := s.Approvers(sandbox.ApproverFilter{Page: all})
	note("approvers", approvers, err)
	for _, a := range approvers.Approvers {
		for _, state := range []string{"waiting", "decided"} {
			approvals, err := s.Approvals(a.ID, sandbox.ApprovalFilter{State: state, Page: all})
			note(state+" "+a.ID, approvals, err)
		}
	}
	companies, err := s.Companies(sandbox.ListFilter{Page: all})
	note("companies", companies, err)
	for _, c := range companies.Companies {
		detail, err := s.Company(c.ID)
		note("company "+string(c.ID), detail, err)
		for _, f := range detail.Funds {
			for _, w := range f.Wallets {
				detail, err := s.Wallet(string(w.ID))
				note("wallet "+string(w.ID), detail, err)
				movements, err := s.Movements(string(w.ID), all)
				note("movements "+string(w.ID), movements, err)
			}
		}
	}
	return out
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
			before, shown := r.everything(), r.shown()

			other := newService(t, sandbox.WithKeyDir(keys), sandbox.WithClock(r.clock.Now), sandbox.WithSeed(99))
			other.clock = r.clock
			require.NoError(t, other.Import(bytes.NewReader(text)))
			require.Equal(t, string(text), string(other.export(sandbox.WithPrivateKeys())))
			after := other.everything()
			for path, body := range before {
				require.Equal(t, body, after[path], path)
			}
			require.Len(t, after, len(before))
			require.Equal(t, shown, other.shown())

			require.NoError(t, r.Close())
			require.NoError(t, r.Close())
			later := newService(t, sandbox.WithKeyDir(keys), sandbox.WithStore(dir), sandbox.WithClock(r.clock.Now), sandbox.WithSeed(98))
			t.Cleanup(func() { assert.NoError(t, later.Close()) })
			require.Equal(t, string(text), string(later.export(sandbox.WithPrivateKeys())), "by its journal")
			require.Equal(t, shown, later.shown())
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

// The same with Web3 transactions, and signing agents, whose secrets an export has if it is asked for them.
func TestAnImportedWorldOfPrograms(t *testing.T) {
	keys := t.TempDir()
	w := web3World(t, sandbox.WithKeyDir(keys))
	w.credit(w.ether, 1000)
	done := w.propose(w.payment(nil)).ok().at("txID")
	for _, who := range []string{alice, bob} {
		require.NoError(t, w.Approve(who, done))
	}
	require.NoError(t, w.Reject(alice, w.propose(w.payment(nil)).ok().at("txID")))
	open := w.propose(w.payment(object{"maxFeePerGas": "100", "maxPriorityFeePerGas": "3"})).ok().at("txID")
	agent := w.newAgent()
	agent.finish().ok()
	wallet := "/wallet/" + w.ether
	w.call("PUT", w.inFund(wallet+"/policy"), object{
		"policy_id": w.get(wallet).ok().at("policy_tx.id"), "type": "policy-tx", "threshold": 1, "members": []any{w.ids[alice]},
	}).ok()
	w.clock.forward(time.Minute)

	imported := func(opts ...sandbox.ExportOption) world {
		text := w.export(opts...)
		other := w
		other.service = newService(t, sandbox.WithKeyDir(keys), sandbox.WithClock(w.clock.Now), withReportsKey())
		other.clock = w.clock
		require.NoError(t, other.Import(bytes.NewReader(text)))
		require.Equal(t, string(text), string(other.export(opts...)))
		require.Equal(t, w.shown(), other.shown())
		require.Equal(t, string(w.get(wallet).ok().Body), string(other.get(wallet).ok().Body), "its policy waits to be updated")
		for _, id := range []string{done, open} {
			require.Equal(t, string(w.report("/transactions/"+id+"/status").ok().Body), string(other.report("/transactions/"+id+"/status").ok().Body))
		}
		return other
	}
	other := imported(sandbox.WithPrivateKeys())
	agent.of(other.service).finish().ok()
	for _, one := range []world{w, other} {
		for _, who := range []string{alice, bob} {
			require.NoError(t, one.Approve(who, open))
		}
	}
	require.Equal(t, string(w.export()), string(other.export()), "the nonce goes on")
	agent.of(imported().service).finish().refused(401, "proof")
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
	refused([]byte(strings.Replace(string(text), `"commits":`, `"mood":1,"commits":`, 1)), "line 1: it is damaged, or of a later version", "a later version's field")
	refused(nil, "after line 0", "nothing")
	far := regexp.MustCompile(`("tx":.*"at":)[0-9.]+`).ReplaceAllString(string(text[:end]), "${1}-9223372036854775808")
	refused(fmt.Appendf(nil, "%s{\"end\":{\"lines\":%d,\"sha256\":\"%x\"}}\n", far, len(lines)-1, sha256.Sum256([]byte(far))), "is no time", "a time that no answer can tell")
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
