package scenario_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// soon is how long a call may work on after its context has ended.
const soon = 50 * time.Millisecond

// A call that is cancelled in the middle of the work on a large answer ends within 50 ms, as a processor counts them: on a
// busy machine a test waits for one longer than that.
func TestALargeAnswerIsLeftSoon(t *testing.T) {
	body := filled(`{"Total":7,"List":[`, `{"TxID":"2r5yHUig43kiJfahqSIjOugM1yT","type":"transferOut","asset":"BTC","amount":2803,"reference":"a\u00e9\n"}`, `]}`)
	call := func(ctx context.Context, c *qredo.Client) error {
		_, err := c.Funds.ListLedger(ctx, "c", "f", qredo.LedgerOptions{})
		return err
	}
	whole := workTime(t, body, call)
	for _, part := range [2]time.Duration{8, 2} { // early and late in it
		worked := whole
		for after := whole / part; worked > soon && after > time.Millisecond; after /= 2 { // the machine may be faster by now
			worked = min(worked, workAfterCancel(t, body, after, call))
		}
		t.Logf("cancelled after %s of %s: %s", whole/part, whole, worked)
		require.LessOrEqual(t, worked, soon)
	}
}

// workTime is how long a call takes from when its answer has come.
func workTime(t *testing.T, body []byte, call func(context.Context, *qredo.Client) error) time.Duration {
	t.Helper()
	var came time.Time
	require.NoError(t, call(t.Context(), clienttest.NewQuickClient(t, given(200, body, func() { came = time.Now() }))))
	return time.Since(came)
}

// workAfterCancel is how long a call goes on after it is cancelled, some time after its response has arrived. A call that
// finishes its work is too slow, however little was left of it.
func workAfterCancel(t *testing.T, body []byte, after time.Duration, call func(context.Context, *qredo.Client) error) time.Duration {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var cancelled time.Duration
	err := call(ctx, clienttest.NewQuickClient(t, given(200, body, func() {
		time.AfterFunc(after, func() {
			cancelled = processorTime()
			cancel()
		})
	})))
	ended := processorTime()
	<-ctx.Done()
	if err == nil {
		return max(soon+1, ended-cancelled)
	}
	require.ErrorIs(t, err, context.Canceled)
	return ended - cancelled
}

// processorTime is how long processors have worked for this program.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
