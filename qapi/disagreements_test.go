package qapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
)

// The service's sources disagree in twelve places. Each has a case below: what is read, and where the
// client chooses a form, what it sends. What they say otherwise is in conflicts_test.go.

func TestRow1BalanceForms(t *testing.T) {
	const btc, eth = `"BTC":{"total":3,"available":"2","pendingIn":0,"pendingOut":1,"scale":100000000.0}`, `"ETH":{"total":1}`
	want := qapi.Balances{"BTC": {Total: 3, Available: 2, PendingOut: 1, Scale: 100_000_000}, "ETH": {Total: 1}}
	for _, form := range []string{`{` + btc + `,` + eth + `}`, `[{` + btc + `},{` + eth + `}]`, `[{` + btc + `,` + eth + `}]`} {
		var whole qredo.Response
		got, err := answering(t, 200, `{"assets":`+form+`}`).Balance.Get(t.Context(), qredo.WithResponse(&whole))
		require.NoError(t, err, form)
		assert.Equal(t, want, got, form)
		assert.Equal(t, `{"assets":`+form+`}`, string(whole.Body)) // reading has left it as it was
	}
	for _, empty := range []string{`{}`, `[]`, `null`} {
		got, err := answering(t, 200, `{"assets":`+empty+`}`).Balance.Get(t.Context())
		require.NoError(t, err)
		assert.Empty(t, got)
	}
	for form, says := range map[string]string{
		`[{` + eth + `},{` + eth + `}]`: "assets.ETH: is listed twice",
		`{` + eth + `,` + eth + `}`:     "assets.ETH: is listed twice",
		`{"ETH":{"total":1.5}}`:         "1.5 is not a whole number",
		`7`:                             "assets: is neither an object nor a list",
		`[7]`:                           "assets: is neither an object nor a list",
	} {
		_, err := answering(t, 200, `{"assets":`+form+`}`).Balance.Get(t.Context())
		require.ErrorIs(t, err, qredo.ErrBadAnswer)
		require.ErrorContains(t, err, says)
	}
	assert.Equal(t, "0.00000003", want["BTC"].Asset("BTC").Format(want["BTC"].Total))
}

func TestRow2ApprovalStatus(t *testing.T) {
	for text, want := range map[string]qapi.ApprovalStatus{
		`1`: qapi.ApprovalPending, `2`: qapi.ApprovalExpired, `3`: qapi.ApprovalApproved, `4`: qapi.ApprovalRejected,
		`"3"`: qapi.ApprovalApproved, `"approved"`: qapi.ApprovalApproved, `"Approved"`: qapi.ApprovalApproved, `"pending"`: qapi.ApprovalPending,
		`"expired"`: qapi.ApprovalExpired, `"rejected"`: qapi.ApprovalRejected, `"unknown"`: qapi.ApprovalUnknown, `"Unknown"`: qapi.ApprovalUnknown,
		`0`: "0", `9`: "9", `"odd one"`: "odd one", `""`: "",
	} {
		list, err := answering(t, 200, `{"total":1,"list":[{"status":`+text+`}]}`).Transactions.ListApprovals(t.Context(), "t")
		require.NoError(t, err, text)
		require.Len(t, list, 1)
		assert.Equal(t, want, list[0].Status, text)
	}
	for status, want := range map[qapi.ApprovalStatus]string{
		qapi.ApprovalPending: `1`, qapi.ApprovalExpired: `2`, qapi.ApprovalApproved: `3`, qapi.ApprovalRejected: `4`, qapi.ApprovalUnknown: `"unknown"`, `a"b`: `"a\"b"`,
	} {
		text, err := json.Marshal(status)
		require.NoError(t, err)
		assert.Equal(t, want, string(text))
	}
	_, err := answering(t, 200, `{"list":[{"status":{}}]}`).Transactions.ListApprovals(t.Context(), "t")
	require.ErrorContains(t, err, "list[0].status")
}

// status is a transaction with further fields.
func status(t *testing.T, fields string) *qapi.Transaction {
	t.Helper()
	tx, err := answering(t, 200, `{"txID":"t",`+fields+`}`).Transactions.Get(t.Context(), "t")
	require.NoError(t, err, fields)
	return tx
}

