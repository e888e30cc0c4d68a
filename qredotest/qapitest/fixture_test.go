package qapitest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/spec"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/qredotest"
	"github.com/qredo-go/qredo/qredotest/internal/fixturetest"
)

// Each fixture conforms to the service's description and is exactly what the client sends, and its value is what that
// returns.
func TestFixturesAreTheClients(t *testing.T) {
	auth, err := qredo.NewHMACAuth("key", "c2VjcmV0IG9mIGEgdGVzdA==")
	require.NoError(t, err)
	for _, f := range Fixtures() {
		if f.Call == feed {
			continue // package qredotest tests feeds
		}
		t.Run(f.Call, func(t *testing.T) {
			fixturetest.Check(t, spec.Qredo, "/qapi/v1", f, func(transport http.RoundTripper) (any, error) {
				client, err := qapi.NewClient(auth, qredo.WithBaseURL(fixturetest.Base+"/qapi/v1"), qredo.WithHTTPClient(&http.Client{Transport: transport}))
				require.NoError(t, err)
				return calls[f.Call](t.Context(), client, f)
			})
		})
	}
}

func TestService(t *testing.T) {
	s := NewService(t)
	s.OnFixtures(Fixtures()...).On("GET /balance", qredotest.Refusal(http.StatusForbidden, "no balance"))
	tx, err := s.Client().Transactions.Get(t.Context(), TransactionID)
	require.NoError(t, err)
	assert.Equal(t, ValueOf[*qapi.Transaction]("Transactions.Get"), tx)
	_, err = s.Client().Balance.Get(t.Context())
	require.ErrorIs(t, err, qredo.ErrForbidden)
	asked := s.Requests("GET /transactions/{tx_id}/status")
	require.Len(t, asked, 1)
	assert.Equal(t, map[string]string{"tx_id": string(TransactionID)}, asked[0].IDs)
}

type failing struct{ text string }

func (f *failing) Helper() {}

func (f *failing) Errorf(format string, args ...any) {
	f.text += format
	for _, arg := range args {
		if err, ok := arg.(error); ok {
			f.text += " " + err.Error()
		}
	}
}

func (f *failing) FailNow() { f.text += " and ended" }

func TestServiceRefusesOptions(t *testing.T) {
	test := &failing{}
	NewService(test).Client(qredo.WithBaseURL("nothing"))
	assert.Contains(t, test.text, "base URL")
	assert.Contains(t, test.text, "and ended")
}
