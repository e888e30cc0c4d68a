package qredo

import (
	"strings"

	"github.com/qredo-go/qredo/internal/wire"
)

// Identifiers are distinct types, because they are easily confused: a wallet's ID is not the address
// that receives deposits, and an action's ID is not the ID of the transaction it approves. They are
// opaque; nothing checks their length. An address on a chain is a plain string.
type (
	// CompanyID identifies a company.
	CompanyID string
	// TrustedEntityID identifies a member of a company's trusted network, who can be named as a member
	// of a custody group.
	TrustedEntityID string
	// FundID identifies a fund.
	FundID string
	// WalletID identifies a wallet: what transfers go from and to. It is the wallet's ID or its short code, where
	// the service takes one: in requests for transfers, withdrawals and swaps, and in the filter of a ledger. The
	// service did not document one in a path.
	WalletID string
	// PolicyID identifies an approval policy, which the service also calls custody group.
	PolicyID string
	// ActionID identifies what one approver is asked to do about one transaction.
	ActionID string
	// CoreClientID identifies a core client: a program that approves.
	CoreClientID string
	// PartnerTxID is the caller's own key for a transaction. The service creates one transaction for a
	// key, however often it is sent.
	PartnerTxID string
	// AssetCode names an asset, such as "BTC" or "ETH-TESTNET".
	AssetCode string
	// TxID identifies a transaction: a transfer, withdrawal, sweep or swap. Programs written for the service also
	// looked transactions up by an [ActionID] in its place: the answer has the transaction's own.
	TxID string
)

// UnmarshalJSON reads the ID. Some answers of the service carried a comma at its end, which is dropped.
func (id *TxID) UnmarshalJSON(data []byte) error {
	s, err := wire.Text(data)
	if err != nil {
		return err
	}
	*id = TxID(strings.TrimRight(strings.TrimSpace(s), ", "))
	return nil
}
