package qredo

import (
	"cmp"
	"context"
	"io"
	"iter"
	"time"

	"github.com/qredo-go/qredo/internal/feed"
	"github.com/qredo-go/qredo/internal/wire"
)

// SwapRequest offers to swap one asset for another: a quote.
type SwapRequest struct {
	SendWalletID    WalletID    `json:"send_wallet_id"`
	ReceiveWalletID WalletID    `json:"receive_wallet_id"`
	Reference       string      `json:"reference"` // required
	PartnerTxID     PartnerTxID `json:"partner_txID,omitzero"`
	Expires         Time        `json:"expires"` // required: the time by which it must be taken
	Send            AssetAmount `json:"send"`    // what the taker gets; the fee is charged to the wallet on top
	Receive         AssetAmount `json:"receive"` // what the maker gets
	// AddToLiquidityHub lists the quote on the hub as soon as it is approved.
	AddToLiquidityHub bool `json:"add_to_liquidity_hub"`
}

func (r SwapRequest) validate(now time.Time) error {
	return cmp.Or(validateSwapSide(r.SendWalletID, r.ReceiveWalletID, r.Reference, r.PartnerTxID), r.Send.validate("send"), r.Receive.validate("receive"),
		checkExpiry(r.Expires, now))
}

func (r *SwapRequest) partner() *PartnerTxID { return &r.PartnerTxID }

func validateSwapSide(send, receive WalletID, reference string, partner PartnerTxID) error {
	return cmp.Or(checkID("send_wallet_id", send), checkID("receive_wallet_id", receive), checkText("reference", reference),
		checkPartnerTxID(partner))
}

// SwapSubmission is the answer to an offered swap.
type SwapSubmission struct {
	Submission
	URL string `json:"tx_url"` // a page of the web app for the person who takes it; its form is the service's own
}

// TakeRequest accepts a quote.
type TakeRequest struct {
	SwapID          TxID        `json:"swap_id"` // the quote's transaction
	SendWalletID    WalletID    `json:"send_wallet_id"`
	ReceiveWalletID WalletID    `json:"receive_wallet_id"`
	Reference       string      `json:"reference"` // required
	PartnerTxID     PartnerTxID `json:"partner_txID,omitzero"`
}

func (r TakeRequest) validate(time.Time) error {
	return cmp.Or(checkID("swap_id", r.SwapID), validateSwapSide(r.SendWalletID, r.ReceiveWalletID, r.Reference, r.PartnerTxID))
}

func (r *TakeRequest) partner() *PartnerTxID { return &r.PartnerTxID }

// HubQuote is a quote listed on the liquidity hub, as its maker offers it. Whoever takes it sends what the maker receives, and
// pays a fee on top. Amounts are what arrives, in base units.
type HubQuote struct {
	TxID          TxID      `json:"tx_id"`
	SendAsset     AssetCode `json:"send_asset"`
	SendAmount    Amount    `json:"send_amount"`
	ReceiveAsset  AssetCode `json:"receive_asset"`
	ReceiveAmount Amount    `json:"receive_amount"`
	Owner         bool      `json:"owner"` // the quote is your own
	Added         Time      `json:"added"`
	Expires       Time      `json:"expires"`
}

type liquidityHub struct {
	Items []HubQuote `json:"items"`
}

func (h *liquidityHub) quotes() []HubQuote { return h.Items }

// listing says which quote is to be listed on the hub.
type listing struct {
	TxID TxID `json:"tx_id"`
}

type listings struct {
	Items []listing `json:"items"`
}

func (l listing) validate(time.Time) error { return checkID("tx_id", l.TxID) }

// SwapsService swaps assets between two parties: either both sides are settled, in one step, or neither is.
type SwapsService struct{ client *Client }

// Make offers a swap. Once the maker's custody group has approved it, its status is [TxTakerPending], and it can be taken until
// it expires or is cancelled.
//
// API: POST /company/{company_id}/atomicswap/make
func (s *SwapsService) Make(ctx context.Context, companyID CompanyID, req SwapRequest, opts ...CallOption) (*SwapSubmission, error) {
	return submit[SwapSubmission](ctx, s.client, api("POST /company/{company_id}/atomicswap/make", string(companyID)), &req, opts)
}

