package scenario_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// A success counts only if it is about what was asked for.
func TestAnswersThatAreNoSuccess(t *testing.T) {
	page, refusal := "<html>login</html>", `{"code":401,"msg":"errPartnerAuth","detail":{"reason":"signature"}}`
	approve := func(c *qredo.Client) error { return c.CoreClients.Approve(t.Context(), "c", "a") }
	publish := func(c *qredo.Client) error { return c.Swaps.Publish(t.Context(), "c", "t") }
	wait := func(c *qredo.Client) error {
		_, err := c.Transfers.Wait(t.Context(), "c", "mine")
		return err
	}
	ledger := func(c *qredo.Client) error {
		_, err := c.Funds.ListLedger(t.Context(), "c", "f", qredo.LedgerOptions{})
		return err
	}
	for name, test := range map[string]struct {
		call func(*qredo.Client) error
		body string
	}{
		"a page for a vote":         {approve, page},
		"a refusal with status 200": {approve, refusal},
		"text for a vote":           {approve, `"OK"`},
		"nothing for a vote":        {approve, ""},
		"a portal for a vote":       {approve, `{"some":"portal"}`},
		"no message for a vote":     {approve, `{"code":200}`},
		"another action for a vote": {approve, `{"id":"b","status":"approved"}`},
		"a portal for an update":    {publish, `{"some":"portal"}`},
		"no message for an update":  {publish, `{"code":200}`},
		"another transaction":       {wait, `{"txID":"other","txStatus":"approved"}`},
		"another's approvals":       {wait, `{"txID":"other","txStatus":"approved","status":[{"actionID":""},{"actionID":"others"}]}`},
		"null for a ledger":         {ledger, " null\n"},
		"OK for a ledger":           {ledger, `{"code":200,"msg":"OK"}`},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, test.call(clienttest.NewClient(t, clienttest.AnswerWith(200, test.body))), qredo.ErrBadAnswer)
		})
	}
	for _, body := range []string{`{"code":200,"msg":"OK"}`, `{"Code":"202","MSG":"ok"}`, `{"id":"a","status":"approved"}`} {
		require.NoError(t, approve(clienttest.NewClient(t, clienttest.AnswerWith(200, body))), body)
	}
	for _, body := range []string{"", " ", `{"code":200,"msg":"OK"}`} {
		require.NoError(t, publish(clienttest.NewClient(t, clienttest.AnswerWith(200, body))), body)
	}
	remove := func(c *qredo.Client) error { return c.TrustedNetwork.Remove(t.Context(), "c", "e") }
	for status := 200; status <= 299; status++ { // nothing is said with a documented status only
		empty := clienttest.NewClient(t, clienttest.AnswerWith(status, ""))
		require.Equal(t, status != 200, errors.Is(publish(empty), qredo.ErrOutcomeUnknown), "%d", status)
		require.Equal(t, status != 200 && status != 202, errors.Is(remove(empty), qredo.ErrOutcomeUnknown), "%d", status)
	}
	ends := clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) { // with the connection: it may be cut
		resp := clienttest.Answer(req, 200, "")
		resp.ContentLength, resp.Close = -1, true
		return resp, nil
	})
	for _, call := range []func(*qredo.Client) error{publish, approve} {
		require.ErrorIs(t, call(clienttest.NewClient(t, ends)), qredo.ErrOutcomeUnknown)
	}
}

// The service found a transaction by the ID of an action too. What it answers has the transaction's own.
func TestTransactionsFoundByAnAction(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"txID":"t","txStatus":"approved","status":[{"actionID":"a"},{"action_id":"b"}]}`))
	for _, id := range []qredo.TxID{"t", "a", "b"} {
		for name, get := range map[string]func() (*qredo.Transaction, error){
			"transfer":   func() (*qredo.Transaction, error) { return client.Transfers.Wait(t.Context(), "c", id) },
			"withdrawal": func() (*qredo.Transaction, error) { return client.Transfers.GetWithdrawal(t.Context(), "c", id) },
			"make":       func() (*qredo.Transaction, error) { return client.Swaps.GetMake(t.Context(), "c", id) },
			"take":       func() (*qredo.Transaction, error) { return client.Swaps.GetTake(t.Context(), "c", id) },
		} {
			got, err := get()
			require.NoError(t, err, name)
			require.Equal(t, qredo.TxID("t"), got.ID)
		}
	}
}

// What a registration answers has a secret, wherever it stands.
func TestARegistrationThatCannotBeReadIsNotRepeated(t *testing.T) {
	const secret = "5ec2e75ec2e75ec2e7"
	client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"clientSecret":"`+secret+`","id":"abc","timestamp":"soon"}`))
	_, err := client.CoreClients.Register(t.Context(), qredo.AgentRequest{Name: "a", BLSPublicKey: "00", ECPublicKey: "00"})
	var e *qredo.Error
	require.ErrorAs(t, err, &e)
	assert.NotContains(t, err.Error(), secret)
	assert.NotContains(t, string(e.Body), secret)
}

// An upgrade that nobody asked for is not a response, and does not hold up a call that waits for one.
func TestSwitchingProtocolsIsNoAnswer(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"))
		}
	}))
	defer srv.Close()
	client, err := qredo.NewClient(clienttest.NewAuth(t), qredo.WithBaseURL(srv.URL), qredo.WithRetry(clienttest.Once))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err = client.Assets.List(ctx)
	require.ErrorContains(t, err, "101")
	require.NoError(t, ctx.Err())
}

// A TLS record that is damaged after the request was sent says nothing about what became of the request.
func TestADamagedRecordLeavesTheOutcomeUnknown(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusOK)
	}))
	defer srv.Close()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go damage(conn, srv.Listener.Addr().String())
		}
	}()
	trusting := srv.Client().Transport.(*http.Transport).Clone()
	trusting.TLSClientConfig.MinVersion = tls.VersionTLS12
	trusting.TLSClientConfig.MaxVersion = tls.VersionTLS12 // its records show which of them are data
	trusting.TLSClientConfig.NextProtos = nil
	client, err := qredo.NewClient(clienttest.NewAuth(t), qredo.WithBaseURL("https://"+listener.Addr().String()),
		qredo.WithHTTPClient(&http.Client{Transport: trusting}), qredo.WithRetry(clienttest.Once))
	require.NoError(t, err)
	_, err = client.Transfers.Create(t.Context(), "c", qredo.TransferRequest{
		WalletID: "w", Counterparty: "v", Expires: qredo.TimeOf(time.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: "BTC", Amount: 1},
	})
	var record tls.RecordHeaderError
	require.ErrorAs(t, err, &record, "the relay must damage a record's header")
	var unknown *qredo.UnknownOutcomeError
	require.ErrorAs(t, err, &unknown)
}

// damage relays a TLS connection and spoils the header of the first record of data that the server sends.
func damage(client net.Conn, address string) {
	defer func() { _ = client.Close() }()
	server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", address)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	go func() { _, _ = io.Copy(server, client) }()
	const header, data = 5, 23
	in := bufio.NewReader(server)
	for {
		record, err := in.Peek(header)
		if err != nil {
			return
		}
		length := header + int64(record[3])<<8 + int64(record[4])
		if record[0] == data {
			fmt.Fprintf(client, "%c\x09\x09", data) // no version that there is
			length -= 3
			_, _ = in.Discard(3)
		}
		if _, err := io.CopyN(client, in, length); err != nil {
			return
		}
	}
}
