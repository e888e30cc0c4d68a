package world

import (
	"cmp"
	"slices"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// txTable holds all transactions, by their numbers: the oldest has 0. Those that are open are there as they are. Of one that
// has ended only its line of a snapshot is kept, which is read again each time that somebody looks at it: a tenth of the
// memory, and nothing in it that the garbage collector would have to follow.
type txTable struct {
	rows   []txRow
	open   map[uint32]*Transaction
	chunks [][]byte // what the lines stand in

	byID, byAction, byPartner index

	moved    uint32                         // how many have moved something by now
	asked    map[string][]uint32            // in what each approver has been asked, oldest first
	waiting  map[string][]uint32            // in what each approver has yet to decide, oldest first
	decided  map[string]*orderedSet[uint64] // what each approver has decided, or is not asked any more: by decisionKey
	states   map[State]*orderedSet[uint32]  // those in each state
	policies []custody.Policy               // that approve or have approved; they are named by their place
	policyAt map[string]uint32
}

// txRow is what must be known of a transaction without reading its line.
type txRow struct {
	chunk, from, size uint32 // where its line is, once it has ended
	nanosecond        uint32
	second            int64 // of what ledgers are ordered by
	kind, status      uint8 // in kinds and in statuses
}

func newTxTable() txTable {
	t := txTable{
		open: map[uint32]*Transaction{}, asked: map[string][]uint32{}, waiting: map[string][]uint32{},
		decided: map[string]*orderedSet[uint64]{}, states: map[State]*orderedSet[uint32]{}, policyAt: map[string]uint32{},
	}
	for _, state := range States {
		t.states[state] = &orderedSet[uint32]{}
	}
	return t
}

var (
	kinds = []Kind{
		KindDeposit, KindTransfer, KindWithdrawal, KindSweep, KindSwapMake, KindSwapTake, KindConnect, KindPolicyUpdate, KindWeb3,
	}
	statuses = []qredo.TxStatus{
		"", qredo.TxPendingInitiate, qredo.TxPending, qredo.TxTakerPending, qredo.TxApproved, qredo.TxTakerApproved,
		qredo.TxInitiateRejected, qredo.TxCustodyRejected, qredo.TxChainRejected, qredo.TxExpired,
	}
)

const chunkSize = 1 << 20

// add gives a new transaction its number.
func (t *txTable) add(tx *Transaction) {
	tx.number = uint32(len(t.rows))                                           //nolint:gosec // no memory holds so many
	t.rows = append(t.rows, txRow{kind: uint8(slices.Index(kinds, tx.Kind))}) //nolint:gosec // they are few
	t.open[tx.number] = tx
	t.note(tx)
	t.byID.add(indexKey(string(tx.ID)), tx.number)
	if tx.Partner != "" {
		t.byPartner.add(indexKey(tx.APIKey, string(tx.Partner)), tx.number)
	}
}

// note keeps the row of a transaction true.
func (t *txTable) note(tx *Transaction) {
	row, at := &t.rows[tx.number], tx.time()
	if before := StateOf(tx.Kind, statuses[row.status]); before != tx.State() {
		t.states[before].remove(tx.number)
	}
	t.states[tx.State()].add(tx.number)
	row.second, row.nanosecond = at.Unix(), uint32(at.Nanosecond()) //nolint:gosec // less than 10^9
	row.status = uint8(slices.Index(statuses, tx.Status))           //nolint:gosec // they are few
}

// pack keeps a transaction that has ended as its line.
func (t *txTable) pack(number uint32, line []byte) {
	last := len(t.chunks) - 1
	if last < 0 || cap(t.chunks[last])-len(t.chunks[last]) < len(line) {
		t.chunks = append(t.chunks, make([]byte, 0, max(chunkSize, len(line))))
		last++
	}
	t.place(number, last, len(t.chunks[last]), len(line))
	t.chunks[last] = append(t.chunks[last], line...)
	delete(t.open, number)
}

func (t *txTable) place(number uint32, chunk, from, size int) {
	row := &t.rows[number]
	row.chunk, row.from, row.size = uint32(chunk), uint32(from), uint32(size) //nolint:gosec // a chunk is small
}

func (r txRow) line(chunks [][]byte) []byte { return chunks[r.chunk][r.from : r.from+r.size] }

// time is what ledgers are ordered by.
func (r txRow) time() time.Time { return time.Unix(r.second, int64(r.nanosecond)) }

// compare orders entries by their times, and what happened at the same moment as it was made.
func (t *txTable) compare(a, b EntryRef) int {
	x, y := &t.rows[a>>1], &t.rows[b>>1]
	return cmp.Or(cmp.Compare(x.second, y.second), cmp.Compare(x.nanosecond, y.nanosecond), cmp.Compare(a, b))
}

// tx returns the transaction with a number.
func (st *state) tx(number uint32) *Transaction {
	if tx := st.txs.open[number]; tx != nil {
		return tx
	}
	return st.unpack(number)
}

// pack packs a transaction that has ended.
func (st *state) pack(tx *Transaction) {
	st.txs.note(tx)
	st.txs.pack(tx.number, st.encode(tx))
}

// TxCount is how many transactions there are, with those that move nothing.
func (st *state) TxCount() int { return len(st.txs.rows) }

// TxAt returns the transaction with a number. Of one that has ended this is a copy: they are compared by their IDs.
func (st *state) TxAt(number int) *Transaction { return st.tx(uint32(number)) } //nolint:gosec // less than TxCount

// TxState tells what a transaction is and how it stands, which costs nothing.
func (st *state) TxState(number int) (Kind, qredo.TxStatus) {
	row := st.txs.rows[number]
	return kinds[row.kind], statuses[row.status]
}

// Tx returns the transaction that has an ID, nil if none has.
func (st *state) txByID(id qredo.TxID) *Transaction {
	for number := range st.txs.byID.find(indexKey(string(id))) {
		if tx := st.tx(number); tx.ID == id {
			return tx
		}
	}
	return nil
}

// txByPartner returns the transaction that a key has made with a partner_txID, nil if there is none.
func (st *state) txByPartner(key string, id qredo.PartnerTxID) *Transaction {
	for number := range st.txs.byPartner.find(indexKey(key, string(id))) {
		if tx := st.tx(number); tx.APIKey == key && tx.Partner == id {
			return tx
		}
	}
	return nil
}

// Tx returns what has an ID, its own or that of an action, nil if nothing has.
func (st *state) Tx(id string) *Transaction {
	if tx := st.txByID(qredo.TxID(id)); tx != nil {
		return tx
	}
	return st.Action(qredo.ActionID(id)).Tx
}

// AskedOf are the numbers of the transactions in which an approver has been asked, oldest first.
func (st *state) AskedOf(member string) []uint32 { return st.txs.asked[member] }

// sorted adds a number to a list in order, or takes it out.
func sorted(list []uint32, number uint32, in bool) []uint32 {
	at, found := slices.BinarySearch(list, number)
	switch {
	case in && !found:
		return slices.Insert(list, at, number) // nearly always at the end
	case !in && found:
		return slices.Delete(list, at, at+1)
	}
	return list
}

// policy gives a policy its place among those that approve.
func (t *txTable) policy(p custody.Policy) uint32 {
	if p.Threshold == 0 {
		return 0
	}
	key := string(mustJSON(p))
	if t.policyAt[key] == 0 {
		t.policies = append(t.policies, p)
		t.policyAt[key] = uint32(len(t.policies)) //nolint:gosec // they are few
	}
	return t.policyAt[key]
}

// time is what ledgers are ordered by: when a transaction ended and, while one that leaves waits, when it was made.
func (tx *Transaction) time() time.Time {
	if tx.Ended.IsZero() {
		return tx.Created
	}
	return tx.Ended
}
