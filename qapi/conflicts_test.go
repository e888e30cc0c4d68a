package qapi_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
)

// Beside the twelve, further places where the service's documents differ among themselves. Each form is read, and
// those that mean the same come to the same.

// Whole units, as the document has it, and base units, as the sandbox: in both shapes of a figure.
func TestFiguresOfBothUnits(t *testing.T) {
	btc := qredo.Asset{Code: "BTC", Scale: 100_000_000}
	type unit func(qapi.Figure) (qredo.Amount, error)
	whole := func(f qapi.Figure) (qredo.Amount, error) { return f.WholeUnits(btc) }
	for _, form := range []struct {
		figures string
		read    unit
	}{
		{`"amount":0.001156,"fees":0.00003,"netAmount":0.001126`, whole},
		{`"amount":"0.001156","fees":"0.00003","netAmount":"0.00112600"`, whole},
		{`"amount":1.156e-3,"fees":3e-5,"netAmount":1.126E-3`, whole},
		{`"amount":115600,"fees":3000,"netAmount":112600`, qapi.Figure.BaseUnits},
		{`"amount":"115600","fees":"3000","netAmount":"112600"`, qapi.Figure.BaseUnits},
		{`"amount":115600.0,"fees":3e3,"netAmount":112600`, qapi.Figure.BaseUnits},
	} {
		check := func(figures ...qapi.Figure) {
			for i, want := range []qredo.Amount{115_600, 3000, 112_600} {
				got, err := form.read(figures[i])
				require.NoError(t, err, form.figures)
				assert.Equal(t, want, got, form.figures)
			}
		}
		ledger, err := answering(t, 200, `{"list":[{`+form.figures+`}]}`).Funds.ListLedger(t.Context(), "F1")
		require.NoError(t, err, form.figures)
		check(ledger.Entries[0].Amount, ledger.Entries[0].Fees, ledger.Entries[0].NetAmount)
		history, err := answering(t, 200, `{"history":[{`+form.figures+`}]}`).Wallets.ListHistory(t.Context(), "W1")
		require.NoError(t, err, form.figures)
		check(history[0].Amount, history[0].Fees, history[0].NetAmount)
	}
	// A 1 can be either, which only the caller can tell.
	one, err := answering(t, 200, `{"history":[{"amount":1}]}`).Wallets.ListHistory(t.Context(), "W1")
	require.NoError(t, err)
	inWhole, err := one[0].Amount.WholeUnits(btc)
	require.NoError(t, err)
	inBase, err := one[0].Amount.BaseUnits()
	require.NoError(t, err)
	assert.Equal(t, []qredo.Amount{100_000_000, 1}, []qredo.Amount{inWhole, inBase})
	_, err = one[0].Fees.BaseUnits()
	requireInvalid(t, err, "figure") // what did not come is not taken for 0
}

// The two examples obey the formula of the total, an example of the schema does not; all are read as they are.
func TestBalancesAreNotJudged(t *testing.T) {
	for _, want := range []qapi.AssetBalance{
		{Total: 1000, Available: 980, PendingIn: 20}, {Total: 2000, Available: 1500, PendingIn: 500}, {Total: 2000, Available: 1500, PendingIn: 20},
		{Total: -1, Available: -2, PendingOut: 3},
	} {
		data, err := json.Marshal(want)
		require.NoError(t, err)
		text := string(data)
		got, err := answering(t, 200, `{"assets":[{"BTC":`+text+`},{"ETH":`+text+`,"QRDO":`+text+`}]}`).Balance.Get(t.Context())
		require.NoError(t, err)
		assert.Equal(t, qapi.Balances{"BTC": want, "ETH": want, "QRDO": want}, got)
	}
}

