package sandbox_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// step does one random thing.
func (r *randomRun) step() {
	r.t.Helper()
	switch n := r.random.IntN(100); {
	case n < 13:
		w := oneOf(r.random, r.wallets)
		amount := r.amount()
		_, err := r.Deposit(w.address, qredo.Amount(amount))
		require.NoError(r.t, err)
		w.in += amount
		r.deposited[w.asset] += amount
	case n < 24:
		r.send("transfer", oneOf(r.random, r.wallets))
	case n < 30:
		r.send("withdraw", nil)
	case n < 35:
		r.sweep()
	case n < 40:
		r.make()
	case n < 48:
		r.take()
	case n < 51:
		r.cancelOrPublish()
	case n < 52:
		r.connect()
	case n < 53:
		r.updatePolicy()
	case n < 72:
		r.decide()
	case n < 89:
		r.decideByBot()
	case n < 94:
		r.repeat()
	case n < 97:
		require.NoError(r.t, r.Advance(time.Duration(r.random.IntN(600)+1)*time.Second))
	default:
		r.clock.forward(time.Duration(r.random.Int64N(int64(time.Minute))))
	}
}

// amount is often small, seldom round, and now and then more than a wallet can have.
func (r *randomRun) amount() int64 { return 1 + r.random.Int64N(int64(1)<<(1+r.random.IntN(22))) }

// amountOf is mostly no more than a wallet has.
func (r *randomRun) amountOf(w *bookedWallet) int64 {
	if has := w.in - w.out; has > 0 && r.random.IntN(4) > 0 {
		return 1 + r.random.Int64N(has)
	}
	return r.amount()
}

// walletWhere picks a wallet that a test holds for, or nil.
func (r *randomRun) walletWhere(holds func(*bookedWallet) bool) *bookedWallet {
	var fit []*bookedWallet
	for _, w := range r.wallets {
		if holds(w) {
			fit = append(fit, w)
		}
	}
	if len(fit) == 0 {
		return nil
	}
	return oneOf(r.random, fit)
}

func (r *randomRun) newTx(kind string, from *bookedWallet, amount int64) *bookedTx {
	return &bookedTx{
		kind: kind, from: from, amount: amount, status: "pending", partner: fmt.Sprintf("p-%d", len(r.txs)),
		path: "/company/" + from.company + "/" + kind,
	}
}

// sent books a transaction that was made. It returns whether it was; if not, it was refused for a good reason.
func (r *randomRun) sent(tx *bookedTx, got answer, reasons ...string) bool {
	r.t.Helper()
	if got.Status == http.StatusOK {
		tx.id = got.at("tx_id")
		require.Equal(r.t, "new", got.at("status"))
		r.txs, r.waiting = append(r.txs, tx), append(r.waiting, tx)
		if r.random.IntN(12) == 0 {
			require.NoError(r.t, r.RejectOnChain(tx.id))
		}
		return true
	}
	require.Equal(r.t, http.StatusBadRequest, got.Status, "%s", got.Body)
	reason := got.at("detail.reason")
	require.True(r.t, slices.ContainsFunc(append(reasons, "balance", "the wallet is "), func(good string) bool {
		return strings.Contains(reason, good)
	}), "%s of %s: %s", tx.kind, tx.from.id, reason)
	return false
}

func (r *randomRun) send(kind string, to *bookedWallet) {
	r.t.Helper()
	from := oneOf(r.random, r.wallets)
	tx := r.newTx(kind, from, r.amountOf(from))
	if tx.to = to; to != nil && to.asset != from.asset && r.random.IntN(5) > 0 {
		tx.to = r.walletWhere(func(w *bookedWallet) bool { return w.asset == from.asset })
		to = tx.to
	}
	var reasons []string
	if to != nil && to.asset != tx.from.asset {
		reasons = append(reasons, "counterparty")
	}
	r.sent(tx, r.request(tx), reasons...)
}

// request asks for what a transaction says, with the rest at random.
func (r *randomRun) request(tx *bookedTx) answer {
	r.t.Helper()
	body := object{
		"wallet_id": tx.from.id, "send_wallet_id": tx.from.id, "address": payout, "partner_txID": tx.partner, "reference": "x",
		"expires": r.Now().Add(time.Duration(1+r.random.IntN(120)) * time.Minute).Unix(),
		"send":    object{"symbol": tx.from.asset, "amount": tx.amount},
	}
	if tx.kind == "transfer" && r.random.IntN(6) == 0 {
		body["authorize_id"] = oneOf(r.random, r.bots).id
	}
	if tx.to != nil {
		body["counterparty_wallet_address"], body["recipient_wallet_id"] = tx.to.id, tx.to.id
	}
	if tx.receive != nil {
		body["receive_wallet_id"] = tx.receive.id
		body["receive"] = object{"symbol": tx.receive.asset, "amount": tx.wants}
		body["add_to_liquidity_hub"] = tx.wants%2 == 0
	}
	switch tx.kind {
	case "sweep":
		return r.bots[1].post(tx.path, body)
	case "take":
		body["swap_id"] = tx.takenFrom.id
		return r.post("/company/"+tx.from.company+"/atomicswap/take", body)
	case "make":
		return r.post("/company/"+tx.from.company+"/atomicswap/make", body)
	}
	return r.post(tx.path, body)
}

func (r *randomRun) sweep() {
	r.t.Helper()
	list := r.bots[1].get(r.bots[1].path("/wallets")).ok().column("wallets", "wallet_id")
	from := r.walletWhere(func(w *bookedWallet) bool { return slices.Contains(list, w.id) && w.in > w.out })
	if from == nil {
		return
	}
	tx := r.newTx("sweep", from, 1+r.random.Int64N(from.in-from.out))
	tx.path = r.bots[1].path("/sweep")
	tx.to = r.walletWhere(func(w *bookedWallet) bool { return w.asset == from.asset && w != from })
	r.sent(tx, r.request(tx), "not connected")
}

