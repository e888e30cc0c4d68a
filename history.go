package qredo

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/qredo-go/qredo/internal/feed"
	"github.com/qredo-go/qredo/internal/wire"
)

// HistoryEntry is a movement of a wallet that is done. As the service's example of a feed has it, amounts are signed: what
// left the wallet is negative, what came is positive, and Amount = NetAmount + Fees. Its schema has the reverse, so that a
// careful program holds the sum against the wallet's balance.
type HistoryEntry struct {
	WalletID  WalletID  `json:"wallet_id"`   // whose balance has changed
	TxID      TxID      `json:"tx_id"`       // the service's transaction; may be empty for deposits
	ChainTxID string    `json:"chain_tx_id"` // on Qredo's own chain, as in [LedgerEntry]: no block explorer knows it
	Asset     AssetCode `json:"asset"`       // the wallet's
	Amount    Amount    `json:"amount"`      // base units: by how much the balance has changed; negative for what left, with its fees
	Fees      Amount    `json:"fee"`         // base units; negative for what left, 0 for what came: who sends pays
	NetAmount Amount    `json:"net_amount"`  // base units: without the fees, what the other side got or sent; signed as Amount
	Time      Time      `json:"timestamp"`   // when it was done
}

// Key names the movement, as [LedgerEntry.Key] does. It takes what is negative for what left the wallet; where a service has the
// signs of its schema, what came is taken for what left.
func (e HistoryEntry) Key() string {
	return movementKey(string(e.WalletID), e.Amount >= 0 && e.Fees >= 0, e.TxID, e.ChainTxID, e.Amount)
}

type walletHistory struct {
	History []HistoryEntry `json:"history"`
}

// HistoryOptions selects history entries.
type HistoryOptions struct {
	// Entries after this second; all if zero. Whether those of the very second come is not certain: to have them,
	// ask for a second earlier and drop what is too early. One after the year 9999, as a number of milliseconds is, is
	// refused: nothing would ever be found.
	Since Time `url:"since,omitempty"`
}

func (o HistoryOptions) validate(time.Time) error { return checkSeconds("since", o.Since) }

// ListHistory returns what moved in a wallet. In which order is not documented. One that is longer than an answer may be
// ([WithMaxResponse]) is an error that matches [ErrBadAnswer]: [WalletsService.HistoryAll] reads it.
//
// API: GET /wallet/{wallet_id}/history
func (s *WalletsService) ListHistory(ctx context.Context, walletID WalletID, options HistoryOptions, opts ...CallOption) ([]HistoryEntry, error) {
	return list(ctx, s.client, api("GET /wallet/{wallet_id}/history", string(walletID)).where(options), opts, func(a *walletHistory) []HistoryEntry { return a.History })
}

// HistoryAll ranges over what moved in a wallet, oldest first, however long its history is. It holds no more than an answer
// may have ([WithMaxResponse]) at a time: of a longer history it keeps the earliest while it reads, gives these, and asks
// for what is after them. So an answer that is lost and asked for again gives nothing twice. What moves meanwhile may be
// given or not. The first error is yielded and ends the walk: go on by [HistoryOptions].Since, with the time of the last
// entry, and what has that very time may come again.
//
// API: GET /wallet/{wallet_id}/history
func (s *WalletsService) HistoryAll(ctx context.Context, walletID WalletID, options HistoryOptions, opts ...CallOption) iter.Seq2[HistoryEntry, error] {
	return func(yield func(HistoryEntry, error) bool) {
		for from := int64(wire.Whenever); ; {
			var next int64
			op := api("GET /wallet/{wallet_id}/history", string(walletID)).where(options)
			op.shorten = earliestEntries(from, &next)
			entries, err := list(ctx, s.client, op, opts, func(a *walletHistory) []HistoryEntry { return a.History })
			if err != nil {
				yield(HistoryEntry{}, err)
				return
			}
			slices.SortStableFunc(entries, func(a, b HistoryEntry) int { return cmp.Compare(a.Time.seconds(), b.Time.seconds()) })
			for _, e := range entries {
				if e.Time.seconds() >= from && !yield(e, nil) {
					return
				}
			}
			if next == 0 {
				return
			}
			from, options.Since = next, Unix(next-1) // the service may leave out the very second
		}
	}
}

