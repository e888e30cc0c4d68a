package qapi

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/wire"
)

// Ledger lists the movements of a fund. The most recent entries of each wallet come first.
type Ledger struct {
	Entries []LedgerEntry  `json:"list"`
	Total   int            `json:"total"`
	Wallets []LedgerWallet `json:"wallets"` // the wallets that entries name
}

// LedgerEntry is one movement of a fund. You have to say what its figures count: see [Figure]. The service's document has no
// signs for them.
type LedgerEntry struct {
	TxID               qredo.TxID      `json:"txID"`
	Type               EntryType       `json:"type"`
	Asset              qredo.AssetCode `json:"asset"`
	Amount             Figure          `json:"amount"` // net amount plus fees
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
	// LayerOneTxIDs are the transactions on the asset's chain that make up this one. The spelling is the wire's.
	LayerOneTxIDs []string   `json:"later1TxID"`
	Time          qredo.Time `json:"timestamp"`
}

// LedgerWallet identifies a wallet in a ledger's entries.
type LedgerWallet struct {
	WalletID   qredo.WalletID   `json:"walletID"`
	FundName   string           `json:"fundName"`
	WalletName string           `json:"walletName"`
	Type       qredo.WalletType `json:"type"`
}

// EntryType is the type of a ledger entry. On the wire it is a number, or text as in the Partner API; known numbers become
// text, and unknown ones their digits. The service may return other values.
type EntryType string

// The types of ledger entries, including the Partner API's for the two sides of a transfer and a swap.
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

// entryTypes are the types that have numbers, indexed by them.
var entryTypes = []EntryType{
	1: EntryWithdraw, 2: EntryTransfer, 3: EntrySwap, 4: EntrySweep, 5: EntryUpdatePolicy, 6: EntryDeposit, 7: EntryWalletConnect, 8: EntryExternalSign,
}

// UnmarshalJSON reads a number, a string that contains one, or a word.
func (t *EntryType) UnmarshalJSON(data []byte) error {
	text, err := readWord(data, entryTypes)
	*t = text
	return err
}

// MarshalJSON writes the number if the type has one.
func (t EntryType) MarshalJSON() ([]byte, error) { return writeWord(t, entryTypes) }

// readWord reads a value that may be a number or a word.
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

// foldWord keeps only the letters of a word: "update_policy" and "updatePolicy" are the same.
func foldWord(word string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "").Replace(word))
}

func writeWord[T ~string](word T, words []T) ([]byte, error) {
	if n := slices.Index(words, word); n > 0 {
		return strconv.AppendInt(nil, int64(n), 10), nil
	}
	return json.Marshal(string(word))
}
