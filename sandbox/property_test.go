package sandbox_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// bookedWallet is the book that the test keeps of one wallet, from what it did and what became of it.
type bookedWallet struct {
	id, address, asset, company string
	in, out                     int64 // all that has come and gone
}

// bookedTx is a transaction as the test asked for it.
type bookedTx struct {
	id, path, company string
	from, to          *bookedWallet // to is nil for a withdrawal
	amount            int64
	status            string
	partner           string
}

func (tx *bookedTx) fee() int64 { return (tx.amount + 999) / 1000 }

// randomRun does random things to a sandbox and keeps its own books beside it.
type randomRun struct {
	service
	random    *rand.Rand
	people    []string
	wallets   []*bookedWallet
	txs       []*bookedTx
	waiting   []*bookedTx
	deposited map[string]int64
}

func newRandomRun(t *testing.T, seed uint64) *randomRun {
	t.Helper()
	r := &randomRun{
		service: newService(t), random: rand.New(rand.NewPCG(seed, 0)),
		people: []string{alice, bob, carol}, deposited: map[string]int64{},
	}
	for i := range 3 {
		company := r.newCompany(fmt.Sprintf("Company %d", i), fmt.Sprintf("c%d.example", i))
		ids := r.trust(company, r.people...)
		for j := range 2 {
			all := []string{ids[alice], ids[bob], ids[carol]}
			fund := r.newFund(company, object{
				"name": "Fund", "custodygroup_withdraw": group(1+(i+j)%3, all...), "custodygroup_tx": group(1+i%2, all[:2]...),
			})
			for _, asset := range []string{btc, eth} {
				r.post("/company/"+company+"/fund/"+fund+"/whitelist", object{"asset": asset, "address": payout}).ok()
				for range 2 {
					id := r.newWallet(company, fund, object{"asset": asset})
					r.wallets = append(r.wallets, &bookedWallet{
						id: id, address: r.get("/wallet/" + id).at("address"), asset: asset, company: company,
					})
				}
			}
		}
	}
	return r
}

