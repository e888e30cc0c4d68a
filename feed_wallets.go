package qredo

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"
)

// WalletEvent is a movement of a wallet that is done. Amounts are signed as in [HistoryEntry].
type WalletEvent struct {
	Status    TxStatus  `json:"Status"`
	WalletID  WalletID  `json:"wallet_id" required:"true"`
	TxID      TxID      `json:"tx_id"`
	ChainTxID string    `json:"chain_tx_id"`
	Asset     AssetCode `json:"asset"`
	Amount    Amount    `json:"amount"`
	Fees      Amount    `json:"fee"`
	NetAmount Amount    `json:"net_amount"`
	Sweep     bool      `json:"sweep_tx"`
	Time      Time      `json:"timestamp"`

	nth int // of alike ones in a history
}

// WithWallets names wallets whose history fills the gaps of [WalletsService.Feed] from the beginning.
// Others are filled once the feed has named them: the service has no list of all wallets.
func WithWallets(ids ...WalletID) FeedOption {
	return func(o *feedOptions) { o.wallets = append(o.wallets, ids...) }
}

// WithSince lets [WalletsService.Feed] begin in the past: with what happened from then on to the wallets
// named by [WithWallets]. Unless set it begins with what happens after it was started.
func WithSince(t Time) FeedOption {
	return func(o *feedOptions) { o.since = t }
}

// Feed gives movements as they are done, in and out, each once, until ctx ends. It is an exchange's feed: it tells
// of dedicated wallets that are connected to core clients of the API key's account, whoever owns them, and of no
// others. A program that waits for what moves in its own wallets asks [FundsService.LedgerAll] or
// [WalletsService.ListHistory] again and again instead: here it would wait for ever.
//
// After a connection was lost it connects again and fills the gap from the wallets' history: see
// [WithWallets]. Filled entries do not tell whether they are sweeps. Errors are as in
// [CoreClientsService.Feed].
//
// API: GET /wallets/feed
func (s *WalletsService) Feed(ctx context.Context, opts ...FeedOption) iter.Seq2[WalletEvent, error] {
	return events(ctx, s.client, "/wallets/feed", nil, opts, func(f *feed[WalletEvent]) {
		h := walletHistories{wallets: s, since: f.since, of: map[WalletID]*walletCursor{}}
		f.fresh, f.fill = h.add, h.fill
		f.prepare = func(ctx context.Context) error { return h.begin(ctx, f.wallets) }
	})
}

// walletHistories knows how far the consumer of a feed has each wallet's history.
type walletHistories struct {
	wallets *WalletsService
	since   Time
	of      map[WalletID]*walletCursor
}

// walletCursor is how far the consumer has one wallet's history.
type walletCursor struct {
	from   time.Time // nothing before is given
	latest time.Time
	swept  time.Time              // what latest was when known was last cleared of what is too old
	known  map[movement]time.Time // what the consumer has of the last minutes
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
	return movement{e.TxID, e.ChainTxID, e.Amount, e.Status, e.nth}
}

// overlap is how far before its latest entry a history is read again, since entries need not come in the
// order of their times, and the service may leave out the very second that it is asked for.
const overlap = 5 * time.Minute

// begin notes where the histories stand, so that what is in them already does not count as missed.
func (h *walletHistories) begin(ctx context.Context, ids []WalletID) error {
	for _, id := range ids {
		if h.of[id] != nil {
			continue // a beginning that failed halfway is made again
		}
		since := h.since.Truncate(time.Second) // as entries have it
		cursor := &walletCursor{from: since, latest: since, known: map[movement]time.Time{}}
		if h.since.IsZero() {
			entries, err := h.wallets.ListHistory(ctx, id, HistoryOptions{})
			if err != nil {
				return err
			}
			for _, event := range walletEvents(entries) {
				cursor.add(event)
			}
			cursor.from = cursor.latest
		}
		h.of[id] = cursor
	}
	return nil
}

func (h *walletHistories) add(e WalletEvent) bool {
	cursor := h.of[e.WalletID]
	if cursor == nil {
		cursor = &walletCursor{from: e.Time.Time, known: map[movement]time.Time{}}
		h.of[e.WalletID] = cursor
	}
	return cursor.add(e)
}

func (c *walletCursor) add(e WalletEvent) bool {
	key := e.movement()
	if _, known := c.known[key]; known {
		return false
	}
	c.known[key] = e.Time.Time
	if e.Time.After(c.latest) {
		c.latest = e.Time.Time
	}
	if c.latest.Sub(c.swept) >= overlap {
		c.swept = c.latest
		maps.DeleteFunc(c.known, func(_ movement, at time.Time) bool { return at.Before(c.latest.Add(-overlap)) })
	}
	return true
}

// fill returns what the histories have since the latest that the consumer has.
func (h *walletHistories) fill(ctx context.Context) ([]WalletEvent, error) {
	var missed []WalletEvent
	for _, id := range slices.Sorted(maps.Keys(h.of)) {
		cursor := h.of[id]
		since := Time{}
		if !cursor.latest.IsZero() {
			since = TimeOf(cursor.latest.Add(-overlap))
		}
		entries, err := h.wallets.ListHistory(ctx, id, HistoryOptions{Since: since})
		if err != nil {
			return nil, err
		}
		for _, event := range walletEvents(entries) {
			if !event.Time.Before(cursor.from) {
				missed = append(missed, event)
			}
		}
	}
	slices.SortStableFunc(missed, func(a, b WalletEvent) int { return a.Time.Compare(b.Time.Time) })
	return missed, nil
}

// walletEvents are the entries of a history as the feed would have told of them.
func walletEvents(entries []HistoryEntry) []WalletEvent {
	type at struct {
		movement
		time int64
	}
	events, alike := make([]WalletEvent, len(entries)), map[at]int{}
	for i, e := range entries {
		event := WalletEvent{
			Status: TxApproved, WalletID: e.WalletID, TxID: e.TxID, ChainTxID: e.ChainTxID, Asset: e.Asset,
			Amount: e.Amount, Fees: e.Fees, NetAmount: e.NetAmount, Time: e.Time,
		}
		key := at{event.movement(), e.Time.Unix()}
		event.nth = alike[key]
		alike[key]++
		events[i] = event
	}
	return events
}
