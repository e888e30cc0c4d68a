package qredo_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// ledgerServer serves a ledger by offset and limit, and notes the queries.
type ledgerServer struct {
	entries []qredo.LedgerEntry
	total   int // what it says; the number of entries if zero
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
		return answer(req, status, `{"code":`+strconv.Itoa(status)+`}`), nil
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
	return answer(req, http.StatusOK, string(body)), nil
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
	client := newClient(t, s)
	for entry, err := range client.Funds.LedgerAll(t.Context(), companyID, fundID, options) {
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
		"empty":             {nil, 0, qredo.LedgerOptions{}, "", []string{"limit=100"}},
		"one page":          {[]string{"a", "b"}, 0, qredo.LedgerOptions{}, "a b", []string{"limit=100", "limit=100&offset=2"}},
		"several pages":     {[]string{"a", "b", "c", "d", "e"}, 0, qredo.LedgerOptions{Limit: 2}, "a b c d e", []string{"limit=2", "limit=2&offset=2", "limit=2&offset=4", "limit=2&offset=5"}},
		"short pages":       {[]string{"a", "b", "c"}, 1, qredo.LedgerOptions{Limit: 10}, "a b c", []string{"limit=10", "limit=10&offset=1", "limit=10&offset=2", "limit=10&offset=3"}},
		"from an offset":    {[]string{"a", "b", "c"}, 0, qredo.LedgerOptions{Limit: 1, Offset: 2}, "c", []string{"limit=1&offset=2", "limit=1&offset=3"}},
		"beyond the end":    {[]string{"a"}, 0, qredo.LedgerOptions{Offset: 9}, "", []string{"limit=100&offset=9"}},
		"filters are kept":  {[]string{"a", "b"}, 0, qredo.LedgerOptions{Asset: "BTC", Direction: qredo.DirectionIn, Limit: 1, WalletID: "w"}, "a b", []string{"asset=BTC&direction=in&limit=1&wallet_id=w", "asset=BTC&direction=in&limit=1&offset=1&wallet_id=w", "asset=BTC&direction=in&limit=1&offset=2&wallet_id=w"}},
		"total is an error": {[]string{"a", "b", "c"}, 2, qredo.LedgerOptions{}, "a b c", []string{"limit=100", "limit=100&offset=2", "limit=100&offset=3"}},
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
				if !strings.HasPrefix(id, "n") { // one that arrived may be given or not
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

// One that moves to the top while the total stays is not given twice, if it has an ID.
func TestLedgerAllWhileEntriesMove(t *testing.T) {
	s := &ledgerServer{entries: transferEntries("a", "b", "c")}
	s.before = func(request int, s *ledgerServer) {
		if request == 1 {
			s.entries = transferEntries("c", "a", "b")
		}
	}
	require.Equal(t, "a b", walkIDs(t, s, qredo.LedgerOptions{Limit: 2}))
	deaf := &ledgerServer{entries: transferEntries("a", "b"), total: 6, deaf: true}
	require.Equal(t, "a b", walkIDs(t, deaf, qredo.LedgerOptions{Limit: 2}))
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

// Nor does one that gives the same entries in another order.
func TestLedgerAllOfADeafServerWithoutOrder(t *testing.T) {
	s := &ledgerServer{entries: transferEntries("a", "b", "c"), deaf: true}
	s.before = func(_ int, s *ledgerServer) { slices.Reverse(s.entries) }
	require.Equal(t, "c b a", walkIDs(t, s, qredo.LedgerOptions{}))
	require.Len(t, s.queries, 2)
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
	client := newClient(t, s)
	all := client.Funds.LedgerAll(t.Context(), companyID, fundID, qredo.LedgerOptions{Limit: 2})
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
	client := newClient(t, answerWith(200, `{"list":{"txID":"","type":"deposit","status":"","amount":"5","expireTime":0,
		"chain_tx_id":"c","wallet_id":"w"},"total":"1"}`))
	got, err := client.Funds.Ledger(t.Context(), companyID, fundID, qredo.LedgerOptions{})
	require.NoError(t, err)
	require.Equal(t, &qredo.LedgerPage{Total: 1, Entries: []qredo.LedgerEntry{
		{Type: qredo.EntryDeposit, Amount: 5, ChainTxID: "c", WalletID: "w"},
	}}, got)
}
