package approver_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// details changes what the service says of an action.
func details(change func(d *qredo.ActionDetails)) func(*qredo.Action) {
	return func(a *qredo.Action) { change(a.Details) }
}

func txType(word string) func(*qredo.Action) {
	return details(func(d *qredo.ActionDetails) { d.TxType = word })
}

func clientData(data map[string]any) func(*qredo.Action) {
	return details(func(d *qredo.ActionDetails) { d.ClientData = data })
}

// byName approves all types, by their names.
const byName = `type in ["ApproveTransfer", "ApproveWithdraw", "ApproveSwap", "ApproveSwapTake", "ApproveNewWalletConnect", "ApproveExternalSign", "ApproveUpdatePolicy"] && !sweep`

// Each of these was decided on, by what the rule happened to look at.
func TestDetailsThatContradictEachOtherAreLeftToPeople(t *testing.T) {
	const payee, another = "0x52908400098527886E0F7030069857D2E4169EE7", "0xde709f2102306220921060314715629080e2fb77"
	payout := withdrawal("bc1q", "payee")
	rules := rulesAt(t, rulesFile(byName), at(noon))
	for name, c := range map[string]struct {
		action qredo.Action
		says   string
	}{
		"a transfer's word for a withdrawal":     {newAction(payout, txType("transferOut")), `its type is ApproveWithdraw, and its txType, "transferOut", is that of a transfer`},
		"a withdrawal's for a transfer":          {newAction(txType("withdraw")), `that of a withdrawal`},
		"a swap's for a transfer":                {newAction(txType("atomicSwap")), `that of a swap`},
		"a swap's for a withdrawal":              {newAction(payout, txType("swap")), `that of a swap`},
		"a sweep's for a withdrawal":             {newAction(payout, txType("Sweep")), `that of a sweep`},
		"a withdrawal's for a swap":              {newAction(swap(5), txType("withdraw")), `that of a withdrawal`},
		"a sweep's for a swap":                   {newAction(swap(5), kind(qredo.ActionSwapTake), txType("sweep")), `that of a sweep`},
		"a transfer's for a connection":          {newAction(connect, txType("transferOut")), `that of a transfer`},
		"a withdrawal's for an update":           {newAction(update, txType("withdrawal")), `that of a withdrawal`},
		"two recipients":                         {newAction(details(func(d *qredo.ActionDetails) { d.RecipientAddress = "bc1q" })), `two recipients, address "bc1q" and wallet "wallet-2"`},
		"a transfer to an address":               {newAction(payout, kind(qredo.ActionTransfer)), `its recipient is address "bc1q", no wallet`},
		"a transfer to a wallet that is none":    {newAction(details(func(d *qredo.ActionDetails) { d.RecipientID = payee })), "is an address"},
		"a transfer to what is whitelisted":      {newAction(details(func(d *qredo.ActionDetails) { d.RecipientAddressName = "payee" })), `called "payee" on a whitelist`},
		"a withdrawal to a wallet":               {newAction(kind(qredo.ActionWithdraw)), `its recipient is wallet "wallet-2", no address`},
		"a Web3 payment to a wallet":             {newAction(ether, details(func(d *qredo.ActionDetails) { d.RecipientAddress, d.RecipientID = "", "w" })), "no address"},
		"a swap that pays a wallet":              {newAction(swap(5), details(func(d *qredo.ActionDetails) { d.RecipientID = "mallory" })), `names a recipient, "mallory"`},
		"a swap that pays an address":            {newAction(swap(5), details(func(d *qredo.ActionDetails) { d.RecipientAddress = payee })), "names a recipient"},
		"a swap that pays somebody":              {newAction(swap(5), details(func(d *qredo.ActionDetails) { d.RecipientName = "Mallory" })), "names a recipient"},
		"an update that pays somebody":           {newAction(update, details(func(d *qredo.ActionDetails) { d.RecipientID = "w" })), "names a recipient"},
		"a connection that pays an address":      {newAction(connect, details(func(d *qredo.ActionDetails) { d.RecipientAddress = "bc1q" })), "names a recipient"},
		"a transfer that receives":               {newAction(details(func(d *qredo.ActionDetails) { d.Receive = &qredo.AssetAmount{Asset: "ETH", Amount: 1} })), `receives 1 of "ETH", as only swaps do`},
		"a withdrawal that receives":             {newAction(payout, details(func(d *qredo.ActionDetails) { d.Receive = &qredo.AssetAmount{Amount: 1} })), "as only swaps do"},
		"a swap for nothing":                     {newAction(swap(0)), `receives 0 of "ETH", which is nothing`},
		"a swap for less than nothing":           {newAction(swap(-1)), "which is nothing"},
		"a swap for the same":                    {newAction(swap(5), of("ETH")), "exchanges ETH for the same"},
		"a negative amount of a type to come":    {newAction(kind("ApproveSomethingNew"), amount(-5)), "none can be negative"},
		"negative fees":                          {newAction(details(func(d *qredo.ActionDetails) { d.NetAmount, d.Fees = 1010, -10 })), "none can be negative"},
		"a negative net amount of a connection":  {newAction(connect, details(func(d *qredo.ActionDetails) { d.NetAmount = -5 })), "none can be negative"},
		"a withdrawal of nothing":                {newAction(payout, amount(0)), "the action's amount is 0"},
		"a net amount without an amount":         {newAction(kind("ApproveSomethingNew"), details(func(d *qredo.ActionDetails) { d.Amount = 0 })), "the action's amount is 0"},
		"fees without an amount":                 {newAction(details(func(d *qredo.ActionDetails) { d.Amount, d.NetAmount = 0, 0 })), "the action's amount is 0"},
		"a sum that is another":                  {newAction(details(func(d *qredo.ActionDetails) { d.NetAmount = 991 })), "amount 1000 is not its net amount 991 and fees 10 together"},
		"fees alone":                             {newAction(details(func(d *qredo.ActionDetails) { d.NetAmount, d.Fees = 0, 1000 })), "together"},
		"the amount of a connection":             {newAction(connect, details(func(d *qredo.ActionDetails) { d.Amount = 5 })), "which has no amount"},
		"the fees of an update":                  {newAction(update, details(func(d *qredo.ActionDetails) { d.Fees = 5 })), "which has no amount"},
		"the amount of a Web3 payment":           {newAction(ether, details(func(d *qredo.ActionDetails) { d.Amount = 5 })), "which has no amount"},
		"a transfer that connects":               {newAction(details(func(d *qredo.ActionDetails) { d.Wallet = &qredo.ActionWallet{ID: "w"} })), "a wallet that is to be connected"},
		"a connection of two wallets":            {newAction(connect, details(func(d *qredo.ActionDetails) { d.WalletID = "wallet-1" })), `two wallets, "wallet-1" and "wallet-9"`},
		"a connection of two assets":             {newAction(connect, of("BTC")), `two assets, "BTC" and "ETH"`},
		"a transfer with the data of a customer": {newAction(clientData(map[string]any{"customer_id": "7"})), "which has no clientData, and that has customer_id"},
		"a swap with the data of a payment":      {newAction(swap(5), clientData(map[string]any{"value": "7", "a": ""})), "which has no clientData, and that has value"},
		"a key in two spellings":                 {newAction(ether, clientData(map[string]any{"value": "7", "Value": "1000"})), `its clientData has "Value" and "value"`},
		"a chain in two":                         {newAction(ether, clientData(map[string]any{"chainID": "1", "chain_id": "137"})), `its clientData has "chainID" and "chain_id"`},
		"a customer in two":                      {newAction(connect, clientData(map[string]any{"customer_id": "1", "customerID": "137"})), "its clientData has"},
		"a payment to another":                   {newAction(ether, clientData(map[string]any{"to": another})), "in its clientData"},
		"a payment with other data":              {newAction(ether, clientData(map[string]any{"data": "0x", "input": "0xa9059cbb00"})), `data "0x" and input "0xa9059cbb00"`},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := rules.Decide(plain(t), c.action)
			require.ErrorContains(t, err, "the action contradicts itself: ")
			require.ErrorContains(t, err, c.says)
			assert.Empty(t, d.Verdict)
			e := rules.Explain(plain(t), c.action)
			assert.Equal(t, approver.Leave, e.Decision.Verdict)
			assert.Contains(t, e.Decision.Reason, c.says)
		})
	}
}

