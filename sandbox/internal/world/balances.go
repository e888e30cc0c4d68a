package world

import (
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

// moved notes a movement, and the balance after it.
func (w *Wallet) moved(entry EntryRef, amount qredo.Amount) {
	w.History = append(w.History, entry)
	if n := len(w.balances); n > 0 {
		amount += w.balances[n-1]
	}
	w.balances = append(w.balances, amount)
	w.highest = max(w.highest, amount)
}

// Highest is the highest balance that the wallet has had.
func (w *Wallet) Highest() qredo.Amount { return w.highest }

// BalancePoint is a balance from a moment on.
type BalancePoint struct {
	At      time.Time
	Balance qredo.Amount
}

// BalanceOverTime is what a wallet's balance was after some of its movements, at most so many, spread over all of them:
// the first and the last are there.
func (v *View) BalanceOverTime(w *Wallet, most int) []BalancePoint {
	moves := len(w.History)
	points := make([]BalancePoint, min(moves, most))
	for i := range points {
		at := i
		if moves > most {
			at = i * (moves - 1) / (most - 1)
		}
		points[i] = BalancePoint{v.txs.rows[w.History[at]>>1].time(), w.balances[at]}
	}
	return points
}

// HistoryEntry is a movement, and the balance after it.
type HistoryEntry struct {
	Entry
	Balance qredo.Amount
}

// HistoryPage is a part of a wallet's history, newest first.
func (v *View) HistoryPage(w *Wallet, after string, limit int) (Listed[HistoryEntry], error) {
	return backward(len(w.History), after, limit, func(i int) HistoryEntry { return HistoryEntry{v.Entry(w.History[i]), w.balances[i]} })
}

// AssetBalance is what all wallets have of an asset.
type AssetBalance struct {
	Asset  qredo.AssetCode
	Amount qredo.Amount
}

// BalancesByAsset is what all wallets have, of each asset that a wallet is for, by the codes of the assets.
func (v *View) BalancesByAsset() []AssetBalance {
	sums := map[qredo.AssetCode]qredo.Amount{}
	for _, f := range v.fundList {
		for _, w := range f.Wallets {
			sums[w.Asset] += v.Balance(w)
		}
	}
	var list []AssetBalance
	for asset, sum := range sums {
		list = append(list, AssetBalance{asset, sum})
	}
	slices.SortFunc(list, func(a, b AssetBalance) int { return strings.Compare(string(a.Asset), string(b.Asset)) })
	return list
}

// AnyWallet returns a wallet of whatever account, named by its ID, short code or address.
func (v *View) AnyWallet(name string) (*Wallet, error) {
	if w := v.byAddress[addressKey(strings.TrimSpace(name))]; w != nil {
		return w, nil
	}
	if w := v.walletNamed(name); w != nil {
		return w, nil
	}
	return nil, notFound("wallet")
}
