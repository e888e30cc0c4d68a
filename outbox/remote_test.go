package outbox_test

import (
	"context"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
)

// remotely runs a test with an Operator that reaches the outbox of the desk through its handler.
func remotely(t *testing.T, test func(t *testing.T, d *desk, remote outbox.Operator)) {
	t.Helper()
	atDesk(t, func(t *testing.T, d *desk) {
		client := &http.Client{Transport: inProcess{d.handler}}
		test(t, d, outbox.Remote(client, "https://ops.example"+prefix))
	})
}

// inProcess has a handler answer requests.
type inProcess struct{ http.Handler }

// RoundTrip answers a request.
func (h inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	r.RequestURI = r.URL.RequestURI()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	h.ServeHTTP(w, r)
	return w.Result(), nil
}

func collect(t *testing.T, list iter.Seq2[outbox.Entry, error]) (entries []outbox.Entry) {
	t.Helper()
	for e, err := range list {
		require.NoError(t, err)
		entries = append(entries, e)
	}
	return entries
}

// TestRemoteSeesTheSame: all that an Operator shows is the same from another program.
func TestRemoteSeesTheSame(t *testing.T) {
	remotely(t, func(t *testing.T, d *desk, remote outbox.Operator) {
		local, err := outbox.Operate(d.store)
		require.NoError(t, err)
		for i, state := range []outbox.State{outbox.StatePending, outbox.StateSent, outbox.StateHeld, outbox.StateDone, outbox.StateFailed} {
			d.put(t, "key "+string(state), transfer(1<<53+1+qredo.Amount(i)), func(e *outbox.Entry) {
				e.State, e.Unknown, e.Updated = state, state == outbox.StateHeld, time.Now().UTC()
				e.Carrier = map[string]string{"trace": "1"}
			})
			<-time.After(time.Second)
		}
		middle := time.Now().Add(-2500 * time.Millisecond).UTC()
		for name, f := range map[string]outbox.Filter{
			"all": {}, "unknown": {Unknown: true}, "states": {States: []outbox.State{outbox.StateSent, outbox.StateDone}},
			"since": {UpdatedSince: middle}, "before": {UpdatedBefore: middle}, "both": {UpdatedSince: middle, UpdatedBefore: time.Now()},
		} {
			want := collect(t, local.List(t.Context(), f))
			assert.NotEmpty(t, want, name)
			assert.Equal(t, want, collect(t, remote.List(t.Context(), f)), name)
			page, err := remote.Page(t.Context(), f, want[0], 1)
			require.NoError(t, err)
			assert.Equal(t, append([]outbox.Entry{}, want[1:min(2, len(want))]...), append([]outbox.Entry{}, page...), name)
		}
		got, err := remote.Get(t.Context(), "key held")
		require.NoError(t, err)
		assert.Equal(t, d.get(t, "key held"), got)
		stats, err := remote.Stats(t.Context())
		require.NoError(t, err)
		want, err := local.Stats(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, stats)
	})
}

// TestRemotePagesAreNotCut: a list is as long as there are entries, though an answer has a bound.
func TestRemotePagesAreNotCut(t *testing.T) {
	remotely(t, func(t *testing.T, d *desk, remote outbox.Operator) {
		const n = 1201
		for i := range n {
			d.enqueue(t, strings.Repeat("k", i%7+1)+string(rune(0x4e00+i)), transfer(qredo.Amount(i+1)))
		}
		assert.Len(t, collect(t, remote.List(t.Context(), outbox.Filter{})), n)
		assert.Len(t, collect(t, remote.List(t.Context(), outbox.Filter{UpdatedBefore: time.Now().Add(time.Hour)})), n)
		page, err := remote.Page(t.Context(), outbox.Filter{}, outbox.Entry{}, 700)
		require.NoError(t, err)
		assert.Len(t, page, 700)
	})
}

func TestRemoteDecides(t *testing.T) {
	remotely(t, func(t *testing.T, d *desk, remote outbox.Operator) {
		d.put(t, "made", transfer(5), isUnknown)
		e, err := remote.Resolve(t.Context(), "made", "tx-1", "Bob\nsays: é & =")
		require.NoError(t, err)
		assert.Equal(t, d.get(t, "made"), e)
		assert.Equal(t, "Bob\nsays: é & =", e.Steps[1].Note)
		d.put(t, "not made", transfer(6), isUnknown)
		<-time.After(2 * time.Hour)
		e, err = remote.Resolve(t.Context(), "not made", "", "Bob")
		require.NoError(t, err)
		assert.Equal(t, outbox.StateFailed, e.State)
		d.put(t, "held", transfer(7), is(outbox.StateHeld))
		e, err = remote.Retry(t.Context(), "held", "Bob")
		require.NoError(t, err)
		assert.Equal(t, outbox.StatePending, e.State)
		var last outbox.Entry
		for e, err := range remote.Watch(t.Context(), "not made") {
			require.NoError(t, err)
			last = e
		}
		assert.Equal(t, outbox.StateFailed, last.State)
	})
}

