package qredo_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// ledgerServer serves a ledger by offset and limit, and notes the queries.
type ledgerServer struct {
	entries []qredo.LedgerEntry
	total   int // the total; the number of entries if zero
	most    int // entries a page, whatever the limit; no bound if zero
	queries []string
	before  func(request int, s *ledgerServer) // what happens before a request is answered
	status  map[int]int                        // the answer to some requests, by number
	deaf    bool                               // gives the first page for every offset
}

func (s *ledgerServer) RoundTrip(req *http.Request) (*http.Response, error) {
	number := len(s.queries)
	s.queries = append(s.queries, req.URL.RawQuery)
	if number > 50 {
		return nil, fmt.Errorf("the walk has no end")
	}
	if s.before != nil {
		s.before(number, s)
	}
	if status := s.status[number]; status != 0 {
		return clienttest.Answer(req, status, `{"code":`+strconv.Itoa(status)+`}`), nil
	}
	query := req.URL.Query()
	page := s.entries
	if !s.deaf {
		page = page[min(integer(query, "offset"), len(page)):]
	}
	page = page[:min(integer(query, "limit"), len(page))]
	if s.most > 0 {
		page = page[:min(s.most, len(page))]
	}
	total := s.total
	if total == 0 {
		total = len(s.entries)
	}
	body, err := json.Marshal(qredo.LedgerPage{Entries: page, Total: total})
	if err != nil {
		return nil, err
	}
	return clienttest.Answer(req, http.StatusOK, string(body)), nil
}

func integer(query url.Values, key string) int {
	n, _ := strconv.Atoi(query.Get(key))
	return n
}

func transferEntries(ids ...string) []qredo.LedgerEntry {
	entries := make([]qredo.LedgerEntry, len(ids))
	for i, id := range ids {
		entries[i] = qredo.LedgerEntry{TxID: qredo.TxID(id), Type: qredo.EntryTransferOut, Amount: 1}
	}
	return entries
}

// walk collects what LedgerAll gives, and the error it ends with.
func walk(t *testing.T, s *ledgerServer, options qredo.LedgerOptions) (entries []qredo.LedgerEntry, failure error) {
	t.Helper()
	client := clienttest.NewQuickClient(t, s)
	for entry, err := range client.Funds.LedgerAll(t.Context(), clienttest.CompanyID, clienttest.FundID, options, qredo.WithoutRetry()) {
		require.NoError(t, failure, "nothing comes after an error")
		if failure = err; err == nil {
			entries = append(entries, entry)
		} else {
			require.Zero(t, entry)
		}
	}
	return entries, failure
}

func walkIDs(t *testing.T, s *ledgerServer, options qredo.LedgerOptions) string {
	t.Helper()
	entries, err := walk(t, s, options)
	require.NoError(t, err)
	var ids []string
	for _, e := range entries {
		ids = append(ids, string(e.TxID)+e.ChainTxID)
	}
	return strings.Join(ids, " ")
}

func TestLedgerAllPages(t *testing.T) {
	for name, tc := range map[string]struct {
		entries []string
		most    int
		options qredo.LedgerOptions
		want    string
		queries []string
	}{
		"empty":             {nil, 0, qredo.LedgerOptions{}, "", []string{"limit=1000"}},
		"one page":          {[]string{"a", "b"}, 0, qredo.LedgerOptions{}, "a b", []string{"limit=1000", "limit=1000&offset=2"}},
		"several pages":     {[]string{"a", "b", "c", "d", "e"}, 0, qredo.LedgerOptions{Limit: 2}, "a b c d e", []string{"limit=2", "limit=2&offset=2", "limit=2&offset=4", "limit=2&offset=5"}},
		"short pages":       {[]string{"a", "b", "c"}, 1, qredo.LedgerOptions{Limit: 10}, "a b c", []string{"limit=10", "limit=10&offset=1", "limit=10&offset=2", "limit=10&offset=3"}},
		"from an offset":    {[]string{"a", "b", "c"}, 0, qredo.LedgerOptions{Limit: 1, Offset: 2}, "c", []string{"limit=1&offset=2", "limit=1&offset=3"}},
		"beyond the end":    {[]string{"a"}, 0, qredo.LedgerOptions{Offset: 9}, "", []string{"limit=1000&offset=9"}},
		"filters are kept":  {[]string{"a", "b"}, 0, qredo.LedgerOptions{Asset: "BTC", Direction: qredo.DirectionIn, Limit: 1, WalletID: "w"}, "a b", []string{"asset=BTC&direction=in&limit=1&wallet_id=w", "asset=BTC&direction=in&limit=1&offset=1&wallet_id=w", "asset=BTC&direction=in&limit=1&offset=2&wallet_id=w"}},
		"total is an error": {[]string{"a", "b", "c"}, 2, qredo.LedgerOptions{}, "a b c", []string{"limit=1000", "limit=1000&offset=2", "limit=1000&offset=3"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &ledgerServer{entries: transferEntries(tc.entries...), most: tc.most}
			if name == "total is an error" {
				s.total = 1
			}
			require.Equal(t, tc.want, walkIDs(t, s, tc.options))
			require.Equal(t, tc.queries, s.queries)
		})
	}
}

