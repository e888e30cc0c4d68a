package approver_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/durable"
)

const (
	agreed = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
	other  = "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7"
)

// pinned is a desk whose whitelist has an address, and what is so is pinned in a file.
type pinned struct {
	*desk
	pins    *approver.Pins
	path    string
	private ed25519.PrivateKey
	public  ed25519.PublicKey
}

func newPinned(t *testing.T) *pinned {
	t.Helper()
	p := &pinned{desk: newDesk(t), path: filepath.Join(t.TempDir(), "pins.json")}
	p.private = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	p.public, _ = p.private.Public().(ed25519.PublicKey)
	p.allow(agreed, "treasury")
	var err error
	p.pins, err = approver.MakePins(t.Context(), p.Client, p.Company)
	require.NoError(t, err)
	p.write(p.pins)
	return p
}

func (p *pinned) write(pins *approver.Pins) {
	p.t.Helper()
	data, err := pins.File(p.private)
	require.NoError(p.t, err)
	require.NoError(p.t, os.WriteFile(p.path, data, 0o600))
}

func (p *pinned) allow(address, name string) {
	p.t.Helper()
	require.NoError(p.t, p.Client.Funds.AddToWhitelist(p.t.Context(), p.Company, p.Fund, qredo.WhitelistEntry{Asset: "BTC-TESTNET", Address: address, Name: name}))
}

func (p *pinned) withdraw(address string) {
	p.t.Helper()
	_, err := p.Client.Transfers.Withdraw(p.t.Context(), p.Company, qredo.WithdrawalRequest{
		WalletID: p.From[0].ID, Address: address, Reference: "invoice 7", Expires: qredo.TimeOf(p.clock.Now().Add(time.Hour)),
		Send: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: 76_543},
	})
	require.NoError(p.t, err)
}

// answering changes what the service says where a path ends so.
func (p *pinned) answering(path, was, is string) {
	p.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, path) || r.Header.Get("Upgrade") != "" {
			next.ServeHTTP(w, r)
			return
		}
		shown := httptest.NewRecorder()
		next.ServeHTTP(shown, r)
		assert.Contains(p.t, shown.Body.String(), was)
		_, _ = w.Write([]byte(strings.ReplaceAll(shown.Body.String(), was, is)))
	})
}

const approveEverything = `
rules:
  - name: all
    when: type in ["ApproveTransfer", "ApproveWithdraw"]
    then: approve
`

// What the service has changed since people agreed is left to them.
func TestWhatIsNotAsPinnedIsLeftToPeople(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *pinned)
		send   func(p *pinned)
		reason string // approved if empty
	}{
		"a withdrawal as agreed": {func(*pinned) {}, func(p *pinned) { p.withdraw(agreed) }, ""},
		"a transfer as agreed":   {func(*pinned) {}, func(p *pinned) { p.transfer(1, "") }, ""},
		"an address that was added to the whitelist": {func(p *pinned) { p.allow(other, "treasury") }, func(p *pinned) { p.withdraw(other) },
			`address "` + other + `" is not pinned for BTC-TESTNET of fund`},
		"an address under another name": {func(p *pinned) { p.answering("/action/", `"treasury"`, `"payout 7"`) }, func(p *pinned) { p.withdraw(agreed) },
			`is pinned as "treasury", and is called "payout 7"`},
		"the address for another asset": {func(p *pinned) {
			p.pins.Funds[0].Addresses[0].Asset = "LTC-TESTNET"
			p.write(p.pins)
		}, func(p *pinned) { p.withdraw(agreed) }, "is not pinned for BTC-TESTNET"},
		"a wallet that is not pinned": {func(p *pinned) {
			p.pins.Funds[0].Wallets = p.pins.Funds[0].Wallets[1:]
			p.write(p.pins)
		}, func(p *pinned) { p.transfer(1, "") }, "is not pinned"},
		"a wallet in another fund": {func(p *pinned) {
			p.pins.Funds[0].ID = "another"
			p.write(p.pins)
		}, func(p *pinned) { p.transfer(1, "") }, "is pinned in fund another, and is in fund"},
		"a lower threshold": {func(p *pinned) { // the service shows now what it did not when they agreed
			p.pins.Funds[0].Wallets[0].Withdraw.Threshold = 2
			p.write(p.pins)
		}, func(p *pinned) { p.withdraw(agreed) }, "is approved by 1 of"},
		"another member": {func(p *pinned) { p.answering("/wallet/", string(p.Core), "mallory") }, func(p *pinned) { p.transfer(1, "") }, "is approved by 1 of mallory, and pinned is 1 of"},
		"no group":       {func(p *pinned) { p.answering("/wallet/", `"policy_tx"`, `"nothing"`) }, func(p *pinned) { p.transfer(1, "") }, "is approved by nobody, and pinned is 1 of"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPinned(t)
			c.change(p)
			p.start(rulesAt(t, approveEverything, p.clock.Now), approver.WithPins(p.path, p.public))
			c.send(p)
			decision, result := p.next(approver.EntryDecision), p.next(approver.EntryResult)
			assert.Len(t, decision.PinsHash, 64)
			assert.Equal(t, "all", decision.Rule)
			if c.reason == "" {
				assert.Equal(t, approver.Approve, decision.Verdict, decision.Reason)
				assert.Equal(t, approver.OutcomeSent, result.Outcome)
				return
			}
			assert.Equal(t, approver.Leave, decision.Verdict)
			assert.Contains(t, decision.Reason, "not as pinned: ")
			assert.Contains(t, decision.Reason, c.reason)
			assert.Equal(t, approver.OutcomeLeft, result.Outcome)
		})
	}
}

