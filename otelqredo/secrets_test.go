package otelqredo_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/otelqredo"
)

// requireSilent fails if anything that was exported has one of some texts in it.
func requireSilent(t *testing.T, o *telemetry, texts ...string) {
	t.Helper()
	all := printed(t, o)
	for _, text := range texts {
		require.False(t, strings.Contains(all, text), text)
	}
}

// printed is all that was exported.
func printed(t *testing.T, o *telemetry) string {
	t.Helper()
	return fmt.Sprintf("%+v %v", o.exported.GetSpans().Snapshots(), o.metrics(t)) + texted(o)
}

// texted are the attributes, events and links, which printing a span leaves out.
func texted(o *telemetry) string {
	var b strings.Builder
	for _, s := range o.exported.GetSpans() {
		fmt.Fprintln(&b, s.Name, attrs(s), s.Status, s.Resource)
		for _, e := range s.Events {
			fmt.Fprintln(&b, e.Name, texts(e.Attributes))
		}
		for _, l := range s.Links {
			fmt.Fprintln(&b, texts(l.Attributes))
		}
	}
	return b.String()
}

// No key, signature, body or amount is exported, however calls end.
func TestNoSecretIsExported(t *testing.T) {
	o := newTelemetry(t)
	var secrets []string
	status := 200
	client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
		for _, name := range []string{"x-api-key", "x-sign", "x-timestamp"} {
			value := req.Header.Get(name)
			require.NotEmpty(t, value, name)
			secrets = append(secrets, value)
		}
		if req.Body != nil {
			body, err := io.ReadAll(req.Body)
			require.NoError(t, err)
			require.Contains(t, string(body), "Alice Smith")
		}
		switch status {
		case 0:
			return nil, fmt.Errorf("refused with %s", req.Header.Get("x-sign"))
		case 1:
			return clienttest.Answer(req, 200, "<html>Alice Smith</html>"), nil
		}
		answer := clienttest.Answer(req, status, `{"code":400,"msg":"Alice Smith","reason":"1234567"}`)
		answer.Header.Set("X-Echo", req.Header.Get("x-sign"))
		return answer, nil
	}), otelqredo.Client(o.opts...))
	transfer := clienttest.GoodTransfer()
	transfer.Reference, transfer.BenefitOf, transfer.Send.Amount = "Alice Smith", "Alice Smith", 1234567
	calls := 0
	for _, status = range []int{200, 302, 400, 401, 403, 404, 409, 429, 500, 503, 0, 1} {
		_, err := client.Transfers.Create(t.Context(), clienttest.CompanyID, transfer, qredo.WithHeader("X-Note", "Alice Smith"))
		require.Error(t, err)
		calls++
	}
	require.Len(t, o.spans("POST /company/{company_id}/transfer"), 2*calls)
	all := printed(t, o)
	requireSilent(t, o, append(secrets, "Alice", "1234567", clienttest.APIKey, string(transfer.WalletID))...)
	assert.True(t, strings.Contains(all, "outcome_unknown"), "what is looked through is what was exported")
}