func (r *randomRun) make() {
	r.t.Helper()
	from := oneOf(r.random, r.wallets)
	tx := r.newTx("make", from, r.amountOf(from))
	tx.path = "/company/" + from.company + "/atomicswap/make"
	tx.receive = r.walletWhere(func(w *bookedWallet) bool { return w.asset != from.asset && w.company == from.company })
	tx.wants = 1 + r.random.Int64N(5000)
	r.sent(tx, r.request(tx))
}

func (r *randomRun) take() {
	r.t.Helper()
	var quotes []*bookedTx
	for _, tx := range r.waiting {
		if tx.kind == "make" && (tx.status == "taker_pending" || r.random.IntN(20) == 0) {
			quotes = append(quotes, tx)
		}
	}
	if len(quotes) == 0 {
		return
	}
	quote := oneOf(r.random, quotes)
	from := r.walletWhere(func(w *bookedWallet) bool { return w.asset == quote.receive.asset })
	tx := r.newTx("take", from, quote.wants)
	tx.path = "/company/" + from.company + "/atomicswap/take"
	tx.takenFrom, tx.to = quote, quote.receive
	tx.receive = r.walletWhere(func(w *bookedWallet) bool { return w.asset == quote.from.asset && w.company == from.company })
	if r.sent(tx, r.request(tx), "cannot be taken", "being taken") {
		quote.taken = tx
	}
}

func (r *randomRun) cancelOrPublish() {
	r.t.Helper()
	for _, tx := range r.waiting {
		if tx.kind != "make" || r.random.IntN(3) > 0 {
			continue
		}
		if r.random.IntN(2) == 0 {
			got := r.call("DELETE", tx.path+"/"+tx.id, nil)
			require.Contains(r.t, []int{202, 404}, got.Status, "%s", got.Body)
			return
		}
		got := r.post("/company/"+tx.from.company+"/liquidityhub", object{"tx_id": tx.id})
		require.Contains(r.t, []int{200, 400}, got.Status, "%s", got.Body)
		r.count("publish", got)
		return
	}
}

func (r *randomRun) count(what string, got answer) {
	if got.Status == http.StatusOK {
		r.did[what]++
	}
}

// connect makes a wallet that a core client has to approve the connection of.
func (r *randomRun) connect() {
	r.t.Helper()
	near := oneOf(r.random, r.wallets)
	wallet := object{
		"asset": near.asset, "type": 1 + r.random.IntN(3), "connect": []any{object{"counterparty_id": r.bots[1].id}},
	}
	if members := r.members[near.company]; r.random.IntN(2) == 0 {
		wallet["custodygroup_tx"] = group(1+r.random.IntN(2), members[:2+r.random.IntN(3)]...)
	}
	r.addWallet(near.company, near.fund, wallet)
	r.did["connect"]++
}

func (r *randomRun) updatePolicy() {
	r.t.Helper()
	w := oneOf(r.random, r.wallets)
	members := r.members[w.company]
	got := r.call("PUT", "/company/"+w.company+"/fund/"+w.fund+"/wallet/"+w.id+"/policy", object{
		"policy_id": r.get("/wallet/" + w.id).ok().at("policy_tx.id"), "type": "policy-tx", "threshold": 1 + r.random.IntN(2),
		"members": members[r.random.IntN(2):],
	})
	require.Contains(r.t, []int{200, 400, 409}, got.Status, "%s", got.Body)
	r.count("policy", got)
}

// repeat sends what was sent before again, with another amount.
func (r *randomRun) repeat() {
	r.t.Helper()
	if len(r.txs) == 0 {
		return
	}
	again := *oneOf(r.random, r.txs)
	again.amount = r.amount()
	got := r.request(&again).ok()
	require.Equal(r.t, []string{again.id, "existing"}, []string{got.at("tx_id"), got.at("status")})
	r.did["existing"]++
}

// decide lets somebody approve or reject something, whether they may or not.
func (r *randomRun) decide() {
	r.t.Helper()
	vote, approves := r.Approve, r.random.IntN(3) > 0
	if !approves {
		vote = r.Reject
	}
	who := oneOf(r.random, r.people)
	open, err := r.Pending(who)
	require.NoError(r.t, err)
	if len(open) > 0 && r.random.IntN(3) > 0 {
		id := oneOf(r.random, open).ActionID
		if r.did["vote"]++; approves && r.did["vote"]%4 == 0 {
			r.foretold(who, id)
		} else {
			require.NoError(r.t, vote(who, string(id)))
		}
		return
	}
	if len(r.waiting) == 0 {
		return
	}
	if err := vote(who, oneOf(r.random, r.waiting).id); err != nil {
		message := err.Error()
		require.True(r.t, strings.Contains(message, "409") || strings.Contains(message, "404"), message)
	}
}

// decideByBot lets a core client decide something it is asked, and at times what it has decided.
func (r *randomRun) decideByBot() {
	r.t.Helper()
	bot := oneOf(r.random, r.bots)
	open := bot.actionIDs()
	if len(open) == 0 {
		return
	}
	decide, again := bot.approve, bot.reject
	if r.random.IntN(3) == 0 {
		decide, again = bot.reject, bot.approve
	}
	id := oneOf(r.random, open)
	decide(id).ok()
	if r.random.IntN(10) == 0 {
		decide(id).refused(400, "")
		again(id).refused(400, "")
	}
}