// A withdrawal's line says what it is about.
func TestWithdrawalsInTheAuditLog(t *testing.T) {
	p := newPinned(t)
	stop := p.start(rulesAt(t, approveEverything, p.clock.Now))
	p.withdraw(agreed)
	amount := qredo.Amount(76_543)
	for _, kind := range []approver.EntryKind{approver.EntryDecision, approver.EntryResult} {
		assert.Equal(t, approver.About{
			Type: qredo.ActionWithdraw, Wallet: p.From[0].ID, Asset: "BTC-TESTNET", Amount: &amount, NetAmount: &amount, Recipient: agreed,
			WhitelistName: "treasury", Reference: "invoice 7",
		}, p.next(kind).About)
	}
	require.NoError(t, stop())
	data, err := os.ReadFile(p.logPath)
	require.NoError(t, err)
	assert.Contains(t, string(data), `"asset":"BTC-TESTNET","amount":76543,"net_amount":76543,"recipient":"`+agreed+`","whitelist_name":"treasury","reference":"invoice 7"`)
	for _, secret := range []string{"76543", agreed, "invoice 7"} {
		assert.NotContains(t, p.logged.String(), secret, "amounts, recipients and references are not logged")
	}
}

// Policies that cannot be looked at for a while are looked at again.
func TestPinsWaitForTheService(t *testing.T) {
	p := newPinned(t)
	var looks atomic.Int64
	p.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.Contains(r.URL.Path, "/wallet/") && looks.Add(1) <= 3 {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
	p.start(rulesAt(t, approveEverything, p.clock.Now), approver.WithPins(p.path, p.public))
	p.transfer(1, "")
	assert.Equal(t, approver.OutcomeSent, p.next(approver.EntryResult).Outcome)
	assert.EqualValues(t, 4, looks.Load())
}

// A rule that rejects needs no pins: what it rejects does not move.
func TestPinsHoldNoRejectionBack(t *testing.T) {
	p := newPinned(t)
	p.allow(other, "treasury")
	p.start(rulesAt(t, "rules:\n  - {name: none, when: type == \"ApproveWithdraw\", then: reject}\n", p.clock.Now), approver.WithPins(p.path, p.public))
	p.withdraw(other)
	assert.Equal(t, approver.Reject, p.next(approver.EntryDecision).Verdict)
	p.next(approver.EntryResult)
}

func TestPinsAreReloaded(t *testing.T) {
	p := newPinned(t)
	a, _ := p.startOne(rulesAt(t, approveEverything, p.clock.Now), approver.WithPins(p.path, p.public))
	before := p.pins.Funds[0].Addresses
	p.pins.Funds[0].Addresses = nil
	p.write(p.pins)
	require.NoError(t, p.reload(a, false, approveEverything))
	line := p.next(approver.EntryReload)
	p.withdraw(agreed)
	decision := p.next(approver.EntryDecision)
	assert.Equal(t, approver.Leave, decision.Verdict)
	assert.Equal(t, line.PinsHash, decision.PinsHash)
	p.next(approver.EntryResult)

	require.NoError(t, os.WriteFile(p.path, []byte("{}"), 0o600))
	require.ErrorIs(t, p.reload(a, false, approveEverything), approver.ErrPinsNotSigned)
	assert.Contains(t, p.next(approver.EntryReload).Reason, "not reloaded")
	p.withdraw(agreed)
	assert.Equal(t, decision.PinsHash, p.next(approver.EntryDecision).PinsHash)
	p.next(approver.EntryResult)

	p.pins.Funds[0].Addresses = before
	p.write(p.pins)
	require.NoError(t, p.reload(a, false, approveEverything))
	p.withdraw(agreed)
	assert.Equal(t, approver.Approve, p.next(approver.EntryDecision).Verdict)
	p.next(approver.EntryResult)
}

func TestExplainTellsOfPins(t *testing.T) {
	p := newPinned(t)
	p.allow(other, "new")
	a, err := approver.New(p.Client, p.Core, rulesAt(t, approveEverything, p.clock.Now), approver.WithPins(p.path, p.public))
	require.NoError(t, err)
	p.withdraw(other)
	open, err := p.Client.CoreClients.ListActions(t.Context(), p.Core)
	require.NoError(t, err)
	e, err := a.Explain(t.Context(), open[0].ID)
	require.NoError(t, err)
	assert.Equal(t, approver.Leave, e.Decision.Verdict)
	assert.Contains(t, e.Decision.Reason, "not as pinned")
}

func TestPinsThatAreNotSignedAreRefused(t *testing.T) {
	p := newPinned(t)
	good, err := os.ReadFile(p.path)
	require.NoError(t, err)
	parsed, err := approver.ParsePins(good, p.public)
	require.NoError(t, err)
	assert.Equal(t, p.pins.Lines(), parsed.Lines())
	assert.Empty(t, parsed.Diff(p.pins))

	var compact bytes.Buffer
	require.NoError(t, json.Compact(&compact, good))
	again, err := approver.ParsePins(compact.Bytes(), p.public)
	require.NoError(t, err, "how it is written does not matter")
	assert.Equal(t, parsed.Hash(), again.Hash())

	unsigned, err := p.pins.File(nil)
	require.NoError(t, err)
	_, err = approver.UnverifiedPins(unsigned)
	require.NoError(t, err)
	another := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize))
	forged, err := p.pins.File(another)
	require.NoError(t, err)
	for name, data := range map[string][]byte{
		"unsigned": unsigned, "another's": forged, "empty": []byte("{}"),
		"another address":   bytes.Replace(good, []byte(agreed), []byte(other), 1),
		"another threshold": bytes.Replace(good, []byte(`"threshold": 1`), []byte(`"threshold": 0`), 1),
		"another time":      bytes.Replace(good, []byte(`"made": "2`), []byte(`"made": "1`), 1),
	} {
		require.NotEqual(t, good, data, name)
		_, err := approver.ParsePins(data, p.public)
		require.ErrorIs(t, err, approver.ErrPinsNotSigned, name)
	}
	for name, data := range map[string][]byte{
		"nothing": nil, "a page": []byte("<html>"), "cut": good[:len(good)/2], "more after it": append(bytes.Clone(good), good...),
		"what it does not know": bytes.Replace(good, []byte(`"funds":`), []byte(`"everything": true, "funds":`), 1),
	} {
		_, err := approver.ParsePins(data, p.public)
		require.Error(t, err, name)
		require.NotErrorIs(t, err, approver.ErrPinsNotSigned, name)
	}
	for _, key := range []ed25519.PublicKey{nil, p.public[1:]} {
		_, err := approver.ParsePins(good, key)
		require.ErrorIs(t, err, approver.ErrPinsNotSigned)
		_, err = approver.New(p.Client, p.Core, rulesAt(t, approveEverything, p.clock.Now), approver.WithPins(p.path, key))
		requireInvalid(t, err, "pins")
	}
	_, err = approver.New(p.Client, p.Core, rulesAt(t, approveEverything, p.clock.Now), approver.WithPins(p.path, another.Public().(ed25519.PublicKey)))
	require.ErrorIs(t, err, approver.ErrPinsNotSigned)
}