// GetMake returns an offered swap with the maker's approvals. Any company of the account can read it: a taker reads it with its
// own company ID.
//
// API: GET /company/{company_id}/atomicswap/make/{tx_id}
func (s *SwapsService) GetMake(ctx context.Context, companyID CompanyID, txID TxID, opts ...CallOption) (*Transaction, error) {
	return call[Transaction](ctx, s.client, api("GET /company/{company_id}/atomicswap/make/{tx_id}", string(companyID), string(txID)), opts)
}

// WaitMake returns an offered swap once it is taken and settled. It returns a [*TxError] if the swap is rejected, cancelled or
// expires. Any other error, such as the end of ctx or a failed read, leaves the swap as it is.
//
// API: GET /company/{company_id}/atomicswap/make/{tx_id}
func (s *SwapsService) WaitMake(ctx context.Context, companyID CompanyID, txID TxID, opts ...CallOption) (*Transaction, error) {
	return waitForEnd(ctx, opts, func() (*Transaction, error) { return s.GetMake(ctx, companyID, txID, opts...) })
}

// CancelMake withdraws an offered swap that nobody has taken.
//
// API: DELETE /company/{company_id}/atomicswap/make/{tx_id}
func (s *SwapsService) CancelMake(ctx context.Context, companyID CompanyID, txID TxID, opts ...CallOption) error {
	return s.client.run(ctx, api("DELETE /company/{company_id}/atomicswap/make/{tx_id}", string(companyID), string(txID)).deciding(), new(done), opts)
}

// Take takes an offered swap. Once the taker's custody group has approved it, both sides are settled and have the status
// [TxTakerApproved].
//
// API: POST /company/{company_id}/atomicswap/take
func (s *SwapsService) Take(ctx context.Context, companyID CompanyID, req TakeRequest, opts ...CallOption) (*Submission, error) {
	return submit[Submission](ctx, s.client, api("POST /company/{company_id}/atomicswap/take", string(companyID)), &req, opts)
}

// GetTake returns the taker's side of a swap with the taker's approvals.
//
// API: GET /company/{company_id}/atomicswap/take/{tx_id}
func (s *SwapsService) GetTake(ctx context.Context, companyID CompanyID, txID TxID, opts ...CallOption) (*Transaction, error) {
	return call[Transaction](ctx, s.client, api("GET /company/{company_id}/atomicswap/take/{tx_id}", string(companyID), string(txID)), opts)
}

// WaitTake returns the taker's side of a swap once it is settled, as [SwapsService.WaitMake] does for the
// maker's.
//
// API: GET /company/{company_id}/atomicswap/take/{tx_id}
func (s *SwapsService) WaitTake(ctx context.Context, companyID CompanyID, txID TxID, opts ...CallOption) (*Transaction, error) {
	return waitForEnd(ctx, opts, func() (*Transaction, error) { return s.GetTake(ctx, companyID, txID, opts...) })
}

// Publish lists an approved quote on the liquidity hub.
//
// API: POST /company/{company_id}/liquidityhub
func (s *SwapsService) Publish(ctx context.Context, companyID CompanyID, txID TxID, opts ...CallOption) error {
	return s.client.run(ctx, api("POST /company/{company_id}/liquidityhub", string(companyID)).with(listing{txID}).deciding(), new(done), opts)
}

// ListHub returns the quotes on the liquidity hub as a company sees them: its own quotes have Owner set.
//
// API: GET /company/{company_id}/liquidityhub
func (s *SwapsService) ListHub(ctx context.Context, companyID CompanyID, opts ...CallOption) ([]HubQuote, error) {
	return list(ctx, s.client, api("GET /company/{company_id}/liquidityhub", string(companyID)), opts, (*liquidityHub).quotes)
}

// ListHubAll returns all quotes on the liquidity hub that the API key can see.
//
// API: GET /liquidityhub
func (s *SwapsService) ListHubAll(ctx context.Context, opts ...CallOption) ([]HubQuote, error) {
	return list(ctx, s.client, api("GET /liquidityhub"), opts, (*liquidityHub).quotes)
}

