package world

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
	"github.com/qredo-go/qredo/sandbox/internal/ledger"
)

// movement is what of a transaction the books need, which are made up when all have been read.
type movement struct {
	number, from, to uint32 // its place, and those of its wallets
	moved            uint32
	amount, fee      int64
}

// addPolicy adds a policy, which is named by the order from now on.
func (t *txTable) addPolicy(text json.RawMessage) error {
	var p custody.Policy
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	if known := len(t.policies); t.policy(p) != uint32(known+1) { //nolint:gosec // they are few
		return errors.New("the policy is duplicate, or has no members")
	}
	return nil
}

// tx takes the line of a transaction, which stands in the newest block.
func (r *reading) tx(l *txLine, from, end int) error {
	st := r.st
	tx, err := st.transaction(l)
	if err != nil {
		return err
	}
	if err := r.checkTx(tx, l); err != nil {
		return err
	}
	number := uint32(len(st.txs.rows)) //nolint:gosec // no memory holds so many
	st.txs.add(tx)
	for _, id := range tx.Asked {
		if st.Action(id).Tx != nil {
			return fmt.Errorf("duplicate action %s", id)
		}
	}
	for _, id := range tx.Asked {
		st.txs.byAction.add(indexKey(string(id)), number)
	}
	if err := r.relate(tx, l); err != nil {
		return err
	}
	st.txs.asks(tx)
	if tx.IsOpen() {
		st.expiries.add(tx)
	} else {
		st.txs.place(number, len(st.txs.chunks)-1, from, end-from)
		delete(st.txs.open, number)
	}
	if tx.Kind.MovesMoney() {
		st.moves++
		r.movements = append(r.movements, movement{number, l.From, l.To, l.Moved, l.Amount, l.Fee})
	}
	return nil
}

// checkTx refuses what no sandbox has written.
func (r *reading) checkTx(tx *Transaction, l *txLine) error {
	done := tx.Kind == KindDeposit || tx.Status == qredo.TxApproved || tx.Status == qredo.TxTakerApproved
	switch {
	case !slices.Contains(kinds, tx.Kind) || !slices.Contains(statuses, tx.Status) || tx.Kind == KindDeposit != (tx.Status == ""):
		return fmt.Errorf("no %q is %q", tx.Kind, tx.Status)
	case tx.ID == "" || r.st.txByID(tx.ID) != nil:
		return fmt.Errorf("duplicate transaction %s", tx.ID)
	case tx.IsOpen() != tx.Ended.IsZero():
		return errors.New("it has ended and is open, or neither")
	case tx.Amount < 0 || tx.Fee < 0 || tx.Fee > tx.Amount:
		return errors.New("its amount or fee cannot be")
	case (done && tx.Kind.MovesMoney()) != (l.Moved > 0):
		return errors.New("it has moved something and is not done, or the other way round")
	case (tx.Kind == KindTransfer || tx.Kind == KindSweep) && (tx.Recipient == nil || tx.Recipient.Asset != tx.Asset):
		return errors.New("its recipient does not hold its asset")
	case tx.Sender != nil && tx.Sender.Asset != tx.Asset:
		return errors.New("its wallet does not hold its asset")
	case (tx.Kind == KindSwapMake && tx.Quote == nil) || (tx.Kind == KindPolicyUpdate && tx.NewPolicy == nil):
		return errors.New("it does not say what is asked for")
	}
	return nil
}

// relate ties a transaction to what it is about.
func (r *reading) relate(tx *Transaction, l *txLine) error {
	st := r.st
	switch tx.Kind {
	case KindSwapMake, KindSwapTake:
		r.swaps[tx.number] = l
		if tx.Receive == "" {
			return errors.New("it does not say where it receives")
		}
		if quote := st.txByID(tx.Swap); tx.Kind == KindSwapTake && (quote == nil || quote.Kind != KindSwapMake) {
			return errors.New("it takes no quote")
		}
	case KindConnect:
		c, tie := st.coreClients[tx.CoreClient], tx.Sender.Connection(tx.CoreClient)
		if c == nil || tie == nil {
			return errors.New("its wallet is not connected to its core client")
		}
		tie.Asked = tx
		c.Wallets = append(c.Wallets, tx.Sender)
	case KindPolicyUpdate:
		if tx.IsOpen() {
			tx.Sender.locks[tx.PolicyType] = append(tx.Sender.locks[tx.PolicyType], tx)
		}
	case KindWeb3:
		call, err := tx.Web3.complete(false)
		if err != nil || !bytes.Equal(mustJSON(call), mustJSON(tx.Web3)) {
			return errors.New("its call is not whole")
		}
		if signed := tx.Progress.Signed; signed != nil {
			st.nonces[tx.Web3.sender()] = max(st.nonces[tx.Web3.sender()], signed.Nonce+1)
		}
	case KindDeposit, KindTransfer, KindWithdrawal, KindSweep:
	}
	return nil
}

