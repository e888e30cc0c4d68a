package approver_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// dedicate makes a wallet of another custody group that is connected to the desk's core client, with a billion satoshi.
func (d *desk) dedicate() qredo.Wallet {
	d.t.Helper()
	ctx, clients := d.t.Context(), d.Client.CoreClients
	owner, err := clients.Create(ctx, "owner")
	require.NoError(d.t, err)
	require.NoError(d.t, d.Client.TrustedNetwork.Add(ctx, d.Company, qredo.TrustedPartyRequest{Address: string(owner.ID)}))
	parties, err := d.Client.TrustedNetwork.List(ctx, d.Company)
	require.NoError(d.t, err)
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{parties[len(parties)-1].ID}}
	made, err := d.Client.Funds.Create(ctx, d.Company, qredo.FundRequest{
		Name: "Customer", CustodyGroupWithdraw: group, CustodyGroupTx: group, Wallets: []qredo.WalletRequest{{
			Asset: "BTC-TESTNET", Type: qredo.WalletDedicated, Connect: []qredo.ConnectRequest{{CounterpartyID: string(d.Core), ClientID: "customer-7"}},
		}},
	})
	require.NoError(d.t, err)
	asking, err := clients.ListWallets(ctx, d.Core)
	require.NoError(d.t, err)
	require.Len(d.t, asking, 1)
	require.NoError(d.t, clients.Approve(ctx, d.Core, asking[0].ActionID))
	fund, err := d.Client.Funds.Get(ctx, d.Company, made.ID)
	require.NoError(d.t, err)
	_, err = d.Sandbox.Deposit(fund.Wallets[0].Address, 1_000_000_000)
	require.NoError(d.t, err)
	return fund.Wallets[0]
}

// sweep asks for one, into the first of the desk's wallets to send to.
func (d *desk) sweep(from qredo.Wallet) qredo.TxID {
	d.t.Helper()
	sent, err := d.Client.CoreClients.Sweep(d.t.Context(), d.Core, qredo.SweepRequest{
		WalletID: from.ID, RecipientWalletID: d.To[0].ID, Expires: qredo.TimeOf(d.clock.Now().Add(time.Hour)),
		Send: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: 1000},
	})
	require.NoError(d.t, err)
	return sent.TxID
}

// A sweep has the type of a transfer. It was approved by each of these rules but the last.
func TestSweepsAreApprovedByRulesThatNameThem(t *testing.T) {
	for when, want := range map[string]approver.Verdict{
		`true`: approver.Leave, `type == "ApproveTransfer"`: approver.Leave, `type in ["ApproveTransfer", "ApproveWithdraw"] && amount <= 5000`: approver.Leave,
		`amount <= 5000`: approver.Leave, `!sweep`: approver.Leave, `sweep == false`: approver.Leave, `sweep != true || amount <= 5000`: approver.Leave,
		`sweep && amount > 5000 || amount <= 5000`: approver.Leave,
		`sweep`: approver.Approve, `sweep == true && amount <= 5000`: approver.Approve, `!(sweep != true)`: approver.Approve, `sweep || amount <= 5000`: approver.Approve,
	} {
		d := newDesk(t)
		wallet := d.dedicate()
		d.start(rulesAt(t, rulesFile(when), d.clock.Now))
		d.sweep(wallet)
		decision := d.next(approver.EntryDecision)
		assert.Equal(t, want, decision.Verdict, when)
		require.NotNil(t, decision.Sweep, when)
		assert.True(t, *decision.Sweep, when)
		if want == approver.Leave && when != "!sweep" && when != "sweep == false" {
			assert.Equal(t, `no rule matches: it may be a sweep, which nobody else approves, and rule "only" does not name sweeps`, decision.Reason)
		}
		d.next(approver.EntryResult)
	}
}

// A transfer out of a wallet that is not connected is no sweep, though others are.
func TestTransfersThatAreNoSweeps(t *testing.T) {
	d := newDesk(t)
	d.dedicate()
	d.start(rulesAt(t, "rules:\n  - {name: sweeps, when: sweep, then: reject}\n  - {name: others, when: amount <= 5000, then: approve}\n", d.clock.Now))
	d.transfer(5000, "")
	decision := d.next(approver.EntryDecision)
	assert.Equal(t, []any{approver.Approve, "others"}, []any{decision.Verdict, decision.Rule})
	require.NotNil(t, decision.Sweep)
	assert.False(t, *decision.Sweep)
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
}

