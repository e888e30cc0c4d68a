package sandbox_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// bookedWallet is the book that the test keeps of one wallet, from what it did and what became of it.
type bookedWallet struct {
	id, address, asset, company, fund string
	in, out                           int64 // all that has come and gone
}

// bookedTx is a transaction as the test asked for it.
type bookedTx struct {
	id, kind  string
	path      string        // where it is read, without its ID
	from, to  *bookedWallet // to is nil for a withdrawal, and for a quote until it is taken
	amount    int64         // what arrives
	status    string
	partner   string
	receive   *bookedWallet // of a side of a swap
	wants     int64         // of a quote
	taken     *bookedTx     // of a quote: by whom, last
	takenFrom *bookedTx     // of a take: the quote
}

func (tx *bookedTx) fee() int64 { return (tx.amount + 999) / 1000 }

// debit is what leaves the wallet.
func (tx *bookedTx) debit() int64 { return tx.amount + tx.fee() }

// settled are the statuses of what has moved, waits those of what may still move.
var (
	settled = []string{"approved", "taker_approved"}
	waits   = []string{"pending_initiate", "pending", "taker_pending"}
)

// randomRun does random things to a sandbox and keeps its own books beside it.
type randomRun struct {
	service
	random    *rand.Rand
	people    []string
	bots      []approver
	companies []string
	members   map[string][]string // by company: who can be in a custody group
	wallets   []*bookedWallet
	txs       []*bookedTx
	waiting   []*bookedTx
	deposited map[string]int64
	did       map[string]int // how often something had an effect
}

func newRandomRun(t testing.TB, seed uint64, opts ...sandbox.Option) *randomRun {
	t.Helper()
	r := &randomRun{
		service: newService(t, opts...), random: rand.New(rand.NewPCG(seed, 0)), people: []string{alice, bob, carol},
		members: map[string][]string{}, deposited: map[string]int64{}, did: map[string]int{},
	}
	r.bots = []approver{{r.service, r.newCoreClient("One")}, {r.as("strange"), r.as("strange").newCoreClient("Two")}}
	require.NoError(t, r.ListExchange(qredo.Exchange{ID: r.bots[1].id, Name: "Two"}))
	for i := range 3 {
		company := r.newCompany(fmt.Sprintf("Company %d", i), fmt.Sprintf("c%d.example", i))
		r.companies = append(r.companies, company)
		r.post("/company/"+company+"/trustedparty", object{"address": r.bots[0].id}).ok()
		ids := r.trust(company, r.people...)
		all := []string{ids[alice], ids[bob], ids[carol], r.bots[0].id}
		r.members[company] = all
		for j := range 2 {
			fund := r.newFund(company, object{
				"name": "Fund", "custodygroup_withdraw": group(1+(i+j)%3, all[:3]...), "custodygroup_tx": group(1+i%2, all[j:j+3]...),
			})
			for _, asset := range []string{btc, eth} {
				r.post("/company/"+company+"/fund/"+fund+"/whitelist", object{"asset": asset, "address": payout}).ok()
				for range 2 {
					r.addWallet(company, fund, object{"asset": asset})
				}
			}
		}
	}
	return r
}

func (r *randomRun) addWallet(company, fund string, wallet object) {
	r.t.Helper()
	id := r.newWallet(company, fund, wallet)
	r.wallets = append(r.wallets, &bookedWallet{
		id: id, address: r.get("/wallet/" + id).at("address"), asset: wallet["asset"].(string), company: company, fund: fund,
	})
}

// oneOf picks an element.
func oneOf[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// settleBooks asks what became of what waits, and books it.
func (r *randomRun) settleBooks() {
	r.t.Helper()
	var waiting []*bookedTx
	for _, tx := range r.waiting {
		reader, key := r.service, "txStatus"
		if tx.kind == "sweep" {
			reader, key = r.bots[1].service, "tx_status"
		}
		tx.status = reader.get(tx.path + "/" + tx.id).ok().at(key)
		switch {
		case slices.Contains(waits, tx.status):
			waiting = append(waiting, tx)
		case slices.Contains(settled, tx.status):
			if tx.taken != nil {
				tx.to = tx.taken.receive
			}
			tx.from.out += tx.debit()
			if tx.to != nil {
				tx.to.in += tx.amount
			}
		default:
			require.Contains(r.t, []string{"custody_rejected", "expired", "initiate_rejected", "chain_rejected"}, tx.status)
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
		held[tx.from] += tx.debit()
	}
	for _, tx := range r.txs {
		if slices.Contains(settled, tx.status) {
			fees[tx.from.asset] += tx.fee()
			if tx.to == nil {
				withdrawn[tx.from.asset] += tx.amount
			}
		}
		if tx.takenFrom != nil { // both sides of a swap, or none
			require.Equal(r.t, tx.status == "taker_approved", tx.takenFrom.status == "taker_approved" && tx.takenFrom.taken == tx)
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

// run does so many steps, and looks at the books in between.
func (r *randomRun) run(steps int) {
	r.t.Helper()
	const between = 60
	for i := range steps {
		r.step()
		if i%between == between-1 {
			r.check()
		}
		if i%(8*between) == 8*between-1 {
			r.checkViews()
		}
	}
	r.check()
	r.checkViews()
}

func TestMoneyIsConserved(t *testing.T) {
	count := map[string]int{}
	for name, seed := range map[string]uint64{"one": 1, "two": 2, "another each time": rand.Uint64()} {
		t.Run(name, func(t *testing.T) {
			t.Logf("seed %d", seed) // shown if the test fails
			r := newRandomRun(t, seed)
			r.run(1800)
			require.NoError(t, r.Advance(25*time.Hour))
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
			for _, bot := range r.bots {
				assert.Empty(t, bot.actionIDs())
			}
			assert.Zero(t, r.get("/liquidityhub").ok().count("items"))
			for _, tx := range r.txs {
				count[tx.kind+" "+tx.status]++
			}
			for what, times := range r.did {
				count[what] += times
			}
		})
	}
	for _, reached := range []string{
		"transfer approved", "transfer custody_rejected", "transfer expired", "withdraw approved", "withdraw custody_rejected",
		"withdraw expired", "sweep approved", "sweep custody_rejected", "sweep expired", "make taker_approved", "make initiate_rejected",
		"make custody_rejected", "make expired", "take taker_approved", "take custody_rejected", "take expired",
		"transfer initiate_rejected", "transfer chain_rejected", "withdraw chain_rejected", "sweep chain_rejected", "take chain_rejected",
		"connect", "policy", "publish", "existing", "foretold",
	} {
		assert.Positive(t, count[reached], "the runs must reach %s: %v", reached, count)
	}
}
