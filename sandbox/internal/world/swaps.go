package world

import (
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// Quote is what the maker of a swap wants for it.
type Quote struct {
	Receive qredo.AssetAmount
	Hub     bool // list it as soon as it is approved
}

// quoteLife is how long a quote can be taken that says nothing of it.
const quoteLife = 24 * time.Hour

// NewSwap is what a quote is made from.
type NewSwap struct {
	Sending
	Into      qredo.WalletID // where it receives
	Quote     Quote
	Reference string
}

// OfferSwap asks for a quote that others can take once it is approved.
func (u *Update) OfferSwap(asked NewSwap) (Submission, error) {
	return u.submit(asked.By, asked.Partner, func() (*transactionCreated, error) {
		if asked.Expires.IsZero() {
			asked.Expires = qredo.TimeOf(u.Now.Add(quoteLife))
		}
		receive := asked.Quote.Receive
		if _, err := u.Asset(receive.Asset); err != nil {
			return nil, err
		}
		if receive.Amount <= 0 {
			return nil, invalid("receive.amount must be more than zero")
		}
		tx, err := u.swapSide(KindSwapMake, asked.Sending, asked.Into, receive.Asset)
		if err != nil {
			return nil, err
		}
		tx.Reference = asked.Reference // which one page of the guides calls optional here
		tx.Quote = &asked.Quote
		return tx, nil
	})
}

// swapSide is what maker and taker of a swap have in common: a wallet to send from, and one to receive in.
func (u *Update) swapSide(kind Kind, s Sending, to qredo.WalletID, receive qredo.AssetCode) (*transactionCreated, error) {
	w, tx, err := u.outgoing(kind, s)
	if err != nil {
		return nil, err
	}
	into, err := u.Wallet(s.By.Account, string(to))
	switch {
	case to == "":
		return nil, invalid("the wallet to receive in must be named")
	case err != nil || into.Fund.Company != w.Fund.Company:
		return nil, notFound("wallet to receive in")
	case into.Asset != receive:
		return nil, invalid("the wallet to receive in holds %s, not %s", into.Asset, receive)
	}
	tx.Receive = into.ID
	return tx, nil
}

// quoteOf returns an offered swap of an account.
func (st *state) quoteOf(account string, id qredo.TxID) (*Transaction, error) {
	tx := st.txByID(id)
	if tx == nil || tx.Kind != KindSwapMake || tx.Sender.Fund.Company.Account != account {
		return nil, notFound("swap")
	}
	return tx, nil
}

// NewTake is what the other side of a quote is made from. What it sends, and until when, follows from the quote.
type NewTake struct {
	By         Caller
	Company    qredo.CompanyID
	Swap       qredo.TxID // the quote's
	From, Into qredo.WalletID
	Reference  string
	Partner    qredo.PartnerTxID
}

// TakeSwap asks for the other side of a quote.
func (u *Update) TakeSwap(asked NewTake) (Submission, error) {
	return u.submit(asked.By, asked.Partner, func() (*transactionCreated, error) {
		maker, err := u.quoteOf(asked.By.Account, asked.Swap)
		switch {
		case asked.Reference == "":
			return nil, invalid("reference must not be empty")
		case asked.Swap == "":
			return nil, invalid("swap_id must not be empty")
		case err != nil:
			return nil, err
		case maker.Status != qredo.TxTakerPending:
			return nil, invalid("the swap is %s: it cannot be taken", maker.Status)
		case maker.OtherSide != nil:
			return nil, invalid("the swap is being taken")
		}
		tx, err := u.swapSide(KindSwapTake, Sending{
			By: asked.By, Company: asked.Company, From: asked.From, Send: maker.Quote.Receive, Expires: qredo.TimeOf(maker.Expires),
		}, asked.Into, maker.Asset)
		if err != nil {
			return nil, err
		}
		if u.Choices.Strict && (tx.From == maker.Receive || tx.Receive == maker.From) {
			return nil, invalid("a wallet cannot swap with itself")
		}
		tx.Swap, tx.Reference = maker.ID, asked.Reference
		return tx, nil
	})
}

// CancelSwap takes a company's quote back.
func (u *Update) CancelSwap(c *Company, id qredo.TxID) error {
	tx, err := u.quoteOf(c.Account, id)
	switch {
	case err != nil:
		return err
	case tx.Sender.Fund.Company != c:
		return notFound("swap")
	case tx.OtherSide != nil && tx.IsOpen():
		return notFound("swap to cancel: it is being taken")
	case !tx.IsOpen():
		return notFound("swap to cancel: it is " + string(tx.Status))
	}
	u.change(transactionEnded{TxID: tx.ID, Outcome: custody.Rejected, Cancelled: true})
	return nil
}

// ListSwap puts a company's quote on the liquidity hub.
func (u *Update) ListSwap(c *Company, id qredo.TxID) error {
	tx, err := u.quoteOf(c.Account, id)
	switch {
	case err != nil:
		return err
	case tx.Sender.Fund.Company != c:
		return notFound("swap")
	case tx.Status != qredo.TxTakerPending:
		return invalid("the swap is %s: only an approved quote can be listed", tx.Status)
	case !tx.Listed.IsZero():
		return nil // asking again changes nothing
	}
	u.change(swapListed{TxID: tx.ID})
	return nil
}

// Hub are an account's quotes on the liquidity hub, oldest first.
func (st *state) Hub(account string) []*Transaction {
	var quotes []*Transaction
	for _, tx := range st.hub {
		if tx.Sender.Fund.Company.Account == account {
			quotes = append(quotes, tx)
		}
	}
	return quotes
}

// swapOffered is a quote that its maker's side approved: it can be taken.
type swapOffered struct{ TxID qredo.TxID }

func (e swapOffered) apply(st *state, at time.Time) {
	tx := st.txByID(e.TxID)
	tx.Round.Outcome, tx.Status = custody.Approved, qredo.TxTakerPending
	st.txs.asks(tx) // nobody can decide it any more
	if tx.Quote.Hub {
		swapListed(e).apply(st, at)
	}
}

// swapListed is a quote that is put on the liquidity hub.
type swapListed struct{ TxID qredo.TxID }

func (e swapListed) apply(st *state, at time.Time) {
	tx := st.txByID(e.TxID)
	tx.Listed = at
	st.hub = append(st.hub, tx)
	st.notice(tx)
}

// swapSettled settles both sides of a swap whose taker's side approved.
type swapSettled struct {
	Take      qredo.TxID
	ChainTxID string // of both, since they settle in one step
}

func (e swapSettled) apply(st *state, at time.Time) {
	take := st.txByID(e.Take)
	maker := take.OtherSide
	maker.Recipient, take.Recipient = st.wallets[take.Receive], st.wallets[maker.Receive]
	for _, side := range []*Transaction{maker, take} {
		side.Round.Outcome, side.Status = custody.Approved, qredo.TxTakerApproved
		side.Hash = e.ChainTxID
		st.end(side, at)
		st.settle(side)
	}
	st.pack(maker)
	st.pack(take)
}