// The service is asked once for an action, and only where the answer matters; without an answer nothing is decided.
func TestHowOftenConnectionsAreLookedUp(t *testing.T) {
	d := newDesk(t)
	var looks, failing atomic.Int64
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.HasSuffix(r.URL.Path, "/wallets") && looks.Add(1) <= failing.Load() {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
	stop := d.start(rulesAt(t, threeRules, d.clock.Now))
	decide := func(amount qredo.Amount, reference string) (approver.Verdict, int64) {
		looks.Store(0)
		d.transfer(amount, reference)
		verdict := d.next(approver.EntryDecision).Verdict
		d.next(approver.EntryResult)
		return verdict, looks.Load()
	}
	for _, c := range []struct {
		amount    qredo.Amount
		reference string
		want      approver.Verdict
		looks     int64
	}{{100, "", approver.Approve, 1}, {100, "STOP", approver.Reject, 0}, {5001, "", approver.Leave, 0}} {
		verdict, looks := decide(c.amount, c.reference)
		assert.Equal(t, c.want, verdict)
		assert.Equal(t, c.looks, looks)
	}
	failing.Store(3)
	verdict, looked := decide(200, "")
	assert.Equal(t, approver.Approve, verdict)
	assert.EqualValues(t, 4, looked)
	require.NoError(t, stop())
	assert.Contains(t, d.logged.String(), "whether a transfer may be a sweep: the wallets that are connected to the core client")
}

// Whatever policy there is, an approval that is not meant for sweeps does not count for one.
func TestPoliciesThatDoNotNameSweeps(t *testing.T) {
	for name, c := range map[string]struct {
		decide func(ctx context.Context, a qredo.Action) approver.Decision
		want   approver.Verdict
	}{
		"one that does not ask": {func(context.Context, qredo.Action) approver.Decision {
			return approver.Decision{Verdict: approver.Approve}
		}, approver.Leave},
		"one that means it": {func(context.Context, qredo.Action) approver.Decision {
			return approver.Decision{Verdict: approver.Approve, Sweep: true}
		}, approver.Approve},
		"one that asks": {func(ctx context.Context, a qredo.Action) approver.Decision {
			may, known := approver.MayBeSweep(ctx, a)
			return approver.Decision{Verdict: approver.Approve, Sweep: may && known}
		}, approver.Approve},
		"one that rejects": {func(context.Context, qredo.Action) approver.Decision {
			return approver.Decision{Verdict: approver.Reject}
		}, approver.Reject},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			wallet := d.dedicate()
			a, _ := d.startOne(approver.PolicyFunc(func(ctx context.Context, a qredo.Action) (approver.Decision, error) { return c.decide(ctx, a), nil }), approver.WithShadow())
			d.sweep(wallet)
			line := d.next(approver.EntryShadow)
			assert.Equal(t, c.want, line.Verdict, line.Reason)
			e, err := a.Explain(t.Context(), line.ActionID)
			require.NoError(t, err)
			assert.Equal(t, c.want, e.Decision.Verdict)
		})
	}
}

// What cannot be known is not approved, and what the details say counts.
func TestWhetherATransferMayBeASweep(t *testing.T) {
	rules := rulesAt(t, "rules:\n  - {name: others, when: amount <= 5000, then: approve}\n", at(noon))
	named := rulesAt(t, rulesFile("sweep"), at(noon))
	for name, c := range map[string]struct {
		ctx           context.Context
		action        qredo.Action
		others, sweep approver.Verdict
	}{
		"a transfer":            {plain(t), newAction(), approver.Approve, approver.Leave},
		"one that may be":       {approver.ContextWithSweep(t.Context(), true), newAction(), approver.Leave, approver.Approve},
		"nobody to ask":         {t.Context(), newAction(), approver.Leave, approver.Leave},
		"the word of transfers": {plain(t), newAction(func(a *qredo.Action) { a.Details.TxType = "transferOut" }), approver.Approve, approver.Leave},
		"another word":          {plain(t), newAction(func(a *qredo.Action) { a.Details.TxType = "sweepOut" }), approver.Leave, approver.Approve},
		"a withdrawal":          {t.Context(), newAction(withdrawal("bc1q", "payee")), approver.Approve, approver.Leave},
	} {
		for _, asked := range []struct {
			rules *approver.Rules
			want  approver.Verdict
		}{{rules, c.others}, {named, c.sweep}} {
			d, err := asked.rules.Decide(c.ctx, c.action)
			require.NoError(t, err)
			assert.Equal(t, asked.want, d.Verdict, name)
			assert.Equal(t, d.Verdict == approver.Approve && asked.rules == named, d.Sweep, name)
		}
	}
	stops := rulesAt(t, "rules:\n  - {name: sweeps, when: sweep, then: reject}\n  - {name: others, when: amount <= 5000, then: approve}\n", at(noon))
	d, err := stops.Decide(t.Context(), newAction())
	require.NoError(t, err)
	assert.Equal(t, []any{approver.Leave, "sweeps"}, []any{d.Verdict, d.Rule})
	assert.Contains(t, d.Reason, "the service does not say sweep")

	text := rules.Explain(t.Context(), newAction()).String()
	assert.Contains(t, text, "\n  whether it is a sweep is not known\n")
	text = rules.Explain(approver.ContextWithSweep(t.Context(), true), newAction()).String()
	assert.Contains(t, text, `leave: no rule matches: it may be a sweep, which nobody else approves, and rule "others" does not name sweeps`)
	assert.Contains(t, text, "\n  it may be a sweep, which nobody else approves\n")
}

