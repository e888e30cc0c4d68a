package qapi_test

import (
	"context"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
)

const (
	from = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
	to   = "0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359"
)

func payment() qapi.TransactionRequest {
	return qapi.TransactionRequest{From: from, To: to, Value: qapi.NewBigInt(0), GasLimit: qapi.NewBigInt(21000)}
}

func TestCreateRefuses(t *testing.T) {
	beyond := qapi.BigInt{Int: new(big.Int).Lsh(big.NewInt(1), 256)}
	type request = qapi.TransactionRequest
	for name, c := range map[string]struct {
		field  string
		change func(r *request)
	}{
		"no value":             {"value", func(r *request) { r.Value = qapi.BigInt{} }},
		"a negative value":     {"value", func(r *request) { r.Value = qapi.NewBigInt(-1) }},
		"a value beyond":       {"value", func(r *request) { r.Value = beyond }},
		"no gas limit":         {"gasLimit", func(r *request) { r.GasLimit = qapi.BigInt{} }},
		"negative gas":         {"gasLimit", func(r *request) { r.GasLimit = qapi.NewBigInt(-1) }},
		"gas beyond 64 bits":   {"gasLimit", func(r *request) { r.GasLimit = qapi.BigInt{Int: new(big.Int).Lsh(big.NewInt(1), 64)} }},
		"a negative price":     {"gasPrice", func(r *request) { r.GasPrice = qapi.NewBigInt(-1) }},
		"a price beyond":       {"gasPrice", func(r *request) { r.GasPrice = beyond }},
		"price and fee":        {"gasPrice", func(r *request) { r.GasPrice, r.MaxFeePerGas = qapi.NewBigInt(1), qapi.NewBigInt(1) }},
		"price and tip":        {"gasPrice", func(r *request) { r.GasPrice, r.MaxPriorityFeePerGas = qapi.NewBigInt(0), qapi.NewBigInt(0) }},
		"tip above fee":        {"maxPriorityFeePerGas", func(r *request) { r.MaxFeePerGas, r.MaxPriorityFeePerGas = qapi.NewBigInt(1), qapi.NewBigInt(2) }},
		"a negative fee":       {"maxFeePerGas", func(r *request) { r.MaxFeePerGas, r.MaxPriorityFeePerGas = qapi.NewBigInt(-1), qapi.NewBigInt(-2) }},
		"a negative tip":       {"maxPriorityFeePerGas", func(r *request) { r.MaxFeePerGas, r.MaxPriorityFeePerGas = qapi.NewBigInt(1), qapi.NewBigInt(-2) }},
		"chain 0":              {"chainID", func(r *request) { r.ChainID = qapi.NewBigInt(0) }},
		"a negative chain":     {"chainID", func(r *request) { r.ChainID = qapi.NewBigInt(-1) }},
		"data without 0x":      {"data", func(r *request) { r.Data = "00" }},
		"half a byte of data":  {"data", func(r *request) { r.Data = "0x0" }},
		"data not hexadecimal": {"data", func(r *request) { r.Data = "0xzz" }},
	} {
		t.Run(name, func(t *testing.T) {
			req := payment()
			c.change(&req)
			_, err := refusing(t).Transactions.Create(t.Context(), req)
			requireInvalid(t, err, c.field)
		})
	}
	for _, bad := range badAddresses {
		req := payment()
		req.From = bad
		_, err := refusing(t).Transactions.Create(t.Context(), req)
		requireInvalid(t, err, "from")
		req = payment()
		req.To = bad
		_, err = refusing(t).Transactions.Create(t.Context(), req)
		requireInvalid(t, err, "to")
	}
}

// Missing values are not sent; others are sent as decimal text.
func TestCreateSends(t *testing.T) {
	const start = `{"from":"` + from + `","to":"` + to + `","value":"0","gasLimit":"21000"`
	for want, change := range map[string]func(r *qapi.TransactionRequest){
		start + `}`:                func(*qapi.TransactionRequest) {},
		start + `,"gasPrice":"0"}`: func(r *qapi.TransactionRequest) { r.GasPrice = qapi.NewBigInt(0) },
		start + `,"maxFeePerGas":"3","maxPriorityFeePerGas":"3"}`: func(r *qapi.TransactionRequest) {
			r.MaxFeePerGas, r.MaxPriorityFeePerGas = qapi.NewBigInt(3), qapi.NewBigInt(3)
		},
		start + `,"maxFeePerGas":"3"}`:                          func(r *qapi.TransactionRequest) { r.MaxFeePerGas = qapi.NewBigInt(3) },
		start + `,"maxPriorityFeePerGas":"0"}`:                  func(r *qapi.TransactionRequest) { r.MaxPriorityFeePerGas = qapi.NewBigInt(0) },
		strings.Replace(start, `"21000"`, `"0"`, 1) + `}`:       func(r *qapi.TransactionRequest) { r.GasLimit = qapi.NewBigInt(0) },
		start + `,"data":"0x","chainID":"11155111","note":"n"}`: func(r *qapi.TransactionRequest) { r.Data, r.ChainID, r.Note = "0x", qapi.NewBigInt(11155111), "n" },
	} {
		client := newClient(t, func(req *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(req.Body)
			if err != nil {
				return nil, err
			}
			assert.Equal(t, want, string(body))
			return answer(req, 200, `{"txID":"t"}`), nil
		})
		req := payment()
		change(&req)
		_, err := client.Transactions.Create(t.Context(), req)
		require.NoError(t, err)
	}
}

