package recon

import (
	"context"
	"errors"
	"hash/maphash"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/qredo-go/qredo"
)

// reading is one reading of a wallet's two books. It keeps neither in memory: sums of digests find what is in both.
type reading struct {
	*proof
	fund   qredo.FundID
	wallet *qredo.Wallet
	result *Wallet

	from   qredo.Time     // earlier movements are in the opening balance; zero: none are
	recent map[string]int // movements of this time or later that are in it too

	came    [2]int     // incoming and outgoing entries, by the history
	ledgers [2]int     // by the ledger
	latest  qredo.Time // of the history
	passed  []keyed    // of the history's last minutes, for the closing
	crowded qredo.Time // the last time when these were too many to keep
	opened  pool       // movements of the minutes before that are in the opening balance
	edge    pool       // movements of the first minutes that are not
	moved   sum        // by the history
	ledger  sum        // by the ledger
	entries int        // the ledger's entries of the wallet
	kinds   map[qredo.EntryType]*kindSum
	out, in sum // pending amounts

	books books
}

// keyed is an entry by its key.
type keyed struct {
	key  string
	time qredo.Time
}

type kindSum struct {
	entries     int
	moved, fees sum
}

// reading reads both books of a wallet once. It reports whether the ledger moved so much that it could not be read.
func (p *proof) reading(ctx context.Context, fund qredo.FundID, wallet *qredo.Wallet) (result *Wallet, entries int, moved bool, err error) {
	r := &reading{
		proof: p, fund: fund, wallet: wallet, kinds: map[qredo.EntryType]*kindSum{},
		result: &Wallet{FundID: fund, WalletID: wallet.ID, Name: wallet.Name, Asset: wallet.Asset, Balance: wallet.Balance, Status: StatusOK, Kinds: []Kind{}},
		books:  books{seed: maphash.MakeSeed()},
	}
	if err := r.open(); err != nil {
		return nil, 0, false, err
	}
	if err = r.read(ctx); err == nil {
		p.fits[wallet.ID] = fitOf(r.came, r.ledgers)
	}
	if err == nil && r.books.differ() && !p.unsure(wallet.ID) { // once more, to find what is in them
		again := *r
		again.reset()
		again.books.collect = true
		if err = again.read(ctx); err == nil {
			r.books.ledgerOnly, r.books.historyOnly = again.books.unmatched()
		}
	}
	if moved = errors.Is(err, qredo.ErrLedgerMoved); moved {
		err = nil
	}
	if err != nil {
		return nil, 0, false, err
	}
	r.conclude()
	if moved {
		r.result.Status = StatusFault
	}
	return r.result, r.entries, moved, nil
}

// open finds the opening balance.
func (r *reading) open() error {
	r.from = r.since
	if opening, found := r.openings[r.wallet.ID]; found {
		if opening.Asset != r.wallet.Asset {
			return invalid("opening", "of wallet %s is in %s, the wallet holds %s", r.wallet.ID, opening.Asset, r.wallet.Asset)
		}
		r.result.Opening = opening.Amount
	}
	if w := r.proved(); w != nil {
		r.result.Opening, r.from = w.Balance, w.Closing.From
	}
	r.reset()
	return nil
}

// proved returns what an earlier report proves about the wallet, if one does.
func (r *reading) proved() *Wallet {
	if r.earlier == nil {
		return nil
	}
	for w := range r.earlier.Wallets() {
		if w.WalletID == r.wallet.ID && w.Asset == r.wallet.Asset && w.Status == StatusOK && !w.Closing.From.IsZero() {
			return w
		}
	}
	return nil
}

// reset discards what was read.
func (r *reading) reset() {
	r.recent = nil
	if w := r.proved(); w != nil {
		r.recent = maps.Clone(w.Closing.Recent)
	}
	r.opened, r.edge, r.kinds = pool{}, pool{}, map[qredo.EntryType]*kindSum{}
	r.came, r.ledgers = [2]int{}, [2]int{}
	r.moved, r.ledger, r.in, r.out, r.entries, r.passed, r.latest, r.crowded = sum{}, sum{}, sum{}, sum{}, 0, nil, qredo.Time{}, qredo.Time{}
	r.result = &Wallet{
		FundID: r.fund, WalletID: r.wallet.ID, Name: r.wallet.Name, Asset: r.wallet.Asset, Balance: r.wallet.Balance, Status: StatusOK, Kinds: []Kind{},
		Opening: r.result.Opening, From: r.from,
	}
}