// The wallet that a sweep leaves must be said as the service lists it.
func TestTransfersOutOfNoWalletThatIsSaidAreNotApproved(t *testing.T) {
	for _, wallet := range []string{"", "maple otter cloud", "maple-otter-cloud", "W,", `W\t`} {
		p := newPinned(t)
		p.answering("/action/", `"walletID":"`+string(p.From[0].ID)+`"`, `"walletID":"`+wallet+`"`)
		p.start(rulesAt(t, rulesFile("type == \"ApproveTransfer\""), p.clock.Now))
		p.transfer(100, "")
		decision := p.next(approver.EntryDecision)
		assert.Equal(t, approver.Leave, decision.Verdict)
		assert.Contains(t, decision.Reason, "whether it is a sweep is not known")
		p.next(approver.EntryResult)
	}
}

// Nor by code that names no sweeps.
func TestCodeApprovesNoTransferOutOfNoWalletThatIsSaid(t *testing.T) {
	p := newPinned(t)
	p.answering("/action/", `"walletID":"`+string(p.From[0].ID)+`"`, `"walletID":"W,"`)
	p.start(approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
		return approver.Decision{Verdict: approver.Approve}, nil
	}))
	p.transfer(100, "")
	decision := p.next(approver.EntryDecision)
	assert.Equal(t, approver.Leave, decision.Verdict)
	assert.Contains(t, decision.Reason, "whether it is a sweep is not known, and the policy does not name sweeps")
	p.next(approver.EntryResult)
}

// So must those that are connected: an entry whose wallet is not clear may be the one.
func TestConnectedWalletsThatAreNotClear(t *testing.T) {
	for _, list := range []string{`[{"wallet_id":"W,"}]`, `[{"wallet_id":" W"}]`, `[{"wallet_id":"maple-otter-cloud"}]`} {
		p := newPinned(t)
		p.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if strings.Contains(r.URL.Path, "/coreclient/") && strings.HasSuffix(r.URL.Path, "/wallets") {
				_, _ = w.Write([]byte(`{"wallets":` + list + `}`))
				return
			}
			next.ServeHTTP(w, r)
		})
		p.start(rulesAt(t, rulesFile("type == \"ApproveTransfer\""), p.clock.Now))
		p.transfer(100, "")
		e := p.next(approver.EntryDecision)
		assert.Equal(t, approver.Leave, e.Verdict, list)
		assert.Contains(t, e.Reason, "whether it is a sweep is not known")
		p.next(approver.EntryResult)
	}
}

func TestConditionsOnSweeps(t *testing.T) {
	for _, when := range []string{`type == "ApproveWithdraw" && sweep`, `sweep && !sweep`, `type in ["ApproveSwap", "ApproveExternalSign"] && sweep == true`} {
		_, err := approver.ParseRules("rules.yaml", []byte(rulesFile(when)))
		require.ErrorContains(t, err, "can never hold", when)
	}
	for _, when := range []string{`sweep == 1`, `sweep == "true"`, `amount == true`, `sweep < true`, `true == true`} {
		_, err := approver.ParseRules("rules.yaml", []byte(rulesFile(when)))
		require.ErrorAs(t, err, new(*approver.RuleError), when)
	}
	both := strings.Join(warned(t, "sweep", approver.Approve), "\n")
	for _, fact := range []string{"wallet", "recipient"} {
		assert.Contains(t, both, "the rule approves sweeps, which nobody else approves, whatever their "+fact)
		assert.NotContains(t, strings.Join(warned(t, "sweep && "+fact+` == "W"`, approver.Approve), "\n"), "whatever their "+fact)
	}
	for _, when := range []string{"!sweep", "sweep == false", "fees > 5"} {
		assert.NotContains(t, strings.Join(warned(t, when, approver.Approve), "\n"), "approves sweeps")
	}
	assert.NotContains(t, strings.Join(warned(t, "sweep", approver.Reject), "\n"), "approves sweeps")
}