// There is no key by which the service could recognise a repeat, so a request whose answer was lost is not repeated.
func TestCreateIsSentOnce(t *testing.T) {
	sent := 0
	client := newClient(t, func(req *http.Request) (*http.Response, error) {
		sent++
		if sent == 1 {
			return nil, io.ErrUnexpectedEOF
		}
		return answer(req, 500, `{}`), nil
	})
	const doubt = "may have been carried out"
	_, err := client.Transactions.Create(t.Context(), payment())
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorContains(t, err, doubt)
	_, err = client.Transactions.Create(t.Context(), payment())
	require.ErrorIs(t, err, qredo.ErrServer)
	require.ErrorContains(t, err, doubt)
	assert.Equal(t, 2, sent)

	_, err = answering(t, 200, "<html>").Transactions.Create(t.Context(), payment())
	require.ErrorIs(t, err, qredo.ErrBadAnswer)
	require.ErrorContains(t, err, doubt)
	_, err = answering(t, 403, "{}").Transactions.Create(t.Context(), payment())
	require.ErrorIs(t, err, qredo.ErrForbidden)
	require.ErrorIs(t, err, qredo.ErrOutcomeUnknown, "somebody on the way may have answered in the service's place")
	_, err = answering(t, 403, `{"code":403,"msg":"insufficient privileges"}`).Transactions.Create(t.Context(), payment())
	require.ErrorIs(t, err, qredo.ErrForbidden)
	require.NotContains(t, err.Error(), doubt)
	require.NotErrorIs(t, err, qredo.ErrOutcomeUnknown)
}

// inTurn is a client that gets one answer after the other, and the last one for ever.
func inTurn(t *testing.T, bodies ...string) *qapi.Client {
	t.Helper()
	return newClient(t, func(req *http.Request) (*http.Response, error) {
		body := bodies[0]
		if len(bodies) > 1 {
			bodies = bodies[1:]
		}
		return answer(req, 200, body), nil
	})
}

func TestWait(t *testing.T) {
	fast := qredo.WithPollInterval(time.Millisecond)
	for name, c := range map[string]struct {
		answers []string
		want    qapi.Status
		failed  bool
	}{
		"signed at last":          {[]string{`{"txID":"t","status":"created","signedTx":"0x"}`, `{"txID":"t","status":"approved","signedTx":"0x"}`, `{"txID":"t","status":"approved","signedTx":"0xf8"}`}, "approved", false},
		"signed with any status":  {[]string{`{"txID":"t","status":"odd","signedTx":"0xf8"}`}, "odd", false},
		"mined":                   {[]string{`{"txID":"t","status":"Mined"}`}, "mined", false},
		"rejected":                {[]string{`{"txID":"t","status":"created"}`, `{"txID":"t","status":"Rejected"}`}, "rejected", true},
		"expired":                 {[]string{`{"txID":"t","status":"expired"}`}, "expired", true},
		"failed, although signed": {[]string{`{"txID":"t","status":"failed","signedTx":"0xf8"}`}, "failed", true},
	} {
		t.Run(name, func(t *testing.T) {
			tx, err := inTurn(t, c.answers...).Transactions.Wait(t.Context(), "t", fast)
			if !c.failed {
				require.NoError(t, err)
				assert.Equal(t, c.want, tx.Status)
				return
			}
			var ended *qredo.TxError
			require.ErrorAs(t, err, &ended)
			assert.Equal(t, qredo.TxError{TxID: "t", Status: qredo.TxStatus(c.want)}, *ended)
		})
	}
	_, err := refusing(t).Transactions.Wait(t.Context(), "t", qredo.WithPollInterval(0))
	requireInvalid(t, err, "poll interval")
}

func TestWaitEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	looks := 0
	client := newClient(t, func(req *http.Request) (*http.Response, error) {
		if looks++; looks == 3 {
			defer cancel()
		}
		return answer(req, 200, `{"txID":"t","status":"created"}`), nil
	})
	_, err := client.Transactions.Wait(ctx, "t", qredo.WithPollInterval(time.Millisecond))
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 3, looks)
}
