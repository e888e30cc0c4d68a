package qapi

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/wire"
)

// Ledger is what moved in a fund. The most recent entries of each wallet come first.
type Ledger struct {
	Entries []LedgerEntry  `json:"list"`
	Total   int            `json:"total"`
	Wallets []LedgerWallet `json:"wallets"` // those that entries name
}

// LedgerEntry is one movement of a fund. What its figures count, the caller must say: see [Figure]. The service's
// document has no sign for them.
type LedgerEntry struct {
	TxID               qredo.TxID      `json:"txID"`
	Type               EntryType       `json:"type"`
	Asset              qredo.AssetCode `json:"asset"`
	Amount             Figure          `json:"amount"` // net amount and fees together
	Fees               Figure          `json:"fees"`
	NetAmount          Figure          `json:"netAmount"` // what the recipient gets
	FundID             qredo.FundID    `json:"fundID"`
	WalletID           qredo.WalletID  `json:"walletID"`
	Address            string          `json:"address"`
	CounterpartyID     string          `json:"counterpartyID"`
	CounterpartyName   string          `json:"counterpartyName"`
	CounterpartyEntity *qredo.Entity   `json:"counterpartyEntity,omitzero"`
	Reference          string          `json:"reference"`
	BenefitOf          string          `json:"benefitOf"`
	AccountNo          string          `json:"accountNo"`
	ChainTxID          string          `json:"chainTxID"` // on the service's own chain
	// LayerOneTxIDs are the transactions on the asset's chain that this one was made of. The wire spells it so.
	LayerOneTxIDs []string   `json:"later1TxID"`
	Time          qredo.Time `json:"timestamp"`
}

// LedgerWallet names a wallet that a ledger's entries are of.
type LedgerWallet struct {
	WalletID   qredo.WalletID   `json:"walletID"`
	FundName   string           `json:"fundName"`
	WalletName string           `json:"walletName"`
	Type       qredo.WalletType `json:"type"`
}

// EntryType tells what a ledger entry is. On the wire it is a number, or text as in the Partner API: a number
// that is known becomes the text. Other values than these may come; an unknown number is its digits.
type EntryType string

// The kinds of ledger entries, and the Partner API's for the sides of a transfer and a swap.
const (
	EntryWithdraw      EntryType = "withdraw"       // 1
	EntryTransfer      EntryType = "transfer"       // 2
	EntrySwap          EntryType = "swap"           // 3
	EntrySweep         EntryType = "sweep"          // 4
	EntryUpdatePolicy  EntryType = "update policy"  // 5
	EntryDeposit       EntryType = "deposit"        // 6
	EntryWalletConnect EntryType = "wallet connect" // 7
	EntryExternalSign  EntryType = "external sign"  // 8
	EntryTransferIn    EntryType = "transferIn"     // no number
	EntryTransferOut   EntryType = "transferOut"    // no number
	EntrySwapIn        EntryType = "swapIn"         // no number
	EntrySwapOut       EntryType = "swapOut"        // no number
)

// entryTypes are the kinds that have numbers, at their numbers.
var entryTypes = []EntryType{
	1: EntryWithdraw, 2: EntryTransfer, 3: EntrySwap, 4: EntrySweep, 5: EntryUpdatePolicy, 6: EntryDeposit, 7: EntryWalletConnect, 8: EntryExternalSign,
}

// UnmarshalJSON reads a number, as such or as text, or a word.
func (t *EntryType) UnmarshalJSON(data []byte) error {
	text, err := readWord(data, entryTypes)
	*t = text
	return err
}

// MarshalJSON writes the number if the kind has one.
func (t EntryType) MarshalJSON() ([]byte, error) { return writeWord(t, entryTypes) }

// readWord reads a value that comes as a number or as a word.
func readWord[T ~string](data []byte, words []T) (T, error) {
	var text string
	if err := wire.Unmarshal(data, &text); err != nil {
		return "", err
	}
	if n, err := strconv.Atoi(text); err == nil && n > 0 && n < len(words) {
		return words[n], nil
	}
	for _, word := range words {
		if text != "" && foldWord(text) == foldWord(string(word)) {
			return word, nil
		}
	}
	return T(text), nil
}

// foldWord leaves the letters of a word: "update_policy" and "updatePolicy" are one.
func foldWord(word string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "").Replace(word))
}

func writeWord[T ~string](word T, words []T) ([]byte, error) {
	if n := slices.Index(words, word); n > 0 {
		return strconv.AppendInt(nil, int64(n), 10), nil
	}
	return json.Marshal(string(word))
}
