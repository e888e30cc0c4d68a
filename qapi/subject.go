package qapi

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/qredo-go/qredo/internal/wire"
)

// identified is a response that says what it is about, or to whom its parts belong. isAbout returns an error if that is
// not what the operation asked for, as in package qredo. Fields that the response leaves out are not checked.
type identified interface{ isAbout(op operation) error }

// sameID returns an error if a response gives another ID than was asked for. It ignores the trailing commas and white
// space that some responses had in an ID, but not differences in capitals.
func sameID[T ~string](asked string, given T) error {
	if id := strings.Trim(string(given), ", \t\r\n"); id != "" && asked != "" && id != asked {
		return fmt.Errorf("asked for %s, the answer is about %s", line(asked), line(id))
	}
	return nil
}

// sameText is sameID for text in which capitals do not matter: figures, and addresses and data in hexadecimal.
func sameText(what, asked, given string) error {
	if given != "" && asked != "" && !strings.EqualFold(strings.TrimSpace(given), asked) {
		return fmt.Errorf("asked for %s %s, the answer is about %s", what, line(asked), line(given))
	}
	return nil
}

// line is text from outside on one line.
func line(value string) string {
	return clip(strings.ToValidUTF8(strings.Join(strings.Fields(value), " "), "?"))
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
	return sameID(op.ids[0], a.Info.ID)
}

func (l *Ledger) isAbout(op operation) error {
	return eachIs("list", l.Entries, func(e LedgerEntry) error { return sameID(op.ids[0], e.FundID) })
}

func (h *walletHistory) isAbout(op operation) error {
	asked := op.ids[0]
	if strings.ContainsAny(asked, " -") { // given by a short code: the entries have the wallet's ID, all of them the same
		asked = ""
	}
	return eachIs("history", h.History, func(e HistoryEntry) error {
		err := sameID(asked, e.WalletID)
		if asked == "" {
			asked = string(e.WalletID)
		}
		return err
	})
}

func (l *approvalList) isAbout(op operation) error {
	return eachIs("list", l.List, func(a Approval) error { return sameID(op.ids[0], a.TxID) })
}

// isAbout compares what was created with what was asked for: otherwise another transaction would be followed, and its
// signed form sent to a chain.
func (t *Transaction) isAbout(op operation) error {
	if len(op.ids) > 0 {
		return sameID(op.ids[0], t.ID)
	}
	req, ok := op.body.(TransactionRequest)
	if !ok {
		return nil
	}
	for _, is := range [...]struct{ what, asked, given string }{
		{"a transaction from", req.From, t.From}, {"a transaction to", req.To, t.To}, {"a value of", req.Value.String(), t.Value.String()}, {"chain", req.ChainID.String(), t.ChainID.String()},
		{"data", digitsOf(req.Data), digitsOf(t.Data)},
	} {
		if err := sameText(is.what, is.asked, is.given); err != nil {
			return err
		}
	}
	return nil
}

// digitsOf returns the digits of hexadecimal data. Any other format cannot be compared.
func digitsOf(data string) string {
	digits := strings.TrimPrefix(strings.TrimPrefix(data, "0x"), "0X")
	if _, err := hex.DecodeString(digits); err != nil {
		return ""
	}
	return digits
}
