package outbox_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
)

// An answer to one payment's request that comes again for another's names a transaction that is another entry's.
func TestATransactionBelongsToOneEntry(t *testing.T) {
	inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
		one := b.enqueue(t, "one", transfer(5))
		stop := b.run(t)
		b.until(t, "one", ended)
		stale := reply{status: 200, body: `{"tx_id":"tx-` + string(one.PartnerTxID) + `","status":"new"}`}
		b.mu.Lock()
		b.script = []reply{stale, works}
		b.mu.Unlock()
		two := b.enqueue(t, "two", transfer(7))
		e := b.until(t, "two", ended)
		stop()
		assert.Equal(t, "enqueued unknown sent status done", kinds(e))
		assert.Contains(t, e.Steps[1].Note, "belongs to another entry")
		assert.Equal(t, "tx-"+string(two.PartnerTxID), string(e.TxID))
		assert.Equal(t, 2, b.transactions())
	})
}

// An answer to one payment's request comes for another's before the first has its own. Its transaction is not kept from it.
func TestATransactionIsLeftToItsOwner(t *testing.T) {
	inBubble(t, []reply{answerLost, down}, []any{details(`{"asset":"BTC","netAmount":5}`)}, false, func(t *testing.T, b *bench) {
		one := b.enqueue(t, "one", transfer(5))
		stop := b.run(t)
		b.until(t, "one", unknown)
		stop()
		b.script = []reply{{status: 200, body: `{"tx_id":"tx-` + string(one.PartnerTxID) + `","status":"existing"}`}, works}
		b.enqueue(t, "two", transfer(7))
		stop = b.run(t)
		two := b.until(t, "two", func(e outbox.Entry) bool { return e.State == outbox.StateHeld })
		assert.Equal(t, outbox.StateDone, b.until(t, "one", ended).State)
		stop()
		assert.True(t, two.Unknown)
		assert.Contains(t, two.Reason, "transaction tx-"+string(one.PartnerTxID)+" is another payment's")
	})
}

// An unknown transaction does not make an entry wait for ever: a person may have mistyped its ID.
func TestATransactionThatIsNotThere(t *testing.T) {
	held := func(e outbox.Entry) bool { return e.State == outbox.StateHeld }
	inBubble(t, []reply{answerLost, noMoney, works}, []any{404}, false, func(t *testing.T, b *bench) {
		b.enqueue(t, "key", transfer(5))
		stop := b.run(t)
		b.until(t, "key", unknown)
		stop()
		_, err := b.box.Resolve(t.Context(), "key", "tx-mistyped", "Ann: from the app")
		require.NoError(t, err)
		stop = b.run(t)
		began := time.Now()
		e := b.until(t, "key", held)
		assert.Greater(t, time.Since(began), 5*time.Minute, "it may be a matter of time")
		assert.Less(t, time.Since(began), time.Hour)
		assert.True(t, e.Unknown)
		assert.Contains(t, e.Reason, "does not know transaction tx-mistyped")
		assert.True(t, e.Resolvable())

		b.mu.Lock()
		b.looks = []any{details(`{"asset":"BTC","netAmount":7}`)}
		b.mu.Unlock()
		_, err = b.box.Retry(t.Context(), "key", "Ann: ask for it")
		require.NoError(t, err)
		e = b.until(t, "key", held)
		assert.Contains(t, e.Reason, "another payment's", "what is named now is not the person's word")

		b.mu.Lock()
		b.looks = []any{qredo.TxApproved}
		b.mu.Unlock()
		_, err = b.box.Resolve(t.Context(), "key", "tx-right", "Ann: this one")
		require.NoError(t, err)
		assert.Equal(t, outbox.StateDone, b.until(t, "key", ended).State)
		stop()
	})
	// What something on the way says, or an outage, tells nothing about the transaction.
	inBubble(t, []reply{works}, []any{page404}, true, func(t *testing.T, b *bench) {
		b.enqueue(t, "key", transfer(5))
		e := b.until(t, "key", func(e outbox.Entry) bool { return e.Misses == 30 })
		assert.Equal(t, outbox.StateSent, e.State)
	})
}