func (r *reading) found(f Finding) {
	f.WalletID = r.wallet.ID
	r.result.Findings = append(r.result.Findings, f)
}

// spend takes one of the items counted under a key, and reports whether there was one.
func spend(counts map[string]int, key string) bool {
	if counts[key] == 0 {
		return false
	}
	counts[key]--
	return true
}

func (r *reading) read(ctx context.Context) error {
	options := qredo.HistoryOptions{}
	if !r.from.IsZero() { // the service may leave out that very second
		options.Since = qredo.TimeOf(r.from.Add(-slack - time.Second))
	}
	for h, err := range r.wallets.HistoryAll(ctx, r.wallet.ID, options) {
		if err != nil {
			return err
		}
		r.history(h)
	}
	for e, err := range r.funds.LedgerAll(ctx, r.company, r.fund, qredo.LedgerOptions{WalletID: r.wallet.ID}) {
		if err != nil {
			return err
		}
		if e.WalletID == "" || e.WalletID == r.wallet.ID {
			r.entries++
			r.entry(e)
		}
	}
	return nil
}

// history takes an entry of the history.
func (r *reading) history(h qredo.HistoryEntry) {
	given := h
	if h.WalletID = r.wallet.ID; r.sentPositive {
		h.Amount, h.NetAmount = -h.Amount, -h.NetAmount
	}
	key := historyKey(h)
	switch {
	case h.Time.Before(r.from.Add(-slack)) && !r.from.IsZero():
		return
	case h.Time.Before(r.from.Time), spend(r.recent, key):
		r.opened.add(h)
		r.pass(keyed{key, h.Time})
		return
	case h.Asset != r.wallet.Asset:
		r.found(Finding{Kind: FoundForeignAsset, History: &given})
		return
	}
	r.pass(keyed{key, h.Time})
	if !makes(h.Amount, h.NetAmount, h.Fees) {
		r.found(Finding{Kind: FoundWrongFigures, History: &given})
	}
	if !r.from.IsZero() && h.Time.Before(r.from.Add(slack)) {
		r.edge.add(h)
	}
	r.result.Entries++
	r.moved.add(h.Amount)
	if h.Amount != 0 { // otherwise it moved nothing
		r.came[way(h.Amount)]++
		r.books.add(key, &h, nil)
	}
}

// pass keeps the entries of the last minutes of the history.
func (r *reading) pass(k keyed) {
	if k.time.After(r.latest.Time) {
		r.latest = k.time
	}
	r.passed = append(r.passed, k)
	const (
		many = 1024   // entries checked at a time
		most = 10_000 // entries kept
	)
	if len(r.passed)%many == 0 {
		r.passed = slices.Clone(slices.DeleteFunc(r.passed, r.old))
	}
	if len(r.passed) > most {
		r.passed, r.crowded = nil, r.latest
	}
}

func (r *reading) old(k keyed) bool { return k.time.Before(r.latest.Add(-slack)) }

