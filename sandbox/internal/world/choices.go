package world

import (
	"fmt"
	"math"

	"github.com/qredo-go/qredo"
)

// Choices are what commands do where the sources disagree, or say nothing. The zero value but for the fees is
// what they say best. They change how commands are checked, never how an event is applied: a store keeps none.
type Choices struct {
	Fees            FeeSchedule
	WithdrawalLock  bool // a wallet has one withdrawal at a time
	CompanyConflict bool // an account has each company once
	Invitations     bool // who has no account yet can be asked into a trusted network
	RepeatedVotes   bool // a program can say the same again
	Strict          bool // also refuse what no source says was refused
	Personal        bool // the account that Qredo API v1 reports on is a person's
	OldestFirst     bool // ledgers begin with what is oldest
}

// FeeSchedule tells what it costs to send a net amount.
type FeeSchedule func(kind qredo.FeeType, asset qredo.AssetCode, net qredo.Amount) qredo.Amount

// Cost is what it takes to send something: Gross = Net + Fee.
type Cost struct {
	Net, Gross, Fee qredo.Amount // what arrives, what leaves the wallet, and what lies between
}

// Cost tells what it takes to send what is to arrive: the fee comes on top.
func (c Choices) Cost(kind qredo.FeeType, asset qredo.AssetCode, net qredo.Amount) (Cost, error) {
	charged := c.Fees(kind, asset, net)
	switch {
	case charged < 0:
		return Cost{}, fmt.Errorf("the schedule of WithFees answers a negative fee, %d", charged)
	case charged > math.MaxInt64-net:
		return Cost{}, invalid("the amount and its fee are more than fits in 64 bits")
	}
	return Cost{Net: net, Gross: net + charged, Fee: charged}, nil
}

// Most tells how much can arrive of what a wallet has. A fee that rises with the amount can leave a rest that
// is too little to send.
func (c Choices) Most(kind qredo.FeeType, asset qredo.AssetCode, available qredo.Amount) Cost {
	most := Cost{} // nothing is sent, which costs nothing
	for low, high := qredo.Amount(0), available; low < high; {
		net := high - (high-low)/2
		cost, err := c.Cost(kind, asset, net)
		if err != nil || cost.Gross > available {
			high = net - 1
			continue
		}
		most, low = cost, net
	}
	return most
}

// Asset returns the asset with a code, if it is offered.
func (v *View) Asset(code qredo.AssetCode) (qredo.Asset, error) {
	for _, a := range v.Assets {
		if a.Code == code {
			return a, nil
		}
	}
	return qredo.Asset{}, invalid("asset %q is not offered", code)
}