// earliestEntries keeps the earliest entries of a history that is longer than an answer may be, and notes the second that
// they go to; 0 if they are all.
func earliestEntries(from int64, next *int64) func(io.Reader, int64) ([]byte, error) {
	return func(body io.Reader, most int64) ([]byte, error) {
		kept := wire.Earliest{From: from, Most: most}
		rest, err := wire.Shorten(body, most, func(entry []byte) bool {
			var e struct {
				Time Time `json:"timestamp"`
			}
			_ = wire.Unmarshal(entry, &e) // what is not understood has no time, is kept, and told of later
			kept.Take(e.Time.seconds(), entry)
			return false
		})
		if err != nil {
			return nil, err
		}
		if err := wire.UnmarshalAnswer(rest, new(walletHistory)); err != nil {
			return nil, err
		}
		list, err := kept.List()
		if cut, ok := kept.Cut(); ok {
			*next = cut
		}
		return append(append([]byte(`{"history":`), list...), '}'), err
	}
}

// WalletEvent is a movement of a wallet that is done. Amounts are signed as in [HistoryEntry].
type WalletEvent struct {
	Status    TxStatus  `json:"Status"`                    // always [TxApproved]
	WalletID  WalletID  `json:"wallet_id" required:"true"` // whose balance has changed
	TxID      TxID      `json:"tx_id"`                     // the service's transaction; may be empty for deposits
	ChainTxID string    `json:"chain_tx_id"`               // on Qredo's own chain, as in [LedgerEntry]: no block explorer knows it
	Asset     AssetCode `json:"asset"`                     // the wallet's
	Amount    Amount    `json:"amount"`                    // base units: by how much the balance has changed; negative for what left, with its fees
	Fees      Amount    `json:"fee"`                       // base units; negative for what left, 0 for what came
	NetAmount Amount    `json:"net_amount"`                // base units: without the fees; signed as Amount
	Sweep     bool      `json:"sweep_tx"`                  // a sweep; false also where a history told of it, which does not say so
	Time      Time      `json:"timestamp"`                 // when it was done

	nth int // of alike ones in a history
}

// Key names the movement, as [LedgerEntry.Key] does.
func (e WalletEvent) Key() string {
	return HistoryEntry{WalletID: e.WalletID, TxID: e.TxID, ChainTxID: e.ChainTxID, Amount: e.Amount, Fees: e.Fees}.Key()
}

// WithWallets names wallets that [WalletsService.Feed] tells of from their histories, besides those that are connected to
// core clients of the API key's account, which it finds by itself. For other feeds it is a [*ValidationError].
func WithWallets(ids ...WalletID) FeedOption {
	return func(o *feedOptions) { o.wallets = append(o.wallets, ids...) }
}

// WithSince lets [WalletsService.Feed] begin in the past: with what happened in that second and from then on. Unless set it
// begins with what happens after it was started. What a program was given before comes again unless [WithKnown] names it: to
// miss nothing that a history shows late, begin some minutes before the last event, and name those of these minutes. A time
// after the year 9999, as a number of milliseconds is, is a [*ValidationError] and ends the feed; so is this option for other
// feeds, which have no history.
func WithSince(t Time) FeedOption {
	return func(o *feedOptions) { o.since = t }
}

