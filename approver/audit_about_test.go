package approver

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

func TestWhatALineSaysOfAnAction(t *testing.T) {
	amount, received := qredo.Amount(900_000_000), qredo.Amount(1)
	for name, c := range map[string]struct {
		action qredo.Action
		want   About
	}{
		"without details": {qredo.Action{Type: qredo.ActionTransfer}, About{Type: qredo.ActionTransfer}},
		"a swap": {
			qredo.Action{Type: qredo.ActionSwap, Details: &qredo.ActionDetails{
				Asset: "BTC", Amount: amount, WalletID: "w", Receive: &qredo.AssetAmount{Asset: "ETH", Amount: received},
			}},
			About{Type: qredo.ActionSwap, Wallet: "w", Asset: "BTC", Amount: &amount, ReceiveAsset: "ETH", ReceiveAmount: &received},
		},
		"a Web3 payment, which has no amount": {
			qredo.Action{Type: qredo.ActionExternalSign, Details: &qredo.ActionDetails{
				Asset: "ETH-TESTNET", WalletID: "w", ClientData: map[string]any{"value": "1000000000000000000000", "chainID": "1", "data": ""},
			}},
			About{Type: qredo.ActionExternalSign, Wallet: "w", Asset: "ETH-TESTNET", Payment: "1000 coins (1000000000000000000000 wei) and unknown gas on chain 1, no data"},
		},
		"a wallet that is to be connected": {
			qredo.Action{Type: qredo.ActionWalletConnect, Details: &qredo.ActionDetails{Wallet: &qredo.ActionWallet{ID: "w", Asset: "BTC"}}},
			About{Type: qredo.ActionWalletConnect, Wallet: "w", Asset: "BTC"},
		},
	} {
		assert.Equal(t, c.want, aboutOf(&c.action), name)
	}
}

// ours are what nobody else chooses.
var ours = []string{"Kind", "Digest", "PolicyHash", "PinsHash", "Verdict", "Outcome", "Prev"}

// However long the texts of others are, a line has a length that is read again.
func TestLinesWithLongTextsAreRead(t *testing.T) {
	long := strings.Repeat("<\u2028\xff", 50_000)
	path, _ := newLog(t, 1)
	l, err := OpenAuditLog(path)
	require.NoError(t, err)
	for _, long := range []string{long, strings.Repeat("\x01", 70_000)} {
		e := Entry{Kind: EntryDecision}
		fields := []reflect.Value{reflect.ValueOf(&e).Elem(), reflect.ValueOf(&e.About).Elem()}
		for _, of := range fields {
			for i := range of.NumField() {
				if name := of.Type().Field(i).Name; of.Field(i).Kind() == reflect.String && !slices.Contains(ours, name) {
					of.Field(i).SetString(long)
				}
			}
		}
		_, err = l.append(e, true)
		require.NoError(t, err)
	}
	require.NoError(t, l.Close())
	require.NoError(t, verifyFiles(path))
}