// Entries that arrive during the walk move the others to later pages, where they are not given again.
func TestLedgerAllWhileEntriesArrive(t *testing.T) {
	for name, arrive := range map[string]int{"one": 1, "as many as a page": 2, "more than a page": 3} {
		t.Run(name, func(t *testing.T) {
			s := &ledgerServer{entries: transferEntries("a", "b", "c", "d", "e")}
			s.before = func(request int, s *ledgerServer) {
				if request == 1 {
					newer := transferEntries("n1", "n2", "n3")[:arrive]
					s.entries = append(newer, s.entries...)
				}
			}
			got := strings.Fields(walkIDs(t, s, qredo.LedgerOptions{Limit: 2}))
			var old []string
			for _, id := range got {
				if !strings.HasPrefix(id, "n") { // entries that arrived may be yielded or not
					old = append(old, id)
				}
			}
			require.Equal(t, []string{"a", "b", "c", "d", "e"}, old)
		})
	}
}

// The two sides of a transfer within a fund, and deposits that one transaction on the chain makes to
// several wallets, are entries of their own, also when a page ends between them.
func TestLedgerAllKeepsWhatIsAlike(t *testing.T) {
	entries := []qredo.LedgerEntry{
		{TxID: "t", Type: qredo.EntryTransferOut, Amount: 5, WalletID: "w1"},
		{TxID: "t", Type: qredo.EntryTransferIn, Amount: 5, WalletID: "w2"},
		{TxID: "t", Type: qredo.EntryTransferIn, Amount: 5, WalletID: "w3"},
		{TxID: "u", Type: qredo.EntryTransferOut, Amount: 5}, // the service does not always name the wallet
		{TxID: "u", Type: qredo.EntryTransferIn, Amount: 5},
		{ChainTxID: "b", Type: qredo.EntryDeposit, Amount: 1, WalletID: "w1", Address: "a1"},
		{ChainTxID: "c", Type: qredo.EntryDeposit, Amount: 1, WalletID: "w1", Address: "a1"},
		{ChainTxID: "c", Type: qredo.EntryDeposit, Amount: 1, WalletID: "w2", Address: "a2"},
		{ChainTxID: "c", Type: qredo.EntryDeposit, Amount: 2, Address: "a2"},
		{ChainTxID: "c", Type: qredo.EntryDeposit, Amount: 2, Address: "a2"}, // one transaction may pay the same twice
		{ChainTxID: "c", Type: qredo.EntryDeposit, Amount: 2, Address: "a2"},
		{Type: qredo.EntryDeposit, Amount: 7}, // without any ID
		{Type: qredo.EntryDeposit, Amount: 8},
	}
	for limit := 1; limit <= len(entries); limit++ {
		got, err := walk(t, &ledgerServer{entries: entries}, qredo.LedgerOptions{Limit: limit})
		require.NoError(t, err)
		require.Equal(t, entries, got, "limit %d", limit)
	}
}

// An entry that moves to the front while the total stays the same is yielded once, whether the walk had reached it or
// not.
func TestLedgerAllWhileEntriesMove(t *testing.T) {
	for from, to := range map[string]string{"a b c": "c a b", "a b c d": "b a c d", "a b c d e f": "f d a b c e"} {
		s := &ledgerServer{entries: transferEntries(strings.Fields(from)...)}
		s.before = func(request int, s *ledgerServer) {
			if request == 1 {
				s.entries = transferEntries(strings.Fields(to)...)
			}
		}
		got := strings.Fields(walkIDs(t, s, qredo.LedgerOptions{Limit: 2}))
		require.ElementsMatch(t, strings.Fields(from), got, to)
	}
}