// What the service leaves empty, and words that nobody knows, contradict nothing.
func TestDetailsThatAreNotSaidContradictNothing(t *testing.T) {
	payout, rules := withdrawal("bc1q", "payee"), rulesAt(t, rulesFile(byName), at(noon))
	for name, a := range map[string]qredo.Action{
		"a transfer": newAction(), "its word": newAction(txType("transferOut")),
		"a withdrawal": newAction(payout), "the word of one": newAction(payout, txType("withdraw")), "another": newAction(payout, txType("payment")),
		"the address in both fields":     newAction(payout, details(func(d *qredo.ActionDetails) { d.RecipientID = "bc1q" })),
		"the wallet in both fields":      newAction(details(func(d *qredo.ActionDetails) { d.RecipientAddress = "wallet-2" })),
		"without company and initiators": newAction(payout, details(func(d *qredo.ActionDetails) { d.CompanyID, d.InitiatedBy, d.InitiatorName = "", "", "" })),
		"without net amount and fees":    newAction(details(func(d *qredo.ActionDetails) { d.NetAmount, d.Fees = 0, 0 })),
		"an empty receipt":               newAction(details(func(d *qredo.ActionDetails) { d.Receive = &qredo.AssetAmount{} })),
		"an empty wallet":                newAction(details(func(d *qredo.ActionDetails) { d.Wallet = &qredo.ActionWallet{} })),
		"empty client data":              newAction(clientData(map[string]any{"customer_id": "", "value": nil})),
		"a swap":                         newAction(swap(5)), "the word of a transfer": newAction(swap(5), txType("transferOut")), "of a swap": newAction(swap(5), txType("swap")),
		"a swap without a price": newAction(swap(5), details(func(d *qredo.ActionDetails) { d.Receive = nil })),
		"a connection":           newAction(connect), "one that names its wallet": newAction(connect, details(func(d *qredo.ActionDetails) { d.WalletID, d.Asset = "wallet-9", "ETH" })),
		"an update": newAction(update), "its own word": newAction(update, txType("update policy")),
		"a Web3 payment":         newAction(ether),
		"one that says it twice": newAction(ether, clientData(map[string]any{"to": "0x52908400098527886e0f7030069857d2e4169ee7", "input": "0xa9059cbb", "data": "0xA9059CBB"})),
	} {
		d, err := rules.Decide(plain(t), a)
		require.NoError(t, err, name)
		assert.Equal(t, approver.Approve, d.Verdict, name)
	}
}

