package inbox

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/backoff"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// liveLedger is the ledger of a fund in which something happens before each request.
type liveLedger struct {
	random *rand.Rand
	oldest bool // the oldest entries come first
	stays  bool // what ends keeps its time and place
	mute   bool // it does not tell how many entries there are
	most   int  // entries a page, whatever the limit; no bound if zero
	happen int  // how many things are still to happen

	entries  []qredo.LedgerEntry // oldest first
	clock    int64
	made     int
	requests int
}

func (l *liveLedger) RoundTrip(req *http.Request) (*http.Response, error) {
	l.requests++
	for range l.random.IntN(4) {
		if l.happen > 0 {
			l.happen--
			l.something()
		}
	}
	query := req.URL.Query()
	offset, _ := strconv.Atoi(query.Get("offset"))
	limit, _ := strconv.Atoi(query.Get("limit"))
	list := slices.Clone(l.entries)
	if !l.oldest {
		slices.Reverse(list)
	}
	list = list[min(offset, len(list)):]
	list = list[:min(limit, len(list))]
	if l.most > 0 {
		list = list[:min(l.most, len(list))]
	}
	page := qredo.LedgerPage{Entries: list, Total: len(l.entries)}
	if l.mute {
		page.Total = 0
	}
	body, err := json.Marshal(page)
	return clienttest.Answer(req, http.StatusOK, string(body)), err
}

func (l *liveLedger) something() {
	l.clock += int64([]int{0, 0, 1, 20, 600}[l.random.IntN(5)])
	l.made++
	wallet := qredo.WalletID(fmt.Sprint("w", l.random.IntN(3)))
	add := func(e qredo.LedgerEntry) {
		e.WalletID, e.Time = wallet, qredo.Unix(l.clock)
		l.entries = append(l.entries, e)
	}
	switch l.random.IntN(3) {
	case 0:
		for range 1 + l.random.IntN(3) { // alike, often
			add(qredo.LedgerEntry{ChainTxID: fmt.Sprint("chain", l.made), Type: qredo.EntryDeposit, Amount: qredo.Amount(1 + l.random.IntN(2))})
		}
	case 1:
		add(qredo.LedgerEntry{TxID: qredo.TxID(fmt.Sprint("tx", l.made)), Type: qredo.EntryTransferOut, Status: qredo.TxPending, Amount: 10, Fees: 1})
	default:
		for i, e := range l.entries {
			if e.Status != qredo.TxPending || l.random.IntN(2) > 0 {
				continue
			}
			l.entries[i].Status = []qredo.TxStatus{qredo.TxApproved, qredo.TxExpired}[l.random.IntN(2)]
			if !l.stays {
				l.entries[i].Time = qredo.Unix(l.clock)
				slices.SortStableFunc(l.entries, func(a, b qredo.LedgerEntry) int { return a.Time.Compare(b.Time.Time) })
			}
			return
		}
	}
}

