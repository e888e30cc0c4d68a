package qredo

import (
	"context"
	"iter"
	"maps"
	"slices"
)

// SwapEvent is a change of a quote on the liquidity hub.
type SwapEvent struct {
	TxID   TxID     `json:"txID" required:"true"`
	Status TxStatus `json:"status"`
}

// TxUnlisted is the status of a quote that left the hub while [SwapsService.Feed] was not connected: how
// it ended is not known from the hub. The service does not send it.
const TxUnlisted TxStatus = "unlisted"

// Feed gives the changes of the quotes on the liquidity hub, each once, until ctx ends: first those that
// are listed, with the status [TxTakerPending]. After a connection was lost it connects again and fills
// the gap from the hub's list. Errors are as in [CoreClientsService.Feed].
//
// API: GET /liquidityhub/feed
func (s *SwapsService) Feed(ctx context.Context, opts ...FeedOption) iter.Seq2[SwapEvent, error] {
	return events(ctx, s.client, "/liquidityhub/feed", nil, opts, func(f *feed[SwapEvent]) {
		known := knownQuotes{listed: map[TxID]bool{}}
		f.fresh = known.add
		f.fill = func(ctx context.Context) ([]SwapEvent, error) {
			quotes, err := s.ListHubAll(ctx)
			if err != nil {
				return nil, err
			}
			return known.compare(quotes), nil
		}
	})
}

// knownQuotes is what the consumer of a feed has: all that is listed, and the most recent changes.
type knownQuotes struct {
	listed map[TxID]bool
	recent recent[SwapEvent]
}

func (k *knownQuotes) add(e SwapEvent) bool {
	if e.Status != TxTakerPending {
		delete(k.listed, e.TxID)
		return k.recent.add(e)
	}
	if k.listed[e.TxID] || !k.recent.add(e) {
		return false
	}
	k.listed[e.TxID] = true
	return true
}

// compare returns what must have happened for the hub to be as it is.
func (k *knownQuotes) compare(quotes []HubQuote) []SwapEvent {
	events := make([]SwapEvent, 0, len(quotes))
	gone := maps.Clone(k.listed)
	for _, quote := range quotes {
		events = append(events, SwapEvent{TxID: quote.TxID, Status: TxTakerPending})
		delete(gone, quote.TxID)
	}
	for _, id := range slices.Sorted(maps.Keys(gone)) {
		events = append(events, SwapEvent{TxID: id, Status: TxUnlisted})
	}
	return events
}