// A deposit that is moved to the next page by a transaction that ends is not counted twice. Of two that differ in
// nothing, both are given as long as nothing moves.
func TestLedgerAllDoesNotCountDepositsTwice(t *testing.T) {
	deposit := qredo.LedgerEntry{ChainTxID: "c", Type: qredo.EntryDeposit, Amount: 5}
	start := []qredo.LedgerEntry{{TxID: "n"}, deposit, {TxID: "a"}, {TxID: "w", Status: qredo.TxPending}}
	s := &ledgerServer{entries: start}
	s.before = func(request int, s *ledgerServer) {
		if request == 1 {
			s.entries = []qredo.LedgerEntry{{TxID: "w", Status: qredo.TxApproved}, start[0], start[1], start[2]}
		}
	}
	require.Equal(t, "n c a w", walkIDs(t, s, qredo.LedgerOptions{Limit: 2}))
	twins := &ledgerServer{entries: []qredo.LedgerEntry{{TxID: "n"}, deposit, deposit, {TxID: "a"}}}
	require.Equal(t, "n c c a", walkIDs(t, twins, qredo.LedgerOptions{Limit: 2}))
	last := &ledgerServer{entries: []qredo.LedgerEntry{{TxID: "n"}, deposit, deposit}}
	require.Equal(t, "n c c", walkIDs(t, last, qredo.LedgerOptions{Limit: 1}), "the last page is equal to the one before")
}

// If entries came again and others did not come at all, the walk reports that it is incomplete.
func TestLedgerAllSaysWhatItMissed(t *testing.T) {
	oldestFirst := func(waiting qredo.TxStatus) *ledgerServer {
		s := &ledgerServer{entries: []qredo.LedgerEntry{{TxID: "w", Status: waiting}, {TxID: "b"}, {TxID: "c"}, {TxID: "d"}}}
		s.before = func(request int, s *ledgerServer) {
			if request == 1 { // w ends: c comes where the walk has been
				s.entries = []qredo.LedgerEntry{{TxID: "b"}, {TxID: "c"}, {TxID: "d"}, {TxID: "w", Status: qredo.TxApproved}}
			}
		}
		return s
	}
	for name, s := range map[string]*ledgerServer{
		"pending":          oldestFirst(qredo.TxPending),
		"pending_initiate": oldestFirst(qredo.TxPendingInitiate),
		"taker_pending":    oldestFirst(qredo.TxTakerPending),
		"deaf":             {entries: transferEntries("a", "b"), total: 6, deaf: true},
	} {
		_, err := walk(t, s, qredo.LedgerOptions{Limit: 2})
		require.ErrorIs(t, err, qredo.ErrLedgerMoved, name)
		require.ErrorContains(t, err, "walk again")
	}
}

// live is a ledger in which things happen between requests: deposits come, transactions are made and end.
type live struct {
	random      *rand.Rand
	newestFirst bool
	settles     bool
	clock       int64
	made        int
}

func (l *live) happen(s *ledgerServer) {
	l.clock++
	l.made++
	var waiting []int
	for i, e := range s.entries {
		if e.Status == qredo.TxPending {
			waiting = append(waiting, i)
		}
	}
	switch what := l.random.IntN(3); {
	case what == 0:
		s.entries = append(s.entries, qredo.LedgerEntry{ChainTxID: fmt.Sprint("deposit ", l.made), Type: qredo.EntryDeposit, Time: qredo.Unix(l.clock)})
	case what == 1:
		s.entries = append(s.entries, qredo.LedgerEntry{TxID: qredo.TxID(fmt.Sprint("tx ", l.made)), Type: qredo.EntryTransferOut, Status: qredo.TxPending, Time: qredo.Unix(l.clock)})
	case l.settles && len(waiting) > 0:
		e := &s.entries[waiting[l.random.IntN(len(waiting))]]
		e.Status, e.Time = qredo.TxApproved, qredo.Unix(l.clock)
	}
	slices.SortFunc(s.entries, func(a, b qredo.LedgerEntry) int {
		if l.newestFirst {
			a, b = b, a
		}
		return a.Time.Compare(b.Time.Time)
	})
}

