package approver

import (
	"cmp"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/web3"
)

// facts is what rules can use of an action, by name. Numbers are [*big.Int], texts string, and booleans bool. A fact that
// an action does not have, or that the service does not state, is missing: a condition on it is neither true nor false.
type facts map[string]any

// kind is the type of a fact, or of a part of an expression.
type kind string

const (
	number kind = "a number"
	text   kind = "text"
	truth  kind = "true or false"
	moment kind = "a time of day" // minutes since midnight
)

// vocabulary has the kind of each fact.
var vocabulary = map[string]kind{
	"type": text, "asset": text, "amount": number, "net_amount": number, "fees": number,
	"receive_asset": text, "receive_amount": number, "value": number, "gas": number, "chain": number, "method": text, "data": text,
	"recipient": text, "recipient_name": text, "whitelist_name": text, "whitelisted": truth,
	"initiator": text, "initiator_name": text, "reference": text, "benefit_of": text,
	"wallet": text, "fund": text, "company": text, "sweep": truth,
	"hour": number, "minute": number, "weekday": text, "time": moment,
}

// The types of action that an approving rule matches without naming them, and those without an amount.
var (
	unnamed     = []qredo.ActionType{qredo.ActionTransfer, qredo.ActionWithdraw}
	swaps       = []qredo.ActionType{qredo.ActionSwap, qredo.ActionSwapTake}
	countsNone  = []qredo.ActionType{qredo.ActionWalletConnect, qredo.ActionExternalSign, qredo.ActionPolicyUpdate}
	knownTypes  = slices.Concat(unnamed, swaps, countsNone)
	onlySwap    = []string{"receive_asset", "receive_amount"}
	onlyWeb3    = []string{"value", "gas", "chain", "method", "data"}
	amountFacts = []string{"amount", "net_amount", "fees"}
)

// has reports whether actions of a type can have a fact. For unknown types, every fact is possible.
func has(t qredo.ActionType, fact string) bool {
	switch {
	case slices.Contains(onlySwap, fact):
		return slices.Contains(swaps, t)
	case slices.Contains(onlyWeb3, fact):
		return t == qredo.ActionExternalSign
	case slices.Contains(amountFacts, fact):
		return !slices.Contains(countsNone, t)
	}
	return true
}

// factsOf extracts the facts from an action's details. It returns an error if something would move and the service does
// not say how much, or if its statements contradict each other.
func factsOf(a qredo.Action, now time.Time) (facts, error) {
	now = now.UTC()
	f := facts{
		"type": string(a.Type), "hour": wide(now.Hour()), "minute": wide(now.Minute()), "weekday": now.Weekday().String(),
		"time": wide(now.Hour()*60 + now.Minute()),
	}
	if err := contradiction(a); err != nil {
		return f, err
	}
	d := a.Details
	asset, wallet := d.Asset, d.WalletID
	if d.Wallet != nil { // a wallet that is to be connected
		asset, wallet = cmp.Or(asset, d.Wallet.Asset), cmp.Or(wallet, d.Wallet.ID)
	}
	for fact, v := range map[string]string{
		"asset": string(asset), "recipient": cmp.Or(d.RecipientAddress, d.RecipientID), "recipient_name": d.RecipientName, "whitelist_name": d.RecipientAddressName,
		"initiator": d.InitiatedBy, "initiator_name": d.InitiatorName, "reference": d.Reference, "benefit_of": d.BenefitOf,
		"wallet": string(wallet), "fund": string(d.FundID), "company": string(d.CompanyID),
	} {
		// Everything that moves has these. An empty text would satisfy a condition with !=.
		always := fact == "asset" || fact == "wallet" || fact == "fund" || fact == "recipient" && !slices.Contains(swaps, a.Type)
		if v != "" || !always || slices.Contains(countsNone, a.Type) {
			f[fact] = v
		}
	}
	if may, known := sweepByDetails(a); known {
		f["sweep"] = may
	}
	f["whitelisted"] = d.RecipientAddress != "" && d.RecipientAddressName != ""
	switch {
	case slices.Contains(swaps, a.Type) && d.Receive != nil && d.Receive.Asset != "":
		f["receive_asset"], f["receive_amount"] = string(d.Receive.Asset), wide(d.Receive.Amount)
	case a.Type == qredo.ActionExternalSign:
		f.addPayment(web3.Of(d))
	}
	if d.Amount > 0 && !slices.Contains(countsNone, a.Type) {
		f["amount"] = wide(d.Amount)
		if d.NetAmount > 0 { // 0 means not given
			f["net_amount"], f["fees"] = wide(d.NetAmount), wide(d.Fees)
		}
	}
	return f, nil
}

func (f facts) addPayment(p web3.Payment) {
	if p.Value != nil {
		f["value"] = p.Value
	}
	if p.Gas != nil {
		f["gas"] = p.Gas
	}
	if p.Chain != nil {
		f["chain"] = p.Chain
	}
	if p.Data != nil {
		f["data"], f["method"] = *p.Data, p.Method()
	}
}

// with returns the facts with one more.
func (f facts) with(name string, value any) facts {
	more := maps.Clone(f)
	more[name] = value
	return more
}

// text returns a fact that is text; "" if it is missing.
func (f facts) text(name string) string {
	v, _ := f[name].(string)
	return v
}

func wide[T ~int | ~int64](n T) *big.Int { return big.NewInt(int64(n)) }
