package world

import "github.com/qredo-go/qredo"

// Log is what happened that an account's feeds tell, in order. A feed is a place in it: it needs no queue, and one
// that is slow costs no memory.
type Log struct {
	Moves  []EntryRef
	Quotes []QuoteNotice
	Web3   []Web3Notice
}

// QuoteNotice is a change of a quote on the liquidity hub.
type QuoteNotice struct {
	ID     qredo.TxID
	Status qredo.TxStatus
}

// log is an account's log, of which more is about to be told.
func (st *state) log(account string) *Log {
	st.touch(account)
	if st.logs[account] == nil {
		st.logs[account] = &Log{}
	}
	return st.logs[account]
}

// Log is an account's log as it is now.
func (st *state) Log(account string) Log {
	if log := st.logs[account]; log != nil {
		return *log
	}
	return Log{}
}

// notice tells the feeds of a quote that was on the liquidity hub.
func (st *state) notice(tx *Transaction) {
	if tx.Kind == KindSwapMake && !tx.Listed.IsZero() {
		log := st.log(tx.Sender.Fund.Company.Account)
		log.Quotes = append(log.Quotes, QuoteNotice{tx.ID, tx.Status})
	}
}