// If an account has nothing, null replaces a list or an object.
func TestNullIsEmpty(t *testing.T) {
	ctx := t.Context()
	for name, c := range map[string]struct {
		body string
		read func(c *qapi.Client) (size int, err error)
	}{
		"balance":  {`{"assets":null}`, func(c *qapi.Client) (int, error) { b, err := c.Balance.Get(ctx); return len(b), err }},
		"balances": {`{"assets":[null,{}]}`, func(c *qapi.Client) (int, error) { b, err := c.Balance.Get(ctx); return len(b), err }},
		"funds": {`{"total":null,"funds":null}`, func(c *qapi.Client) (int, error) {
			l, err := c.Funds.List(ctx, qapi.FundsOptions{})
			return len(l), err
		}},
		"ledger": {`{"list":null,"total":0,"wallets":null}`, func(c *qapi.Client) (int, error) {
			l, err := c.Funds.ListLedger(ctx, "F1")
			require.NotNil(t, l)
			return len(l.Entries) + len(l.Wallets) + l.Total, err
		}},
		"entries": {`{"list":[{"amount":null,"later1TxID":null,"counterpartyEntity":null}]}`, func(c *qapi.Client) (int, error) {
			l, err := c.Funds.ListLedger(ctx, "F1")
			return len(l.Entries[0].LayerOneTxIDs), err
		}},
		"history": {`{"history":null}`, func(c *qapi.Client) (int, error) { l, err := c.Wallets.ListHistory(ctx, "W1"); return len(l), err }},
		"parties": {`{"members":null}`, func(c *qapi.Client) (int, error) { l, err := c.TrustedParties.List(ctx); return len(l), err }},
		"approvals": {`{"total":0,"list":null}`, func(c *qapi.Client) (int, error) {
			l, err := c.Transactions.ListApprovals(ctx, "T1")
			return len(l), err
		}},
		"account": {`{"settings":null}`, func(c *qapi.Client) (int, error) { a, err := c.Account.Get(ctx); return len(a.Members), err }},
		"organization": {`{"settings":{"id":"A","members":null,"connectClients":null,"rpcNetworks":null,"userAPIKeys":null}}`, func(c *qapi.Client) (int, error) {
			a, err := c.Account.Get(ctx)
			return len(a.Members) + len(a.APIKeys), err
		}},
		"keys": {`{"settings":{"userAPIKeys":{"number_of_keys":0,"user_api_keys":null}}}`, func(c *qapi.Client) (int, error) { a, err := c.Account.Get(ctx); return len(a.APIKeys), err }},
		"fund": {`{"fundInfo":{"fund_id":"F1","members":null,"wallets":null,"policyTx":null,"policyWithdrawl":{"members":null,"funds":null}}}`, func(c *qapi.Client) (int, error) {
			f, err := c.Funds.Get(ctx, "F1")
			return len(f.Members) + len(f.Wallets) + len(f.PolicyWithdraw.Members), err
		}},
		"transaction": {`{"txID":"T1","timestamps":null,"events":null,"network":null,"nonce":null}`, func(c *qapi.Client) (int, error) {
			tx, err := c.Transactions.Get(ctx, "T1")
			return len(tx.Timestamps) + len(tx.Events), err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			size, err := c.read(answering(t, 200, c.body))
			require.NoError(t, err)
			assert.Zero(t, size)
		})
	}
	// But not for a fund that was asked for by its ID.
	_, err := answering(t, 200, `{"fundInfo":null}`).Funds.Get(ctx, "F1")
	require.ErrorIs(t, err, qredo.ErrBadAnswer)
}

// The entities of this API have an owner, an address, and a key in capitals; a list of funds may have their wallets.
func TestEntityForms(t *testing.T) {
	want := qredo.Entity{
		ID: "U1", Type: "user", Address: "alice@example.com", User: &qredo.EntityUser{FirstName: "Alice", Username: "alice", Partner: true},
	}
	for _, form := range []string{
		`"owner":null,"address":"alice@example.com","user":{"firstName":"Alice","userName":"alice","partner":true}`,
		`"address":"alice@example.com","user":{"first_name":"Alice","username":"alice","partner":"true"}`,
	} {
		fund, err := answering(t, 200, `{"fundInfo":{"fund_id":"F1","members":[{"entity":{"id":"U1","type":"user",`+form+`}}]}}`).Funds.Get(t.Context(), "F1")
		require.NoError(t, err, form)
		assert.Equal(t, want, fund.Members[0].Entity, form)
	}
	agent := `{"list":[{"counterpartyEntity":{"id":"C1","type":"core-client","owner":"A1","address":null,"core-client":{"name":"robot"}}}]}`
	ledger, err := answering(t, 200, agent).Funds.ListLedger(t.Context(), "F1")
	require.NoError(t, err)
	assert.Equal(t, &qredo.Entity{ID: "C1", Type: "core-client", Owner: "A1", CoreClient: &qredo.EntityCoreClient{Name: "robot"}}, ledger.Entries[0].CounterpartyEntity)

	funds, err := answering(t, 200, `{"total":1,"funds":[{"fundID":"F1","wallets":[{"fundID":"F1","walletID":"W1","asset":"BTC"}]}]}`).Funds.List(t.Context(), qapi.FundsOptions{Archived: true})
	require.NoError(t, err)
	assert.Equal(t, []qapi.FundSummary{{ID: "F1"}}, funds)
}

