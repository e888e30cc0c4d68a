package sandbox_test

import (
	"bytes"
	"math/big"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// base is an amount of money that fits in 64 bits.
func (r *randomRun) base(m sandbox.Money) int64 {
	r.t.Helper()
	n, err := strconv.ParseInt(m.Base, 10, 64)
	require.NoError(r.t, err)
	return n
}

// checkViews compares what people are shown with the books.
func (r *randomRun) checkViews() {
	r.t.Helper()
	totals, err := r.Totals()
	require.NoError(r.t, err)
	for _, total := range totals.Totals {
		require.True(r.t, total.Holds, total.Asset)
		require.Equal(r.t, r.deposited[string(total.Asset)], r.base(total.Deposited))
		require.Equal(r.t, r.base(total.Deposited), r.base(total.Balances)+r.base(total.Withdrawn)+r.base(total.Fees))
	}
	expected := map[*bookedWallet]*big.Int{}
	held := map[*bookedWallet]int64{}
	for _, tx := range r.waiting {
		held[tx.from] += tx.debit()
		if into := tx.receive; into != nil {
			comes := tx.wants
			if tx.takenFrom != nil {
				comes = tx.takenFrom.amount
			}
			if expected[into] == nil {
				expected[into] = new(big.Int)
			}
			expected[into].Add(expected[into], big.NewInt(comes))
		}
	}
	for _, w := range r.wallets {
		r.checkWallet(w, held[w], expected[w])
	}
	r.checkTransactions()
}

func (r *randomRun) checkWallet(w *bookedWallet, held int64, incoming *big.Int) {
	r.t.Helper()
	shown, err := r.Wallet(w.address)
	require.NoError(r.t, err)
	require.Equal(r.t, w.id, shown.ID)
	require.Equal(r.t, w.in-w.out, r.base(shown.Balance))
	require.Equal(r.t, held, r.base(shown.Held))
	require.Equal(r.t, r.base(shown.Balance), r.base(shown.Held)+r.base(shown.Available))
	if incoming == nil {
		incoming = new(big.Int)
	}
	require.Equal(r.t, incoming.String(), shown.Incoming.Base)

	var moved []sandbox.Movement
	page := sandbox.Page{Limit: 7}
	for more := true; more; more = page.After != "" {
		part, err := r.Movements(w.id, page)
		require.NoError(r.t, err)
		moved = append(moved, part.Movements...)
		require.GreaterOrEqual(r.t, part.Total, len(moved))
		page.After = part.Next
	}
	balance, highest := int64(0), int64(0)
	require.Len(r.t, shown.Chart, min(len(moved), 400))
	for i := range moved {
		m := moved[len(moved)-1-i]
		balance += r.base(m.Amount)
		require.Equal(r.t, balance, r.base(m.Balance))
		if len(moved) <= 400 {
			require.Equal(r.t, []any{m.Balance.Base, m.At}, []any{shown.Chart[i].Balance, shown.Chart[i].At})
		}
		highest = max(highest, balance)
	}
	require.Equal(r.t, balance, r.base(shown.Balance))
	require.Equal(r.t, strconv.FormatInt(highest, 10), shown.Max)
	if n := len(shown.Chart); n > 0 {
		require.Equal(r.t, []string{shown.Balance.Base, moved[len(moved)-1].Balance.Base}, []string{shown.Chart[n-1].Balance, shown.Chart[0].Balance})
	}
}

// stateOf is the state of a status.
var stateOf = map[string]string{
	"pending_initiate": "waiting", "pending": "waiting", "taker_pending": "waiting", "approved": "approved", "taker_approved": "approved",
	"custody_rejected": "rejected", "initiate_rejected": "cancelled", "chain_rejected": "refused", "expired": "expired",
}

// checkTransactions reads the lists of all states, and some of the transactions, and compares them with what was asked for.
func (r *randomRun) checkTransactions() {
	r.t.Helper()
	all := map[string]sandbox.TransactionSummary{}
	for _, state := range []string{"waiting", "approved", "rejected", "cancelled", "refused", "expired"} {
		filter := sandbox.TransactionFilter{State: state, Page: sandbox.Page{Limit: 90}}
		listed := 0
		for more := true; more; more = filter.After != "" {
			part, err := r.Transactions(filter)
			require.NoError(r.t, err)
			for _, tx := range part.Transactions {
				require.Equal(r.t, state, tx.State)
				require.NotContains(r.t, all, string(tx.ID))
				all[string(tx.ID)] = tx
			}
			listed += len(part.Transactions)
			if filter.After = part.Next; part.Next == "" {
				require.Equal(r.t, *part.Total, listed)
			}
		}
	}
	first, err := r.Transactions(sandbox.TransactionFilter{})
	require.NoError(r.t, err)
	require.Len(r.t, all, *first.Total)
	for _, tx := range r.txs {
		got := all[tx.id]
		require.Equal(r.t, []string{tx.status, stateOf[tx.status]}, []string{got.Status, got.State})
		require.Equal(r.t, []int64{tx.debit(), tx.amount, tx.fee()}, []int64{r.base(*got.Leaves), r.base(*got.Arrives), r.base(*got.Fees)})
		require.Equal(r.t, []string{tx.from.id, tx.partner}, []string{got.Wallet.ID, string(got.PartnerTxID)})
	}
	for i := range min(5, len(r.txs)) {
		tx := r.txs[(i*7919+len(all))%len(r.txs)]
		shown, err := r.Transaction(tx.id)
		require.NoError(r.t, err)
		reader := r.service
		if tx.kind == "sweep" {
			reader = r.bots[1].service
		}
		require.JSONEq(r.t, string(reader.get(tx.path+"/"+tx.id).ok().Body), shown.API)
		require.Equal(r.t, "asked", shown.Steps[0].Kind)
		last := shown.Steps[len(shown.Steps)-1]
		if shown.State == "approved" {
			require.Equal(r.t, "settled", last.Kind)
		} else {
			require.Equal(r.t, shown.State, last.Kind)
		}
	}
}

// foretold approves as somebody, and compares what they were told that a wallet would have then with what it has.
func (r *randomRun) foretold(who string, id qredo.ActionID) {
	r.t.Helper()
	var told sandbox.Approval
	list, err := r.Approvals(who, sandbox.ApprovalFilter{})
	require.NoError(r.t, err)
	for _, a := range list.Approvals {
		if a.ActionID == id {
			told = a
		}
	}
	require.True(r.t, told.CanDecide)
	require.Equal(r.t, "waiting", told.Choice)
	require.NoError(r.t, r.Approve(who, string(id)))
	decided, err := r.Approvals(who, sandbox.ApprovalFilter{State: "decided", Page: sandbox.Page{Limit: 1}})
	require.NoError(r.t, err)
	tx, err := r.Transaction(string(id))
	require.NoError(r.t, err)
	require.WithinDuration(r.t, r.Now(), decided.Approvals[0].DecidedAt, 1e9, "the newest decision comes first")
	if told.BalanceAfter == nil || tx.State != "approved" {
		return
	}
	shown, err := r.Wallet(string(told.WalletID))
	require.NoError(r.t, err)
	require.Equal(r.t, *told.BalanceAfter, shown.Balance)
	require.Equal(r.t, *told.AvailableAfter, shown.Available)
	r.did["foretold"]++
}

// views are all that people are shown.
func (r *randomRun) views() map[string]string {
	r.t.Helper()
	shown := map[string]string{}
	note := func(what string, v any, err error) {
		r.t.Helper()
		require.NoError(r.t, err, what)
		shown[what] = string(mustJSON(r.t, v))
	}
	list, err := r.Companies(sandbox.ListFilter{Search: "company"})
	note("companies", list, err)
	totals, err := r.Totals()
	note("totals", totals, err)
	approvers, err := r.Approvers(sandbox.ApproverFilter{})
	note("approvers", approvers, err)
	expiries, err := r.Expiries(500)
	note("expiries", expiries, err)
	for _, a := range approvers.Approvers {
		for _, state := range []string{"waiting", "decided"} {
			approvals, err := r.Approvals(a.ID, sandbox.ApprovalFilter{State: state, Page: sandbox.Page{Limit: 500}})
			note(state+" of "+a.ID, approvals, err)
		}
	}
	for _, c := range list.Companies {
		company, err := r.Company(c.ID)
		note(string(c.ID), company, err)
	}
	for _, w := range r.wallets {
		wallet, err := r.Wallet(w.id)
		note(w.id, wallet, err)
		moved, err := r.Movements(w.id, sandbox.Page{Limit: 500})
		note("movements of "+w.id, moved, err)
	}
	for _, state := range []string{"", "waiting", "approved", "rejected", "cancelled", "refused", "expired"} {
		txs, err := r.Transactions(sandbox.TransactionFilter{State: state, Page: sandbox.Page{Limit: 500}})
		note("transactions "+state, txs, err)
		for _, tx := range txs.Transactions {
			detail, err := r.Transaction(string(tx.ID))
			detail.RequestID = 0 // the log of requests is no part of the world
			note(string(tx.ID), detail, err)
		}
	}
	return shown
}

// What people are shown follows from what is exported, and stays true as things go on.
func TestViewsOfAnImportedWorld(t *testing.T) {
	r := newRandomRun(t, 7)
	r.run(400)
	before := r.views()
	other := newService(t, sandbox.WithClock(r.clock.Now))
	require.NoError(t, other.Import(bytes.NewReader(r.export())))
	again := *r
	again.service = other
	for what, shown := range again.views() {
		require.JSONEq(t, before[what], shown, what)
	}
	require.NoError(t, r.Advance(25*time.Hour))
	require.NoError(t, other.Advance(25*time.Hour))
	before = r.views()
	for what, shown := range again.views() {
		require.JSONEq(t, before[what], shown, what)
	}
}
