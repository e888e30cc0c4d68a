package sandbox

import (
	"slices"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// Step is something that happened to a transaction.
type Step struct {
	At    time.Time `json:"at,omitzero"`
	Kind  string    `json:"kind"` // "asked", "authorized", "approved", "rejected", "expired", "settled", "refused", "cancelled" or "waiting"
	Actor *Actor    `json:"actor,omitzero"`
	Text  string    `json:"text"`
}

// Actor is somebody who did something.
type Actor struct {
	Named
	Kind string `json:"kind"` // as for an [Approver], or "company"
}

// steps is a transaction's history, in order. The last step says how it ended or, while it is pending, what it waits for.
func steps(v *world.View, tx *world.Transaction) []Step {
	w := walletOf(tx)
	if tx.Kind == world.KindDeposit {
		return []Step{{At: instant(tx.Created), Kind: "settled", Text: money(v, tx.Asset, tx.Net()).inWords() + " arrived over the chain"}}
	}
	asker := &Actor{companyNamed(w.Fund.Company), "company"}
	if tx.Kind == world.KindSweep {
		asker = actor(v, string(tx.CoreClient))
	}
	list := []Step{{At: instant(tx.Created), Kind: "asked", Actor: asker, Text: askedText(v, tx)}}
	for _, b := range tx.Ballots() {
		if b.Choice == custody.Waiting {
			continue
		}
		step := Step{At: instant(b.At), Kind: choiceOf(tx, b), Actor: actor(v, b.Member), Text: choiceOf(tx, b)}
		if b.Part == world.PartAuthorization && b.Choice == custody.Approve {
			step.Kind, step.Text = "authorized", "authorized it: the custody group was asked"
		}
		list = append(list, step)
	}
	if !tx.Listed.IsZero() {
		list = append(list, Step{At: instant(tx.Listed), Kind: "waiting", Text: "put on the liquidity hub"})
	}
	if tx.Kind == world.KindSwapMake && tx.OtherSide != nil {
		taker := tx.OtherSide.Sender.Fund.Company
		list = append(list, Step{At: instant(tx.OtherSide.Created), Kind: "waiting", Actor: &Actor{companyNamed(taker), "company"}, Text: "takes it"})
	}
	slices.SortStableFunc(list, func(a, b Step) int { return a.At.Compare(b.At) })
	last := Step{Kind: string(tx.State()), Text: endText(v, tx)}
	if !tx.Ended.IsZero() {
		last.At = instant(tx.Ended)
	}
	if tx.State() == world.StateApproved {
		last.Kind = "settled"
	}
	return append(list, last)
}

func actor(v *world.View, id string) *Actor { return &Actor{memberNamed(v, id), kindOf(v, id)} }

func askedText(v *world.View, tx *world.Transaction) string {
	text := "requested it"
	if leaves, arrives, fees := amounts(v, tx); leaves != nil {
		text = "requested that " + arrives.inWords() + " arrive"
		if fees.Base != "0" {
			text += ", which costs " + fees.inWords()
		}
	}
	if tx.Partner != "" {
		text += " (PartnerTxID " + string(tx.Partner) + ")"
	}
	return text
}

// endText says how a transaction ended or, while it is pending, what it waits for.
func endText(v *world.View, tx *world.Transaction) string {
	back := ""
	if leaves, _, _ := amounts(v, tx); leaves != nil {
		back = ": " + leaves.inWords() + " is available again"
	}
	switch tx.State() {
	case world.StateApproved:
		return settledText(v, tx)
	case world.StateRejected:
		return "rejected" + back
	case world.StateExpired:
		return "expired" + back
	case world.StateRefused:
		return "refused by the chain after it was approved" + back
	case world.StateCancelled:
		if tx.Kind == world.KindSwapMake {
			return "taken back" + back
		}
		return "not authorized" + back
	case world.StateWaiting:
	}
	return waitingText(v, tx)
}

func waitingText(v *world.View, tx *world.Transaction) string {
	switch {
	case tx.Status == qredo.TxTakerPending && tx.OtherSide != nil:
		return "waits for the approval of who takes it"
	case tx.Status == qredo.TxTakerPending:
		return "waits for somebody to take it"
	case len(tx.Ballots()) == 0:
		return "waits until it expires: nobody may approve what leaves this wallet"
	case !tx.IsAuthorized():
		return "waits for " + nameOf(v, string(tx.Authorize.CoreClient)) + " to authorize it"
	}
	return "waits for approval"
}

func settledText(v *world.View, tx *world.Transaction) string {
	switch tx.Kind {
	case world.KindConnect:
		return "connected"
	case world.KindPolicyUpdate:
		return "the policy was updated"
	case world.KindWeb3:
		return "signed"
	case world.KindDeposit, world.KindTransfer, world.KindWithdrawal, world.KindSweep, world.KindSwapMake, world.KindSwapTake:
	}
	leaves, arrives, _ := amounts(v, tx)
	text := leaves.inWords() + " left, " + arrives.inWords() + " arrived"
	if got, _ := receives(v, tx); got != nil {
		text += ", " + got.inWords() + " came in return"
	}
	return text
}