// A status of its own comes between created and approved; fields that documents give several forms are read in all.
func TestTransactionForms(t *testing.T) {
	tx := status(t, `"status":"Authorized","timestamps":{"created":5,"authorized":5,"approved":0},"events":[{"id":"2r5y","status":"authorized","message":"custodian approved","timestamp":5}]`)
	assert.Equal(t, qapi.StatusAuthorized, tx.Status)
	assert.False(t, tx.Status.Ended())
	assert.Equal(t, qapi.Timestamps{"created": qredo.Unix(5), "authorized": qredo.Unix(5)}, tx.Timestamps)
	assert.Equal(t, []qapi.StatusUpdate{{ID: "2r5y", Status: "authorized", Message: "custodian approved", Time: qredo.Unix(5)}}, tx.Events)
	for _, network := range []string{`""`, `null`} {
		for _, chain := range []string{`5`, `"5"`} {
			for _, value := range []string{`1`, `"1"`} {
				tx := status(t, `"network":`+network+`,"chainID":`+chain+`,"value":`+value+`,"createdBy":"_bJCqd-T4cnNpx"`)
				assert.Equal(t, []string{"", "5", "1", "_bJCqd-T4cnNpx"}, []string{tx.Network, tx.ChainID.String(), tx.Value.String(), tx.CreatedBy})
			}
		}
	}
}

// The two transactions that the service published, kept as they came.
func TestRawTxAsPublished(t *testing.T) {
	const (
		legacy  = "0xdd800115943d6a96164c95b143d1e0eb9fab95710b9c99faff0180808080"
		dynamic = "pALiBYABggfQFZQAAAAAAAAAAAAAAAAAAAAAAAAAAAGAwICAgA"
	)
	assert.Equal(t, legacy, status(t, `"rawTX":"`+legacy+`"`).RawTx)
	assert.Equal(t, dynamic, status(t, `"rawTX":"`+dynamic+`"`).RawTx)
}

// What a chain takes comes out of every form that a signed transaction may have: with or without an RLP string around it, whose
// header changes at these sizes. A legacy one has none. (go-ethereum, in a module of its own, is the judge: sandbox/internal/evm/judge.)
func TestSignedBytesOfEveryForm(t *testing.T) {
	for size, header := range map[int]string{
		2: "82", 55: "b7", 56: "b838", 255: "b8ff", 256: "b90100", 65_535: "b9ffff", 65_536: "ba010000",
	} {
		dynamic := append([]byte{2}, make([]byte, size-1)...)
		legacy := append([]byte{0xc0}, make([]byte, size-1)...)
		prefix, err := hex.DecodeString(header)
		require.NoError(t, err)
		for _, c := range []struct{ raw, want []byte }{{dynamic, dynamic}, {append(prefix, dynamic...), dynamic}, {legacy, legacy}} {
			for _, text := range []string{
				"0x" + hex.EncodeToString(c.raw), hex.EncodeToString(c.raw), base64.StdEncoding.EncodeToString(c.raw), base64.RawURLEncoding.EncodeToString(c.raw),
			} {
				got, err := status(t, `"signedTx":"`+text+`"`).SignedBytes()
				require.NoError(t, err)
				require.Equal(t, c.want, got, "%d bytes", size)
			}
		}
	}
}

// Bytes that are not such a string are left unchanged.
func TestSignedBytesLeavesOthersAlone(t *testing.T) {
	for _, text := range []string{
		"f8", "80", "02", "a402", "8203", "83020304ff", "8180", "81ff", "b802ff", "b9", "b90001", "bfffffffffffffffffff02", "bb0000000102", "b8", "c0",
		"b7" + strings.Repeat("02", 54),
	} {
		raw, err := hex.DecodeString(text)
		require.NoError(t, err)
		got, err := status(t, `"signedTx":"0x`+text+`"`).SignedBytes()
		require.NoError(t, err)
		assert.Equal(t, raw, got, text)
	}
}