// With pins, a rule that names sweeps is not enough.
func TestSweepsThatAreNotPinnedAreLeftToPeople(t *testing.T) {
	for name, c := range map[string]struct {
		pin    func(p *pinned, from qredo.Wallet)
		reason string // approved if empty
	}{
		"nothing about it": {func(*pinned, qredo.Wallet) {}, `may be swept into wallet "`},
		"into another wallet": {func(p *pinned, from qredo.Wallet) {
			p.pins.Sweeps = []approver.PinnedSweep{{Wallet: from.ID, Recipients: []qredo.WalletID{p.To[1].ID}}}
		}, "is not pinned"},
		"out of another wallet": {func(p *pinned, _ qredo.Wallet) {
			p.pins.Sweeps = []approver.PinnedSweep{{Wallet: p.From[0].ID, Recipients: []qredo.WalletID{p.To[0].ID}}}
		}, "is not pinned"},
		"this one into that": {func(p *pinned, from qredo.Wallet) {
			p.pins.Sweeps = []approver.PinnedSweep{{Wallet: from.ID, Recipients: []qredo.WalletID{p.To[1].ID, p.To[0].ID}}}
		}, ""},
		"and the wallet, by now with another group": {func(p *pinned, from qredo.Wallet) {
			group := &qredo.CustodyGroup{Threshold: 2, Members: []qredo.TrustedEntityID{"a", "b"}}
			p.pins.Funds[0].Wallets = append(p.pins.Funds[0].Wallets, approver.PinnedWallet{ID: from.ID, Withdraw: group, Tx: group})
			p.pins.Funds[0].ID = ""
			p.pins.Sweeps = []approver.PinnedSweep{{Wallet: from.ID, Recipients: []qredo.WalletID{p.To[0].ID}}}
		}, "not as pinned: wallet"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPinned(t) // without the wallet, which is a customer's
			from := p.dedicate()
			c.pin(p, from)
			p.write(p.pins)
			p.start(rulesAt(t, rulesFile("sweep"), p.clock.Now), approver.WithPins(p.path, p.public))
			p.sweep(from)
			decision, result := p.next(approver.EntryDecision), p.next(approver.EntryResult)
			if c.reason == "" {
				assert.Equal(t, approver.OutcomeSent, result.Outcome, result.Reason)
				return
			}
			assert.Equal(t, approver.Leave, decision.Verdict)
			assert.Contains(t, decision.Reason, c.reason)
			assert.Equal(t, approver.OutcomeLeft, result.Outcome)
		})
	}
}

// What is pinned of sweeps is signed and shown; a file without it has the signature that it had.
func TestPinnedSweepsAreSignedAndShown(t *testing.T) {
	p := newPinned(t)
	plainFile, err := p.pins.File(nil)
	require.NoError(t, err)
	assert.NotContains(t, string(plainFile), "sweeps")
	before, err := p.pins.File(p.private)
	require.NoError(t, err)
	more := *p.pins
	more.Sweeps = []approver.PinnedSweep{{Wallet: "A", Recipients: []qredo.WalletID{"B", "C"}}}
	assert.Equal(t, []string{
		"+ wallet A may be swept into wallet B, and nobody but the core client approves that",
		"+ wallet A may be swept into wallet C, and nobody but the core client approves that",
	}, p.pins.Diff(&more))
	file, err := more.File(p.private)
	require.NoError(t, err)
	_, err = approver.ParsePins(file, p.public)
	require.NoError(t, err)
	_, err = approver.ParsePins([]byte(strings.Replace(string(file), `"C"`, `"D"`, 1)), p.public)
	require.ErrorIs(t, err, approver.ErrPinsNotSigned)
	assert.NotEqual(t, before, file)
}
