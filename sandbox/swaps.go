package sandbox

import (
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// quote is what the maker of a swap wants for it.
type quote struct {
	Receive qredo.AssetAmount
	Hub     bool // list it as soon as it is approved
}

// quoteLife is how long a quote can be taken that says nothing of it.
const quoteLife = 24 * time.Hour

func makeSwap(r *request, req qredo.SwapRequest) (any, error) {
	return r.submit(req.PartnerTxID, func() (*transactionCreated, error) {
		if req.Expires.IsZero() {
			req.Expires = qredo.TimeOf(r.now.Add(quoteLife))
		}
		if _, err := r.asset(req.Receive.Asset); err != nil {
			return nil, err
		}
		if req.Receive.Amount <= 0 {
			return nil, badRequest("receive.amount must be more than zero")
		}
		tx, err := r.swapSide(kindSwapMake, req.SendWalletID, req.ReceiveWalletID, req.Send, req.Receive.Asset, req.Expires)
		if err != nil {
			return nil, err
		}
		tx.Reference = req.Reference // which one page of the guides calls optional here
		tx.Quote = &quote{Receive: req.Receive, Hub: req.AddToLiquidityHub}
		return tx, nil
	})
}

// swapSide is what maker and taker of a swap have in common: a wallet to send from, and one to receive in.
func (r *request) swapSide(kind txKind, from, to qredo.WalletID, send qredo.AssetAmount, receive qredo.AssetCode, expires qredo.Time) (*transactionCreated, error) {
	w, tx, err := r.outgoing(kind, from, send, expires)
	if err != nil {
		return nil, err
	}
	into, err := r.walletOf(to)
	switch {
	case to == "":
		return nil, badRequest("the wallet to receive in must be named")
	case err != nil || into.fund.company != w.fund.company:
		return nil, notFound("wallet to receive in")
	case into.Asset != receive:
		return nil, badRequest("the wallet to receive in holds %s, not %s", into.Asset, receive)
	}
	tx.Receive = into.ID
	return tx, nil
}

// quoteOf returns an offered swap of the key's account.
func (r *request) quoteOf(id qredo.TxID) (*transaction, error) {
	tx := r.st.txs[id]
	if tx == nil || tx.Kind != kindSwapMake || tx.from.fund.company.Account != r.key.Account {
		return nil, notFound("swap")
	}
	return tx, nil
}

func takeSwap(r *request, req qredo.TakeRequest) (any, error) {
	return r.submit(req.PartnerTxID, func() (*transactionCreated, error) {
		maker, err := r.quoteOf(req.SwapID)
		switch {
		case req.Reference == "":
			return nil, badRequest("reference must not be empty")
		case req.SwapID == "":
			return nil, badRequest("swap_id must not be empty")
		case err != nil:
			return nil, err
		case maker.status != qredo.TxTakerPending:
			return nil, badRequest("the swap is %s: it cannot be taken", maker.status)
		case maker.swap != nil:
			return nil, badRequest("the swap is being taken")
		}
		tx, err := r.swapSide(kindSwapTake, req.SendWalletID, req.ReceiveWalletID, maker.Quote.Receive, maker.Asset, qredo.TimeOf(maker.Expires))
		if err != nil {
			return nil, err
		}
		if r.choices.strict && (tx.From == maker.Receive || tx.Receive == maker.From) {
			return nil, badRequest("a wallet cannot swap with itself")
		}
		tx.Swap, tx.Reference = maker.ID, req.Reference
		return tx, nil
	})
}

func cancelMake(r *request, c *company) (any, error) {
	tx, err := r.quoteOf(qredo.TxID(r.path["tx_id"]))
	switch {
	case err != nil:
		return nil, err
	case tx.from.fund.company != c:
		return nil, notFound("swap")
	case tx.swap != nil && tx.isOpen():
		return nil, notFound("swap to cancel: it is being taken")
	case !tx.isOpen():
		return nil, notFound("swap to cancel: it is " + string(tx.status))
	}
	r.change(transactionEnded{TxID: tx.ID, Outcome: custody.Rejected, Cancelled: true})
	return ok, nil
}

type listRequest struct {
	TxID qredo.TxID `json:"tx_id"`
}

func listOnHub(r *request, c *company, req listRequest) (any, error) {
	tx, err := r.quoteOf(req.TxID)
	switch {
	case err != nil:
		return nil, err
	case tx.from.fund.company != c:
		return nil, notFound("swap")
	case tx.status != qredo.TxTakerPending:
		return nil, badRequest("the swap is %s: only an approved quote can be listed", tx.status)
	case !tx.listed.IsZero():
		return ok, nil // asking again changes nothing
	}
	r.change(swapListed{TxID: tx.ID})
	return ok, nil
}

func listCompanyHub(r *request, c *company) (any, error) {
	return r.hub(func(tx *transaction) bool { return tx.from.fund.company == c }), nil
}

func listHub(r *request) (any, error) {
	return r.hub(func(*transaction) bool { return true }), nil
}

// hub lists the quotes of the key's account.
func (r *request) hub(owns func(*transaction) bool) any {
	items := []qredo.HubQuote{}
	for _, tx := range r.st.hub {
		if tx.from.fund.company.Account != r.key.Account {
			continue
		}
		items = append(items, qredo.HubQuote{
			TxID: tx.ID, SendAsset: tx.Asset, SendAmount: qredo.Amount(tx.Amount - tx.Fee),
			ReceiveAsset: tx.Quote.Receive.Asset, ReceiveAmount: tx.Quote.Receive.Amount,
			Owner: owns(tx), Added: wireTime(tx.listed), Expires: wireTime(tx.Expires),
		})
	}
	return map[string]any{"items": items}
}

// swapOffered is a quote that its maker's side approved: it can be taken.
type swapOffered struct{ TxID qredo.TxID }

func (e swapOffered) apply(st *state, at time.Time) {
	tx := st.txs[e.TxID]
	tx.round.Outcome, tx.status = custody.Approved, qredo.TxTakerPending
	st.stopAsking(tx)
	if tx.Quote.Hub {
		swapListed(e).apply(st, at)
	}
}

// swapListed is a quote that is put on the liquidity hub.
type swapListed struct{ TxID qredo.TxID }

func (e swapListed) apply(st *state, at time.Time) {
	tx := st.txs[e.TxID]
	tx.listed = at
	st.hub = append(st.hub, tx)
	st.notice(tx)
}

// swapSettled settles both sides of a swap whose taker's side approved.
type swapSettled struct {
	Take      qredo.TxID
	ChainTxID string // of both, since they settle in one step
}

func (e swapSettled) apply(st *state, at time.Time) {
	take := st.txs[e.Take]
	maker := take.swap
	maker.to, take.to = st.wallets[take.Receive], st.wallets[maker.Receive]
	for _, side := range []*transaction{maker, take} {
		side.round.Outcome, side.status = custody.Approved, qredo.TxTakerApproved
		side.chainTxID = e.ChainTxID
		st.end(side, at)
		st.settle(side)
	}
}