// No policy approves what contradicts itself, whatever it looks at. What it is about stands in the log.
func TestContradictionsAreLeftWhateverThePolicy(t *testing.T) {
	p := newPinned(t)
	p.answering("/action/", `"txType":"withdraw"`, `"txType":"transferOut"`)
	p.start(approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
		return approver.Decision{Verdict: approver.Approve}, nil
	}))
	p.withdraw(agreed)
	decision := p.next(approver.EntryDecision)
	assert.Equal(t, approver.Leave, decision.Verdict)
	assert.Equal(t, `the action contradicts itself: its type is ApproveWithdraw, and its txType, "transferOut", is that of a transfer`, decision.Reason)
	assert.Equal(t, agreed, decision.Recipient)
	assert.Equal(t, approver.OutcomeLeft, p.next(approver.EntryResult).Outcome)
}

// If a key came twice, one value was checked and the other was not.
func TestClientDataWithAKeyTwiceIsNotRead(t *testing.T) {
	answer := `{"id":"a","coreClientID":"c","type":"ApproveExternalSign","status":"pending","details":{"clientData":{"value":"1","chainID":"1","value":"1000"}}}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
	defer server.Close()
	p := newPinned(t)
	client, err := qredo.NewClient(p.Sandbox.Auth(), qredo.WithBaseURL(server.URL+"/api/v1/p"), qredo.WithHTTPClient(server.Client()))
	require.NoError(t, err)
	_, err = client.CoreClients.GetAction(t.Context(), "c", "a")
	require.ErrorIs(t, err, qredo.ErrBadAnswer)
	require.ErrorContains(t, err, "details.clientData.value: duplicate key with conflicting values")
	answer = strings.Replace(answer, `,"value":"1000"`, "", 1)
	_, err = client.CoreClients.GetAction(t.Context(), "c", "a")
	require.NoError(t, err)
}
