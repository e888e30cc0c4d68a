package outbox_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
)

var approved = []any{qredo.TxApproved}

// TestEndings has every way in which the service can behave lead to the end that it must.
func TestEndings(t *testing.T) {
	lost := errors.New("lost")
	for name, test := range map[string]struct {
		script []reply
		looks  []any
		state  outbox.State
		steps  string
		reason string
		made   bool // whether the service has made the transaction
	}{
		"approved": {[]reply{works}, approved, "done", "enqueued sent status done", "", true},
		"approved later": {
			[]reply{works},
			[]any{qredo.TxPending, qredo.TxPending, qredo.TxPending, qredo.TxApproved}, "done", "enqueued sent status status done", "", true,
		},
		"looking fails for a while": {
			[]reply{works},
			[]any{lost, 404, lost, qredo.TxPending, lost, qredo.TxApproved},
			"done", "enqueued sent delayed delayed delayed status delayed status done", "", true,
		},
		"rejected":              {[]reply{works}, []any{qredo.TxPending, qredo.TxCustodyRejected}, "rejected", "enqueued sent status status rejected", "custody_rejected", true},
		"authorised first":      {[]reply{works}, []any{qredo.TxPendingInitiate, qredo.TxPending, qredo.TxApproved}, "done", "enqueued sent status status status done", "", true},
		"not authorised":        {[]reply{works}, []any{qredo.TxPendingInitiate, qredo.TxInitiateRejected}, "rejected", "enqueued sent status status rejected", "initiate_rejected", true},
		"rejected in one word":  {[]reply{works}, []any{qredo.TxRejected}, "rejected", "enqueued sent status rejected", "rejected", true},
		"rejected by the chain": {[]reply{works}, []any{qredo.TxChainRejected}, "rejected", "enqueued sent status rejected", "chain_rejected", true},
		"not approved in time":  {[]reply{works}, []any{qredo.TxExpired}, "expired", "enqueued sent status expired", "not approved in time", true},

		"refused":                 {[]reply{noMoney}, approved, "failed", "enqueued failed", "no money", false},
		"not found":               {[]reply{notFound}, approved, "failed", "enqueued failed", "errNotFound", false},
		"refused for good":        {[]reply{blocked}, approved, "failed", "enqueued failed", "blocked", false},
		"refused after an outage": {[]reply{down, tooMany, noMoney}, approved, "failed", "enqueued delayed delayed failed", "no money", false},

		"the service was down":         {[]reply{down, down, works}, approved, "done", "enqueued delayed*2 sent status done", "", true},
		"the key was wrong":            {[]reply{badKey, works}, approved, "done", "enqueued delayed sent status done", "", true},
		"the permission was not there": {[]reply{forbidden, works}, approved, "done", "enqueued delayed sent status done", "", true},
		"too many requests":            {[]reply{tooMany, works}, approved, "done", "enqueued delayed sent status done", "", true},
		"pages of tomorrow":            {[]reply{aheadPage, aheadPage, works}, approved, "done", "enqueued unknown*2 sent status done", "", true},
		"a page of another server":     {[]reply{page404, redirect, works}, approved, "done", "enqueued unknown unknown sent status done", "", true},

		"the answer was lost":       {[]reply{answerLost, works}, approved, "done", "enqueued unknown sent status done", "", true},
		"the request was lost":      {[]reply{asksLost, works}, approved, "done", "enqueued unknown sent status done", "", true},
		"an answer without tx_id":   {[]reply{noTxID, works}, approved, "done", "enqueued unknown sent status done", "", true},
		"an answer of another kind": {[]reply{noPath, longTxID, works}, approved, "done", "enqueued unknown unknown sent status done", "", true},
		"an answer that is cut":     {[]reply{cut, works}, approved, "done", "enqueued unknown sent status done", "", true},
		"a fault before":            {[]reply{fault500, works}, approved, "done", "enqueued unknown sent status done", "", true},
		"a fault after":             {[]reply{handled500, works}, approved, "done", "enqueued unknown sent status done", "", true},
		"a page of a proxy":         {[]reply{page502, works}, approved, "done", "enqueued unknown sent status done", "", true},
		"a timeout of the service":  {[]reply{handled408, works}, approved, "done", "enqueued unknown sent status done", "", true},
		"exists already":            {[]reply{conflict, works}, approved, "done", "enqueued unknown sent status done", "", true},
		"lost, refused, then found": {[]reply{answerLost, noMoney, notFound, forbidden, down, works}, approved, "done", "enqueued unknown unknown unknown unknown unknown sent status done", "", true},
		"lost and rejected":         {[]reply{answerLost, works}, []any{qredo.TxCustodyRejected}, "rejected", "enqueued unknown sent status rejected", "custody_rejected", true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, test.script, test.looks, true, func(t *testing.T, b *bench) {
				first := b.enqueue(t, "key", transfer(5))
				e := b.until(t, "key", ended)
				assert.Equal(t, test.state, e.State)
				assert.Equal(t, test.steps, kinds(e))
				assert.False(t, e.Unknown)
				assert.Equal(t, len(test.script), e.Attempts)
				if test.reason == "" {
					assert.Empty(t, e.Reason)
				} else {
					assert.Contains(t, e.Reason, test.reason)
				}
				require.Len(t, b.sent(), len(test.script))
				for _, p := range b.sent() {
					assert.Equal(t, string(first.PartnerTxID), p.partner)
					assert.Equal(t, b.sent()[0].body, p.body)
				}
				if test.made {
					assert.Equal(t, "tx-"+string(first.PartnerTxID), string(e.TxID))
				} else {
					assert.Empty(t, e.TxID)
					assert.Zero(t, b.transactions())
				}
			})
		})
	}
}

