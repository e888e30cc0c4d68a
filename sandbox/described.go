package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// Place is a wallet and its owner.
type Place struct {
	Named
	Fund    Named `json:"fund"`
	Company Named `json:"company"`
}

func place(w *world.Wallet) Place {
	return Place{Named: Named{string(w.ID), walletName(w)}, Fund: fundNamed(w.Fund), Company: companyNamed(w.Fund.Company)}
}

// walletName is a wallet's name, or its short code if it has none.
func walletName(w *world.Wallet) string {
	if w.Name == "" {
		return w.ShortCode
	}
	return w.Name
}

func fundNamed(f *world.Fund) Named              { return Named{string(f.ID), f.Name} }
func companyNamed(c *world.Company) Named        { return Named{string(c.ID), c.Profile.Name} }
func memberNamed(v *world.View, id string) Named { return Named{id, nameOf(v, id)} }

// Payee is a recipient.
type Payee struct {
	Kind     string         `json:"kind"`             // "address", "wallet" or "core_client"
	Name     string         `json:"name"`             // for an address: its name on the fund's whitelist
	Company  string         `json:"company,omitzero"` // for a wallet: the company that owns it
	Address  string         `json:"address,omitzero"` // for an address
	WalletID qredo.WalletID `json:"wallet_id,omitzero"`
}

// payee is nil if there is no recipient, or none yet, as for a quote that nobody has taken.
func payee(v *world.View, tx *world.Transaction) *Payee {
	to := v.Destination(tx)
	switch {
	case tx.Kind == world.KindDeposit:
		return &Payee{Kind: "address", Name: walletName(to), Company: to.Fund.Company.Profile.Name, Address: tx.Address, WalletID: to.ID}
	case tx.Kind == world.KindConnect:
		return &Payee{Kind: "core_client", Name: nameOf(v, string(tx.CoreClient))}
	case tx.Kind == world.KindWithdrawal, tx.Kind == world.KindWeb3:
		entry, _ := tx.Sender.Fund.Whitelisted(tx.Asset, tx.Address)
		return &Payee{Kind: "address", Name: entry.Name, Address: tx.Address}
	case to == nil:
		return nil
	}
	return &Payee{Kind: "wallet", Name: walletName(to), Company: to.Fund.Company.Profile.Name, WalletID: to.ID}
}

// amounts returns what leaves, arrives and is charged; nil for a transaction that moves no counted amount.
func amounts(v *world.View, tx *world.Transaction) (leaves, arrives, fee *Money) {
	if !tx.Kind.MovesMoney() {
		return nil, nil, nil
	}
	out, in, charged := money(v, tx.Asset, qredo.Amount(tx.Amount)), money(v, tx.Asset, tx.Net()), money(v, tx.Asset, qredo.Amount(tx.Fee))
	if tx.Kind == world.KindDeposit {
		return nil, &in, nil
	}
	return &out, &in, &charged
}

// receives is what a side of a swap gets in return.
func receives(v *world.View, tx *world.Transaction) (*Money, *Named) {
	into, amount := v.Receives(tx)
	if into == nil {
		return nil, nil
	}
	m := money(v, into.Asset, amount)
	return &m, &Named{string(into.ID), walletName(into)}
}

// Vote says what somebody was asked, and how they decided.
type Vote struct {
	Named
	Kind     string         `json:"kind"` // as for an [Approver]
	ActionID qredo.ActionID `json:"action_id"`
	Part     string         `json:"part"`     // "authorization" before the custody group, "policy" in it, "counterparty" alongside it
	Required bool           `json:"required"` // nothing is approved without them
	Choice   string         `json:"choice"`   // "approved", "rejected", "waiting", or "none" if it ended without them
	At       time.Time      `json:"at,omitzero"`
}

func votes(v *world.View, tx *world.Transaction) []Vote {
	list := []Vote{}
	for _, b := range tx.Ballots() {
		vote := Vote{
			Named: memberNamed(v, b.Member), Kind: kindOf(v, b.Member), ActionID: b.ActionID, Part: string(b.Part),
			Required: b.Required || b.Part == world.PartAuthorization, Choice: choiceOf(tx, b),
		}
		if b.Choice != custody.Waiting {
			vote.At = instant(b.At)
		}
		list = append(list, vote)
	}
	return list
}

