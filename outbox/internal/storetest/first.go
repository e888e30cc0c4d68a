package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
)

// FirstWritten is when version 0.1.0 has written the stores that are tested with.
var FirstWritten = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// first is what those hold.
var first = map[string]outbox.Entry{
	"pending":    {PartnerTxID: "JZ746FMHFMFVENUPWULODRACGXBPINJJ", State: outbox.StatePending},
	"pending ü":  {PartnerTxID: "NT777I6FDAEAQ24YVT5CC4AGAITO3QQA", State: outbox.StatePending, Brought: true}, // that version quoted the key otherwise
	"withdrawal": {PartnerTxID: "WRLKZRB3VAN7TPKEYNEJRZDG5OJZJCZZ", State: outbox.StatePending},
	"sending":    {PartnerTxID: "2FF26FSWLLDXL3NR5FKXKYKOUHG4TWCN", State: outbox.StatePending, Sending: true, Attempts: 1},
	"unknown":    {PartnerTxID: "HVA6HXXJZRT67GOKVVJTJR2V2YE637TN", State: outbox.StatePending, Unknown: true, Attempts: 3, Misses: 3},
	"sent":       {PartnerTxID: "P6COLKH2XPB7L4QL234LPHF5BFEB6WKC", State: outbox.StateSent, TxID: "tx-sent", TxStatus: "pending", Attempts: 1},
	"done":       {PartnerTxID: "6MSGNYLJFUJ5UEBTB3HNDKBE3GWHXMCU", State: outbox.StateDone, TxID: "tx-done", TxStatus: "completed", Attempts: 1},
	"failed":     {PartnerTxID: "YMC5S7PAOEXQJDRAYLMD63ZZZMKFBRHC", State: outbox.StateFailed, Reason: "refused", Attempts: 1},
	"expired":    {PartnerTxID: "CVQVEIBM6GUSXTD33FTT3PV7BJS6T4TP", State: outbox.StateExpired, Reason: "not in time"},
	"rejected":   {PartnerTxID: "BQUDM3TF2U35BNRIBXNRD2ITS6PPZDQ3", State: outbox.StateRejected, TxID: "tx-rejected", TxStatus: "rejected", Attempts: 1},
}

// CheckFirst holds a store against what version 0.1.0 has written to it.
func CheckFirst(t *testing.T, s outbox.Store) {
	t.Helper()
	page, err := s.Page(t.Context(), outbox.Filter{}, outbox.Entry{}, 100)
	require.NoError(t, err)
	require.Len(t, page, len(first))
	for _, e := range page {
		want, ok := first[e.Key]
		require.True(t, ok, e.Key)
		assert.Equal(t, want.PartnerTxID, e.PartnerTxID, e.Key)
		assert.Equal(t, want.State, e.State, e.Key)
		assert.Equal(t, want.Unknown, e.Unknown, e.Key)
		assert.Equal(t, want.Brought, e.Brought, e.Key)
		assert.Equal(t, want.Sending, e.Sending, e.Key)
		assert.Equal(t, []any{want.TxID, want.TxStatus, want.Reason}, []any{e.TxID, e.TxStatus, e.Reason}, e.Key)
		assert.Equal(t, []int{want.Attempts, want.Misses}, []int{e.Attempts, e.Misses}, e.Key)
		assert.Equal(t, FirstWritten, e.Created, e.Key)
		assert.NotEmpty(t, e.Steps, e.Key)
		send, reference := qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: 150_000}, e.Key
		switch r := e.Request.(type) {
		case outbox.Withdrawal:
			send.Amount = 9_007_199_254_740_993 // beyond what a float can hold
			assert.Equal(t, send, r.Send)
			assert.Equal(t, "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", r.Address)
		case outbox.Transfer:
			switch e.Key {
			case "pending":
				reference = "first"
			case "pending ü":
				reference = "Miete für März"
			}
			assert.Equal(t, send, r.Send, e.Key)
			assert.Equal(t, reference, r.Reference, e.Key)
			assert.Equal(t, FirstWritten.Add(24*time.Hour).Unix(), r.Expires.Unix(), e.Key)
		default:
			require.Fail(t, "a request of another kind", e.Key)
		}
	}
}

// CheckShared holds a store against what it makes of the same, where "rejected" and "sent" have the transaction of "done".
func CheckShared(t *testing.T, s outbox.Store) {
	t.Helper()
	got := map[string]outbox.Entry{}
	for key := range first {
		e, err := s.Get(t.Context(), key)
		require.NoError(t, err)
		got[key] = e
	}
	assert.Equal(t, qredo.TxID("tx-done"), got["done"].TxID)
	assert.Equal(t, outbox.StateDone, got["done"].State)
	assert.Equal(t, outbox.StateHeld, got["sent"].State)
	assert.True(t, got["sent"].Unknown)
	assert.Contains(t, got["sent"].Reason, `transaction tx-done, which is that of "done" too`)
	assert.Equal(t, outbox.StateRejected, got["rejected"].State, "what has ended stays so")
	for _, key := range []string{"sent", "rejected"} {
		e := got[key]
		assert.Empty(t, e.TxID)
		assert.Equal(t, first[key].PartnerTxID, e.PartnerTxID)
		assert.Contains(t, e.Steps[len(e.Steps)-1].Note, "tx-done")
	}
	assert.Equal(t, outbox.StatePending, got["pending"].State)
}

// EachState returns an entry of each state, with all that an entry can have.
func EachState() (entries []outbox.Entry) {
	states := []outbox.State{
		outbox.StatePending, outbox.StateSent, outbox.StateHeld, outbox.StateDone, outbox.StateFailed, outbox.StateRejected, outbox.StateExpired,
	}
	for i, state := range states {
		e := Entry("key-" + string(state))
		e.State, e.Attempts, e.APIKey, e.Late, e.Version = state, i, "digest", i > 0, i+1
		e.Carrier = map[string]string{"traceparent": "00-1-2-01"}
		if slices.Contains([]outbox.State{outbox.StateSent, outbox.StateDone, outbox.StateRejected}, state) {
			e.TxID, e.TxStatus, e.Named, e.Sent = qredo.TxID("tx-"+state), "approved", true, Start
		} else if i > 0 {
			e.Unknown, e.Reason, e.Misses = state == outbox.StateHeld, "because", 2
		}
		e.Steps = append(e.Steps, outbox.Step{At: Start, Kind: outbox.StepDelayed, Note: "lost", Times: 2, Last: Start.Add(time.Second)})
		entries = append(entries, e)
	}
	withdrawal, sweep := entries[3], entries[5]
	entries[3].Request = outbox.Withdrawal{CompanyID: "company", WithdrawalRequest: qredo.WithdrawalRequest{
		WalletID: "from", Address: "address", PartnerTxID: withdrawal.PartnerTxID, Expires: qredo.TimeOf(Start), Send: qredo.AssetAmount{Asset: "ETH", Amount: 1},
	}}
	entries[5].Request = outbox.Sweep{CoreClientID: "core", SweepRequest: qredo.SweepRequest{
		WalletID: "from", RecipientWalletID: "to", PartnerTxID: sweep.PartnerTxID, Expires: qredo.TimeOf(Start), Send: qredo.AssetAmount{Asset: "ETH", Amount: 2},
	}}
	return entries
}