// TestUnknownIsNeverFailed: after an attempt that may have been carried out, nothing but an answer with the
// transaction ends it, and operators see it all the time.
func TestUnknownIsNeverFailed(t *testing.T) {
	for name, doubt := range map[string]reply{"lost": answerLost, "a fault": fault500, "no tx_id": noTxID, "exists": conflict} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, []reply{down, doubt, noMoney}, approved, true, func(t *testing.T, b *bench) {
				b.enqueue(t, "key", transfer(5))
				e := b.until(t, "key", func(e outbox.Entry) bool { return e.Attempts == 15 && !e.Sending })
				assert.Equal(t, outbox.StatePending, e.State)
				assert.True(t, e.Unknown)
				assert.Equal(t, "enqueued delayed unknown unknown*13", kinds(e))
				var listed []string
				for e, err := range b.box.List(t.Context(), outbox.Filter{Unknown: true}) {
					require.NoError(t, err)
					listed = append(listed, e.Key)
				}
				assert.Equal(t, []string{"key"}, listed)
			})
		})
	}
}

func TestAttemptsArePausedEverLonger(t *testing.T) {
	inBubble(t, []reply{down}, approved, true, func(t *testing.T, b *bench) {
		r := transfer(5)
		r.Expires = qredo.TimeOf(time.Now().Add(10 * time.Hour))
		b.enqueue(t, "key", r)
		b.until(t, "key", func(e outbox.Entry) bool { return e.Attempts == 20 })
		longest := time.Second
		for i := 1; i < len(b.sent()); i++ {
			pause := b.sent()[i].at.Sub(b.sent()[i-1].at)
			assert.GreaterOrEqual(t, pause, longest/2)
			assert.LessOrEqual(t, pause, longest+time.Second, "and until the worker asks the store")
			longest = min(2*longest, 5*time.Minute)
		}
	})
}