func TestRow3Nonce(t *testing.T) {
	assert.Equal(t, "7", status(t, `"nonce":"7"`).Nonce.String())
	assert.Equal(t, "7", status(t, `"nonce":7`).Nonce.String())
	assert.Equal(t, "0", status(t, `"nonce":0`).Nonce.String())
	assert.True(t, status(t, `"nonce":""`).Nonce.IsZero())
}

func TestRow4RawTxIsKeptAsText(t *testing.T) {
	for _, text := range []string{"0xf86c09", "+GwJhQ", "-GwJhQ", ""} {
		assert.Equal(t, text, status(t, `"rawTX":"`+text+`"`).RawTx)
	}
	for _, text := range []string{"0xf86c0985", "f86c0985", "0XF86C0985", "+GwJhQ", "-GwJhQ", "+GwJhQ=="} {
		raw, err := status(t, `"signedTx":"`+text+`"`).SignedBytes()
		require.NoError(t, err, text)
		assert.Equal(t, []byte{0xf8, 0x6c, 0x09, 0x85}, raw, text)
	}
	_, err := status(t, `"signedTx":"0x?"`).SignedBytes()
	require.ErrorContains(t, err, "neither hexadecimal nor base64")
}

func TestRow5NotSigned(t *testing.T) {
	for _, text := range []string{`"0x"`, `"0X"`, `""`, `null`} {
		tx := status(t, `"signedTx":`+text)
		assert.False(t, tx.Signed(), text)
		_, err := tx.SignedBytes()
		require.ErrorIs(t, err, qapi.ErrNotSigned, text)
	}
	assert.True(t, status(t, `"signedTx":"0xf8"`).Signed())
}

func TestRow6StatusWithoutRegardToCase(t *testing.T) {
	for _, text := range []string{"confirmed", "Confirmed", "CONFIRMED"} {
		tx := status(t, `"status":"`+text+`","timestamps":{"`+text+`":5,"Pending":0},"events":[{"status":"`+text+`"}]`)
		assert.Equal(t, qapi.StatusConfirmed, tx.Status)
		assert.Equal(t, qapi.StatusConfirmed, tx.Events[0].Status)
		assert.Equal(t, qapi.Timestamps{qapi.StatusConfirmed: qredo.Unix(5)}, tx.Timestamps)
	}
	assert.True(t, qapi.Status("Rejected").Failed())
	assert.True(t, qapi.Status("MINED").Ended())
}

func TestRow7Statuses(t *testing.T) {
	failed := map[qapi.Status]bool{"cancelled": true, "rejected": true, "failed": true, "expired": true}
	ended := map[qapi.Status]bool{"mined": true, "confirmed": true}
	all := []qapi.Status{
		"pending", "created", "authorized", "approved", "expired", "cancelled", "rejected", "queued", "signed", "scheduled", "pushed",
		"confirmed", "mined", "failed", "odd One", "",
	}
	for _, s := range all {
		assert.Equal(t, s, status(t, `"status":"`+string(s)+`"`).Status, "an unknown one is kept")
		assert.Equal(t, failed[s], s.Failed(), s)
		assert.Equal(t, failed[s] || ended[s], s.Ended(), s)
	}
}

func TestRow8FundKeys(t *testing.T) {
	for _, key := range []string{"fundID", "fund_id", "FundId"} {
		funds, err := answering(t, 200, `{"funds":[{"`+key+`":"F1"}]}`).Funds.List(t.Context(), qapi.FundsOptions{})
		require.NoError(t, err)
		assert.Equal(t, qredo.FundID("F1"), funds[0].ID, key)
		for _, withdraw := range []string{"policyWithdrawl", "policyWithdrawal", "policy_withdraw"} {
			for _, tx := range []string{"policyTx", "policy_tx"} {
				body := fmt.Sprintf(`{%q:{"id":"P1"},%q:{"id":"P2"}}`, withdraw, tx)
				info, err := answering(t, 200, `{"fundInfo":{"`+key+`":"F1","wallets":[`+body+`],`+body[1:]+`}`).Funds.Get(t.Context(), "F1")
				require.NoError(t, err)
				assert.Equal(t, qredo.FundID("F1"), info.ID)
				assert.Equal(t, qredo.PolicyID("P1"), info.PolicyWithdraw.ID, withdraw)
				assert.Equal(t, qredo.PolicyID("P2"), info.PolicyTx.ID, tx)
				assert.Equal(t, qredo.PolicyID("P1"), info.Wallets[0].PolicyWithdraw.ID, withdraw)
				assert.Equal(t, qredo.PolicyID("P2"), info.Wallets[0].PolicyTx.ID, tx)
			}
		}
	}
}

