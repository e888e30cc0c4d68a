package qredo_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// What is had as bytes is read as an answer is: the body that WithResponse keeps gives what the method gave.
func TestUnmarshalReadsWhatAnswersAreReadFrom(t *testing.T) {
	var kept qredo.Response
	client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"TxId":"t,","tx_status":"approved_transfer","approver_count":"2","status":{"actionID":"a"},"new":{"x":1}}`))
	want, err := client.Transfers.Get(t.Context(), "c", "t", qredo.WithResponse(&kept))
	require.NoError(t, err)
	var got qredo.Transaction
	require.NoError(t, qredo.Unmarshal(kept.Body, &got))
	require.Equal(t, *want, got)

	var open map[string]any
	require.NoError(t, qredo.Unmarshal([]byte(`{"n":9007199254740993}`), &open))
	require.Equal(t, json.Number("9007199254740993"), open["n"])
	var amount struct {
		Amount qredo.Amount `json:"amount"`
	}
	for body, says := range map[string]string{
		`{"amount":1.5}`: "qredo: amount: 1.5 is not a whole number", `{"amount":`: "qredo: not JSON at byte 10", `{"amount":1,"Amount":2}`: "is there twice",
	} {
		require.ErrorContains(t, qredo.Unmarshal([]byte(body), &amount), says)
	}
	require.ErrorContains(t, qredo.Unmarshal([]byte(`{"txStatus":"approved"}`), new(qredo.Transaction)), "txID: is missing")
	require.Error(t, qredo.Unmarshal([]byte(`{}`), nil))
}
