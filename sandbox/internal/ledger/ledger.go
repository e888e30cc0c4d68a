// Package ledger keeps accounts by double entry: a move names its debit and its credit, so that the sum
// over all accounts is always zero, and a batch of moves happens whole or not at all. It knows balances only: what
// the service calls a ledger, a list of transactions, is made in package sandbox from the transactions themselves.
package ledger

import (
	"fmt"
	"math"
)

// Kind says what an account stands for.
type Kind uint8

// The kinds of accounts. Wallet accounts cannot be overdrawn; the others stand for what is outside and
// are named by their asset.
const (
	Available Kind = iota // of a wallet: what it can send
	Held                  // of a wallet: what waits for approval
	Deposits              // where deposits come from: its balance is minus what was deposited
	Withdrawn             // where withdrawals go
	Fees                  // where fees go
)

// Account is what has a balance.
type Account struct {
	Kind Kind
	ID   string // a wallet's ID, or an asset
}

// Move takes Amount from one account to another.
type Move struct {
	Debit, Credit Account
	Amount        int64
}

// Book holds the balances. The zero Book is ready to use. It is not safe for concurrent use.
type Book struct {
	balances map[Account]int64
}

// Balance returns what is in an account.
func (b *Book) Balance(a Account) int64 { return b.balances[a] }

// Post makes moves, all of them or, with an error, none. A move of nothing is left out.
func (b *Book) Post(moves ...Move) error {
	if err := b.Check(moves...); err != nil {
		return err
	}
	if b.balances == nil {
		b.balances = map[Account]int64{}
	}
	for _, m := range moves {
		b.add(m.Debit, -m.Amount)
		b.add(m.Credit, m.Amount)
	}
	return nil
}

func (b *Book) add(a Account, amount int64) {
	if after := b.balances[a] + amount; after == 0 {
		delete(b.balances, a) // an account of nothing needs no memory
	} else {
		b.balances[a] = after
	}
}

// Check tells whether Post would make the moves.
func (b *Book) Check(moves ...Move) error {
	after := make(map[Account]int64, 2*len(moves))
	balance := func(a Account) int64 {
		if v, ok := after[a]; ok {
			return v
		}
		return b.balances[a]
	}
	for _, m := range moves {
		from, to := balance(m.Debit), balance(m.Credit)
		switch {
		case m.Amount < 0:
			return fmt.Errorf("a move of %d: amounts are not negative", m.Amount)
		case m.Debit == m.Credit:
			return fmt.Errorf("a move from an account to itself: %v", m.Debit)
		case m.Debit.Kind <= Held && from < m.Amount:
			return fmt.Errorf("balance %d is less than %d", from, m.Amount)
		case from < math.MinInt64+m.Amount || to > math.MaxInt64-m.Amount:
			return fmt.Errorf("a balance would be beyond 64 bits")
		}
		after[m.Debit], after[m.Credit] = from-m.Amount, to+m.Amount
	}
	return nil
}