// reading is a reader of a ledger, with its store.
func reading(t *testing.T, l *liveLedger, from time.Time) (*fundReader, *Source) {
	t.Helper()
	store, err := OpenStore(filepath.Join(t.TempDir(), "inbox.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	_, err = store.Begin(t.Context(), from)
	require.NoError(t, err)
	r := &running{from: from, settings: &settings{
		client: clienttest.NewQuickClient(t, l), records: store, log: slog.New(slog.DiscardHandler), clock: time.Now, poll: backoff.Range{Min: 1, Max: 1},
	}}
	source, err := store.Lease(t.Context(), "fund:c:f", "me", time.Hour)
	require.NoError(t, err)
	return &fundReader{running: r, fundID: fundID{"c", "f"}}, &source
}

// Whatever happens while a ledger is read, in whatever order it is: in the end each entry was recorded once, as it is.
func TestLiveLedgers(t *testing.T) {
	for name, form := range map[string]liveLedger{
		"newest first":                               {},
		"oldest first":                               {oldest: true},
		"newest first, short pages":                  {most: 7},
		"oldest first, short pages":                  {oldest: true, most: 7},
		"newest first, without a total":              {mute: true, most: 7},
		"newest first, where what ends stays":        {stays: true},
		"oldest first, where what ends stays":        {oldest: true, stays: true},
		"oldest first, short pages, what ends stays": {oldest: true, stays: true, most: 9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(4) {
				l := form
				l.random, l.happen, l.clock = rand.New(rand.NewPCG(seed, 1)), 100, 1_600_000_000
				f, s := reading(t, &l, time.Time{})
				for quiet := 0; quiet < 3; {
					f.deep, f.whole = time.Time{}, time.Time{}
					_, err := f.look(t.Context(), s)
					require.NoError(t, err, "seed %d", seed)
					if l.happen == 0 {
						quiet++
					}
				}
				want, alike := map[string]State{}, map[string]int{}
				for _, e := range l.entries {
					key := e.Key()
					if e.TxID == "" {
						alike[key]++
						key = numbered(key, alike[key])
					}
					want[key] = map[qredo.TxStatus]State{"": StateReady, qredo.TxApproved: StateReady, qredo.TxPending: StateWaiting, qredo.TxExpired: StateVoid}[e.Status]
				}
				list, err := f.records.Page(t.Context(), Filter{}, "", 1000)
				require.NoError(t, err)
				got := map[string]State{}
				for _, e := range list {
					got[e.ID] = e.State
				}
				require.Equal(t, want, got, "seed %d", seed)
				if !l.mute {
					assert.Equal(t, []int64{int64(len(want)), 0, 0}, []int64{s.Rows, s.Skipped, s.Missed}, "seed %d", seed)
				}
			}
		})
	}
}

// At rest a look is one request.
func TestALookAtRest(t *testing.T) {
	for _, oldest := range []bool{false, true} {
		l := &liveLedger{random: rand.New(rand.NewPCG(1, 1)), oldest: oldest, clock: 1_600_000_000}
		for range 4000 {
			l.something()
		}
		f, s := reading(t, l, time.Time{})
		_, err := f.look(t.Context(), s)
		require.NoError(t, err)
		_, err = f.look(t.Context(), s) // back to what waits
		require.NoError(t, err)
		before := l.requests
		for range 10 {
			counts, err := f.look(t.Context(), s)
			require.NoError(t, err)
			require.Zero(t, counts)
		}
		assert.Equal(t, 10, l.requests-before, "oldest first: %v", oldest)
	}
}

// A ledger that fills a page to the last entry, all of a moment, costs one request at rest too.
func TestALookAtRestAtAFullPage(t *testing.T) {
	l := &liveLedger{random: rand.New(rand.NewPCG(1, 1)), clock: 1_600_000_000}
	for i := range brief {
		l.entries = append(l.entries, qredo.LedgerEntry{ChainTxID: fmt.Sprint("c", i), Type: qredo.EntryDeposit, Amount: 1, WalletID: "w", Time: qredo.Unix(l.clock)})
	}
	f, s := reading(t, l, time.Time{})
	for range 2 {
		_, err := f.look(t.Context(), s)
		require.NoError(t, err)
	}
	before := l.requests
	for range 10 {
		_, err := f.look(t.Context(), s)
		require.NoError(t, err)
	}
	assert.Equal(t, 10, l.requests-before)
}

// An entry with the time of another age neither stops looks nor has them read everything.
func TestATimeThatIsWrong(t *testing.T) {
	l := &liveLedger{random: rand.New(rand.NewPCG(1, 1)), clock: 1_600_000_000}
	for range 4000 {
		l.something()
	}
	l.entries = append(l.entries, qredo.LedgerEntry{ChainTxID: "ahead", Type: qredo.EntryDeposit, Amount: 1, WalletID: "w", Time: qredo.Unix(9_000_000_000)})
	f, s := reading(t, l, time.Time{})
	for range 2 {
		_, err := f.look(t.Context(), s)
		require.NoError(t, err)
	}
	l.entries = append(l.entries, qredo.LedgerEntry{ChainTxID: "after", Type: qredo.EntryDeposit, Amount: 1, WalletID: "w", Time: qredo.Unix(l.clock + 1)})
	before := l.requests
	counts, err := f.look(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, 1, counts.New)
	assert.Equal(t, 1, l.requests-before)
}
