package qredo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/qredo-go/qredo/internal/feed"
	"github.com/qredo-go/qredo/internal/transport"
	"github.com/qredo-go/qredo/internal/wire"
)

// HistoryEntry is a completed movement of a wallet. Amounts are signed, as in the service's example of a feed: negative for
// what left the wallet, positive for what came in, and Amount = NetAmount + Fees. The service's schema has the signs reversed,
// so to be safe, check the sum against the wallet's balance.
type HistoryEntry struct {
	WalletID  WalletID  `json:"wallet_id"`   // the wallet whose balance has changed
	TxID      TxID      `json:"tx_id"`       // the service's transaction; may be empty for deposits
	ChainTxID string    `json:"chain_tx_id"` // on Qredo's own chain, as in [LedgerEntry]: no block explorer knows it
	Asset     AssetCode `json:"asset"`       // the wallet's asset
	Amount    Amount    `json:"amount"`      // base units: change of the balance; negative, with fees, for what left
	Fees      Amount    `json:"fee"`         // base units; negative for what left, 0 for what came in: the sender pays
	NetAmount Amount    `json:"net_amount"`  // base units: without the fees, what the other side got or sent; signed like Amount
	Time      Time      `json:"timestamp"`   // when it was done
}

// Key identifies the movement, as [LedgerEntry.Key] does. It takes negative amounts to be outgoing; with a service that uses
// the signs of its schema, incoming movements are taken to be outgoing.
func (e HistoryEntry) Key() string {
	return movementKey(string(e.WalletID), e.Amount >= 0 && e.Fees >= 0, e.TxID, e.ChainTxID, e.Amount)
}

type walletHistory struct {
	History []HistoryEntry `json:"history"`
}

// HistoryOptions selects history entries.
type HistoryOptions struct {
	// Since selects entries after this second; all if zero. It is not certain whether entries of that very second are included:
	// to get them, ask for one second earlier and drop what is too early. A time after the year 9999 is refused, because it
	// would never find anything (it is probably in milliseconds).
	Since Time `url:"since,omitempty"`
}

func (o HistoryOptions) validate(time.Time) error { return checkSeconds("since", o.Since) }

// ListHistory returns a wallet's movements. Their order is not documented. It returns an error that matches [ErrBadAnswer] if
// the history is longer than an answer may be ([WithMaxResponse]): use [WalletsService.HistoryAll] to read it.
//
// API: GET /wallet/{wallet_id}/history
func (s *WalletsService) ListHistory(ctx context.Context, walletID WalletID, options HistoryOptions, opts ...CallOption) ([]HistoryEntry, error) {
	return list(ctx, s.client, api("GET /wallet/{wallet_id}/history", string(walletID)).where(options), opts, func(a *walletHistory) []HistoryEntry { return a.History })
}

// HistoryAll iterates over a wallet's movements, oldest first, however long its history is. It holds no more in memory than one
// answer may have ([WithMaxResponse]): a history longer than 8 MiB is kept in a temporary file until the iteration ends, so that
// nothing is yielded twice if an answer is lost and asked for again. Where there is no room for such a file, it keeps the earliest entries
// while reading, yields these, and asks for what comes after them. Movements that happen meanwhile may or may not be yielded.
// The first error is yielded and ends the iteration: to continue, set [HistoryOptions].Since to the time of the last entry;
// entries with that same time may come again.
//
// API: GET /wallet/{wallet_id}/history
func (s *WalletsService) HistoryAll(ctx context.Context, walletID WalletID, options HistoryOptions, opts ...CallOption) iter.Seq2[HistoryEntry, error] {
	return func(yield func(HistoryEntry, error) bool) {
		long := wire.Long{Answer: new(walletHistory), List: "history", From: wire.Whenever}
		defer func() { _ = long.Close() }() // nothing is to be kept
		for {
			op := api("GET /wallet/{wallet_id}/history", string(walletID)).where(options)
			asked := string(walletID)
			long.Next, long.NoRoom = 0, false // a short response contains everything
			long.Read = func(element []byte) (int64, error) {
				var e HistoryEntry
				err := cmp.Or(wire.Unmarshal(element, &e), oneWallet(&asked, e.WalletID))
				return e.Time.seconds(), err
			}
			op.shorten = transport.Shorten{From: longHistory, Do: long.Shorten}
			if newCallOptions(opts).response != nil {
				op.shorten.From = 0 // the caller gets as much of the body as fits
			}
			entries, err := list(ctx, s.client, op, opts, func(a *walletHistory) []HistoryEntry { return a.History })
			if err != nil && long.NoRoom {
				continue
			}
			if err != nil {
				yield(HistoryEntry{}, err)
				return
			}
			slices.SortStableFunc(entries, func(a, b HistoryEntry) int { return cmp.Compare(a.Time.seconds(), b.Time.seconds()) })
			for _, e := range entries {
				if e.Time.seconds() >= long.From && !yield(e, nil) {
					return
				}
			}
			for element, err := range long.All() {
				var e HistoryEntry
				if err = cmp.Or(err, ctx.Err(), wire.Unmarshal(element, &e)); err != nil {
					yield(HistoryEntry{}, fmt.Errorf("qredo: %w", err))
					return
				}
				if !yield(e, nil) {
					return
				}
			}
			if long.Next == 0 {
				return
			}
			long.From, options.Since = long.Next, Unix(long.Next-1) // the service may leave out that very second
		}
	}
}

