package approver

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// What is found of expressions made at random is held against what they say of actions made at random: what can never hold
// holds for none, what always holds does not fail to, and a negation says the opposite.
func TestWhatIsFoundOfExpressionsIsSo(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) // the same expressions in each run
	one := func(of ...string) string { return of[random.IntN(len(of))] }
	comparison := func() string {
		return one(
			fmt.Sprintf("hour %s %d", one("<", "<=", ">", ">=", "==", "!="), random.IntN(26)-1), fmt.Sprintf("hour in %d..%d", random.IntN(12), 12+random.IntN(14)),
			fmt.Sprintf("time in %q..%q", one("22:00", "08:00"), one("06:00", "18:30")), fmt.Sprintf("hour * 60 + minute > %d", random.IntN(1500)),
			fmt.Sprintf("weekday %s %q", one("==", "!="), one("Monday", "Sunday")), `weekday in ["Monday", "Sunday"]`,
			fmt.Sprintf("amount %s %d", one("<", "<=", ">", ">=", "==", "!="), random.IntN(8)-1), fmt.Sprintf("amount <= %q", one("0.00000003 BTC", "0.000000004 ETH")),
			fmt.Sprintf("asset %s %q", one("==", "!="), one("BTC", "ETH")), fmt.Sprintf("asset startsWith %q", one("B", "E")),
			fmt.Sprintf("type %s %q", one("==", "!="), one("ApproveTransfer", "ApproveSwap", "ApproveExternalSign", "ApproveNewWalletConnect")),
			`type in ["ApproveSwap", "ApproveSwapTake"]`, fmt.Sprintf("recipient == %q", one("a", "A", "0x52908400098527886e0f7030069857d2e4169ee7", "0x52908400098527886E0F7030069857D2E4169EE7")),
			`recipient == ""`, "receive_amount > 3", "value > 3", "whitelisted", "sweep", "sweep != true",
		)
	}
	var expression func(depth int) string
	expression = func(depth int) string {
		if depth == 0 {
			return comparison()
		}
		return one("not (", "(", "(") + expression(depth-1) + one(" && ", " || ") + expression(depth-1) + ")"
	}
	action := func() (qredo.Action, time.Time) {
		a := qredo.Action{Type: knownTypes[random.IntN(len(knownTypes))]}
		d := &qredo.ActionDetails{Asset: qredo.AssetCode(one("BTC", "ETH", "X"))}
		if a.Details = d; !slices.Contains(countsNone, a.Type) {
			d.Amount = qredo.Amount(1 + random.IntN(6))
		}
		switch a.Type {
		case qredo.ActionSwap, qredo.ActionSwapTake:
			d.Receive = &qredo.AssetAmount{Asset: "LTC", Amount: qredo.Amount(1 + random.IntN(6))}
		case qredo.ActionTransfer:
			d.RecipientID = one("", "a", "b")
		case qredo.ActionExternalSign:
			d.ClientData = map[string]any{"value": one("2", "4", "no")}
			fallthrough
		case qredo.ActionWithdraw:
			d.RecipientAddress, d.RecipientAddressName = one("", "a", "b", "0x52908400098527886E0F7030069857D2E4169EE7"), one("", "n")
		case qredo.ActionWalletConnect, qredo.ActionPolicyUpdate: // which have none of these
		}
		return a, time.Date(2026, 3, 1+random.IntN(7), random.IntN(24), random.IntN(60), 0, 0, time.UTC)
	}
	d := &dictionary{decimals: map[string]int{"BTC": 8, "ETH": 9}, used: map[string]bool{}, counted: map[string]bool{}}
	for _, known := range knownTypes {
		d.types = append(d.types, string(known))
	}
	never, always := 0, 0
	expressions := 3000
	if testing.Short() { // the race detector makes it slow, and finds nothing in it
		expressions = 300
	}
	for range expressions {
		source := expression(random.IntN(3))
		c, err := compile(source, d)
		require.NoError(t, err, source)
		opposite, err := compile("not ("+source+")", d)
		require.NoError(t, err, source)
		isNever, isAlways := c.never(true, anyType), c.never(false, anyType)
		if isNever {
			never++
		}
		if isAlways {
			always++
		}
		for range 60 {
			f, err := factsOf(action())
			require.NoError(t, err)
			if f["sweep"] == nil {
				f["sweep"] = random.IntN(2) == 0
			}
			s, named := c.check(f)
			require.False(t, isNever && s == yes, "%s is said never to hold, and does for %v", source, f)
			require.False(t, isAlways && s == no, "%s is said to hold always, and does not for %v", source, f)
			require.False(t, named != (names{}) && s != yes, source)
			if turned, _ := opposite.check(f); !c.asks("amount") {
				require.Equal(t, -s, turned, "%s and its opposite for %v", source, f)
			} else {
				require.False(t, s == yes && turned == yes, "%s and its opposite for %v", source, f)
			}
		}
	}
	require.Greater(t, never, expressions/30)
	require.Greater(t, always, expressions/60)
}