// A transaction that does not end, or that ends in a status unknown to this version, is left to a person.
func TestATransactionThatDoesNotEnd(t *testing.T) {
	for _, status := range []qredo.TxStatus{qredo.TxPending, "cancelled"} {
		inBubble(t, []reply{works}, []any{status}, false, func(t *testing.T, b *bench) {
			b.box = b.newBox(t, outbox.WithPollInterval(time.Minute)) // for two days, in few steps
			b.enqueue(t, "key", transfer(5))
			stop := b.run(t)
			defer stop()
			e := b.until(t, "key", func(e outbox.Entry) bool { return e.State == outbox.StateHeld })
			assert.Greater(t, time.Since(e.Created), 25*time.Hour)
			assert.Less(t, time.Since(e.Created), 27*time.Hour)
			assert.Contains(t, e.Reason, string(status))
			assert.False(t, e.Unknown)
			assert.Contains(t, e.InWords(time.Now()), "Its transaction was made")
			_, err := b.box.Retry(t.Context(), "key", "Ann: the service was stuck")
			require.NoError(t, err)
			e = b.until(t, "key", func(e outbox.Entry) bool { return e.State == outbox.StateHeld })
			assert.Len(t, b.sent(), 1)
			b.mu.Lock()
			b.looks = []any{qredo.TxApproved}
			b.mu.Unlock()
			_, err = b.box.Retry(t.Context(), "key", "Ann: once more")
			require.NoError(t, err)
			assert.Equal(t, outbox.StateDone, b.until(t, "key", ended).State)
			assert.Equal(t, "tx-"+e.PartnerTxID, qredo.PartnerTxID(b.until(t, "key", ended).TxID))
		})
	}
}