// Whatever happens during a walk, each entry that was there at the start is given exactly once, or the walk says
// that it is not whole: which it does only where the ledger is oldest first and transactions end.
func TestLedgerAllOfALiveLedger(t *testing.T) {
	for name, test := range map[string]live{
		"newest first":                            {newestFirst: true, settles: true},
		"oldest first, where nothing ends":        {},
		"oldest first, where transactions end":    {settles: true},
		"newest first, where nothing ends either": {newestFirst: true},
	} {
		t.Run(name, func(t *testing.T) {
			whole := 0
			for seed := range uint64(30) {
				l := test
				l.random, l.settles = rand.New(rand.NewPCG(seed, 0)), true
				s := &ledgerServer{}
				for range l.random.IntN(12) {
					l.happen(s)
				}
				l.settles = test.settles
				id := func(e qredo.LedgerEntry) string { return string(e.TxID) + e.ChainTxID }
				start := map[string]bool{}
				for _, e := range s.entries {
					start[id(e)] = true
				}
				quiet := 0 // things happen for a while only: a walk must end
				s.before = func(request int, s *ledgerServer) {
					for range l.random.IntN(3) {
						if quiet++; request > 0 && quiet < 20 {
							l.happen(s)
						}
					}
				}
				entries, err := walk(t, s, qredo.LedgerOptions{Limit: 2 + l.random.IntN(3)})
				given := map[string]int{}
				for _, e := range entries {
					given[id(e)]++
					require.Equal(t, 1, given[id(e)], "seed %d: %s", seed, id(e))
					delete(start, id(e))
				}
				if err == nil {
					require.Empty(t, start, "seed %d", seed)
					whole++
					continue
				}
				require.ErrorIs(t, err, qredo.ErrLedgerMoved, "seed %d", seed)
				require.True(t, !test.newestFirst && test.settles, "seed %d", seed)
			}
			require.Greater(t, whole, 15)
		})
	}
}

// A server that gives the same page for every offset does not keep the walk going.
func TestLedgerAllOfADeafServer(t *testing.T) {
	for name, entries := range map[string][]qredo.LedgerEntry{
		"with IDs":    transferEntries("a", "b", "c"),
		"without IDs": {{Type: qredo.EntryDeposit, Amount: 7}, {Type: qredo.EntryDeposit, Amount: 8}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &ledgerServer{entries: entries, deaf: true}
			got, err := walk(t, s, qredo.LedgerOptions{})
			require.NoError(t, err)
			require.Equal(t, entries, got)
			require.LessOrEqual(t, len(s.queries), 2)
		})
	}
}

// Nor does a server that returns the same entries in another order.
func TestLedgerAllOfADeafServerWithoutOrder(t *testing.T) {
	s := &ledgerServer{entries: transferEntries("a", "b", "c"), deaf: true}
	s.before = func(_ int, s *ledgerServer) { slices.Reverse(s.entries) }
	require.Equal(t, "c b a", walkIDs(t, s, qredo.LedgerOptions{}))
	require.Len(t, s.queries, 3)
}

func TestLedgerAllFailsOnALaterPage(t *testing.T) {
	s := &ledgerServer{entries: transferEntries("a", "b", "c"), status: map[int]int{1: http.StatusBadGateway}}
	got, err := walk(t, s, qredo.LedgerOptions{Limit: 2})
	require.ErrorIs(t, err, qredo.ErrServer)
	require.Equal(t, transferEntries("a", "b"), got)
	require.Len(t, s.queries, 2, "the walk ends with the error")
}

func TestLedgerAllStops(t *testing.T) {
	s := &ledgerServer{entries: transferEntries("a", "b", "c", "d")}
	client := clienttest.NewClient(t, s)
	all := client.Funds.LedgerAll(t.Context(), clienttest.CompanyID, clienttest.FundID, qredo.LedgerOptions{Limit: 2})
	require.Empty(t, s.queries, "nothing is sent before the walk begins")
	for entry, err := range all {
		require.NoError(t, err)
		if entry.TxID == "b" {
			break
		}
	}
	require.Len(t, s.queries, 1)
	count := 0
	for _, err := range all { // a second walk begins anew
		require.NoError(t, err)
		count++
	}
	require.Equal(t, 4, count)
}

// The other API spells a page in lower case; deposits have empty fields.
func TestLedgerOtherForms(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"list":{"txID":"","type":"deposit","status":"","amount":"5","expireTime":0,
		"chain_tx_id":"c","wallet_id":"w"},"total":"1"}`))
	got, err := client.Funds.ListLedger(t.Context(), clienttest.CompanyID, clienttest.FundID, qredo.LedgerOptions{})
	require.NoError(t, err)
	require.Equal(t, &qredo.LedgerPage{Total: 1, Entries: []qredo.LedgerEntry{
		{Type: qredo.EntryDeposit, Amount: 5, ChainTxID: "c", WalletID: "w"},
	}}, got)
}
