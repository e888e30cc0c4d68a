package approver_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// Linux takes what is written to the null device, and refuses to bring it to a disk. A decision that is not on the disk
// when its vote is sent could be lost in a crash of the machine: money would have moved, and nothing would tell why.
func TestNoVoteIsSentBeforeItsDecisionIsOnTheDisk(t *testing.T) {
	for verdict, method := range map[approver.Verdict]string{approver.Approve: http.MethodPut, approver.Reject: http.MethodDelete} {
		t.Run(string(verdict), func(t *testing.T) {
			d := newDesk(t)
			ctx, stop := context.WithCancel(t.Context())
			var votes atomic.Int64
			d.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.Method == method && strings.Contains(r.URL.Path, "/action/") {
					votes.Add(1)
					defer stop()
				}
				next.ServeHTTP(w, r)
			})
			log, err := approver.OpenAuditLog(os.DevNull)
			require.NoError(t, err)
			defer func() { assert.NoError(t, log.Close()) }()
			decided := 0
			a, err := approver.New(d.Client, d.Core, approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
				decided++
				return approver.Decision{Verdict: verdict}, nil
			}), approver.WithAuditLog(log), approver.WithConcurrency(1), approver.WithClock(d.clock.Now))
			require.NoError(t, err)
			tx := d.transfer(1, "")
			err = a.Run(ctx)
			assert.Zero(t, votes.Load())
			assert.Equal(t, qredo.ApprovalPending, d.Action(t, tx).Status)
			assert.Equal(t, 1, decided)
			require.ErrorContains(t, err, "sync "+os.DevNull, "it does not go on without a log")
		})
	}
}
