package qapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/qapi"
)

// Anything that is not a message is an error, after which the feed goes on. A message without events reports its status.
func TestFeedMessages(t *testing.T) {
	messages := []string{
		`[1]`, `null`, `{"status":"created"}`, `{"txID":"a","nonce":1.5}`,
		`{"txID":"a","status":"Created","timestamps":{"created":5},"nonce":""}`,
		`{"txID":"a","status":"created","nonce":0}`,
		`{"txID":"a","status":"approved","events":[{"id":"2","status":"Approved","timestamp":9},{"id":"1","status":"authorized","timestamp":7},{"id":"0","status":"created"},{"id":"x"}],"nonce":3}`,
		`{"txID":"b","status":"odd","events":{"id":"3","status":"pending","timestamp":4}}`,
		`{"txID":"c"}`,
		`{"txID":"d","status":"mined"}`, `{"txID":"d","status":"mined"}`, `{"txID":"end","status":"failed"}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/qapi/v1/transactions/feed", r.URL.Path)
		conn, err := clienttest.AcceptWebSocket(w, r, nil)
		if !assert.NoError(t, err) {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		for _, message := range messages {
			assert.NoError(t, conn.Write(r.Context(), websocket.MessageText, []byte(message)))
		}
		_, _, _ = conn.Read(r.Context()) // until the client has gone
	}))
	defer server.Close()
	client, err := qapi.NewClient(newAuth(t), qredo.WithBaseURL(server.URL+"/qapi/v1"))
	require.NoError(t, err)
	var got []string
	for event, err := range client.Transactions.Feed(t.Context()) {
		if err != nil {
			require.ErrorIs(t, err, qredo.ErrBadAnswer)
			got = append(got, "error")
			continue
		}
		got = append(got, fmt.Sprintf("%s %s %s %d", event.Transaction.ID, event.Status, event.ID, event.Time.Unix()))
		if event.Transaction.ID == "end" {
			break
		}
	}
	none := qredo.Time{}.Unix()
	assert.Equal(t, []string{
		"error", "error", "error", "error", "a created  5", "a authorized 1 7", "a approved 2 9", "b pending 3 4",
		fmt.Sprintf("b odd  %d", none), fmt.Sprintf("d mined  %d", none), fmt.Sprintf("end failed  %d", none),
	}, got)
}
