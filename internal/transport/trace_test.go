package transport_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

type traceKey struct{}

// tracing records what a trace is told, and adds to each context what it belongs to.
func tracing(told *[]string) qredo.Trace {
	note := func(format string, args ...any) { *told = append(*told, fmt.Sprintf(format, args...)) }
	begin := func(ctx context.Context, what qredo.Traced) (context.Context, func(qredo.Attempt)) {
		in, _ := ctx.Value(traceKey{}).(string)
		note("%s %q %d in %q", what.Operation, what.Template, what.Number, in)
		return context.WithValue(ctx, traceKey{}, fmt.Sprint(in, what.Number)), func(a qredo.Attempt) {
			note("%d %s %d %t", a.Number, a.Outcome, a.StatusCode, a.Ended)
		}
	}
	return qredo.Trace{Call: begin, Attempt: begin, Wait: func(ctx context.Context, w qredo.Wait) {
		in, _ := ctx.Value(traceKey{}).(string)
		note("waited for %s in %q", w.For, in)
	}}
}

// A trace sees when each call and each attempt begins and ends, and the context that it returns is passed down, even to a
// transport that traces too.
func TestTrace(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		var told []string
		answers := []int{503, 503, 200}
		client := clienttest.NewQuickClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
			in, _ := req.Context().Value(traceKey{}).(string)
			told = append(told, "sent in "+in)
			status := answers[0]
			answers = answers[1:]
			return clienttest.Answer(req, status, `{"company_id":"c","code":503,"msg":"down"}`), nil
		}), qredo.WithRetry(qredo.RetryPolicy{MinBackoff: time.Second}), qredo.WithTrace(tracing(&told)))
		_, err := client.Companies.Get(t.Context(), "c")
		require.NoError(t, err)
		begun := `GET /company/{company_id} "/company/{company_id}" `
		assert.Equal(t, []string{
			begun + `0 in ""`,
			begun + `1 in "0"`, "sent in 01", "1 not done 503 false", `waited for retry in "0"`,
			begun + `2 in "0"`, "sent in 02", "2 not done 503 false", `waited for retry in "0"`,
			begun + `3 in "0"`, "sent in 03", "3 done 200 false",
			"3 done 200 true",
		}, told)

		told, answers = nil, []int{500}
		_, err = client.Transfers.Create(t.Context(), clienttest.CompanyID, clienttest.GoodTransfer(), qredo.WithoutRetry())
		require.ErrorIs(t, err, qredo.ErrOutcomeUnknown)
		assert.Equal(t, "1 unknown 500 true", told[len(told)-1])

		told = nil
		_, err = client.Companies.Get(t.Context(), "")
		clienttest.RequireInvalid(t, err, "company_id")
		assert.Empty(t, told, "nothing was to be sent")

		for name, template := range map[string]string{"": "", "GET /thing/{thing_id}": "/thing/{thing_id}", "our thing": ""} {
			told, answers = nil, []int{200}
			require.NoError(t, client.Do(t.Context(), http.MethodGet, "/thing/17", nil, nil, qredo.WithOperation(name)))
			assert.Contains(t, told[0], fmt.Sprintf(" %q 0", template), name)
		}
	})
}

// The time that a call waits before it is sent is not part of its attempt, and is reported.
func TestTraceOfTurns(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		var told []string
		took := qredo.WithTrace(qredo.Trace{
			Attempt: func(ctx context.Context, _ qredo.Traced) (context.Context, func(qredo.Attempt)) {
				return ctx, func(a qredo.Attempt) { told = append(told, a.Took.String()) }
			},
			Wait: func(_ context.Context, w qredo.Wait) { told = append(told, fmt.Sprint(w.For, " ", w.Took)) },
		})
		client := clienttest.NewQuickClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
			<-time.After(time.Second)
			return clienttest.Answer(req, 200, `{"assets":[]}`), nil
		}), qredo.WithRateLimit(0.25, 1), took)
		for range 2 {
			_, err := client.Assets.List(t.Context())
			require.NoError(t, err)
		}
		assert.Equal(t, []string{"1s", "rate limit 3s", "1s"}, told)
	})
}