// entry takes an entry of the ledger.
func (r *reading) entry(e qredo.LedgerEntry) {
	given := e
	e.WalletID = r.wallet.ID
	out := e.Type == qredo.EntryWithdraw || e.Type == qredo.EntryTransferOut || e.Type == qredo.EntrySwapOut
	waits := e.Status == qredo.TxPending || e.Status == qredo.TxPendingInitiate || e.Status == qredo.TxTakerPending
	key := ledgerKey(e)
	before := !r.from.IsZero() && !e.Time.IsZero() && e.Time.Before(r.from.Time)
	switch {
	case before && !waits && !r.edge.take(e): // it is in the opening balance
		return
	case !out && !e.IsIncoming(), !waits && !e.Moved() && !e.Status.Failed():
		r.found(Finding{Kind: FoundUnknown, Ledger: &given})
		return
	case e.Status.Failed():
		return
	case e.Asset != r.wallet.Asset:
		r.found(Finding{Kind: FoundForeignAsset, Ledger: &given})
		return
	case e.Amount < 0 || e.NetAmount < 0 || e.Fees < 0, e.Amount == 0 && !makes(0, e.NetAmount, e.Fees):
		r.found(Finding{Kind: FoundWrongFigures, Ledger: &given})
		return
	case e.Amount == 0: // it moves nothing
		return
	case waits && out:
		r.out.add(e.Amount)
		return
	case waits:
		r.in.add(e.Amount)
		return
	case !before && r.opened.take(e):
		return
	case !makes(e.Amount, e.NetAmount, e.Fees):
		r.found(Finding{Kind: FoundWrongFigures, Ledger: &given})
	}
	amount := e.Signed()
	r.ledger.add(amount)
	kind := r.kinds[e.Type]
	if kind == nil {
		kind = &kindSum{}
		r.kinds[e.Type] = kind
	}
	kind.entries++
	kind.moved.add(amount)
	kind.fees.add(e.Fees)
	r.ledgers[way(amount)]++
	r.books.add(key, nil, &e)
}

// way is 0 for incoming, and 1 for outgoing.
func way(a qredo.Amount) int {
	if a < 0 {
		return 1
	}
	return 0
}

// conclude compares the sums.
func (r *reading) conclude() {
	w, overflow := r.result, false
	fit := func(s sum) qredo.Amount {
		amount, fits := s.amount()
		overflow = overflow || !fits
		return amount
	}
	w.Moved, w.WaitingIn, w.WaitingOut = fit(r.moved), fit(r.in), fit(r.out)
	var fees sum
	for _, kind := range slices.Sorted(maps.Keys(r.kinds)) {
		k := r.kinds[kind]
		w.Kinds = append(w.Kinds, Kind{Type: kind, Entries: k.entries, Moved: fit(k.moved), Fees: fit(k.fees)})
		fees.addAll(k.fees)
	}
	w.Fees = fit(fees)
	expected := r.moved
	expected.add(w.Opening)
	w.Expected = fit(expected)
	var difference sum
	difference.add(w.Balance)
	difference.subAll(expected)
	w.Difference = fit(difference)
	if difference != (sum{}) {
		r.found(Finding{Kind: FoundDifference, Amount: w.Difference})
	}
	more := r.ledger
	more.subAll(r.moved)
	if more != (sum{}) {
		r.found(Finding{Kind: FoundBooksDiffer, Amount: fit(more)})
	}
	for i := range r.books.ledgerOnly {
		r.found(Finding{Kind: FoundLedgerOnly, Ledger: &r.books.ledgerOnly[i]})
	}
	for i := range r.books.historyOnly {
		r.found(Finding{Kind: FoundHistoryOnly, History: &r.books.historyOnly[i]})
	}
	if overflow {
		r.found(Finding{Kind: FoundOverflow})
	}
	if len(w.Findings) > 0 {
		w.Status = StatusFault
	}
	w.Closing = r.closing()
}

// closing is where the next report starts; nil if it has to start from the beginning.
func (r *reading) closing() (c Closing) {
	if c.From = r.from; r.latest.IsZero() {
		return c
	}
	c.From = qredo.TimeOf(r.latest.Add(-slack))
	if first := r.from.Add(-slack); !r.from.IsZero() && c.From.Before(first) { // earlier entries were not read
		c.From = qredo.TimeOf(first)
	}
	if !r.crowded.Before(c.From.Time) {
		return Closing{}
	}
	c.Recent = map[string]int{}
	for _, k := range r.passed {
		if !r.old(k) {
			c.Recent[k.key]++
		}
	}
	return c
}

// historyKey and ledgerKey identify a movement with its amount: they are equal in both books, unless one of them leaves
// out an ID.
func historyKey(h qredo.HistoryEntry) string {
	return h.Key() + "=" + strconv.FormatInt(int64(h.Amount), 10)
}

func ledgerKey(e qredo.LedgerEntry) string {
	return e.Key() + "=" + strconv.FormatInt(int64(e.Signed()), 10)
}
