package approver_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/sandbox"
)

func TestApproverDecidesByRules(t *testing.T) {
	d := newDesk(t)
	rules := rulesAt(t, threeRules, d.clock.Now)
	stop := d.start(rules, approver.WithConcurrency(1))
	for _, c := range []struct {
		amount    qredo.Amount
		reference string
		verdict   approver.Verdict
		rule      string
		outcome   approver.Outcome
		status    qredo.ApprovalStatus
	}{
		{5000, "a", approver.Approve, "small", approver.OutcomeSent, qredo.ApprovalApproved},
		{5001, "b", approver.Leave, "by hand", approver.OutcomeLeft, qredo.ApprovalPending},
		{100, "STOP", approver.Reject, "blocked", approver.OutcomeSent, qredo.ApprovalRejected},
		{4001, "over the sum", approver.Reject, "small", approver.OutcomeSent, qredo.ApprovalRejected},
		{4000, "d", approver.Approve, "small", approver.OutcomeSent, qredo.ApprovalApproved},
		{1, "over the sum", approver.Reject, "small", approver.OutcomeSent, qredo.ApprovalRejected},
	} {
		tx := d.transfer(c.amount, c.reference)
		decision, result := d.next(approver.EntryDecision), d.next(approver.EntryResult)
		action := d.Action(t, tx)
		digest, err := approver.Digest(action)
		require.NoError(t, err)
		assert.Equal(t, c.verdict, decision.Verdict, c)
		assert.Equal(t, c.rule, decision.Rule, c)
		assert.Equal(t, action.ID, decision.ActionID, c)
		assert.Equal(t, digest, decision.Digest, c)
		assert.Equal(t, rules.Hash(), decision.PolicyHash, c)
		assert.Equal(t, "desk", decision.Replica, c)
		assert.NotEmpty(t, decision.Reason, c)
		for _, entry := range []approver.Entry{decision, result} {
			assert.Equal(t, c.rule == "small", entry.Sweep != nil && !*entry.Sweep, c)
			entry.Sweep = nil
			assert.Equal(t, approver.About{
				Type: qredo.ActionTransfer, Wallet: d.From[0].ID, Asset: "BTC-TESTNET", Amount: &c.amount, NetAmount: &c.amount,
				Recipient: string(d.To[0].ID), Reference: c.reference,
			}, entry.About, c)
		}
		assert.Equal(t, c.outcome, result.Outcome, c)
		assert.Equal(t, c.status, action.Status, c)
		if c.reference == "over the sum" {
			assert.Contains(t, decision.Reason, "of at most 9000 within 24h0m0s are used")
		}
	}
	require.NoError(t, stop())
	assert.Len(t, d.written(), 12)
	assert.NotContains(t, d.logged.String(), "STOP", "references are not logged")
	assert.NotContains(t, d.logged.String(), string(d.From[0].ID))
}

func TestTheAuditLogIsWrittenBeforeTheVote(t *testing.T) {
	d := newDesk(t)
	seen := make(chan int, 1)
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut {
			seen <- len(d.written())
		}
		next.ServeHTTP(w, r)
	})
	d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
	d.transfer(1, "")
	assert.Equal(t, 1, <-seen)
	d.next(approver.EntryResult)
}

func TestWithoutAnAuditLogNothingIsSent(t *testing.T) {
	d := newDesk(t)
	votes := make(chan string, 10)
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut {
			votes <- r.URL.Path
		}
		next.ServeHTTP(w, r)
	})
	log, err := approver.OpenAuditLog(d.logPath, approver.WithClock(d.clock.Now))
	require.NoError(t, err)
	require.NoError(t, log.Close())
	a, err := approver.New(d.Client, d.Core, rulesAt(t, rulesFile("true"), d.clock.Now), approver.WithAuditLog(log), approver.WithClock(d.clock.Now))
	require.NoError(t, err)
	d.transfer(1, "")
	require.ErrorIs(t, a.Run(t.Context()), os.ErrClosed)
	assert.Empty(t, votes)
}