// If the transaction of another program's payment is named, what it moves shows that.
func TestWhatATransactionMovesIsCompared(t *testing.T) {
	const hex = "0xAbCdEf0123456789"
	withReference := transfer(5)
	withReference.Reference = "invoice 17"
	withdrawal := func(address string) outbox.Request {
		return outbox.Withdrawal{CompanyID: "acme", WithdrawalRequest: qredo.WithdrawalRequest{
			WalletID: "from", Address: address, Expires: transfer(5).Expires, Send: qredo.AssetAmount{Asset: "BTC", Amount: 5},
		}}
	}
	toCode := transfer(5)
	toCode.Counterparty = "Alpha bravo-charlie"
	sweep := outbox.Sweep{CoreClientID: "core", SweepRequest: qredo.SweepRequest{
		WalletID: "from", RecipientWalletID: "to", Expires: transfer(5).Expires, Send: qredo.AssetAmount{Asset: "BTC", Amount: 5},
	}}
	for name, test := range map[string]struct {
		request outbox.Request
		moves   details
		reason  string // that it is held for; empty where it is done
	}{
		"the same":                          {transfer(5), `{"asset":"BTC","amount":6,"netAmount":5,"fees":1,"recipientAddress":"to"}`, ""},
		"nothing is said":                   {transfer(5), `{}`, ""},
		"no recipient is said":              {transfer(5), `{"asset":"BTC","amount":6,"netAmount":5,"fees":1,"recipientAddress":""}`, ""},
		"a wallet's ID for its short code":  {toCode, `{"recipientAddress":"4xV"}`, ""},
		"a short code in another spelling":  {toCode, `{"recipientAddress":"alpha bravo charlie"}`, ""},
		"another short code":                {toCode, `{"recipientAddress":"alpha bravo delta"}`, "it goes to alpha bravo delta"},
		"another asset":                     {transfer(5), `{"asset":"ETH","netAmount":5}`, "it moves ETH, BTC was asked for"},
		"another amount":                    {transfer(5), `{"asset":"BTC","amount":8,"netAmount":7,"fees":1}`, "7 base units of BTC arrive, 5 were asked for"},
		"another amount, with its fees":     {transfer(5), `{"asset":"BTC","amount":5,"fees":1}`, "4 base units of BTC arrive, 5 were asked for"},
		"another recipient":                 {transfer(5), `{"recipientAddress":"other"}`, "it goes to other, to was asked for"},
		"a recipient in capitals":           {transfer(5), `{"recipientAddress":"TO"}`, "it goes to TO"},
		"another wallet":                    {transfer(5), `{"walletID":"elsewhere"}`, "it leaves wallet elsewhere, from was asked for"},
		"another reference":                 {withReference, `{"reference":"invoice 18"}`, `its reference is "invoice 18", "invoice 17" was asked for`},
		"a reference where none was given":  {transfer(5), `{"reference":"invoice 18"}`, `its reference is "invoice 18"`},
		"its reference":                     {withReference, `{"reference":"invoice 17"}`, ""},
		"an address in capitals":            {withdrawal(hex), details(`{"recipientAddress":"` + strings.ToLower(hex) + `"}`), ""},
		"another address":                   {withdrawal(hex), `{"recipientAddress":"0x00"}`, "it goes to 0x00"},
		"an address in capitals, of Base58": {withdrawal("1aB"), `{"recipientAddress":"1AB"}`, "it goes to 1AB"},
		"a sweep to another wallet":         {sweep, `{"walletID":"from","recipientWalletID":"other"}`, "it goes to wallet other, to was asked for"},
		"a sweep to its wallet, said twice": {sweep, `{"recipientWalletID":"to","recipientAddress":"to"}`, ""},
		"a sweep to its wallet":             {sweep, `{"walletID":"from","recipientWalletID":"to"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, []reply{works}, []any{test.moves}, true, func(t *testing.T, b *bench) {
				b.enqueue(t, "key", test.request)
				e := b.until(t, "key", func(e outbox.Entry) bool { return e.State.Ended() || e.State == outbox.StateHeld })
				if test.reason == "" {
					assert.Equal(t, outbox.StateDone, e.State)
					return
				}
				assert.Equal(t, outbox.StateHeld, e.State)
				assert.True(t, e.Unknown, "nothing tells what became of the request")
				assert.Contains(t, e.Reason, test.reason)
				<-time.After(24 * time.Hour)
				later, err := b.box.Get(t.Context(), "key")
				require.NoError(t, err)
				assert.Equal(t, e, later, "nothing happens to it before a person says so")
			})
		})
	}
}

// counting counts how often sent entries are stored.
type counting struct {
	outbox.Store
	looks, stored atomic.Int64
}

func (c *counting) Claim(ctx context.Context, w outbox.Want) ([]outbox.Claim, error) {
	list, err := c.Store.Claim(ctx, w)
	if w.Lane == outbox.LaneFollow {
		c.looks.Add(int64(len(list)))
	}
	return list, err
}

func (c *counting) Release(ctx context.Context, claim outbox.Claim) error {
	if claim.Entry.TxID != "" {
		c.stored.Add(1)
	}
	return c.Store.Release(ctx, claim)
}

func TestALookThatShowsNothingNewStoresNothing(t *testing.T) {
	inBubble(t, []reply{works}, []any{qredo.TxPending}, false, func(t *testing.T, b *bench) {
		store := &counting{Store: b.store}
		b.store = store
		b.box = b.newBox(t)
		b.enqueue(t, "key", transfer(5))
		stop := b.run(t)
		<-time.After(time.Hour)
		stop()
		assert.Greater(t, store.looks.Load(), int64(30))
		assert.Equal(t, int64(2), store.stored.Load(), "that it was sent, and its first status")
	})
}

// keyed is an authenticator that tells its API keys apart.
type keyed struct {
	anyone
	digest string
}

// APIKeyDigest returns a digest.
func (k keyed) APIKeyDigest() string { return k.digest }

// TestWhatIsUnknownIsNotSentWithAnotherKey: with another key, the service would not find what it made with the first.
func TestWhatIsUnknownIsNotSentWithAnotherKey(t *testing.T) {
	inBubble(t, []reply{answerLost, works}, approved, false, func(t *testing.T, b *bench) {
		box := func(digest string) *outbox.Outbox {
			client, err := qredo.NewClient(keyed{digest: digest}, qredo.WithBaseURL("http://127.0.0.1/p"),
				qredo.WithHTTPClient(b.client()), qredo.WithRetry(qredo.RetryPolicy{MaxAttempts: 1}))
			require.NoError(t, err)
			made, err := outbox.New(client, b.store)
			require.NoError(t, err)
			return made
		}
		b.box = box("one")
		b.enqueue(t, "key", transfer(5))
		stop := b.run(t)
		assert.Equal(t, "one", b.until(t, "key", unknown).APIKey)
		stop()
		b.box = box("two")
		stop = b.run(t)
		e := b.until(t, "key", func(e outbox.Entry) bool { return e.State == outbox.StateHeld })
		assert.True(t, e.Unknown)
		assert.Contains(t, e.Reason, "another API key")
		other := b.enqueue(t, "other", transfer(5))
		assert.Equal(t, "two", b.until(t, "other", ended).APIKey)
		stop()
		assert.Equal(t, 2, b.transactions())
		require.Len(t, b.sent(), 2)
		assert.Equal(t, string(other.PartnerTxID), b.sent()[1].partner)

		b.box = box("one")
		_, err := b.box.Retry(t.Context(), "key", "Ann: the first key is back")
		require.NoError(t, err)
		stop = b.run(t)
		assert.Equal(t, outbox.StateDone, b.until(t, "key", ended).State)
		stop()
		assert.Equal(t, 2, b.transactions())
	})
}

// TestAClockThatJumps: for a while this machine's clock is hours ahead. Nothing ends for it, and nothing waits for the time
// that it showed.
func TestAClockThatJumps(t *testing.T) {
	var ahead atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	jumpFor := func(d time.Duration) {
		ahead.Store(int64(6 * time.Hour))
		<-time.After(d)
		ahead.Store(0)
	}
	for name, test := range map[string]struct {
		script []reply
		looks  []any
	}{
		"before it is sent":           {[]reply{works}, approved},
		"while it cannot be sent":     {[]reply{down, down, down, works}, approved},
		"while it is unknown":         {[]reply{answerLost, down, works}, approved},
		"while it waits for approval": {[]reply{works}, []any{qredo.TxPending, qredo.TxPending, qredo.TxPending, qredo.TxApproved}},
		"while looks fail":            {[]reply{works}, []any{404, 404, 404, qredo.TxApproved}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, test.script, test.looks, false, func(t *testing.T, b *bench) {
				b.box = b.newBox(t, outbox.WithClock(clock))
				b.enqueue(t, "key", transfer(5))
				if name == "before it is sent" {
					ahead.Store(int64(6 * time.Hour))
				}
				stop := b.run(t)
				synctest.Wait()
				jumpFor(600 * time.Millisecond)
				began := time.Now()
				e := b.until(t, "key", ended)
				stop()
				assert.Equal(t, outbox.StateDone, e.State, e.Reason)
				assert.Less(t, time.Since(began), 10*time.Minute)
				assert.Equal(t, 1, b.transactions())
			})
		})
	}
}

// A machine starts with a clock that is hours ahead, and sets it some minutes later.
func TestAClockThatIsSetLate(t *testing.T) {
	inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
		var ahead atomic.Int64
		clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		client, err := qredo.NewClient(anyone{}, qredo.WithBaseURL("http://127.0.0.1/p"), qredo.WithHTTPClient(b.client()), qredo.WithClock(clock))
		require.NoError(t, err)
		b.box, err = outbox.New(client, b.store, outbox.WithClock(clock))
		require.NoError(t, err)
		b.enqueue(t, "key", transfer(5))
		ahead.Store(int64(6 * time.Hour))
		stop := b.run(t)
		<-time.After(4 * time.Minute)
		late, err := b.box.Get(t.Context(), "key")
		require.NoError(t, err)
		assert.True(t, late.Late)
		ahead.Store(0)
		e := b.until(t, "key", ended)
		stop()
		assert.Equal(t, outbox.StateDone, e.State, e.Reason)
		assert.Less(t, time.Since(e.Created), 5*time.Minute)
	})
}

// What is new comes without end. What was sent before, and is not known to be made, is asked for all the same.
func TestNothingIsHeldUpByWhatIsNew(t *testing.T) {
	for _, workers := range []int{1, 8} {
		inBubble(t, []reply{answerLost, works}, approved, false, func(t *testing.T, b *bench) {
			b.box = b.newBox(t, outbox.WithConcurrency(workers))
			b.enqueue(t, "old", transfer(5))
			stop := b.run(t)
			b.until(t, "old", unknown)
			stop()
			b.context = func(_ context.Context, method string) {
				if method == http.MethodPost {
					<-time.After(time.Second)
				}
			}
			for i := range 25 * workers {
				b.enqueue(t, fmt.Sprint("new ", i), transfer(qredo.Amount(i+1)))
			}
			began := time.Now()
			stop = b.run(t)
			b.until(t, "old", ended)
			assert.Less(t, time.Since(began), 12*time.Second)
			stats, err := b.box.Stats(t.Context())
			require.NoError(t, err)
			assert.Greater(t, stats.States[outbox.StatePending], 5*workers)
			stop()
		})
	}
}

func TestAPaymentIsNotHeldUpByThoseThatWait(t *testing.T) {
	inBubble(t, []reply{works}, []any{qredo.TxPending}, false, func(t *testing.T, b *bench) {
		b.lookTime = 30 * time.Second // the service is slow to tell
		for i := range 100 {
			b.enqueue(t, "old "+strings.Repeat("x", i), transfer(qredo.Amount(i+1)))
		}
		stop := b.run(t)
		<-time.After(time.Minute)
		began := time.Now()
		b.enqueue(t, "new", transfer(1000))
		b.until(t, "new", func(e outbox.Entry) bool { return e.TxID != "" })
		stop()
		assert.Less(t, time.Since(began), time.Second)
	})
}
