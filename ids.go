package qredo

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/qredo-go/qredo/internal/wire"
)

// Identifiers are distinct types, because they are easily confused: a wallet's ID is not the address
// that receives deposits, and an action's ID is not the ID of the transaction it approves. They are
// opaque; nothing checks their length. An address on a chain is a plain string.
type (
	// CompanyID identifies a company.
	CompanyID string
	// TrustedEntityID identifies a member of a company's trusted network, who can be a member of a custody group.
	TrustedEntityID string
	// FundID identifies a fund.
	FundID string
	// WalletID identifies a wallet, for example as the source or target of a transfer. It is the wallet's ID or, where the
	// service accepts it, its short code: in requests for transfers, withdrawals and swaps, and in the filter of a ledger. The
	// service did not document short codes in paths.
	WalletID string
	// PolicyID identifies an approval policy, which the service also calls a custody group.
	PolicyID string
	// ActionID identifies what one approver is asked to do about one transaction.
	ActionID string
	// CoreClientID identifies a core client: a program that approves.
	CoreClientID string
	// PartnerTxID is your own key for a transaction. The service creates one transaction for each key, however often it is
	// sent.
	PartnerTxID string
	// AssetCode names an asset, such as "BTC" or "ETH-TESTNET".
	AssetCode string
	// TxID identifies a transaction: a transfer, withdrawal, sweep or swap. Programs written for the service also used an
	// [ActionID] to look up a transaction: the answer then has the transaction's own ID.
	TxID string
)

// UnmarshalJSON reads the ID. Some of the service's answers had a comma after it, which is dropped.
func (id *TxID) UnmarshalJSON(data []byte) error {
	s, err := wire.Text(data)
	if err != nil {
		return err
	}
	*id = TxID(strings.TrimRight(strings.TrimSpace(s), ", "))
	return nil
}

// A response about something else must not be accepted: it could make a payment seem made, or another wallet's balance
// seem one's own. Caches, proxies and mixed-up connections produce such responses.

// identified is a response that says what it is about, or to whom its parts belong. isAbout returns an error if that is
// not what the operation asked for. Fields that the response leaves out are not checked.
type identified interface{ isAbout(op operation) error }

// id is an ID that replaces a placeholder in the operation's path.
func (op operation) id(placeholder string) string {
	used := 0
	for segment := range strings.SplitSeq(op.path, "/") {
		if !strings.HasPrefix(segment, "{") {
			continue
		}
		if segment == "{"+placeholder+"}" && used < len(op.ids) {
			return op.ids[used]
		}
		used++
	}
	return ""
}

// sameID returns an error unless one of the IDs in a response is the one that was asked for. It ignores the trailing
// commas and white space that some responses had in an ID, but not differences in capitals.
func sameID[T ~string](asked string, given ...T) error {
	if asked == "" || len(given) == 0 || given[0] == "" {
		return nil
	}
	for _, id := range given {
		if string(id) == asked || trimID(string(id)) == asked {
			return nil
		}
	}
	return otherSubject(asked, string(given[0]))
}

func trimID(id string) string { return strings.Trim(id, ", \t\r\n") }

func otherSubject(asked, given string) error {
	return fmt.Errorf("asked for %s, the answer is about %s", oneLine(asked), oneLine(given))
}

// sameWallet is sameID for wallets, which have an ID and a short code. An ID and a short code cannot be compared with
// each other.
func sameWallet[T ~string](asked string, given T) error {
	if isShortCode(asked) != isShortCode(string(given)) {
		return nil
	}
	return sameID(shortCode(asked), shortCode(string(given)))
}

// isShortCode reports whether a wallet is named by words: no ID of the service contains these characters.
func isShortCode(wallet string) bool { return strings.ContainsAny(trimID(wallet), " -") }

// shortCode normalises a short code: some write it with hyphens, or with capitals. An ID is returned unchanged.
func shortCode(wallet string) string {
	if !isShortCode(wallet) {
		return wallet
	}
	return strings.ToLower(strings.Join(strings.FieldsFunc(trimID(wallet), func(r rune) bool { return strings.ContainsRune(" -", r) }), " "))
}

// sameClient is sameID for core clients. An action may hold a signing agent's other ID instead, which is JSON in
// hexadecimal: then the ID must be in it.
func sameClient(asked string, given CoreClientID) error {
	err := sameID(asked, given)
	if inner, notHex := hex.DecodeString(string(given)); err != nil && notHex == nil && strings.Contains(string(inner), `"`+asked+`"`) {
		return nil
	}
	return err
}

// eachIs returns what is wrong with the first element of a list that belongs to something else.
func eachIs[E any](name string, list []E, isAbout func(E) error) error {
	for i, e := range list {
		if err := isAbout(e); err != nil {
			return fmt.Errorf("%s[%d]: %w", name, i, err)
		}
	}
	return nil
}

func (c *Company) isAbout(op operation) error { return sameID(op.id("company_id"), c.ID) }

func (r *CompanyRef) isAbout(op operation) error { return sameID(op.id("company_id"), r.ID) }

func (l *trustedPartyList) isAbout(op operation) error {
	return sameID(op.id("company_id"), l.CompanyID)
}

func (f *Fund) isAbout(op operation) error { return sameID(op.id("fund_id"), f.ID) }

func (p *LedgerPage) isAbout(op operation) error {
	fund, filter := op.id("fund_id"), ""
	if options, ok := op.query.(LedgerOptions); ok {
		filter = string(options.WalletID)
	}
	return eachIs("List", p.Entries, func(e LedgerEntry) error {
		err := sameID(fund, e.FundID)
		if err == nil && filter != "" {
			err = oneWallet(&filter, e.WalletID)
		}
		return err
	})
}

func (w *Wallet) isAbout(op operation) error {
	asked := op.id("wallet_id")
	if isShortCode(asked) && w.ShortCode == "" {
		return nil
	}
	err := sameID(asked, w.ID)
	if err != nil && w.ShortCode != "" && shortCode(w.ShortCode) == shortCode(asked) {
		return nil
	}
	return err
}

func (h *walletHistory) isAbout(op operation) error {
	asked := op.id("wallet_id")
	return eachIs("history", h.History, func(e HistoryEntry) error { return oneWallet(&asked, e.WalletID) })
}

// oneWallet is sameWallet for the entries of one list. If a short code was asked for, all entries must have the ID of
// the first.
func oneWallet(asked *string, given WalletID) error {
	if string(given) == *asked {
		return nil // as nearly all do
	}
	if err := sameWallet(*asked, given); err != nil || *asked == "" {
		return err
	}
	if isShortCode(*asked) && given != "" && !isShortCode(string(given)) {
		*asked = trimID(string(given))
	}
	return nil
}

// isAbout also accepts an action's ID: the service found a transaction by it.
func (t *Transaction) isAbout(op operation) error {
	ids := []string{string(t.ID)}
	for _, a := range t.Approvals {
		ids = append(ids, string(a.ActionID))
	}
	return sameID(op.id("tx_id"), ids...)
}

func (a *Action) isAbout(op operation) error {
	return cmp.Or(sameID(op.id("action_id"), a.ID), sameClient(op.id("client_id"), a.CoreClientID))
}

func (l *actionList) isAbout(op operation) error {
	asked := op.id("client_id")
	return eachIs("actions", l.Actions, func(a Action) error { return sameClient(asked, a.CoreClientID) })
}
