package qapi

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/qredo-go/qredo/internal/wire"
)

// identified is an answer that says what it is about, or whom its parts belong to. isAbout returns an error where that
// is not what the operation asked for, as in package qredo. What an answer leaves out is taken for right.
type identified interface{ isAbout(op operation) error }

// same returns an error if an answer gives something else than was asked for. Capitals make no difference, in IDs as in
// addresses.
func same[T ~string](what, asked string, given T) error {
	if id := strings.Trim(string(given), ", \t\r\n"); id != "" && asked != "" && !strings.EqualFold(id, asked) {
		return fmt.Errorf("asked for %s, the answer is about %s", named(what, asked), named(what, id))
	}
	return nil
}

// named is something in a line of text.
func named(what, value string) string {
	if what != "" {
		what += " "
	}
	return what + clip(strings.ToValidUTF8(strings.Join(strings.Fields(value), " "), "?"))
}

func eachIs[E any](name string, list []E, isAbout func(E) error) error {
	for i, e := range list {
		if err := isAbout(e); err != nil {
			return fmt.Errorf("%s[%d]: %w", name, i, err)
		}
	}
	return nil
}

func (a *fundAnswer) isAbout(op operation) error {
	if a.Info.ID == "" {
		return &wire.FieldError{Field: "fundInfo.fund_id", Problem: "is missing"}
	}
	return same("", op.ids[0], a.Info.ID)
}

func (l *Ledger) isAbout(op operation) error {
	return eachIs("list", l.Entries, func(e LedgerEntry) error { return same("", op.ids[0], e.FundID) })
}

func (h *walletHistory) isAbout(op operation) error {
	asked := op.ids[0]
	if strings.ContainsAny(asked, " -") { // a short code: the entries have the wallet's ID, and all of them the same
		asked = ""
	}
	return eachIs("history", h.History, func(e HistoryEntry) error {
		err := same("", asked, e.WalletID)
		if asked == "" {
			asked = string(e.WalletID)
		}
		return err
	})
}

func (l *approvalList) isAbout(op operation) error {
	return eachIs("list", l.List, func(a Approval) error { return same("", op.ids[0], a.TxID) })
}

// isAbout holds what was created against what was asked for: an answer about another transaction would have that one
// followed, and its signed form sent to a chain.
func (t *Transaction) isAbout(op operation) error {
	if len(op.ids) > 0 {
		return same("", op.ids[0], t.ID)
	}
	req, ok := op.body.(TransactionRequest)
	if !ok {
		return nil
	}
	for _, is := range [...]struct{ what, asked, given string }{
		{"a transaction from", req.From, t.From}, {"a transaction to", req.To, t.To}, {"a value of", req.Value.String(), t.Value.String()}, {"chain", req.ChainID.String(), t.ChainID.String()},
		{"data", digitsOf(req.Data), digitsOf(t.Data)},
	} {
		if err := same(is.what, is.asked, is.given); err != nil {
			return err
		}
	}
	return nil
}

// digitsOf are the digits of data in hexadecimal. Another form, if the service has one, cannot be held against them.
func digitsOf(data string) string {
	digits := strings.TrimPrefix(strings.TrimPrefix(data, "0x"), "0X")
	if _, err := hex.DecodeString(digits); err != nil {
		return ""
	}
	return digits
}