// longHistory is how many bytes of a history are decoded directly. A longer one goes through a file, which takes three
// times as long.
const longHistory = 8 << 20

// WalletEvent is a completed movement of a wallet. Amounts are signed as in [HistoryEntry].
type WalletEvent struct {
	Status    TxStatus  `json:"Status"`                    // always [TxApproved]
	WalletID  WalletID  `json:"wallet_id" required:"true"` // the wallet whose balance has changed
	TxID      TxID      `json:"tx_id"`                     // the service's transaction; may be empty for deposits
	ChainTxID string    `json:"chain_tx_id"`               // on Qredo's own chain, as in [LedgerEntry]: no block explorer knows it
	Asset     AssetCode `json:"asset"`                     // the wallet's asset
	Amount    Amount    `json:"amount"`                    // base units: change of the balance; negative, with fees, for what left
	Fees      Amount    `json:"fee"`                       // base units; negative for what left, 0 for what came in
	NetAmount Amount    `json:"net_amount"`                // base units: without the fees; signed like Amount
	Sweep     bool      `json:"sweep_tx"`                  // false if a history reported it: that does not say
	Time      Time      `json:"timestamp"`                 // when it was done

	nth int // among identical entries of a history
}

// Key identifies the movement, as [LedgerEntry.Key] does.
func (e WalletEvent) Key() string {
	return HistoryEntry{WalletID: e.WalletID, TxID: e.TxID, ChainTxID: e.ChainTxID, Amount: e.Amount, Fees: e.Fees}.Key()
}

// WithWallets names wallets whose histories [WalletsService.Feed] also reports, in addition to the wallets connected to core
// clients of the API key's account, which it finds by itself. For other feeds it is a [*ValidationError].
func WithWallets(ids ...WalletID) FeedOption {
	return func(o *feedOptions) { o.wallets = append(o.wallets, ids...) }
}

// WithSince starts [WalletsService.Feed] in the past: with events of that second and later. Events received earlier are
// delivered again unless [WithKnown] names them. To miss nothing that a history shows late, start some minutes before the last
// event, and pass the keys of the events in those minutes. A time after the year 9999 (probably in milliseconds) is a
// [*ValidationError] and ends the feed; so is this option for other feeds, which have no history. Default: with events after
// the start of the feed.
func WithSince(t Time) FeedOption {
	return func(o *feedOptions) { o.since = t }
}

// Feed returns movements as they are completed, in and out, each once, until ctx ends. It is a feed for exchanges: it only
// covers dedicated wallets that are connected to core clients of the API key's account, whoever owns them. To watch your own
// wallets, call [FundsService.LedgerAll] or [WalletsService.ListHistory] repeatedly instead: this feed would never report them.
//
// After each connection, and also from time to time ([WithFillEvery]), it asks which wallets are connected and reads their
// histories, eight at a time, from where it left off; for a newly connected wallet, from five minutes before the feed began.
// Each wallet's movements are filled in in order. Those filled in do not say whether they are sweeps. Errors are as in
// [CoreClientsService.Feed].
//
// API: GET /wallets/feed
func (s *WalletsService) Feed(ctx context.Context, opts ...FeedOption) iter.Seq2[WalletEvent, error] {
	return events(ctx, s.client, "/wallets/feed", nil, opts, feedUses{histories: true, known: anyKey}, func(f *feed.Feed[WalletEvent], options feedOptions) {
		h := walletHistories{
			client: s.client, named: options.wallets, since: options.since, began: time.Now(), known: counted(options.known),
			of: map[WalletID]*walletCursor{}, dedicated: map[WalletID]bool{},
		}
		f.Fresh, f.Fill = h.fresh, h.fill
	})
}

