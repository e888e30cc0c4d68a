package world

import (
	"encoding/hex"
	"math"

	"github.com/qredo-go/qredo"
)

// Deposit is what came over a chain to a wallet.
type Deposit struct {
	TxID   qredo.TxID
	Hash   string // on Qredo's own chain
	Wallet *Wallet
}

// Deposit credits a wallet with an amount, at once and without a fee. The wallet is named by its deposit address, or
// by its ID or short code. Where chain is not empty it is the ID of the transaction that paid: several deposits may be of one.
func (u *Update) Deposit(to string, amount qredo.Amount, chain string) (Deposit, error) {
	w, err := u.AnyWallet(to)
	if err != nil {
		return Deposit{}, notFound("deposit address, wallet or short code")
	}
	if amount <= 0 {
		return Deposit{}, invalid("amount must be more than zero")
	}
	// All deposits of an asset together stay within 64 bits, so that no sum can be beyond them.
	if u.Deposited(w.Asset) > math.MaxInt64-amount {
		return Deposit{}, invalid("deposits of %s would be beyond 64 bits", w.Asset)
	}
	if chain == "" {
		chain = u.ids.hash()
	} else if raw, err := hex.DecodeString(chain); err != nil || len(raw) != 32 {
		return Deposit{}, invalid("chain_tx_id must be 64 hexadecimal digits")
	}
	tx := transactionCreated{
		ID: qredo.TxID(u.ids.ksuid(u.Now)), Kind: KindDeposit, To: w.ID, Address: w.Address,
		Asset: w.Asset, Amount: int64(amount), ChainTxID: chain,
	}
	u.change(tx)
	return Deposit{TxID: tx.ID, Hash: tx.ChainTxID, Wallet: w}, nil
}
