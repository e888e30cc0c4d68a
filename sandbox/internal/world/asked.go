package world

import (
	"math"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// Listed is a part of a list, and where the next begins: empty where there is none. Total counts the whole list.
type Listed[T any] struct {
	List  []T
	Next  string
	Total int
}

// position reads a place in a list that a part of it ended at.
func position[N int | int64](after string, first N) (N, error) {
	if after == "" {
		return first, nil
	}
	n, err := strconv.ParseInt(after, 10, 64)
	if err != nil || n < 0 || int64(N(n)) != n {
		return 0, invalid("after is no place in this list")
	}
	return N(n), nil
}

// PageOf is a part of a list.
func PageOf[T any](all []T, after string, limit int) (Listed[T], error) {
	from, err := position(after, 0)
	from = min(from, len(all))
	to := min(from+limit, len(all))
	page := Listed[T]{List: all[from:to], Total: len(all)}
	if to < len(all) {
		page.Next = strconv.Itoa(to)
	}
	return page, err
}

// backward is a part of a list of which the newest is last, newest first.
func backward[T any](length int, after string, limit int, at func(i int) T) (Listed[T], error) {
	end, err := position(after, length)
	end = min(end, length)
	first := max(end-limit, 0)
	page := Listed[T]{Total: length}
	for i := end - 1; i >= first; i-- {
		page.List = append(page.List, at(i))
	}
	if first > 0 {
		page.Next = strconv.Itoa(first)
	}
	return page, err
}

// OpenPage is a part of what an approver has yet to decide, oldest first.
func (v *View) OpenPage(member, after string, limit int) (Listed[qredo.ActionID], error) {
	waiting := v.txs.waiting[member]
	last, err := position(after, -1)
	from := sort.Search(len(waiting), func(i int) bool { return int(waiting[i]) > last })
	to := min(from+limit, len(waiting))
	page := Listed[qredo.ActionID]{Total: len(waiting)}
	for _, number := range waiting[from:to] {
		page.List = append(page.List, v.txs.open[number].openTo(member))
	}
	if to < len(waiting) {
		page.Next = strconv.Itoa(int(waiting[to-1]))
	}
	return page, err
}

// DecidedPage is a part of what an approver has decided, or is not asked any more, newest decision first.
func (v *View) DecidedPage(member, after string, limit int) (Listed[qredo.ActionID], error) {
	all := v.txs.decided[member]
	if all == nil {
		return Listed[qredo.ActionID]{}, nil
	}
	end, err := position[int64](after, math.MaxInt64)
	page := Listed[qredo.ActionID]{Total: all.size}
	for key := range all.before(uint64(end)) { //nolint:gosec // not negative
		if len(page.List) >= limit {
			page.Next = strconv.FormatUint(key+1, 10)
			break
		}
		tx := v.tx(uint32(key)) //nolint:gosec // the lower half
		for _, b := range tx.Ballots() {
			if b.Member == member && decisionKey(tx.DecidedAt(b), tx.number) == key {
				page.List = append(page.List, b.ActionID)
			}
		}
	}
	return page, err
}

// decide notes who has decided a transaction, or is not asked any more.
func (t *txTable) decide(tx *Transaction) {
	for _, b := range tx.Ballots() {
		at := tx.DecidedAt(b)
		if at.IsZero() {
			continue
		}
		if t.decided[b.Member] == nil {
			t.decided[b.Member] = &orderedSet[uint64]{}
		}
		t.decided[b.Member].add(decisionKey(at, tx.number))
	}
}

// decisionKey orders what somebody has decided by the second, and then by the number of the transaction.
func decisionKey(at time.Time, number uint32) uint64 {
	const year2000 = 946_684_800
	return uint64(min(max(at.Unix()-year2000, 0), math.MaxInt32))<<32 | uint64(number)
}

// DecidedAt is when an approver decided or, where they had not, when they were not asked any more. It is zero while they
// are.
func (tx *Transaction) DecidedAt(b Ballot) time.Time {
	round := tx.roundOf(b.Part)
	switch {
	case b.Choice != custody.Waiting:
		return b.At
	case round.After("", custody.Waiting) != custody.Pending: // by the votes that there are
		return slices.MaxFunc(round.Votes, func(a, b custody.Vote) int { return a.At.Compare(b.At) }).At
	case tx.IsOpen():
		return time.Time{}
	}
	return tx.Ended
}