// Feed gives movements as they are done, in and out, each once, until ctx ends. It is an exchange's feed: it tells
// of dedicated wallets that are connected to core clients of the API key's account, whoever owns them, and of no
// others. A program that waits for what moves in its own wallets asks [FundsService.LedgerAll] or
// [WalletsService.ListHistory] again and again instead: here it would wait for ever.
//
// After each connection and once in a while besides ([WithFillEvery]) it asks which wallets are connected, and reads their
// histories, eight at a time, from where it stands: in one that was connected meanwhile, from five minutes before
// the feed began. The movements of one wallet are filled in their order. Those that are filled do not tell whether they are sweeps.
// Errors are as in [CoreClientsService.Feed].
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

// walletHistories knows how far the consumer of a feed has each wallet's history. It belongs to the consumer's goroutine,
// but for what does not change.
type walletHistories struct {
	client *Client
	named  []WalletID
	since  Time      // what the caller has set
	began  time.Time // when the feed began, by this machine

	round  int       // how often all histories were read
	start  time.Time // when the feed began by the service, once that is known
	listed bool      // the wallets that were connected then are known
	known  map[string]int
	of     map[WalletID]*walletCursor

	dedicated map[WalletID]bool // of those that are connected: the feed tells of no others
}

// walletCursor is how far the consumer has one wallet's history.
type walletCursor struct {
	feed.Cursor[movement]
	begins bool // what it has from before the feed began is old
	due    bool // the feed tells of what moves in it
	read   int  // in which round
}

// movement tells the entries of a wallet apart. One transaction on the chain may pay the same twice: then a
// history has a first and a second one, while a feed that repeats itself cannot be told from one that has two.
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

// startBy notes when the feed began, by what an answer says of the service's time, if it does.
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

// cursor returns the cursor of a wallet, and makes one for a wallet that is new.
func (h *walletHistories) cursor(id WalletID) *walletCursor {
	h.startBy(nil)
	c := h.of[id]
	if c == nil {
		c = &walletCursor{begins: h.since.IsZero() && !h.listed}
		c.Now = func() time.Time { return h.client.clock.Now().Add(feed.Overlap) } // a clock may be off by so much
		if c.Latest = h.since.Time; h.since.IsZero() {
			c.Latest = h.start
		}
		h.of[id] = c
	}
	return c
}

// fresh reports whether the consumer does not have what the connection tells of.
func (h *walletHistories) fresh(e WalletEvent) bool {
	return h.cursor(e.WalletID).Tell(e.movement(), e.Time.Time) && !spend(h.known, e.Key())
}

// missed returns those of the entries in a wallet's history that the consumer does not have.
func (h *walletHistories) missed(id WalletID, entries []WalletEvent) feed.Batch[WalletEvent] {
	from := h.since.Time
	if h.since.IsZero() {
		from = h.start.Add(-feed.Overlap)
	}
	return feed.Batch[WalletEvent]{Due: h.of[id].due, Events: slices.DeleteFunc(entries, func(e WalletEvent) bool {
		if h.of[e.WalletID] == nil { // the wallet was named by its short code
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

// historyToRead is one wallet's history from a moment on.
type historyToRead struct {
	id    WalletID
	since Time
	read  int // in which round it was read last
}

// fill gives what the histories have since what the consumer has.
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
		slices.SortStableFunc(histories, func(a, b historyToRead) int { return cmp.Compare(a.read, b.read) }) // so that each has its turn
	})
	unread := feed.Each(ctx, histories, func(r historyToRead) error { return h.read(ctx, r, take) })
	take.Do(func() {
		for _, id := range connected {
			h.of[id].due = true // from now on: before it was connected, nothing was told
		}
	})
	return cmp.Or(unlisted, unread)
}

// connected returns the wallets that are connected to core clients, and the first answer.
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
			dedicated[id] = wallet.Type <= WalletDedicated // a type that is left out is 0
		case errors.Is(err, ErrNotFound):
			dedicated[id] = true // its history tells
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

// read gives what one wallet's history has.
func (h *walletHistories) read(ctx context.Context, r historyToRead, take feed.Take[WalletEvent]) error {
	type at struct {
		movement
		time Time
	}
	var entries []WalletEvent
	alike := map[at]int{} // of one second
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