// finish makes what needs all transactions: swaps of two sides, ledgers, histories, and the books.
func (r *reading) finish() error {
	st := r.st
	for number, l := range r.swaps {
		if l.Other == nil {
			continue
		}
		other := r.swaps[*l.Other]
		if other == nil || other.Kind == l.Kind {
			return fmt.Errorf("transaction %d: its other side is no swap's", number)
		}
		if tx := st.txs.open[number]; tx != nil {
			tx.OtherSide = st.tx(*l.Other)
		}
	}
	for _, tx := range st.txs.open {
		if tx.IsOpen() {
			st.waits(tx, 1)
		}
	}
	for _, w := range st.inOrder {
		for _, c := range w.Connections {
			if c.Asked == nil {
				return fmt.Errorf("wallet %s: nobody has asked for its connection", w.ID)
			}
		}
	}
	if err := r.settle(); err != nil {
		return err
	}
	r.list()
	return nil
}

// settle makes up the books. What has moved is in its order, so that no balance is ever below nothing on the way.
func (r *reading) settle() error {
	st := r.st
	inOrder := make([]*movement, len(r.movements))
	for i := range r.movements {
		m := &r.movements[i]
		if m.moved > 0 {
			if int(m.moved) > len(inOrder) || inOrder[m.moved-1] != nil {
				return fmt.Errorf("transaction %d: its place among what has moved is not its own", m.number)
			}
			inOrder[m.moved-1] = m
		}
		if l := r.swaps[m.number]; l != nil && m.moved > 0 {
			if l.Other == nil {
				return fmt.Errorf("transaction %d: a swap without another side", m.number)
			}
			m.to = r.swaps[*l.Other].Receive
		}
	}
	for i, m := range inOrder {
		if m == nil {
			inOrder = inOrder[:i]
			break
		}
		if err := r.post(m); err != nil {
			return fmt.Errorf("transaction %d: %w", m.number, err)
		}
	}
	st.txs.moved = uint32(len(inOrder)) //nolint:gosec // no memory holds so many
	for _, m := range r.movements {
		if m.moved > st.txs.moved {
			return fmt.Errorf("transaction %d: its place among what has moved leaves a gap", m.number)
		}
	}
	for number, tx := range st.txs.open {
		if !tx.Kind.MovesMoney() {
			continue
		}
		if err := st.book.Post(ledger.Move{Debit: tx.Sender.available(), Credit: tx.Sender.held(), Amount: tx.Amount}); err != nil {
			return fmt.Errorf("transaction %d: what it holds: %w", number, err)
		}
	}
	return nil
}

// post books what has moved and adds it to the histories.
func (r *reading) post(m *movement) error {
	st := r.st
	kind, _ := st.TxState(int(m.number))
	var from, to *Wallet
	if m.to > 0 {
		to = st.inOrder[m.to-1]
	}
	ref := EntryRef(m.number << 1)
	if kind == KindDeposit {
		to.moved(ref|1, qredo.Amount(m.amount))
		return st.book.Post(ledger.Move{Debit: outside(ledger.Deposits, to.Asset), Credit: to.available(), Amount: m.amount})
	}
	from = st.inOrder[m.from-1]
	from.moved(ref, -qredo.Amount(m.amount))
	credit := outside(ledger.Withdrawn, from.Asset)
	if to != nil {
		if to.Asset != from.Asset {
			return errors.New("its recipient does not hold its asset")
		}
		credit = to.available()
		to.moved(ref|1, qredo.Amount(m.amount-m.fee))
	}
	moves := []ledger.Move{{Debit: from.available(), Credit: outside(ledger.Fees, from.Asset), Amount: m.fee}}
	if to != from {
		moves = append(moves, ledger.Move{Debit: from.available(), Credit: credit, Amount: m.amount - m.fee})
	}
	return st.book.Post(moves...)
}

// list fills the ledgers, which are in the order of times.
func (r *reading) list() {
	st := r.st
	all := make(Entries, 0, 2*len(r.movements))
	for _, m := range r.movements {
		if m.from > 0 {
			all = append(all, EntryRef(m.number<<1))
		}
		if m.to > 0 && m.moved > 0 {
			all = append(all, EntryRef(m.number<<1|1))
		}
	}
	slices.SortFunc(all, st.txs.compare)
	for _, ref := range all {
		at, _ := slices.BinarySearchFunc(r.movements, uint32(ref>>1), func(m movement, number uint32) int { return cmp.Compare(m.number, number) })
		place := r.movements[at].from
		if ref&1 == 1 {
			place = r.movements[at].to
		}
		for _, l := range st.inOrder[place-1].lists(ref&1 == 1) {
			*l = append(*l, ref)
		}
	}
}
