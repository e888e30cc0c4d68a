package qredo

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/qredo-go/qredo/internal/feed"
)

// WalletType tells what a wallet is for, and how it is shared. Other values than these may come.
type WalletType int

// The kinds of wallets. The service makes vesting, external and fee wallets itself. One page has 3 for
// multi-counterparty wallets.
const (
	WalletStandard          WalletType = 0
	WalletDedicated         WalletType = 1 // connected to a counterparty, who also approves what leaves it
	WalletMultiCounterparty WalletType = 2 // connected to several counterparties, who do not approve
	WalletVesting           WalletType = 3
	WalletExternal          WalletType = 4 // for Web3 transactions and the like
	WalletFee               WalletType = 5
)

// WalletRequest is what a wallet is created from.
type WalletRequest struct {
	Name  string    `json:"name,omitzero"`
	Asset AssetCode `json:"asset"` // required: a wallet holds one asset
	// The wallet's own custody groups; without them the fund's approve.
	CustodyGroupWithdraw *CustodyGroup    `json:"custodygroup_withdraw,omitzero"`
	CustodyGroupTx       *CustodyGroup    `json:"custodygroup_tx,omitzero"`
	Type                 WalletType       `json:"type"`
	Connect              []ConnectRequest `json:"connect,omitzero"`
}

// ConnectRequest names an account at an exchange that a dedicated or multi-counterparty wallet is to be connected
// to.
type ConnectRequest struct {
	CounterpartyID string `json:"counterparty_id"`    // [Exchange].ID, which is a core client's
	ClientID       string `json:"client_id,omitzero"` // the customer's ID at the exchange
}

