package qapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/fieldcheck"
	"github.com/qredo-go/qredo/qapi"
)

// fixture is one file of qredotest/qapitest/fixtures: an operation, the request it must send, and the service's answer.
type fixture struct {
	Operation string          `json:"operation"`
	Path      string          `json:"path"`
	Query     string          `json:"query"` // encoded, without the question mark
	Request   json.RawMessage `json:"request"`
	Status    int             `json:"status"`
	Response  json.RawMessage `json:"response"`
}

const fixtureTx = "2r5yHUig43kiJfahqSIjOugM1yT"

// fixtureCalls makes the call of each fixture, and names the key of the answer that it returns, if not all.
var fixtureCalls = map[string]struct {
	key  string
	call func(ctx context.Context, c *qapi.Client) (any, error)
}{
	"account_get": {"settings", func(ctx context.Context, c *qapi.Client) (any, error) { return c.Account.Get(ctx) }},
	"balance_get": {"assets", func(ctx context.Context, c *qapi.Client) (any, error) { return c.Balance.Get(ctx) }},
	"funds_list": {"funds", func(ctx context.Context, c *qapi.Client) (any, error) {
		return c.Funds.List(ctx, qapi.FundsOptions{Archived: true})
	}},
	"funds_get":            {"fundInfo", func(ctx context.Context, c *qapi.Client) (any, error) { return c.Funds.Get(ctx, "F1") }},
	"funds_list_ledger":    {"", func(ctx context.Context, c *qapi.Client) (any, error) { return c.Funds.ListLedger(ctx, "F1") }},
	"trustedparties_list":  {"members", func(ctx context.Context, c *qapi.Client) (any, error) { return c.TrustedParties.List(ctx) }},
	"wallets_list_history": {"history", func(ctx context.Context, c *qapi.Client) (any, error) { return c.Wallets.ListHistory(ctx, "W1") }},
	"transactions_create": {"", func(ctx context.Context, c *qapi.Client) (any, error) {
		value, err := qapi.ParseBigInt("123456789012345678901234567890")
		if err != nil {
			return nil, err
		}
		return c.Transactions.Create(ctx, qapi.TransactionRequest{
			From: "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", To: "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", Value: value,
			GasLimit: qapi.NewBigInt(21000), MaxFeePerGas: qapi.NewBigInt(40e9), MaxPriorityFeePerGas: qapi.NewBigInt(2e9),
			Data: "0x00ff", ChainID: qapi.NewBigInt(1), Note: "rent",
		})
	}},
	"transactions_get": {"", func(ctx context.Context, c *qapi.Client) (any, error) { return c.Transactions.Get(ctx, fixtureTx) }},
	"transactions_list_approvals": {"list", func(ctx context.Context, c *qapi.Client) (any, error) {
		return c.Transactions.ListApprovals(ctx, fixtureTx)
	}},
}

// Each call sends exactly its fixture's request, and gives all that is in its answer: written back, it is the
// answer, and no field of any type has been left empty.
func TestFixtures(t *testing.T) {
	files, err := filepath.Glob("../qredotest/qapitest/fixtures/*.json")
	require.NoError(t, err)
	files = slices.DeleteFunc(files, func(file string) bool { return strings.HasSuffix(file, "_feed.json") })
	require.Len(t, files, len(fixtureCalls))
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			var f fixture
			require.NoError(t, json.Unmarshal(data, &f))
			do, known := fixtureCalls[name]
			require.True(t, known)
			sent := 0
			client := newClient(t, func(req *http.Request) (*http.Response, error) {
				sent++
				if err := f.check(t, req); err != nil {
					return nil, err
				}
				return answer(req, f.Status, string(f.Response)), nil
			})
			got, err := do.call(t.Context(), client)
			require.NoError(t, err)
			require.Equal(t, 1, sent)

			want := f.Response
			if do.key != "" {
				var parts map[string]json.RawMessage
				require.NoError(t, json.Unmarshal(want, &parts))
				want = parts[do.key]
			}
			back, err := json.Marshal(got)
			require.NoError(t, err)
			assert.JSONEq(t, string(want), string(back))
			fieldcheck.RequireAllSet(t, got, "Entity.", "Transaction.BigInt")
		})
	}
}

func (f fixture) check(t *testing.T, req *http.Request) error {
	t.Helper()
	method, _, _ := strings.Cut(f.Operation, " ")
	url := string(qapi.EnvironmentProduction) + f.Path
	if f.Query != "" {
		url += "?" + f.Query
	}
	assert.Equal(t, method, req.Method)
	assert.Equal(t, url, req.URL.String())
	var body, compact []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return err
		}
	}
	if f.Request != nil {
		var buffer bytes.Buffer
		if err := json.Compact(&buffer, f.Request); err != nil {
			return err
		}
		compact = buffer.Bytes()
	}
	assert.Equal(t, string(compact), string(body))
	signature, err := newAuth(t).Sign("1700000000", method, url, body)
	if err != nil {
		return err
	}
	assert.Equal(t, http.Header{
		"Accept": {"application/json"}, "Content-Type": {"application/json"}, "User-Agent": {"qredo-go/" + qredo.Version},
		"Qredo-Api-Key": {apiKey}, "Qredo-Api-Ts": {"1700000000"}, "Qredo-Api-Sig": {signature},
	}, req.Header)
	return nil
}