func TestRow9Figures(t *testing.T) {
	const wei = "123456789012345678901234567890"
	for _, field := range []string{"value", "gasLimit", "gasPrice", "chainID"} {
		for _, form := range []string{wei, `"` + wei + `"`} {
			tx := status(t, `"`+field+`":`+form)
			got := map[string]qapi.BigInt{"value": tx.Value, "gasLimit": tx.GasLimit, "gasPrice": tx.GasPrice, "chainID": tx.ChainID}
			assert.Equal(t, wei, got[field].String(), field)
		}
	}
	// What is sent is text: see the fixture transactions_create.
}

func TestRow10HistoryPath(t *testing.T) {
	client := newClient(t, func(req *http.Request) (*http.Response, error) {
		assert.Equal(t, "/qapi/v1/wallet/W1/history", req.URL.Path)
		return answer(req, 200, `{"history":null}`), nil
	})
	got, err := client.Wallets.ListHistory(t.Context(), "W1")
	require.NoError(t, err)
	assert.Empty(t, got)
}

func TestRow11EntryType(t *testing.T) {
	for text, want := range map[string]qapi.EntryType{
		`1`: "withdraw", `2`: "transfer", `3`: "swap", `4`: "sweep", `5`: "update policy", `6`: "deposit", `7`: "wallet connect", `8`: "external sign",
		`"6"`: "deposit", `"withdraw"`: "withdraw", `"Deposit"`: "deposit", `"updatePolicy"`: "update policy", `"external_sign"`: "external sign",
		`"transferIn"`: qapi.EntryTransferIn, `"transferOut"`: qapi.EntryTransferOut, `"swapIn"`: qapi.EntrySwapIn, `"swapOut"`: qapi.EntrySwapOut,
		`0`: "0", `99`: "99", `-1`: "-1", `"odd"`: "odd", `""`: "",
	} {
		ledger, err := answering(t, 200, `{"list":[{"type":`+text+`}]}`).Funds.ListLedger(t.Context(), "F1")
		require.NoError(t, err, text)
		assert.Equal(t, want, ledger.Entries[0].Type, text)
	}
	for kind, want := range map[qapi.EntryType]string{qapi.EntryWithdraw: `1`, qapi.EntryExternalSign: `8`, qapi.EntrySwapIn: `"swapIn"`} {
		text, err := json.Marshal(kind)
		require.NoError(t, err)
		assert.Equal(t, want, string(text))
	}
}

func TestRow12LayerOneTxIDs(t *testing.T) {
	for form, want := range map[string][]string{`["a","b"]`: {"a", "b"}, `"a"`: {"a"}, `[]`: {}, `null`: nil} {
		ledger, err := answering(t, 200, `{"list":[{"later1TxID":`+form+`}],"wallets":{"walletID":"W1"}}`).Funds.ListLedger(t.Context(), "F1")
		require.NoError(t, err, form)
		assert.Equal(t, want, ledger.Entries[0].LayerOneTxIDs, form)
		require.Len(t, ledger.Wallets, 1, "one object for a list")
	}
}

// Beside the table: an organization's keys are within an object that counts them, a person's a plain list.
func TestAccountKinds(t *testing.T) {
	keys := qapi.UserAPIKeys{{KeyID: "K1", Name: "n"}}
	for body, organization := range map[string]bool{
		`{"id":"A","members":[],"userAPIKeys":{"number_of_keys":1,"user_api_keys":[{"keyID":"K1","name":"n"}]}}`: true,
		`{"id":"A","defaultFiat":"USD","username":"u","userAPIKeys":[{"keyID":"K1","name":"n"}]}`:                false,
	} {
		account, err := answering(t, 200, `{"settings":`+body+`}`).Account.Get(t.Context())
		require.NoError(t, err)
		assert.Equal(t, organization, account.IsOrganization(), body)
		assert.Equal(t, keys, account.APIKeys, body)
	}
	_, err := answering(t, 200, `{"settings":{"userAPIKeys":{"user_api_keys":{"keyID":[]}}}}`).Account.Get(t.Context())
	require.ErrorContains(t, err, "settings.userAPIKeys.user_api_keys.keyID")
}