// oneOf picks an element.
func oneOf[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// amount is often small, seldom round, and now and then more than a wallet can have.
func (r *randomRun) amount() int64 { return 1 + r.random.Int64N(int64(1)<<(1+r.random.IntN(22))) }

func (r *randomRun) step() {
	switch n := r.random.IntN(100); {
	case n < 15:
		w := oneOf(r.random, r.wallets)
		amount := r.amount()
		_, err := r.Deposit(w.address, qredo.Amount(amount))
		require.NoError(r.t, err)
		w.in += amount
		r.deposited[w.asset] += amount
	case n < 35:
		r.submit("/transfer", oneOf(r.random, r.wallets))
	case n < 48:
		r.submit("/withdraw", nil)
	case n < 85:
		r.decide()
	case n < 93:
		r.repeat()
	case n < 97:
		require.NoError(r.t, r.Advance(time.Duration(r.random.IntN(600)+1)*time.Second))
	default:
		r.clock.forward(time.Duration(r.random.Int64N(int64(time.Minute))))
	}
}

func (r *randomRun) submit(path string, to *bookedWallet) {
	from := oneOf(r.random, r.wallets)
	tx := &bookedTx{
		path: path, company: from.company, from: from, to: to, amount: r.amount(), status: "pending",
		partner: fmt.Sprintf("p-%d", len(r.txs)),
	}
	got := r.request(tx)
	switch {
	case got.Status == 200:
		tx.id = got.at("tx_id")
		r.txs, r.waiting = append(r.txs, tx), append(r.waiting, tx)
	case to != nil && (to == from || to.asset != from.asset):
		got.refused(400, "")
	default:
		got.refused(400, "balance")
	}
}

func (r *randomRun) request(tx *bookedTx) answer {
	r.t.Helper()
	body := object{
		"wallet_id": tx.from.id, "address": payout, "partner_txID": tx.partner,
		"expires": r.Now().Add(time.Duration(1+r.random.IntN(60)) * time.Minute).Unix(),
		"send":    object{"symbol": tx.from.asset, "amount": tx.amount},
	}
	if tx.to != nil {
		body["counterparty_wallet_address"] = tx.to.id
	}
	return r.post("/company/"+tx.company+tx.path, body)
}

// repeat sends what was sent before again, with another amount.
func (r *randomRun) repeat() {
	if len(r.txs) == 0 {
		return
	}
	again := *oneOf(r.random, r.txs)
	again.amount = r.amount()
	got := r.request(&again).ok()
	require.Equal(r.t, []string{again.id, "existing"}, []string{got.at("tx_id"), got.at("status")})
}

// decide lets somebody approve or reject something, whether they may or not.
func (r *randomRun) decide() {
	if len(r.waiting) == 0 {
		return
	}
	vote := r.Approve
	if r.random.IntN(4) == 0 {
		vote = r.Reject
	}
	if err := vote(oneOf(r.random, r.people), oneOf(r.random, r.waiting).id); err != nil {
		message := err.Error()
		require.True(r.t, strings.Contains(message, "409") || strings.Contains(message, "404"), message)
	}
}

// settleBooks asks what became of what waits, and books it.
func (r *randomRun) settleBooks() {
	r.t.Helper()
	var waiting []*bookedTx
	for _, tx := range r.waiting {
		tx.status = r.get("/company/" + tx.company + tx.path + "/" + tx.id).ok().at("txStatus")
		switch tx.status {
		case "pending":
			waiting = append(waiting, tx)
		case "approved":
			tx.from.out += tx.amount
			if tx.to != nil {
				tx.to.in += tx.amount - tx.fee()
			}
		default:
			require.Contains(r.t, []string{"custody_rejected", "expired"}, tx.status)
		}
	}
	r.waiting = waiting
}

// check compares the sandbox with the books.
func (r *randomRun) check() {
	r.t.Helper()
	r.settleBooks()
	state, err := r.State()
	require.NoError(r.t, err)
	found := map[string]sandbox.WalletState{}
	for _, c := range state.Companies {
		for _, f := range c.Funds {
			for _, w := range f.Wallets {
				found[string(w.ID)] = w
			}
		}
	}
	held, fees, withdrawn := map[*bookedWallet]int64{}, map[string]int64{}, map[string]int64{}
	for _, tx := range r.waiting {
		held[tx.from] += tx.amount
	}
	for _, tx := range r.txs {
		if tx.status == "approved" {
			fees[tx.from.asset] += tx.fee()
			if tx.to == nil {
				withdrawn[tx.from.asset] += tx.amount - tx.fee()
			}
		}
	}
	for _, w := range r.wallets {
		got := found[w.id]
		require.EqualValues(r.t, w.in-w.out, got.Balance, "balance of %s", w.id)
		require.EqualValues(r.t, held[w], got.Held, "held in %s", w.id)
		require.GreaterOrEqual(r.t, got.Held, qredo.Amount(0))
		require.GreaterOrEqual(r.t, got.Balance, got.Held)
		r.checkHistory(w)
	}
	for asset, deposited := range r.deposited {
		total := state.Totals[qredo.AssetCode(asset)]
		require.EqualValues(r.t, deposited, total.Deposited, asset)
		require.Equal(r.t, total.Deposited, total.Balances+total.Withdrawn+total.Fees, "%s is conserved", asset)
		require.EqualValues(r.t, fees[asset], total.Fees, asset)
		require.EqualValues(r.t, withdrawn[asset], total.Withdrawn, asset)
	}
}

func (r *randomRun) checkHistory(w *bookedWallet) {
	r.t.Helper()
	history := r.get("/wallet/" + w.id + "/history").ok()
	var sum int64
	for i := range history.count("history") {
		sum += history.number(fmt.Sprintf("history.%d.amount", i))
	}
	require.Equal(r.t, w.in-w.out, sum, "history of %s", w.id)
}

func TestMoneyIsConserved(t *testing.T) {
	const steps, between = 2000, 50
	for _, seed := range []uint64{1, 2, rand.Uint64()} {
		t.Run("", func(t *testing.T) {
			t.Logf("seed %d", seed) // shown if the test fails
			r := newRandomRun(t, seed)
			for i := range steps {
				r.step()
				if i%between == between-1 {
					r.check()
				}
			}
			count := map[string]int{}
			for _, tx := range r.txs {
				count[tx.status]++
			}
			for _, status := range []string{"approved", "custody_rejected", "expired"} {
				assert.Greater(t, count[status], 20, "the run must reach %s: %v", status, count)
			}
			require.NoError(t, r.Advance(2*time.Hour))
			r.check()
			assert.Empty(t, r.waiting, "all has ended")
			for _, w := range r.wallets {
				assert.Zero(t, r.held(w.id))
			}
			for _, who := range r.people {
				open, err := r.Pending(who)
				require.NoError(t, err)
				assert.Empty(t, open)
			}
		})
	}
}