func TestPoliciesThatFailLeaveToHumans(t *testing.T) {
	for name, c := range map[string]struct {
		policy approver.PolicyFunc
		reason string
	}{
		"an error": {func(context.Context, qredo.Action) (approver.Decision, error) {
			return approver.Decision{Verdict: approver.Approve, Rule: "r"}, errors.New("the database is away")
		}, "the policy failed: the database is away"},
		"an unknown verdict": {func(context.Context, qredo.Action) (approver.Decision, error) {
			return approver.Decision{Verdict: "yes"}, nil
		}, `the policy failed: the policy's verdict "yes" is none`},
		"approval over the limit": {func(context.Context, qredo.Action) (approver.Decision, error) {
			return approver.Decision{Verdict: approver.Approve, OverLimit: approver.Approve}, nil
		}, "would approve what is over the limit"},
		"a limit without window": {func(context.Context, qredo.Action) (approver.Decision, error) {
			return approver.Decision{Verdict: approver.Approve, Spends: []approver.Spend{{Counter: "c", MaxCount: 1}}}, nil
		}, "window"},
		"nothing": {func(context.Context, qredo.Action) (approver.Decision, error) { return approver.Decision{}, nil }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.start(c.policy)
			tx := d.transfer(1, "")
			decision, result := d.next(approver.EntryDecision), d.next(approver.EntryResult)
			assert.Equal(t, approver.Leave, decision.Verdict)
			assert.Contains(t, decision.Reason, c.reason)
			assert.Equal(t, approver.OutcomeLeft, result.Outcome)
			assert.Equal(t, qredo.ApprovalPending, d.Action(t, tx).Status)
			if c.reason != "" {
				assert.Contains(t, d.logged.String(), "level=ERROR")
			}
		})
	}
}

func TestThePolicySeesTheDetails(t *testing.T) {
	d := newDesk(t)
	seen := make(chan qredo.Action, 1)
	d.start(approver.PolicyFunc(func(_ context.Context, a qredo.Action) (approver.Decision, error) {
		seen <- a
		return approver.Decision{}, nil
	}))
	tx := d.transfer(77, "for you")
	a := <-seen
	require.NotNil(t, a.Details, "which the feed does not have")
	assert.Equal(t, tx, a.Details.TxID)
	assert.EqualValues(t, 77, a.Details.Amount)
}

// An amount in a rule, and what a limit counts, is what leaves the wallet: fees are part of it.
func TestAmountsOfRulesIncludeFees(t *testing.T) {
	d := newDesk(t, sandbox.WithFees(sandbox.FeeRate(1000)))
	d.start(rulesAt(t, `
rules:
  - name: gross
    when: amount <= 5_000_000
    then: approve
  - name: net
    when: net_amount <= 5_000_000 && amount == 5_005_000 && fees == 5_000
    then: approve
    limits: [{per: asset, window: 24h, max_amount: 10_009_999}]
`, d.clock.Now), approver.WithConcurrency(1))
	for _, c := range []struct {
		asked   qredo.Amount
		verdict approver.Verdict
		rule    string
	}{
		{4_995_004, approver.Approve, "gross"}, // with 4,996 in fees: 5,000,000
		{4_995_005, approver.Leave, ""},        // 5,000,001
		{5_000_000, approver.Approve, "net"},
		{5_000_000, approver.Leave, "net"}, // 5,005,000 twice are more than the limit
	} {
		d.transfer(c.asked, "")
		decision := d.next(approver.EntryDecision)
		assert.Equal(t, c.verdict, decision.Verdict, c)
		assert.Equal(t, c.rule, decision.Rule, c)
		d.next(approver.EntryResult)
	}
}

func TestARestartDecidesNothingTwice(t *testing.T) {
	d := newDesk(t)
	stop := d.start(rulesAt(t, threeRules, d.clock.Now))
	d.transfer(5001, "left")
	first := d.next(approver.EntryDecision)
	d.next(approver.EntryResult)
	require.NoError(t, stop())

	// Other rules would approve it now, but it was left to humans.
	stop = d.start(rulesAt(t, rulesFile("true"), d.clock.Now), approver.WithConcurrency(1)) // one after the other
	d.transfer(1, "new")
	assert.NotEqual(t, first.ActionID, d.next(approver.EntryDecision).ActionID)
	d.next(approver.EntryResult)
	require.NoError(t, stop())
	assert.Len(t, d.written(), 4)
}

