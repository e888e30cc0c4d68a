package ledger_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox/internal/ledger"
)

var (
	outside = ledger.Account{Kind: ledger.Deposits, ID: "BTC"}
	fees    = ledger.Account{Kind: ledger.Fees, ID: "BTC"}
	drawn   = ledger.Account{Kind: ledger.Withdrawn, ID: "BTC"}
	alice   = ledger.Account{Kind: ledger.Available, ID: "alice"}
	held    = ledger.Account{Kind: ledger.Held, ID: "alice"}
	bob     = ledger.Account{Kind: ledger.Available, ID: "bob"}
)

func move(from, to ledger.Account, amount int64) ledger.Move {
	return ledger.Move{Debit: from, Credit: to, Amount: amount}
}

func TestPost(t *testing.T) {
	const all = math.MaxInt64
	tests := map[string]struct {
		before, moves []ledger.Move
		err           string
		want          map[ledger.Account]int64 // after, also where there is an error
	}{
		"nothing": {want: map[ledger.Account]int64{alice: 0}},
		"a deposit": {
			moves: []ledger.Move{move(outside, alice, 5)},
			want:  map[ledger.Account]int64{outside: -5, alice: 5},
		},
		"all there is": {
			before: []ledger.Move{move(outside, alice, 5)}, moves: []ledger.Move{move(alice, bob, 5)},
			want: map[ledger.Account]int64{alice: 0, bob: 5},
		},
		"one more than there is": {
			before: []ledger.Move{move(outside, alice, 5)}, moves: []ledger.Move{move(alice, bob, 6)},
			err: "balance 5 is less than 6", want: map[ledger.Account]int64{alice: 5, bob: 0},
		},
		"from an empty account":        {moves: []ledger.Move{move(bob, alice, 1)}, err: "balance 0 is less than 1"},
		"more than is held":            {before: []ledger.Move{move(outside, held, 2)}, moves: []ledger.Move{move(held, alice, 3)}, err: "balance 2"},
		"a negative amount":            {moves: []ledger.Move{move(outside, alice, -1)}, err: "not negative"},
		"the least amount":             {moves: []ledger.Move{move(outside, alice, math.MinInt64)}, err: "not negative"},
		"an amount of nothing":         {moves: []ledger.Move{move(alice, bob, 0)}, want: map[ledger.Account]int64{alice: 0, bob: 0}},
		"to itself":                    {before: []ledger.Move{move(outside, alice, 5)}, moves: []ledger.Move{move(alice, alice, 1)}, err: "itself"},
		"nothing to itself":            {moves: []ledger.Move{move(alice, alice, 0)}, err: "itself"},
		"between a wallet's two parts": {before: []ledger.Move{move(outside, alice, 5)}, moves: []ledger.Move{move(alice, held, 5)}, want: map[ledger.Account]int64{alice: 0, held: 5}},
		"the most that fits":           {moves: []ledger.Move{move(outside, alice, all)}, want: map[ledger.Account]int64{alice: all, outside: -all}},
		"a credit beyond 64 bits": {
			before: []ledger.Move{move(outside, alice, all), move(fees, bob, 1)}, moves: []ledger.Move{move(bob, alice, 1)},
			err: "64 bits", want: map[ledger.Account]int64{alice: all, bob: 1},
		},
		"a debit beyond 64 bits": {
			before: []ledger.Move{move(outside, alice, all), move(outside, bob, 1)}, moves: []ledger.Move{move(outside, drawn, 1)},
			err: "64 bits", want: map[ledger.Account]int64{outside: math.MinInt64, drawn: 0},
		},
		"to the very bound of a debit": {
			before: []ledger.Move{move(outside, alice, all)}, moves: []ledger.Move{move(outside, bob, 1)},
			want: map[ledger.Account]int64{outside: math.MinInt64},
		},
		"a batch that builds on itself": {
			moves: []ledger.Move{move(outside, alice, 5), move(alice, held, 5), move(held, bob, 4), move(held, fees, 1)},
			want:  map[ledger.Account]int64{outside: -5, alice: 0, held: 0, bob: 4, fees: 1},
		},
		"a batch whose last move fails": {
			before: []ledger.Move{move(outside, alice, 5)}, moves: []ledger.Move{move(alice, bob, 3), move(alice, fees, 3)},
			err: "balance 2 is less than 3", want: map[ledger.Account]int64{alice: 5, bob: 0, fees: 0},
		},
		"a batch whose first move fails": {
			moves: []ledger.Move{move(alice, bob, 3), move(outside, alice, 5)},
			err:   "balance 0", want: map[ledger.Account]int64{alice: 0, outside: 0},
		},
		"a batch that together is beyond 64 bits": {
			moves: []ledger.Move{move(outside, alice, all), move(fees, alice, 1)},
			err:   "64 bits", want: map[ledger.Account]int64{alice: 0, outside: 0, fees: 0},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var book ledger.Book
			for _, m := range test.before {
				require.NoError(t, book.Post(m))
			}
			check := book.Check(test.moves...)
			err := book.Post(test.moves...)
			assert.Equal(t, check, err, "Check tells what Post does")
			if test.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.err)
			}
			for account, want := range test.want {
				assert.Equal(t, want, book.Balance(account), "%v", account)
			}
		})
	}
}

func TestCheckChangesNothing(t *testing.T) {
	var book ledger.Book
	require.NoError(t, book.Check(move(outside, alice, 5)))
	assert.Zero(t, book.Balance(alice))
	require.NoError(t, book.Post(move(outside, alice, 5)))
	require.NoError(t, book.Check(move(alice, bob, 5)))
	require.NoError(t, book.Check(move(alice, bob, 5)), "the money is still there")
	assert.EqualValues(t, 5, book.Balance(alice))
}
