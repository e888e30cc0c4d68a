package qapi_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/qapi"
)

// An event that a program keeps or prints has small letters at the beginning of all its names, and is read again.
func TestEventsAsJSON(t *testing.T) {
	event := qapi.TransactionEvent{Transaction: qapi.Transaction{ID: "tx"}}
	data, err := json.Marshal(event)
	require.NoError(t, err)
	assert.Contains(t, string(data), `"transaction":{`)
	for _, text := range []string{string(data), `{"Transaction":{"txID":"tx"}}`} {
		var again qapi.TransactionEvent
		require.NoError(t, json.Unmarshal([]byte(text), &again))
		assert.Equal(t, event.Transaction.ID, again.Transaction.ID, "also in the form of before")
	}
}
