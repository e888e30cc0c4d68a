package recon

import (
	"context"

	"github.com/qredo-go/qredo"
)

// proof is one run over funds.
type proof struct {
	*Books
	company      qredo.CompanyID
	sentPositive bool // histories of the service have outgoing amounts as positive, in all of them
	signsKnown   bool // whether they do is known
	fits         map[qredo.WalletID]fit
}

// fit says how well a history matches the ledger, which has no signs but says what is incoming and outgoing: how many
// more entries one of the books has than the other, incoming and outgoing, with the signs as they were read and inverted.
// No single entry decides.
type fit struct{ taken, turned int }

// fitOf makes a fit from the numbers of incoming and outgoing entries.
func fitOf(history, ledger [2]int) fit {
	apart := func(a, b int) int { return max(a-b, b-a) }
	return fit{
		apart(history[0], ledger[0]) + apart(history[1], ledger[1]),
		apart(history[1], ledger[0]) + apart(history[0], ledger[1]),
	}
}

// unsure reports whether a wallet's books would match better with inverted signs, while the signs are not known. Such
// books are not searched for differences: almost every entry would be one.
func (p *proof) unsure(id qredo.WalletID) bool {
	return !p.signsKnown && p.fits[id].turned < p.fits[id].taken
}

// prove reads all wallets, again with inverted signs if these match better, or as well and prove everything, and once
// more if it was left open what is wrong.
func (p *proof) prove(ctx context.Context, funds []qredo.FundID) (*Report, error) {
	report, err := p.read(ctx, funds)
	if err != nil {
		return nil, err
	}
	all, again := fit{}, false
	for id, f := range p.fits {
		all.taken, all.turned, again = all.taken+f.taken, all.turned+f.turned, again || p.unsure(id)
	}
	if report.OK() && !again { // what would match better inverted was not searched: it may or may not be all right
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
