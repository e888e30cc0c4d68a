package approver_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// What cannot be brought to its end before it expires has a line in the audit log all the same, which says why.
func TestWhatIsGivenUpIsInTheAuditLog(t *testing.T) {
	for name, c := range map[string]struct {
		method  string // of the requests that are refused, until the action has expired
		refusal fail
		after   bool // looking at the action works once it has expired
		outcome approver.Outcome
		verdict approver.Verdict
		reason  string
	}{
		"never looked at":                       {http.MethodGet, 403, false, approver.OutcomeExpired, "", "403"},
		"looked at when it had expired":         {http.MethodGet, 404, true, approver.OutcomeExpired, "", "the action is"},
		"the vote was never permitted":          {http.MethodPut, 403, true, approver.OutcomeRefused, approver.Approve, "403"},
		"the vote was refused as if it existed": {http.MethodPut, 409, true, approver.OutcomeExpired, approver.Approve, "the action is"},
		"the vote was answered by a proxy":      {http.MethodPut, page, true, approver.OutcomeExpired, approver.Approve, "the action is"},
		"the vote may have been taken":          {http.MethodPut, 409, false, approver.OutcomeUnknown, approver.Approve, "a vote may have been sent before"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			var refused atomic.Int64
			d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				n := refused.Load()
				switch action := strings.Contains(r.URL.Path, "/action/"); {
				case action && (r.Method == c.method && n < 3 || r.Method == http.MethodGet && n >= 3 && !c.after):
					if refused.Add(1) == 3 {
						d.clock.Forward(time.Hour)
					}
					c.refusal.answer(w, r, next)
				default:
					next.ServeHTTP(w, r)
				}
			})
			d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
			d.transfer(1, "")
			result := d.next(approver.EntryResult)
			assert.Equal(t, c.outcome, result.Outcome)
			assert.Equal(t, c.verdict, result.Verdict)
			assert.Contains(t, result.Reason, c.reason)
			assert.NotEmpty(t, result.ActionID)
			written := d.written()
			assert.Equal(t, result.Reason, written[len(written)-1].Reason)
		})
	}
}

func TestWhatIsOverAtTheFirstLookIsInTheAuditLog(t *testing.T) {
	for kind, opts := range map[approver.EntryKind][]approver.Option{approver.EntryResult: nil, approver.EntryShadow: {approver.WithShadow()}} {
		t.Run(string(kind), func(t *testing.T) {
			d := newDesk(t)
			var looked sync.Once
			d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/action/") {
					looked.Do(func() {
						d.Intercept(nil)
						_, id, _ := strings.Cut(r.URL.Path, "/action/")
						assert.NoError(t, d.Client.CoreClients.Approve(t.Context(), d.Core, qredo.ActionID(id)))
					})
				}
				next.ServeHTTP(w, r)
			})
			d.start(rulesAt(t, rulesFile("true"), d.clock.Now), opts...)
			d.transfer(1, "")
			entry := d.next(kind)
			assert.Equal(t, approver.OutcomeEnded, entry.Outcome)
			assert.Equal(t, "the action is approved", entry.Reason)
			assert.Empty(t, entry.Verdict)
			assert.Len(t, d.written(), 1)
		})
	}
}

func TestNothingIsSentAfterExpiry(t *testing.T) {
	t.Run("while the service fails", func(t *testing.T) {
		d := newDesk(t)
		var sent atomic.Int64
		var expire sync.Once
		d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Method != http.MethodPut {
				next.ServeHTTP(w, r)
				return
			}
			sent.Add(1)
			if sent.Load() == 3 {
				expire.Do(func() { d.clock.Forward(time.Hour) }) // to the very moment
			}
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
		d.transfer(1, "")
		assert.Equal(t, approver.OutcomeExpired, d.next(approver.EntryResult).Outcome)
		assert.EqualValues(t, 3, sent.Load())
	})
	t.Run("while all of it is away", func(t *testing.T) { // whether the one vote arrived, nobody knows
		d := newDesk(t)
		var sent atomic.Int64
		d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			switch {
			case r.Method == http.MethodPut:
				sent.Add(1)
				d.clock.Forward(time.Hour)
			case sent.Load() == 0:
				next.ServeHTTP(w, r)
				return
			}
			panic(http.ErrAbortHandler)
		})
		d.start(rulesAt(t, rulesFile("true"), d.clock.Now))
		d.transfer(1, "")
		result := d.next(approver.EntryResult)
		assert.Equal(t, approver.OutcomeUnknown, result.Outcome)
		assert.Contains(t, result.Reason, "a vote may have been sent before")
		assert.EqualValues(t, 1, sent.Load())
	})
	t.Run("when the decision took too long", func(t *testing.T) {
		d := newDesk(t)
		count := d.failing(http.MethodPut)
		d.start(approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
			d.clock.Forward(time.Hour)
			return approver.Decision{Verdict: approver.Approve}, nil
		}))
		d.transfer(1, "")
		assert.Equal(t, approver.OutcomeExpired, d.next(approver.EntryResult).Outcome)
		assert.Zero(t, count.Load())
	})
	t.Run("when the decision took too long, and the service goes away", func(t *testing.T) { // no vote was sent: that is known
		d := newDesk(t)
		var votes atomic.Int64
		d.start(approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
			d.clock.Forward(time.Hour)
			d.Intercept(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
				if r.Method == http.MethodPut {
					votes.Add(1)
				}
				panic(http.ErrAbortHandler)
			})
			return approver.Decision{Verdict: approver.Approve}, nil
		}))
		d.transfer(1, "")
		assert.Equal(t, approver.OutcomeExpired, d.next(approver.EntryResult).Outcome)
		assert.Zero(t, votes.Load())
	})
	t.Run("when storing the decision took too long, by a voter that heeds no context", func(t *testing.T) {
		d := newDesk(t)
		v := &voter{d: d}
		d.store = slow{d.store, func() { d.clock.Forward(time.Hour) }}
		d.start(rulesAt(t, rulesFile("true"), d.clock.Now), approver.WithVoter(v))
		d.transfer(1, "")
		assert.Equal(t, approver.OutcomeExpired, d.next(approver.EntryResult).Outcome)
		assert.Zero(t, v.calls[2].Load())
	})
}

// slow is a store in which a decision has been stored only after a while.
type slow struct {
	approver.Store
	passes func()
}

func (s slow) Reserve(ctx context.Context, rec approver.Record, spends []approver.Spend) (approver.Record, error) {
	stands, err := s.Store.Reserve(ctx, rec, spends)
	s.passes()
	return stands, err
}