// walletHistories knows how far the consumer of a feed has read each wallet's history. Only its goroutine uses it.
type walletHistories struct {
	client *Client
	named  []WalletID
	since  Time      // set by the caller
	began  time.Time // when the feed began, by this machine's clock

	round  int       // how many times all histories were read
	start  time.Time // when the feed began, by the service's clock, once that is known
	listed bool      // the wallets that were connected at that time are known
	known  map[string]int
	of     map[WalletID]*walletCursor

	dedicated map[WalletID]bool // of connected wallets: the feed covers no others
}

// walletCursor is how far the consumer has read one wallet's history.
type walletCursor struct {
	feed.Cursor[movement]
	begins bool // what it has from before the feed began is old
	due    bool // the feed reports movements in it
	read   int  // in which round
}

// movement distinguishes the entries of a wallet. One transaction on the chain may pay the same wallet twice: then the
// history has a first and a second entry. A feed that repeats itself looks the same as a feed with two entries.
type movement struct {
	tx     TxID
	chain  string
	amount Amount
	status TxStatus
	nth    int
}

func (e WalletEvent) movement() movement {
	return movement{e.TxID, chainID(e.ChainTxID), e.Amount, e.Status, e.nth}
}

// startBy notes when the feed began by the service's clock, if the response gives its time.
func (h *walletHistories) startBy(header http.Header) {
	if !h.start.IsZero() {
		return
	}
	now := h.client.clock.Now()
	if date, err := http.ParseTime(header.Get("Date")); err == nil && header.Get("Age") == "" {
		now = date
	}
	h.start = now.Add(time.Second - 1 - time.Since(h.began)).Truncate(time.Second) // at least
}

// cursor returns a wallet's cursor, and makes one for a new wallet.
func (h *walletHistories) cursor(id WalletID) *walletCursor {
	h.startBy(nil)
	c := h.of[id]
	if c == nil {
		c = &walletCursor{begins: h.since.IsZero() && !h.listed}
		c.Now = func() time.Time { return h.client.clock.Now().Add(feed.Overlap) } // a clock may be off by this much
		if c.Latest = h.since.Time; h.since.IsZero() {
			c.Latest = h.start
		}
		h.of[id] = c
	}
	return c
}

// fresh reports whether an event of the connection is new to the consumer.
func (h *walletHistories) fresh(e WalletEvent) bool {
	return h.cursor(e.WalletID).Tell(e.movement(), e.Time.Time) && !spend(h.known, e.Key())
}

// missed returns the entries of a wallet's history that the consumer does not have.
func (h *walletHistories) missed(id WalletID, entries []WalletEvent) feed.Batch[WalletEvent] {
	from := h.since.Time
	if h.since.IsZero() {
		from = h.start.Add(-feed.Overlap)
	}
	return feed.Batch[WalletEvent]{Due: h.of[id].due, Events: slices.DeleteFunc(entries, func(e WalletEvent) bool {
		if h.of[e.WalletID] == nil { // the wallet was given by its short code
			h.of[e.WalletID] = h.of[id]
		}
		c := h.of[e.WalletID]
		h.of[id] = c
		switch {
		case e.Time.Before(from):
			return true
		case c.begins && !e.Time.After(h.start):
			c.Pass(e.movement(), e.Time.Time)
			return true
		}
		return !c.Add(e.movement(), e.Time.Time) || spend(h.known, e.Key())
	})}
}

// historyToRead is one wallet's history from a given time on.
type historyToRead struct {
	id    WalletID
	since Time
	read  int // the round in which it was last read
}