func TestPinsThatOthersCanWriteAreRefused(t *testing.T) {
	p := newPinned(t)
	require.NoError(t, os.Chmod(p.path, 0o666))
	_, err := approver.New(p.Client, p.Core, rulesAt(t, approveEverything, p.clock.Now), approver.WithPins(p.path, p.public))
	require.ErrorAs(t, err, new(*durable.OthersCanWriteError))
	require.ErrorContains(t, err, "chmod go-w "+p.path)
	_, err = approver.New(p.Client, p.Core, rulesAt(t, approveEverything, p.clock.Now), approver.WithPins(p.path, p.public), approver.WithInsecureFiles())
	require.NoError(t, err)
}

func TestDifferencesOfPins(t *testing.T) {
	p := newPinned(t)
	p.allow(other, "new")
	now, err := approver.MakePins(t.Context(), p.Client, p.Company, p.Fund)
	require.NoError(t, err)
	assert.Equal(t, []string{`+ fund ` + string(p.Fund) + ` ("Assets") may withdraw BTC-TESTNET to ` + other + ` ("new")`}, p.pins.Diff(now))
	assert.Equal(t, []string{`- fund ` + string(p.Fund) + ` ("Assets") may withdraw BTC-TESTNET to ` + other + ` ("new")`}, now.Diff(p.pins))
	assert.Len(t, p.pins.Lines(), 1+len(p.From)+len(p.To))
}

// What was decided and waits to be sent is held against what is pinned then: people may have taken an address back.
func TestPinsAreAskedBeforeEachVote(t *testing.T) {
	p := newPinned(t)
	p.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/action/") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
	a, stop := p.startOne(rulesAt(t, approveEverything, p.clock.Now), approver.WithPins(p.path, p.public))
	p.withdraw(agreed)
	assert.Equal(t, approver.Approve, p.next(approver.EntryDecision).Verdict)
	p.pins.Funds[0].Addresses = nil
	p.write(p.pins)
	require.NoError(t, p.reload(a, false, approveEverything))
	left := p.next(approver.EntryResult)
	assert.Equal(t, approver.OutcomeLeft, left.Outcome)
	assert.Contains(t, left.Reason, "not as pinned: address")
	require.NoError(t, stop())
}
