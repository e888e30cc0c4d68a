package world

import (
	"container/heap"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// TransactionFilter says which transactions are meant. What is empty says nothing.
type TransactionFilter struct {
	State State
	Text  string // in the ID, the partner_txID, the reference, the address, or the ID on Qredo's own chain; or a wallet's name
}

// searchedAtOnce is how many transactions one part of a search looks at, at most.
const searchedAtOnce = 2000

// Uncounted is the total of a list that nobody has counted.
const Uncounted = -1

// TransactionsPage is a part of the transactions, newest first. Of those that have a text the total is not known, and a
// part can be short, or empty, where more come after it. The ID of a transaction or of an action finds that one at once.
func (v *View) TransactionsPage(f TransactionFilter, after string, limit int) (Listed[*Transaction], error) {
	page := Listed[*Transaction]{Total: v.TxCount()}
	if f.State != "" {
		if !slices.Contains(States, f.State) {
			return page, invalid("state must be one of waiting, approved, rejected, cancelled, refused and expired")
		}
		page.Total = v.txs.states[f.State].size
	}
	end, err := position(after, v.TxCount())
	if err != nil {
		return page, err
	}
	text := strings.TrimSpace(f.Text)
	if text != "" {
		if tx := v.Tx(text); tx != nil {
			return Listed[*Transaction]{List: []*Transaction{tx}, Total: 1}, nil
		}
		if w, _ := v.AnyWallet(text); w != nil {
			return v.transactionsOf(w, f.State, after, limit)
		}
		page.Total = Uncounted
	}
	looked := 0
	for number := range v.numbersBefore(uint32(min(end, v.TxCount())), f.State) { //nolint:gosec // they fit
		if len(page.List) == limit || looked == searchedAtOnce {
			page.Next = strconv.Itoa(int(number) + 1)
			break
		}
		if text != "" {
			looked++
			if !v.mayHave(number, text) {
				continue
			}
		}
		if tx := v.tx(number); text == "" || tx.has(text) {
			page.List = append(page.List, tx)
		}
	}
	return page, nil
}

// transactionsOf is a part of the transactions that have moved a wallet's money or are to move it, newest first.
func (v *View) transactionsOf(w *Wallet, state State, after string, limit int) (Listed[*Transaction], error) {
	page := Listed[*Transaction]{Total: Uncounted}
	end, err := position(after, len(w.entries.all))
	end = min(end, len(w.entries.all))
	first := max(end-searchedAtOnce, 0)
	for i := end - 1; i >= first && len(page.List) < limit; i-- {
		if ref := w.entries.all[i]; state == "" || StateOf(v.TxState(int(ref>>1))) == state {
			if e := v.Entry(ref); !e.In || e.Tx.Sender != w { // what it has sent to itself is listed as sent
				page.List = append(page.List, e.Tx)
			}
		}
		if page.Next = ""; i > 0 {
			page.Next = strconv.Itoa(i)
		}
	}
	return page, err
}

// numbersBefore gives the numbers of transactions before one, the last first: of those in a state, or of all.
func (st *state) numbersBefore(end uint32, state State) iter.Seq[uint32] {
	if state != "" {
		return st.txs.states[state].before(end)
	}
	return func(yield func(uint32) bool) {
		for n := end; n > 0 && yield(n-1); n-- {
		}
	}
}

// has reports whether one of the texts that a transaction is looked for by has a text in it.
func (tx *Transaction) has(text string) bool {
	for _, field := range []string{string(tx.ID), string(tx.Partner), tx.Reference, tx.Address, tx.Hash} {
		if hasFold(field, text) {
			return true
		}
	}
	return false
}

// mayHave reports whether a transaction can have a text in it, by its line where there is one: to read that takes longer
// than to look through it.
func (st *state) mayHave(number uint32, text string) bool {
	if st.txs.open[number] != nil || strings.ContainsFunc(text, isEscaped) {
		return true // as it is, or not as the text is
	}
	return hasFold(st.txs.rows[number].line(st.txs.chunks), text)
}

// isEscaped tells what need not stand in a line as it is.
func isEscaped(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(`"\\<>&`, r) }

// hasFold reports whether data has a text in it, without regard to case.
func hasFold[T string | []byte](data T, text string) bool {
	first := text[0]
	if first >= utf8.RuneSelf {
		return strings.Contains(strings.ToLower(string(data)), strings.ToLower(text))
	}
	other := first // the same letter, small or capital
	if 'a' <= first|0x20 && first|0x20 <= 'z' {
		other ^= 0x20
	}
	for i := 0; i+len(text) <= len(data); i++ {
		if (data[i] == first || data[i] == other) && strings.EqualFold(string(data[i:i+len(text)]), text) {
			return true
		}
	}
	return false
}

// WaitingCount is how many transactions wait.
func (st *state) WaitingCount() int { return st.txs.states[StateWaiting].size }

// Expiries are the transactions that wait, those first that expire first, at most so many.
func (v *View) Expiries(limit int) []*Transaction {
	var list []*Transaction
	for front := (expiryFront{v.expiries, []int{0}}); len(list) < limit && front.Len() > 0 && len(v.expiries) > 0; {
		at := heap.Pop(&front).(int)
		for _, below := range []int{2*at + 1, 2*at + 2} {
			if below < len(v.expiries) {
				heap.Push(&front, below)
			}
		}
		if tx := v.txs.open[v.expiries[at].number]; tx != nil && tx.IsOpen() {
			list = append(list, tx)
		}
	}
	return list
}

// expiryFront holds the places in the heap of expiries of which all above have been seen: the next to expire is among
// them.
type expiryFront struct {
	expiries expiryHeap
	places   []int
}

func (f *expiryFront) Len() int           { return len(f.places) }
func (f *expiryFront) Less(i, j int) bool { return f.expiries.Less(f.places[i], f.places[j]) }
func (f *expiryFront) Swap(i, j int)      { f.places[i], f.places[j] = f.places[j], f.places[i] }

// Push is for container/heap.
func (f *expiryFront) Push(x any) { f.places = append(f.places, x.(int)) }

// Pop is for container/heap.
func (f *expiryFront) Pop() any {
	last := f.places[len(f.places)-1]
	f.places = f.places[:len(f.places)-1]
	return last
}

// AdvanceToExpiry moves the clock forward to when the next transaction expires, so that it does.
func (u *Update) AdvanceToExpiry() error {
	next := u.Expiries(1)
	if len(next) == 0 {
		return conflict("nothing waits that could expire")
	}
	return u.Advance(next[0].Expires.Sub(u.Now))
}
