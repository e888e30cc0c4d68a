package approver

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/qredo-go/qredo"
)

// contradiction tells what of an action's details cannot be so together, or with its type. Only what is said can be in
// contradiction: the service leaves much empty. Of a type that is not known, hardly anything is known to contradict it.
func contradiction(a qredo.Action) error {
	d := a.Details
	if d == nil {
		return errors.New("the action has no details")
	}
	for _, find := range []func(qredo.ActionType, *qredo.ActionDetails) string{
		wrongWord, wrongRecipient, wrongReceipt, wrongAmount, wrongWallet, wrongClientData,
	} {
		if problem := find(a.Type, d); problem != "" {
			return errors.New("the action contradicts itself: " + problem)
		}
	}
	return nil
}

// moving is what a txType says, as far as one can be understood: only those of transfers and withdrawals are known.
func moving(txType string) (what string) {
	word := lowerASCII(txType)
	switch {
	case strings.Contains(word, "sweep"):
		return "a sweep"
	case strings.Contains(word, "swap"):
		return "a swap"
	case strings.HasPrefix(word, "withdraw"):
		return "a withdrawal"
	case strings.HasPrefix(word, "transfer"):
		return "a transfer"
	}
	return ""
}

func wrongWord(t qredo.ActionType, d *qredo.ActionDetails) string {
	fits := map[qredo.ActionType][]string{
		qredo.ActionTransfer: {"a transfer", "a sweep"}, qredo.ActionWithdraw: {"a withdrawal"},
		// Whoever approves transfers approves swaps: their word may be that of transfers.
		qredo.ActionSwap: {"a swap", "a transfer"}, qredo.ActionSwapTake: {"a swap", "a transfer"},
		qredo.ActionWalletConnect: {}, qredo.ActionPolicyUpdate: {},
	}
	may, known := fits[t]
	if what := moving(d.TxType); known && what != "" && !slices.Contains(may, what) {
		return fmt.Sprintf("its type is %s, and its txType, %q, is that of %s", t, d.TxType, what)
	}
	return ""
}

func wrongRecipient(t qredo.ActionType, d *qredo.ActionDetails) string {
	address, wallet := d.RecipientAddress, d.RecipientID
	if address != "" && wallet != "" && address != wallet {
		return fmt.Sprintf("it names two recipients, address %q and wallet %q", address, wallet)
	}
	is := fmt.Sprintf("its type is %s", t)
	switch t {
	case qredo.ActionTransfer:
		switch {
		case address != "" && wallet == "":
			return fmt.Sprintf("%s, and its recipient is address %q, no wallet", is, address)
		case anyCase(wallet):
			return fmt.Sprintf("%s, and its recipient's wallet %q is an address", is, wallet)
		case d.RecipientAddressName != "":
			return fmt.Sprintf("%s, and its recipient is called %q on a whitelist, as only addresses are", is, d.RecipientAddressName)
		}
	case qredo.ActionWithdraw:
		if wallet != "" && address == "" {
			return fmt.Sprintf("%s, and its recipient is wallet %q, no address", is, wallet)
		}
	case qredo.ActionExternalSign:
		if wallet != "" && address == "" {
			return fmt.Sprintf("%s, and its recipient is wallet %q, no address", is, wallet)
		}
	case qredo.ActionSwap, qredo.ActionSwapTake, qredo.ActionWalletConnect, qredo.ActionPolicyUpdate:
		for _, said := range []string{address, wallet, d.RecipientAddressName, d.RecipientName} {
			if said != "" {
				return fmt.Sprintf("%s, which pays nobody, and it names a recipient, %q", is, said)
			}
		}
	}
	return ""
}

func wrongReceipt(t qredo.ActionType, d *qredo.ActionDetails) string {
	r := d.Receive
	switch {
	case r == nil || r.Asset == "" && r.Amount == 0:
	case slices.Contains(knownTypes, t) && !slices.Contains(swaps, t):
		return fmt.Sprintf("its type is %s, and it receives %d of %q, as only swaps do", t, r.Amount, r.Asset)
	case r.Amount <= 0:
		return fmt.Sprintf("it receives %d of %q, which is nothing", r.Amount, r.Asset)
	case r.Asset == d.Asset && r.Asset != "":
		return fmt.Sprintf("it exchanges %s for the same", r.Asset)
	}
	return ""
}

func wrongAmount(t qredo.ActionType, d *qredo.ActionDetails) string {
	some := d.Amount != 0 || d.NetAmount != 0 || d.Fees != 0
	known := slices.Contains(knownTypes, t)
	switch {
	case d.Amount < 0 || d.NetAmount < 0 || d.Fees < 0:
		return fmt.Sprintf("the action's amount is %d, its net amount %d, its fees %d: none can be negative", d.Amount, d.NetAmount, d.Fees)
	case slices.Contains(countsNone, t) && some:
		return fmt.Sprintf("its type is %s, which has no amount, and its amount is %d, its net amount %d, its fees %d", t, d.Amount, d.NetAmount, d.Fees)
	case d.Amount == 0 && (some || known && !slices.Contains(countsNone, t)):
		return fmt.Sprintf("its type is %s, and the action's amount is 0", t)
	case (d.NetAmount != 0 || d.Fees != 0) && (d.NetAmount == 0 || d.Amount-d.Fees != d.NetAmount):
		return fmt.Sprintf("the action's amount %d is not its net amount %d and fees %d together", d.Amount, d.NetAmount, d.Fees)
	}
	return ""
}

func wrongWallet(t qredo.ActionType, d *qredo.ActionDetails) string {
	w := d.Wallet
	switch {
	case w == nil || w.ID == "" && w.Asset == "":
	case slices.Contains(knownTypes, t) && t != qredo.ActionWalletConnect:
		return fmt.Sprintf("its type is %s, and it has a wallet that is to be connected, %q", t, w.ID)
	case d.WalletID != "" && w.ID != "" && d.WalletID != w.ID:
		return fmt.Sprintf("it names two wallets, %q and %q", d.WalletID, w.ID)
	case d.Asset != "" && w.Asset != "" && d.Asset != w.Asset:
		return fmt.Sprintf("it names two assets, %q and %q", d.Asset, w.Asset)
	}
	return ""
}

func wrongClientData(t qredo.ActionType, d *qredo.ActionDetails) string {
	said := map[string]string{} // the key, by how it is read without regard to capitals
	for _, key := range slices.Sorted(maps.Keys(d.ClientData)) {
		if v := d.ClientData[key]; v == nil || v == any("") {
			continue
		}
		plain := strings.NewReplacer("_", "", "-", "").Replace(lowerASCII(key))
		if other, twice := said[plain]; twice {
			return fmt.Sprintf("its clientData has %q and %q", other, key)
		}
		said[plain] = key
	}
	if len(said) > 0 && slices.Contains(knownTypes, t) && t != qredo.ActionWalletConnect && t != qredo.ActionExternalSign {
		return fmt.Sprintf("its type is %s, which has no clientData, and that has %s", t, strings.Join(slices.Sorted(maps.Values(said)), ", "))
	}
	if t != qredo.ActionExternalSign {
		return ""
	}
	if to, ok := d.ClientData[said["to"]].(string); ok && d.RecipientAddress != "" && !same(to, d.RecipientAddress) {
		return fmt.Sprintf("its recipient is %q, and in its clientData %q", d.RecipientAddress, to)
	}
	data, given := d.ClientData[said["data"]].(string)
	if input, ok := d.ClientData[said["input"]].(string); ok && given && !same(input, data) {
		return fmt.Sprintf("its clientData has data %q and input %q", data, input)
	}
	return ""
}