// TestRemoteErrorsAreTheSame: what an Outbox refuses is refused in the same words, and with the same error.
func TestRemoteErrorsAreTheSame(t *testing.T) {
	remotely(t, func(t *testing.T, d *desk, remote outbox.Operator) {
		d.put(t, "key", transfer(5), isUnknown)
		d.put(t, "done", transfer(6), func(e *outbox.Entry) { e.State, e.TxID = outbox.StateDone, "tx-taken" })
		_, err := remote.Get(t.Context(), "nope")
		require.ErrorIs(t, err, outbox.ErrNotFound)
		_, err = remote.Resolve(t.Context(), "key", "tx-taken", "Bob")
		require.ErrorIs(t, err, outbox.ErrTxIDTaken)
		_, err = remote.Resolve(t.Context(), "key", "", "Bob")
		requireInvalid(t, err, "tx_id")
		_, err = remote.Resolve(t.Context(), "key", "tx-1", "")
		requireInvalid(t, err, "note")
		_, err = remote.Retry(t.Context(), "done", "Bob")
		requireInvalid(t, err, "key")
		c, err := d.store.Take(t.Context(), "key", time.Now(), time.Now().Add(time.Minute))
		require.NoError(t, err)
		_, err = remote.Retry(t.Context(), "key", "Bob")
		require.ErrorIs(t, err, outbox.ErrBusy)
		require.NoError(t, d.store.Postpone(t.Context(), c))
		_, err = remote.Prune(t.Context(), time.Now())
		require.Error(t, err)
		require.NoError(t, d.store.Close())
		_, err = remote.Stats(t.Context())
		require.ErrorIs(t, err, outbox.ErrClosed)
	})
}

// damaged is an Operator of an entry that cannot be read.
type damaged struct{ outbox.Operator }

func (damaged) entry() outbox.Entry { return outbox.NewRecords(nil).Damaged("key", assert.AnError) }

// Get returns it.
func (d damaged) Get(context.Context, string) (outbox.Entry, error) { return d.entry(), nil }

// Page returns it.
func (d damaged) Page(context.Context, outbox.Filter, outbox.Entry, int) ([]outbox.Entry, error) {
	return []outbox.Entry{d.entry()}, nil
}

// Stats counts it.
func (damaged) Stats(context.Context) (outbox.Stats, error) {
	return outbox.Stats{States: map[outbox.State]int{outbox.StateHeld: 1}, Unknown: 1}, nil
}

// TestWhatCannotBeReadIsShown: an entry without a request breaks no list and no page, and can be neither resolved nor retried.
func TestWhatCannotBeReadIsShown(t *testing.T) {
	handler := outbox.Handler(damaged{})
	remote := outbox.Remote(&http.Client{Transport: inProcess{handler}}, "https://ops.example/")
	e, err := remote.Get(t.Context(), "key")
	require.NoError(t, err)
	assert.Equal(t, damaged{}.entry(), e)
	assert.Equal(t, []outbox.Entry{damaged{}.entry()}, collect(t, remote.List(t.Context(), outbox.Filter{})))
	for _, path := range []string{"/", "/entry?key=key"} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		assert.Equal(t, http.StatusOK, w.Code)
		assert.Contains(t, bare(w.Body.String()), assert.AnError.Error())
		assert.NotContains(t, w.Body.String(), `method="post"`)
	}
}

func TestRemoteOfSomethingElse(t *testing.T) {
	for name, handler := range map[string]http.Handler{
		"nothing": http.NotFoundHandler(),
		"a login": http.RedirectHandler("/login", http.StatusUnauthorized),
		"a page":  http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }),
		"JSON":    http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }),
	} {
		t.Run(name, func(t *testing.T) {
			remote := outbox.Remote(&http.Client{Transport: inProcess{handler}}, "https://ops.example/")
			_, err := remote.Resolve(t.Context(), "key", "tx", "Bob")
			require.Error(t, err)
			require.NotErrorIs(t, err, outbox.ErrNotFound)
			_, err = remote.Stats(t.Context())
			require.Error(t, err)
			_, err = remote.Page(t.Context(), outbox.Filter{Unknown: true}, outbox.Entry{}, 1)
			require.Error(t, err, "not: there is nothing unknown")
		})
	}
}