// SwapEvent is a change of a quote on the liquidity hub.
type SwapEvent struct {
	TxID   TxID     `json:"txID" required:"true"` // the quote's
	Status TxStatus `json:"status"`               // [TxTakerPending] if it is listed; otherwise it has left the hub with this status
}

// Key identifies the quote and its status, for [WithKnown].
func (e SwapEvent) Key() string { return statusKey(e.TxID, e.Status) }

// TxUnlisted is the status of a quote that left the hub while [SwapsService.Feed] was not connected: the hub does not show how
// it ended. The service never sends this status.
const TxUnlisted TxStatus = "unlisted"

// Feed returns the changes of quotes on the liquidity hub, each once, until ctx ends. It begins with the listed quotes, with
// the status [TxTakerPending]. After a lost connection it reconnects and fills the gap from the hub's list. If you pass the
// keys of events received in an earlier run ([WithKnown]), these events are not repeated, and a quote that has left the hub in
// the meantime is reported with the status [TxUnlisted]. Errors are as in [CoreClientsService.Feed].
//
// API: GET /liquidityhub/feed
func (s *SwapsService) Feed(ctx context.Context, opts ...FeedOption) iter.Seq2[SwapEvent, error] {
	return events(ctx, s.client, "/liquidityhub/feed", nil, opts, feedUses{known: isStatusKey}, func(f *feed.Feed[SwapEvent], options feedOptions) {
		var known feed.Listed[TxID, SwapEvent]
		f.Fresh = freshSwap(&known, options.known...)
		f.Fill = func(ctx context.Context, _ bool, take feed.Take[SwapEvent]) error {
			take.Do(known.Read)
			listed, err := s.listed(ctx)
			if err != nil {
				return err
			}
			take(func() feed.Batch[SwapEvent] {
				return feed.Batch[SwapEvent]{Events: known.Compare(listed, swapListed, swapUnlisted), Due: true}
			})
			return nil
		}
	})
}

// listed returns the IDs of all quotes on the hub.
func (s *SwapsService) listed(ctx context.Context) ([]TxID, error) {
	var ids []TxID
	op := api("GET /liquidityhub")
	op.shorten.Do = func(body io.Reader, most int64) ([]byte, error) {
		var read []TxID
		short, err := wire.Shorten(body, most, func(quote []byte) bool {
			var q struct {
				TxID TxID `json:"tx_id"`
			}
			if wire.Unmarshal(quote, &q) != nil || q.TxID == "" {
				return true // what cannot be parsed is reported later
			}
			read = append(read, q.TxID)
			return false
		})
		if err == nil {
			ids = read
		}
		return short, err
	}
	// Only the IDs: a quote whose figures cannot be read must not keep the others from being reported. Without an ID,
	// nothing shows which quote has left.
	quotes, err := list(ctx, s.client, op, nil, func(l *listings) []listing { return l.Items })
	for _, quote := range quotes {
		ids = append(ids, quote.TxID)
	}
	return ids, err
}

func swapListed(id TxID) SwapEvent   { return SwapEvent{TxID: id, Status: TxTakerPending} }
func swapUnlisted(id TxID) SwapEvent { return SwapEvent{TxID: id, Status: TxUnlisted} }

// freshSwap reports whether the consumer of a feed has not seen a change of a quote yet, in this feed or an earlier
// one.
func freshSwap(known *feed.Listed[TxID, SwapEvent], keys ...string) func(SwapEvent) bool {
	fresh := func(e SwapEvent) bool {
		if e.Status == TxTakerPending {
			return known.Added(e.TxID, e)
		}
		return known.Left(e.TxID, e)
	}
	for _, listed := range [2]bool{true, false} { // quotes that have left come last
		for _, key := range keys {
			if id, status, _ := ofStatusKey[TxID, TxStatus](key); listed == (status == TxTakerPending) {
				fresh(SwapEvent{id, status})
			}
		}
	}
	return fresh
}