// fill delivers what the histories have gained since the consumer last read them.
func (h *walletHistories) fill(ctx context.Context, again bool, take feed.Take[WalletEvent]) error {
	connected, first, unlisted := h.connected(ctx, take)
	var histories []historyToRead
	take.Do(func() {
		h.startBy(first.Header)
		for _, id := range slices.Concat(h.named, connected) {
			h.cursor(id)
		}
		h.listed = h.listed || unlisted == nil
		if !again {
			h.round++
		}
		once := map[*walletCursor]bool{}
		for _, id := range slices.Sorted(maps.Keys(h.of)) {
			if c := h.of[id]; !once[c] && c.read != h.round {
				once[c], histories = true, append(histories, historyToRead{id, TimeOf(c.Since()), c.read})
			}
		}
		slices.SortStableFunc(histories, func(a, b historyToRead) int { return cmp.Compare(a.read, b.read) }) // so that each gets its turn
	})
	unread := feed.Each(ctx, histories, func(r historyToRead) error { return h.read(ctx, r, take) })
	take.Do(func() {
		for _, id := range connected {
			h.of[id].due = true // from now on: nothing was reported before it was connected
		}
	})
	return cmp.Or(unlisted, unread)
}

// connected returns the wallets that are connected to core clients, and the first response.
func (h *walletHistories) connected(ctx context.Context, take feed.Take[WalletEvent]) (ids []WalletID, first Response, err error) {
	clients, err := h.client.CoreClients.List(ctx, WithResponse(&first))
	var mu sync.Mutex
	found := map[WalletID]bool{}
	err = cmp.Or(err, feed.Each(ctx, clients, func(c CoreClient) error {
		wallets, err := h.client.CoreClients.ListWallets(ctx, c.ID)
		mu.Lock()
		defer mu.Unlock()
		for _, w := range wallets {
			if w.connected() {
				found[w.WalletID] = true
			}
		}
		return err
	}))
	var unknown []WalletID
	take.Do(func() {
		for _, id := range slices.Sorted(maps.Keys(found)) {
			if dedicated, known := h.dedicated[id]; !known {
				unknown = append(unknown, id)
			} else if dedicated {
				ids = append(ids, id)
			}
		}
	})
	dedicated := map[WalletID]bool{}
	err = cmp.Or(err, feed.Each(ctx, unknown, func(id WalletID) error {
		wallet, err := h.client.Wallets.Get(ctx, id)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			dedicated[id] = wallet.Type <= WalletDedicated // a missing type is 0
		case errors.Is(err, ErrNotFound):
			dedicated[id] = true // its history shows it
		default:
			return err
		}
		if dedicated[id] {
			ids = append(ids, id)
		}
		return nil
	}))
	take.Do(func() { maps.Copy(h.dedicated, dedicated) })
	return ids, first, err
}

// chunk is how many entries are handed over at once.
const chunk = 500

// read delivers the entries of one wallet's history.
func (h *walletHistories) read(ctx context.Context, r historyToRead, take feed.Take[WalletEvent]) error {
	type at struct {
		movement
		time Time
	}
	var entries []WalletEvent
	alike := map[at]int{} // of the same second
	hand := func() {
		given := entries
		entries = nil
		take(func() feed.Batch[WalletEvent] { return h.missed(r.id, given) })
	}
	last := Time{}
	for e, err := range h.client.Wallets.HistoryAll(ctx, r.id, HistoryOptions{Since: r.since}) {
		if err != nil {
			hand()
			return err
		}
		if e.Time != last {
			last = e.Time
			clear(alike)
		}
		event := WalletEvent{
			Status: TxApproved, WalletID: cmp.Or(e.WalletID, r.id), TxID: e.TxID, ChainTxID: e.ChainTxID, Asset: e.Asset,
			Amount: e.Amount, Fees: e.Fees, NetAmount: e.NetAmount, Time: e.Time,
		}
		key := at{event.movement(), e.Time}
		event.nth = alike[key]
		alike[key]++
		if entries = append(entries, event); len(entries) == chunk {
			hand()
		}
	}
	take(func() feed.Batch[WalletEvent] {
		batch := h.missed(r.id, entries)
		h.of[r.id].begins, h.of[r.id].read = false, h.round
		return batch
	})
	return nil
}
