package cli

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/sandbox"
)

// The answer to an earlier request comes once more in place of the vote's, which the service never saw. It is seen that
// the action is pending still, and the vote is sent once more.
func TestVoteWithTheAnswerToAnotherRequest(t *testing.T) {
	for verb, c := range map[string]struct {
		method string
		status qredo.ApprovalStatus
	}{
		"approve": {http.MethodPut, qredo.ApprovalApproved},
		"reject":  {http.MethodDelete, qredo.ApprovalRejected},
	} {
		t.Run(verb, func(t *testing.T) {
			w := clienttest.NewWorld(t)
			var votes atomic.Int64
			a := newTestApp()
			a.now, a.env = time.Now, func(name string) string {
				return map[string]string{"QREDO_CONFIG": filepath.Join(t.TempDir(), "none")}[name]
			}
			a.client = w.Srv.Client(qredo.WithHTTPClient(&http.Client{Transport: clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
				if req.Method == c.method && votes.Add(1) == 1 {
					return clienttest.Answer(req, http.StatusOK, `{"code":200,"msg":"OK"}`), nil
				}
				return http.DefaultTransport.RoundTrip(req)
			})}))
			action := w.ActionOf(t, w.Send(t, 1000))
			require.Equal(t, exitDone, a.run(t.Context(), []string{"agent", verb, string(w.Robot.ID), string(action)}))
			assert.EqualValues(t, 2, votes.Load())
			voted, err := w.Client.CoreClients.GetAction(t.Context(), w.Robot.ID, action)
			require.NoError(t, err)
			assert.Equal(t, c.status, voted.Status)
		})
	}
}

// Commit 4e8818f said "0 ETH-TESTNET" of what has no amount, before a vote and in the list of what is pending.
func TestWhatHasNoAmountIsNeverShownAsZero(t *testing.T) {
	a := newTestApp()
	a.assets.source = func(context.Context) ([]qredo.Asset, error) {
		return []qredo.Asset{{Code: "BTC", Scale: 100_000_000}, {Code: "ETH-TESTNET", Scale: 1_000_000_000}}, nil
	}
	payment := map[string]any{"value": "1000000000000000000000", "chainID": "1", "data": "0xa9059cbb00"}
	const pays = "1000 coins (1000000000000000000000 wei) and unknown gas on chain 1, data 0xa9059cbb00"
	for want, action := range map[string]qredo.Action{
		"ApproveExternalSign: amount " + pays + " from wallet w to 0xto, rent, pending": {Type: qredo.ActionExternalSign, Details: &qredo.ActionDetails{
			Asset: "ETH-TESTNET", WalletID: "w", RecipientAddress: "0xto", Reference: "rent", ClientData: payment,
		}},
		"ApproveExternalSign: amount not known from wallet w to 0xto, rent, pending": {Type: qredo.ActionExternalSign, Details: &qredo.ActionDetails{
			Asset: "ETH-TESTNET", WalletID: "w", RecipientAddress: "0xto", Reference: "rent",
		}},
		"ApproveNewWalletConnect: wallet w (BTC) asks to be connected, for map[customer:7], pending": {Type: qredo.ActionWalletConnect, Details: &qredo.ActionDetails{
			ClientData: map[string]any{"customer": 7}, Wallet: &qredo.ActionWallet{ID: "w", Asset: "BTC"},
		}},
		"ApproveSwap: 9 BTC for 0.000000001 ETH-TESTNET from wallet w to v, r, pending": {Type: qredo.ActionSwap, Details: &qredo.ActionDetails{
			Asset: "BTC", Amount: 900_000_000, WalletID: "w", RecipientID: "v", Reference: "r", Receive: &qredo.AssetAmount{Asset: "ETH-TESTNET", Amount: 1},
		}},
	} {
		action.Status = qredo.ApprovalPending
		assert.Equal(t, want, a.about(&action))
		if action.Details.Amount != 0 {
			continue
		}
		written, err := encodeJSON(action)
		require.NoError(t, err)
		assert.NotContains(t, string(written), `"amount"`, "a 0 would be read as nothing")
		var shown bytes.Buffer
		a.out = bufio.NewWriter(&shown)
		require.NoError(t, a.show(action, nil))
		require.NoError(t, a.out.Flush())
		assert.NotContains(t, shown.String(), "amount")
	}
	for _, c := range []struct {
		pending sandbox.PendingApproval
		want    string
	}{
		{sandbox.PendingApproval{TxID: "t", Type: "external sign", Asset: "ETH-TESTNET", Value: "1000000000000000000000", ChainID: "1", Data: "0xa9059cbb00"}, pays},
		{sandbox.PendingApproval{TxID: "t", Type: "policy update", Asset: "ETH-TESTNET"}, "not known"},
		{sandbox.PendingApproval{TxID: "t", Type: "transfer", Asset: "BTC", Amount: 5}, "0.00000005 BTC"},
	} {
		assert.Equal(t, c.want, a.cell(c.pending, "amount").text)
	}
	written, err := encodeJSON(sandbox.PendingApproval{Type: "external sign", Value: "5"})
	require.NoError(t, err)
	assert.Contains(t, string(written), `"asset":"","value":"5"`, "no amount: a 0 would be read as nothing")
}