func TestTheRequestIsSentAsItWasStored(t *testing.T) {
	expires := qredo.Unix(time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC).Unix()) // bubbles begin at midnight
	send := qredo.AssetAmount{Asset: "BTC", Amount: 7}
	for name, test := range map[string]struct {
		request outbox.Request
		path    string
		body    string
	}{
		"transfer": {
			outbox.Transfer{CompanyID: "acme", TransferRequest: qredo.TransferRequest{WalletID: "w", Counterparty: "c", Reference: "r", BenefitOf: "b", AccountNo: "a", AuthorizeID: "i", Expires: expires, Send: send}},
			"/p/company/acme/transfer",
			`{"wallet_id":"w","counterparty_wallet_address":"c","reference":"r","benefit_of":"b","account_no":"a","partner_txID":"{id}","authorize_id":"i","expires":946688400,"send":{"symbol":"BTC","amount":7}}`,
		},
		"withdrawal": {
			outbox.Withdrawal{CompanyID: "acme", WithdrawalRequest: qredo.WithdrawalRequest{WalletID: "w", Address: "x", Reference: "r", Expires: expires, Send: send}},
			"/p/company/acme/withdraw",
			`{"wallet_id":"w","address":"x","reference":"r","partner_txID":"{id}","expires":946688400,"send":{"symbol":"BTC","amount":7}}`,
		},
		"sweep": {
			outbox.Sweep{CoreClientID: "core", SweepRequest: qredo.SweepRequest{WalletID: "w", RecipientWalletID: "x", Expires: expires, Send: send}},
			"/p/coreclient/core/sweep",
			`{"wallet_id":"w","recipient_wallet_id":"x","partner_txID":"{id}","expires":946688400,"send":{"symbol":"BTC","amount":7}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			// The second attempt is after the expiry, the way around the client's own check.
			inBubble(t, []reply{answerLost, works}, approved, false, func(t *testing.T, b *bench) {
				e := b.enqueue(t, "key", test.request)
				stop := b.run(t)
				b.until(t, "key", unknown)
				stop()
				<-time.After(2 * time.Hour)
				stop = b.run(t)
				done := b.until(t, "key", ended)
				stop()
				assert.Equal(t, outbox.StateDone, done.State)
				require.Len(t, b.sent(), 2)
				for _, p := range b.sent() {
					assert.Equal(t, test.path, p.path)
					assert.Equal(t, strings.Replace(test.body, "{id}", string(e.PartnerTxID), 1), p.body)
				}
			})
		})
	}
}

func TestExpiry(t *testing.T) {
	t.Run("before any attempt", func(t *testing.T) {
		inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
			b.enqueue(t, "key", transfer(5))
			<-time.After(time.Hour)
			stop := b.run(t)
			e := b.until(t, "key", ended)
			stop()
			assert.Equal(t, outbox.StateExpired, e.State)
			assert.Equal(t, "it expired before it was sent", e.Reason)
			assert.Empty(t, b.sent())
			assert.Zero(t, e.Attempts)
		})
	})
	t.Run("while the service is down", func(t *testing.T) {
		inBubble(t, []reply{down}, approved, true, func(t *testing.T, b *bench) {
			b.enqueue(t, "key", transfer(5))
			e := b.until(t, "key", ended)
			assert.Equal(t, outbox.StateExpired, e.State)
			last := b.sent()[len(b.sent())-1].at
			assert.True(t, last.Before(e.Request.(outbox.Transfer).Expires.Time), "sent when it had expired")
		})
	})
	t.Run("by the client's clock", func(t *testing.T) {
		inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
			client, err := qredo.NewClient(anyone{}, qredo.WithBaseURL("http://127.0.0.1/p"), qredo.WithClock(func() time.Time { return time.Now().Add(2 * time.Hour) }))
			require.NoError(t, err)
			b.box, err = outbox.New(client, b.store)
			require.NoError(t, err)
			b.enqueue(t, "key", transfer(5))
			stop := b.run(t)
			assert.Equal(t, outbox.StateExpired, b.until(t, "key", ended).State)
			stop()
		})
	})
	t.Run("while the outcome is unknown", func(t *testing.T) {
		inBubble(t, []reply{answerLost, down}, approved, true, func(t *testing.T, b *bench) {
			b.enqueue(t, "key", transfer(5))
			long := b.until(t, "key", func(e outbox.Entry) bool { return time.Since(e.Created) > 3*time.Hour })
			assert.True(t, long.Unknown)
			assert.Equal(t, outbox.StatePending, long.State)
			b.mu.Lock()
			b.script = []reply{noMoney, works}
			b.mu.Unlock()
			e := b.until(t, "key", ended)
			assert.Equal(t, outbox.StateDone, e.State)
			assert.Contains(t, kinds(e), "unknown sent status done")
		})
	})
}

func TestNewRefusesWrongOptions(t *testing.T) {
	client, err := qredo.NewClient(anyone{}, qredo.WithBaseURL("http://127.0.0.1:1"))
	require.NoError(t, err)
	store := openFile(t)
	for field, opt := range map[string]outbox.Option{
		"clock": outbox.WithClock(nil), "logger": outbox.WithLogger(nil), "concurrency": outbox.WithConcurrency(0), "lease": outbox.WithLease(0),
		"poll interval": outbox.WithPollInterval(0), "backoff": outbox.WithBackoff(2, 1), "option": nil,
	} {
		_, err := outbox.New(client, store, opt)
		requireInvalid(t, err, field)
	}
	_, err = outbox.New(nil, store)
	requireInvalid(t, err, "outbox")
	_, err = outbox.New(client, nil)
	requireInvalid(t, err, "outbox")
	_, err = outbox.New(client, store, outbox.WithClock(time.Now), outbox.WithLogger(slog.Default()), outbox.WithConcurrency(1),
		outbox.WithLease(1), outbox.WithPollInterval(1), outbox.WithBackoff(1, 1))
	require.NoError(t, err)
}

func TestListAndWatch(t *testing.T) {
	inBubble(t, []reply{works}, []any{qredo.TxPending, qredo.TxApproved}, false, func(t *testing.T, b *bench) {
		for i := range 600 { // more than a part
			e := b.enqueue(t, string(rune('a'+i%26))+strings.Repeat("x", i/26), transfer(qredo.Amount(i+1)))
			require.NotEmpty(t, e.Key)
		}
		var last string
		n := 0
		for e, err := range b.box.List(t.Context(), outbox.Filter{States: []outbox.State{outbox.StatePending}}) {
			require.NoError(t, err)
			require.Less(t, last, e.Key)
			last = e.Key
			n++
		}
		assert.Equal(t, 600, n)
		for _, err := range b.box.List(t.Context(), outbox.Filter{}) {
			require.NoError(t, err)
			break
		}

		for _, err := range b.box.Watch(t.Context(), "none") {
			require.ErrorIs(t, err, outbox.ErrNotFound)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		n = 0
		for _, err := range b.box.Watch(ctx, "a") { // nobody works on it: nothing changes
			if n++; n == 1 {
				require.NoError(t, err)
				cancel()
				continue
			}
			require.ErrorIs(t, err, context.Canceled)
		}
		assert.Equal(t, 2, n)
	})
	inBubble(t, []reply{works}, []any{qredo.TxPending, qredo.TxApproved}, true, func(t *testing.T, b *bench) {
		b.enqueue(t, "key", transfer(5))
		version := 0
		var last outbox.Entry
		for e, err := range b.box.Watch(t.Context(), "key") {
			require.NoError(t, err)
			require.Greater(t, e.Version, version)
			version, last = e.Version, e
		}
		assert.Equal(t, outbox.StateDone, last.State)
	})
}

func TestRunEndsWhenTheStoreIsClosed(t *testing.T) {
	inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
		done := make(chan error)
		go func() { done <- b.box.Run(t.Context()) }()
		synctest.Wait()
		require.NoError(t, b.store.Close())
		require.ErrorIs(t, <-done, outbox.ErrClosed)
		for _, err := range b.box.List(t.Context(), outbox.Filter{}) {
			require.ErrorIs(t, err, outbox.ErrClosed)
		}
		_, err := b.box.Enqueue(t.Context(), "key", transfer(5))
		require.ErrorIs(t, err, outbox.ErrClosed)
	})
}
