package approver_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// ahead is a clock that is two hours ahead of another once it is told to be.
type ahead struct {
	of  func() time.Time
	now atomic.Bool
}

func (a *ahead) Now() time.Time {
	if a.now.Load() {
		return a.of().Add(2 * time.Hour)
	}
	return a.of()
}

// stamped signs with the right time, whatever the client's clock says: so the service tells of no other, as it does not either
// where requests carry a nonce.
type stamped struct {
	qredo.Authenticator
	now func() time.Time
}

func (s stamped) Authenticate(req *http.Request, body []byte, _ time.Time) error {
	return s.Authenticator.Authenticate(req, body, s.now())
}

// clientWith returns a client for the desk's world that has another clock.
func (d *desk) clientWith(now func() time.Time, auth qredo.Authenticator) *qredo.Client {
	d.t.Helper()
	client, err := qredo.NewClient(auth, qredo.WithBaseURL(d.BaseURL), qredo.WithClock(now),
		qredo.WithHTTPClient(&http.Client{Transport: new(http.Transport)}))
	require.NoError(d.t, err)
	return client
}

// This machine's clock is two hours ahead. Once the service has told so, its clock counts.
func TestTheServicesClockCounts(t *testing.T) {
	d := newDesk(t)
	clock := &ahead{of: d.clock.Now}
	clock.now.Store(true)
	tx := d.transfer(1, "") // it expires in an hour
	d.Client = d.clientWith(clock.Now, d.Sandbox.Auth())
	d.start(rulesAt(t, approveAll, clock.Now), approver.WithClock(clock.Now))
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
	assert.Equal(t, qredo.ApprovalApproved, d.Action(t, tx).Status)
}

// Where the service does not tell, what is taken for expired has a line.
func TestWhatIsLateByThisClockIsInTheAuditLog(t *testing.T) {
	d := newDesk(t)
	clock := &ahead{of: d.clock.Now}
	clock.now.Store(true)
	d.transfer(1, "")
	d.Client = d.clientWith(clock.Now, stamped{d.Sandbox.Auth(), d.clock.Now})
	stop := d.start(rulesAt(t, approveAll, clock.Now), approver.WithClock(clock.Now))
	result := d.next(approver.EntryResult)
	assert.Equal(t, approver.OutcomeExpired, result.Outcome)
	assert.EqualValues(t, 1, *result.Amount)
	require.NoError(t, stop())
	assert.Len(t, d.written(), 1)
}

// One replica's vote fails, and then its clock is two hours ahead: for it, the action has expired. Another one votes.
func TestAnotherReplicasClockEndsNothing(t *testing.T) {
	d := newDesk(t)
	clock := &ahead{of: d.clock.Now}
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut {
			clock.now.Store(true)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
	own := d.Client
	tx := d.transfer(1, "")
	d.Client = d.clientWith(clock.Now, stamped{d.Sandbox.Auth(), d.clock.Now})
	stop := d.start(rulesAt(t, approveAll, d.clock.Now), approver.WithClock(clock.Now))
	assert.Equal(t, approver.OutcomeExpired, d.next(approver.EntryResult).Outcome)
	require.NoError(t, stop())

	d.Client = own
	d.Intercept(nil)
	d.start(rulesAt(t, approveAll, d.clock.Now), approver.WithReplica("another"))
	repeat := d.next(approver.EntryRepeat)
	assert.Equal(t, "another", repeat.Replica)
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
	assert.Equal(t, qredo.ApprovalApproved, d.Action(t, tx).Status)
	rec, _, err := d.store.Lookup(t.Context(), repeat.ActionID)
	require.NoError(t, err)
	assert.Equal(t, approver.OutcomeSent, rec.Outcome)
}

// The service lists 175,000 old actions, more than an answer may have: what is pending is decided all the same.
func TestOldActionsWithoutEnd(t *testing.T) {
	many := 175_000
	if testing.Short() {
		many = 10_000
	}
	d := newDesk(t)
	tx := d.transfer(1, "")
	d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if !strings.HasSuffix(r.URL.Path, "/actions") {
			next.ServeHTTP(w, r)
			return
		}
		shown := httptest.NewRecorder()
		next.ServeHTTP(shown, r)
		old := `{"id":"3GtqEz0kaQFH7Dbm1mpJR93DOyJ","coreClientID":"` + string(d.Core) +
			`","type":"ApproveTransfer","status":"expired","timestamp":1770000000,"expireTime":1770003600,"padding":"` + strings.Repeat("x", 20) + `"}`
		w.Header().Set("Content-Type", "application/json")
		head, tail, found := strings.Cut(shown.Body.String(), "[")
		assert.True(t, found)
		_, _ = w.Write([]byte(head + "[" + strings.Repeat(old+",", many) + tail))
	})
	d.start(rulesAt(t, approveAll, d.clock.Now))
	assert.Equal(t, approver.OutcomeSent, d.next(approver.EntryResult).Outcome)
	assert.Equal(t, qredo.ApprovalApproved, d.Action(t, tx).Status)
}