func choiceOf(tx *world.Transaction, b world.Ballot) string {
	switch {
	case b.Choice == custody.Approve:
		return "approved"
	case b.Choice == custody.Reject:
		return "rejected"
	case tx.DecidedAt(b).IsZero():
		return "waiting"
	}
	return "none"
}

// Web3Call is what a Web3 transaction does. Everything except its data is a whole number; the value and prices are in wei.
type Web3Call struct {
	Value    string `json:"value"`
	ChainID  string `json:"chain_id"`
	GasLimit string `json:"gas_limit"`
	GasPrice string `json:"gas_price"` // the maximum
	Data     string `json:"data"`
}

func web3Call(tx *world.Transaction) *Web3Call {
	c := tx.Web3
	if c == nil {
		return nil
	}
	return &Web3Call{Value: c.Value.String(), ChainID: c.ChainID.String(), GasLimit: c.GasLimit.String(), GasPrice: gasPrice(c), Data: c.Data}
}

// Policy says who approves: at least Threshold of the Members.
type Policy struct {
	Type      qredo.PolicyType `json:"type"`
	Members   []Named          `json:"members"`
	Threshold int              `json:"threshold"`
}

func policy(v *world.View, t qredo.PolicyType, p *custody.Policy) Policy {
	out := Policy{Type: t, Members: []Named{}, Threshold: p.Threshold}
	for _, m := range p.Members {
		out.Members = append(out.Members, memberNamed(v, m))
	}
	return out
}

// PolicyUpdate is a policy before and after a change.
type PolicyUpdate struct {
	Policy
	Before Policy `json:"before"`
}

func policyUpdate(v *world.View, tx *world.Transaction) *PolicyUpdate {
	if tx.NewPolicy == nil {
		return nil
	}
	return &PolicyUpdate{Policy: policy(v, tx.PolicyType, tx.NewPolicy), Before: policy(v, tx.PolicyType, &tx.Policy)}
}

// inWords describes a policy update or a connection. It is empty for anything else.
func inWords(v *world.View, tx *world.Transaction) string {
	switch w := tx.Sender; tx.Kind {
	case world.KindPolicyUpdate:
		what := "transfers and everything else from "
		if tx.PolicyType == qredo.PolicyWithdraw {
			what = "withdrawals from "
		}
		return fmt.Sprintf("%s%s need the approval of %s, instead of %s", what, walletName(w), groupInWords(v, tx.NewPolicy), groupInWords(v, &tx.Policy))
	case world.KindConnect:
		text := "connects " + walletName(w) + " to " + nameOf(v, string(tx.CoreClient))
		if client := w.Connection(tx.CoreClient).ClientID; client != "" {
			text += ", where its owner is known as " + client
		}
		if w.Type == qredo.WalletDedicated {
			return text + ": nothing leaves it without that core client's approval"
		}
		return text
	default:
		return ""
	}
}

// groupInWords names a custody group: "2 of alice, bob, carol".
func groupInWords(v *world.View, p *custody.Policy) string {
	names := make([]string, len(p.Members))
	for i, m := range p.Members {
		names[i] = nameOf(v, m)
	}
	slices.Sort(names)
	return fmt.Sprintf("%d of %s", p.Threshold, strings.Join(names, ", "))
}

// titles are readable names of the kinds of transactions.
var titles = map[world.Kind]string{
	world.KindDeposit:      "Deposit",
	world.KindTransfer:     "Transfer",
	world.KindWithdrawal:   "Withdrawal",
	world.KindSweep:        "Sweep",
	world.KindSwapMake:     "Swap offer",
	world.KindSwapTake:     "Swap",
	world.KindConnect:      "Connection",
	world.KindPolicyUpdate: "Policy update",
	world.KindWeb3:         "Web3 transaction",
}
