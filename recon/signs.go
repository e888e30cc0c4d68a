package recon

import (
	"context"

	"github.com/qredo-go/qredo"
)

// proof is one run over funds.
type proof struct {
	*Books
	company      qredo.CompanyID
	sentPositive bool // the service counts what was sent as positive in histories, in all of them
	signsKnown   bool // it is known whether it does
	fits         map[qredo.WalletID]fit
}

// fit tells how well a history goes with the ledger, which has no signs and says what came and what went: how many entries one of the books has more
// than the other, those that came and those that went, with the signs as they were taken, and turned round. No single entry decides.
type fit struct{ taken, turned int }

// fitOf makes a fit of how many entries came and went.
func fitOf(history, ledger [2]int) fit {
	apart := func(a, b int) int { return max(a-b, b-a) }
	return fit{
		apart(history[0], ledger[0]) + apart(history[1], ledger[1]),
		apart(history[1], ledger[0]) + apart(history[0], ledger[1]),
	}
}

// unsure reports whether a wallet's books would fit better with the other signs, while these are not known. They are not looked
// through then: almost all would be found.
func (p *proof) unsure(id qredo.WalletID) bool {
	return !p.signsKnown && p.fits[id].turned < p.fits[id].taken
}

// prove reads all wallets, again with the other signs where these fit better, or as well and prove all, and again where it was left open what is wrong.
func (p *proof) prove(ctx context.Context, funds []qredo.FundID) (*Report, error) {
	report, err := p.read(ctx, funds)
	if err != nil {
		return nil, err
	}
	all, again := fit{}, false
	for id, f := range p.fits {
		all.taken, all.turned, again = all.taken+f.taken, all.turned+f.turned, again || p.unsure(id)
	}
	if report.OK() && !again { // what would fit better the other way was not looked through: it may be all right, and may not
		return report, nil
	}
	p.signsKnown = true
	if all.turned <= all.taken {
		p.sentPositive = !p.sentPositive
		other, err := p.read(ctx, funds)
		if err != nil || other.OK() || all.turned < all.taken {
			return other, err
		}
		p.sentPositive = !p.sentPositive
	}
	if again {
		return p.read(ctx, funds)
	}
	return report, nil
}
