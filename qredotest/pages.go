package qredotest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/qredo-go/qredo"
)

// Order is the order of a ledger's entries. The service's documents name none: programs must work with both.
type Order int

// The possible orders: by the entries' times, with entries of the same time in the order given; or the reverse.
const (
	OldestFirst Order = iota
	NewestFirst
)

// Ledger answers Funds.ListLedger from all entries of a fund's ledger: it returns the entries that the query selects, in the
// given order and page by page, with their total count. So you can use it for [qredo.FundsService.LedgerAll].
func Ledger(order Order, entries ...qredo.LedgerEntry) Answer {
	all := slices.Clone(entries)
	slices.SortStableFunc(all, func(a, b qredo.LedgerEntry) int { return a.Time.Compare(b.Time.Time) })
	if order == NewestFirst {
		slices.Reverse(all)
	}
	return func(req *http.Request) (*http.Response, error) {
		query := req.URL.Query()
		asked := slices.DeleteFunc(slices.Clone(all), func(e qredo.LedgerEntry) bool {
			direction := qredo.Direction(query.Get("direction"))
			return query.Has("asset") && string(e.Asset) != query.Get("asset") ||
				query.Has("wallet_id") && string(e.WalletID) != query.Get("wallet_id") ||
				direction == qredo.DirectionIn && !e.IsIncoming() || direction == qredo.DirectionOut && e.IsIncoming()
		})
		limit, offset := len(asked), 0
		for name, n := range map[string]*int{"limit": &limit, "offset": &offset} {
			if !query.Has(name) {
				continue
			}
			var err error
			if *n, err = strconv.Atoi(query.Get(name)); err != nil || *n < 0 {
				return Refusal(http.StatusBadRequest, name+" must be a number").RoundTrip(req)
			}
		}
		page := qredo.LedgerPage{Entries: []qredo.LedgerEntry{}, Total: len(asked)}
		offset = min(offset, len(asked))
		page.Entries = append(page.Entries, asked[offset:min(offset+limit, len(asked))]...)
		return Reply(http.StatusOK, page).RoundTrip(req)
	}
}

// sameJSON reports whether two documents are equal.
func sameJSON(a, b []byte) bool {
	var values [2]any
	for i, data := range [][]byte{a, b} {
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		if decoder.Decode(&values[i]) != nil {
			return false
		}
	}
	return reflect.DeepEqual(values[0], values[1])
}