func validateWallets(wallets []WalletRequest) error {
	for i, w := range wallets {
		field := fmt.Sprintf("wallets[%d]", i)
		err := cmp.Or(
			checkText(field+".asset", w.Asset), w.CustodyGroupWithdraw.validate(field+".custodygroup_withdraw"),
			w.CustodyGroupTx.validate(field+".custodygroup_tx"))
		for j, account := range w.Connect {
			err = cmp.Or(err, checkText(fmt.Sprintf("%s.connect[%d].counterparty_id", field, j), account.CounterpartyID))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Wallet holds one asset.
type Wallet struct {
	ID                   WalletID           `json:"wallet_id" required:"true"`
	Name                 string             `json:"name"`
	Asset                AssetCode          `json:"asset"`
	Type                 WalletType         `json:"type"`
	Status               WalletStatus       `json:"status"`
	Address              string             `json:"address"` // on the asset's chain, for deposits
	AddressType          string             `json:"address_type"`
	ShortCode            string             `json:"short_code"` // three words with spaces between, which stand for the ID wherever a wallet is named
	Balance              Amount             `json:"balance"`
	CustodyGroupWithdraw PolicyID           `json:"custodygroup_withdraw"`
	CustodyGroupTx       PolicyID           `json:"custodygroup_tx"`
	PolicyWithdraw       *Policy            `json:"policy_withdraw,omitzero"`
	PolicyTx             *Policy            `json:"policy_tx,omitzero"`
	Connected            []ConnectedAccount `json:"connected,omitzero"`
}

// WalletStatus tells whether a wallet can be used. Other values than these may come.
type WalletStatus string

// The states of a wallet.
const (
	WalletReady    WalletStatus = "ready"
	WalletPending  WalletStatus = "pending" // a dedicated wallet whose counterparty has not decided
	WalletRejected WalletStatus = "rejected"
	WalletExpired  WalletStatus = "expired"
)

// ConnectedAccount is an account at an exchange that a wallet is connected to, or is to be.
type ConnectedAccount struct {
	ClientID       string           `json:"client_id"`       // the customer's ID at the exchange
	CounterpartyID string           `json:"counterparty_id"` // [Exchange].ID, which is a core client's
	Name           string           `json:"name"`
	Status         ConnectionStatus `json:"status"`
}

// ConnectionStatus tells how a connection stands. Other values than these may come.
type ConnectionStatus string

// The states of a connection.
const (
	ConnectionInitiated ConnectionStatus = "initiated" // the counterparty has not decided
	ConnectionConnected ConnectionStatus = "connected"
	ConnectionRejected  ConnectionStatus = "rejected"
	ConnectionExpired   ConnectionStatus = "expired"
)

// HistoryEntry is a movement of a wallet that is done, in base units. As the service's example of a feed has it,
// amounts are signed: what left the wallet is negative, what came is positive, and Amount = NetAmount + Fees. Its
// schema has the reverse, so that a careful program holds the sum against the wallet's balance.
type HistoryEntry struct {
	WalletID  WalletID  `json:"wallet_id"`
	TxID      TxID      `json:"tx_id"`
	ChainTxID string    `json:"chain_tx_id"` // on Qredo's own chain, as in [LedgerEntry]
	Asset     AssetCode `json:"asset"`
	Amount    Amount    `json:"amount"`
	Fees      Amount    `json:"fee"` // 0 of what came: who sends pays
	NetAmount Amount    `json:"net_amount"`
	Time      Time      `json:"timestamp"`
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

// WalletsService tells what wallets hold and did.
type WalletsService struct{ client *Client }

// Get returns a wallet with its balance and policies. The account of a core client may also read, and see the
// history of, the wallets of others that are connected to it.
//
// API: GET /wallet/{wallet_id}
func (s *WalletsService) Get(ctx context.Context, walletID WalletID, opts ...CallOption) (*Wallet, error) {
	return call[Wallet](ctx, s.client, api("GET /wallet/{wallet_id}", string(walletID)), opts)
}

// ListHistory returns what moved in a wallet. In which order is not documented.
//
// API: GET /wallet/{wallet_id}/history
func (s *WalletsService) ListHistory(ctx context.Context, walletID WalletID, options HistoryOptions, opts ...CallOption) ([]HistoryEntry, error) {
	return list(ctx, s.client, api("GET /wallet/{wallet_id}/history", string(walletID)).where(options), opts, func(a *walletHistory) []HistoryEntry { return a.History })
}

// MaxAmountOptions says what the maximum is asked for.
type MaxAmountOptions struct {
	// Pending counts the transactions in that wait for approval. Whether that makes the answer smaller or larger
	// the service's documents do not say: a careful program asks for both and takes the smaller.
	Pending bool    `url:"pending,int,omitempty"`
	Type    MaxType `url:"tx_type,omitempty"` // Default: transfer.
}

// MaxType is what the maximum amount is asked for.
type MaxType string

// What a maximum amount can be asked for.
const (
	MaxTransfer MaxType = "transfer"
	MaxWithdraw MaxType = "withdraw"
	MaxSwap     MaxType = "swap"
)

func (o MaxAmountOptions) validate(time.Time) error {
	return checkOneOf("tx_type", o.Type, "", MaxTransfer, MaxWithdraw, MaxSwap)
}

// GetMaxAmount returns the most that can be sent from a wallet now, and what that costs: send its NetAmount. A
// program that sends its AmountToSend is refused for want of the fee.
//
// API: GET /wallet/{wallet_id}/max
func (s *WalletsService) GetMaxAmount(ctx context.Context, walletID WalletID, options MaxAmountOptions, opts ...CallOption) (*Fees, error) {
	return call[Fees](ctx, s.client, api("GET /wallet/{wallet_id}/max", string(walletID)).where(options), opts)
}

// UpdatePolicy asks for another custody group of a wallet. The update itself waits for the approval of
// the group as it is; until then [WalletsService.Get] shows that. Only a wallet's own policy can be
// updated, not that of its fund.
//
// API: PUT /company/{company_id}/fund/{fund_id}/wallet/{wallet_id}/policy
func (s *WalletsService) UpdatePolicy(ctx context.Context, companyID CompanyID, fundID FundID, walletID WalletID, req PolicyRequest, opts ...CallOption) error {
	return s.client.run(ctx, api("PUT /company/{company_id}/fund/{fund_id}/wallet/{wallet_id}/policy", string(companyID), string(fundID), string(walletID)).with(req).deciding(), new(done), opts)
}

// Exchange is a counterparty that wallets can be connected to.
type Exchange struct {
	ID      string         `json:"id"`
	Name    string         `json:"name"`
	URL     string         `json:"url"`
	LogoURL string         `json:"logourl"`
	Client  ExchangeClient `json:"client,omitzero"`
}

// ExchangeClient says what an exchange wants to know of its client when a wallet is connected.
type ExchangeClient struct {
	Fields []ExchangeField `json:"fields"`
}

// ExchangeField is one thing that an exchange wants to know.
type ExchangeField struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Name string `json:"name"`
}

type exchangeList struct {
	Exchanges []Exchange `json:"exchanges"`
}

// ListExchanges returns the counterparties that wallets can be connected to.
//
// API: GET /exchanges
func (s *WalletsService) ListExchanges(ctx context.Context, opts ...CallOption) ([]Exchange, error) {
	return list(ctx, s.client, api("GET /exchanges"), opts, func(a *exchangeList) []Exchange { return a.Exchanges })
}

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
// named by [WithWallets]. Unless set it begins with what happens after it was started. A time after the year 9999, as a
// number of milliseconds is, is a [*ValidationError] and ends the feed.
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
	return events(ctx, s.client, "/wallets/feed", nil, opts, func(f *feed.Feed[WalletEvent], options feedOptions) {
		h := walletHistories{wallets: s, since: options.since, of: map[WalletID]*walletCursor{}}
		f.Fresh, f.Fill = h.add, h.fill
		f.Prepare = func(ctx context.Context) error { return h.begin(ctx, options.wallets) }
	})
}

// checkHistories refuses options by which no history would ever be found.
func (o feedOptions) checkHistories() error {
	err := checkSeconds("since", o.since)
	for _, id := range o.wallets {
		err = cmp.Or(err, checkID("wallet_id", id))
	}
	return err
}

// walletHistories knows how far the consumer of a feed has each wallet's history.
type walletHistories struct {
	wallets *WalletsService
	since   Time
	of      map[WalletID]*walletCursor
}

// walletCursor is how far the consumer has one wallet's history.
type walletCursor = feed.Cursor[movement]

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

// begin notes where the histories stand, so that what is in them already does not count as missed.
func (h *walletHistories) begin(ctx context.Context, ids []WalletID) error {
	for _, id := range ids {
		if h.of[id] != nil {
			continue // a beginning that failed halfway is made again
		}
		since := h.since.Time
		cursor := &walletCursor{From: since, Latest: since}
		if h.since.IsZero() {
			entries, err := h.wallets.ListHistory(ctx, id, HistoryOptions{})
			if err != nil {
				return err
			}
			for _, event := range walletEvents(entries) {
				cursor.Add(event.movement(), event.Time.Time)
			}
			cursor.From = cursor.Latest
		}
		h.of[id] = cursor
	}
	return nil
}

func (h *walletHistories) add(e WalletEvent) bool {
	cursor := h.of[e.WalletID]
	if cursor == nil {
		cursor = &walletCursor{From: e.Time.Time}
		h.of[e.WalletID] = cursor
	}
	return cursor.Add(e.movement(), e.Time.Time)
}

// fill returns what the histories have since the latest that the consumer has.
func (h *walletHistories) fill(ctx context.Context) ([]WalletEvent, error) {
	var missed []WalletEvent
	for _, id := range slices.Sorted(maps.Keys(h.of)) {
		cursor := h.of[id]
		entries, err := h.wallets.ListHistory(ctx, id, HistoryOptions{Since: TimeOf(cursor.Since())})
		if err != nil {
			return nil, err
		}
		for _, event := range walletEvents(entries) {
			if !event.Time.Before(cursor.From) {
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