func TestShadow(t *testing.T) {
	d := newDesk(t)
	for range 2 {
		d.transfer(5000, "")
	}
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		assert.Equal(t, http.MethodGet, r.Method, "nothing is sent")
		next.ServeHTTP(w, r)
	})
	stop := d.start(rulesAt(t, threeRules, d.clock.Now), approver.WithShadow(), approver.WithConcurrency(1))
	assert.Equal(t, approver.Approve, d.next(approver.EntryShadow).Verdict)
	assert.Equal(t, approver.Reject, d.next(approver.EntryShadow).Verdict, "over the limit of 9000")
	require.NoError(t, stop())
	for _, e := range d.written() {
		assert.Equal(t, approver.EntryShadow, e.Kind)
		_, found, err := d.store.Lookup(t.Context(), e.ActionID)
		require.NoError(t, err)
		assert.False(t, found)
	}
	for _, a := range d.Actions(t) {
		assert.Equal(t, qredo.ApprovalPending, a.Status)
	}
	used, err := d.store.Usage(t.Context(), []approver.Spend{{Counter: `of rule "small", asset "BTC-TESTNET", sum`, Window: time.Hour}})
	require.NoError(t, err)
	assert.Equal(t, []approver.Usage{{}}, used)

	// In earnest, the limit is all there is.
	d.Intercept(nil)
	d.start(rulesAt(t, threeRules, d.clock.Now), approver.WithConcurrency(1))
	assert.Equal(t, approver.Approve, d.next(approver.EntryDecision).Verdict)
	d.next(approver.EntryResult)
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	d := newDesk(t)
	policy := rulesAt(t, rulesFile("true"), time.Now)
	_, err := approver.New(nil, d.Core, policy)
	require.ErrorContains(t, err, "a client")
	_, err = approver.New(d.Client, "", policy)
	require.ErrorContains(t, err, "ID")
	_, err = approver.New(d.Client, d.Core, nil)
	requireInvalid(t, err, "approver")
	for _, c := range []struct {
		field  string
		option approver.Option
	}{
		{"option", nil},
		{"store", approver.WithStore(nil)},
		{"audit log", approver.WithAuditLog(nil)},
		{"coordinator", approver.WithCoordinator(nil)},
		{"observer", approver.WithObserver(nil)},
		{"logger", approver.WithLogger(nil)},
		{"clock", approver.WithClock(nil)},
		{"concurrency", approver.WithConcurrency(0)},
		{"policy timeout", approver.WithPolicyTimeout(0)},
		{"backoff", approver.WithBackoff(2, 1)},
		{"backoff", approver.WithBackoff(0, 1)},
	} {
		_, err := approver.New(d.Client, d.Core, policy, c.option)
		requireInvalid(t, err, c.field)
	}
}

func requireInvalid(t *testing.T, err error, field string) {
	t.Helper()
	var invalid *qredo.ValidationError
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, field, invalid.Field)
}

func TestAClockThatIsNilIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	_, err := approver.ParseRules("rules.yaml", []byte(rulesFile("true")), approver.WithClock(nil))
	requireInvalid(t, err, "clock")
	_, err = approver.OpenStore(path, approver.WithClock(nil))
	requireInvalid(t, err, "clock")
	_, err = approver.OpenAuditLog(path, approver.WithClock(nil))
	requireInvalid(t, err, "clock")
	assert.NoFileExists(t, path)
	assert.Panics(t, func() { approver.NewMemoryStore(approver.WithClock(nil)) })
}

func TestRunEndsWithTheFeed(t *testing.T) {
	d := newDesk(t)
	a, err := approver.New(d.Client, "no-such-core-client", rulesAt(t, rulesFile("true"), time.Now), approver.WithFeedOptions(
		qredo.WithGiveUp(time.Nanosecond), qredo.WithBackoff(time.Millisecond, time.Millisecond)))
	require.NoError(t, err)
	err = a.Run(t.Context())
	require.ErrorIs(t, err, qredo.ErrNotFound)
	assert.True(t, strings.HasPrefix(err.Error(), "approver: the feed has ended"), err)
}

// A trace is told of each time that an action is handled: the policy and the votes go on with its context.
func TestTrace(t *testing.T) {
	type key struct{}
	d := newDesk(t)
	handled, lines := make(chan approver.Handled, 10), make(chan approver.Entry, 100)
	policy := approver.PolicyFunc(func(ctx context.Context, a qredo.Action) (approver.Decision, error) {
		assert.Equal(t, a.ID, ctx.Value(key{}))
		return approver.Decision{Verdict: approver.Approve, Rule: "small"}, nil
	})
	stop := d.start(policy, approver.WithTrace(approver.Trace{
		Action: func(ctx context.Context, id qredo.ActionID) (context.Context, func(approver.Handled)) {
			return context.WithValue(ctx, key{}, id), func(h approver.Handled) { handled <- h }
		},
		Entry: func(e approver.Entry) { lines <- e },
	}))
	d.transfer(5, "small")
	assert.Equal(t, approver.Handled{Verdict: approver.Approve, Rule: "small", Outcome: approver.OutcomeSent, Attempt: 1}, <-handled)
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
	require.NoError(t, stop())
	assert.Equal(t, approver.EntryDecision, (<-lines).Kind)
}
