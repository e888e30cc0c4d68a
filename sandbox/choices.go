package sandbox

import (
	"math"
	"math/bits"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// choices are what the sandbox does where the sources disagree, or say nothing. The zero value but for the fees
// is what they say best; each option below is another reading, so that a program can be tested against both. They
// change how commands are checked and answers written, never how an event is applied: a store keeps no choices.
type choices struct {
	world.Choices
	wholeUnits bool // figures of Qredo API v1 have decimals
	initiators bool // actions say who initiated what they are about
}

// FeeSchedule tells what it costs to send a net amount, in base units of the asset: 0 or more. A higher amount must
// not cost so much less that the two together fall.
type FeeSchedule func(kind qredo.FeeType, asset qredo.AssetCode, net qredo.Amount) qredo.Amount

// NoFees charges nothing, as transfers within the service cost nothing from December 2022 on.
func NoFees(qredo.FeeType, qredo.AssetCode, qredo.Amount) qredo.Amount { return 0 }

// FeeRate charges so many millionths of the net amount, rounded up: 1000 is a thousandth.
func FeeRate(millionths uint32) FeeSchedule {
	const million = 1_000_000
	return func(_ qredo.FeeType, _ qredo.AssetCode, net qredo.Amount) qredo.Amount {
		high, low := bits.Mul64(uint64(net), uint64(millionths)) //nolint:gosec // what is sent is not negative
		if high >= million {
			return math.MaxInt64 // more than any wallet holds
		}
		charged, rest := bits.Div64(high, low, million)
		if rest > 0 {
			charged++
		}
		return qredo.Amount(min(charged, math.MaxInt64))
	}
}

// FixedFee charges the same base units, whatever is sent, as a miner's fee.
func FixedFee(fee qredo.Amount) FeeSchedule {
	return func(qredo.FeeType, qredo.AssetCode, qredo.Amount) qredo.Amount { return fee }
}

// defaultFees fit all published figures of BTC-TESTNET.
var defaultFees = FeeRate(1000)

// WithFees sets what sending costs. Default: a thousandth of the net amount, rounded up. The sources give at
// least four schedules; a program must take fees from the service and not compute them.
func WithFees(schedule FeeSchedule) Option {
	return func(s *Sandbox) error {
		if schedule == nil {
			return invalid("fees", "must not be nil")
		}
		s.choices.Fees = world.FeeSchedule(schedule)
		return nil
	}
}

// LedgerOrder is the order of entries in ledgers.
type LedgerOrder int

// The orders that a ledger can have.
const (
	NewestFirst LedgerOrder = iota // as the service's examples have it
	OldestFirst
)

// WithLedgerOrder sets the order of ledgers. Default: [NewestFirst].
func WithLedgerOrder(order LedgerOrder) Option {
	return func(s *Sandbox) error {
		if order != NewestFirst && order != OldestFirst {
			return invalid("ledger order", "must be NewestFirst or OldestFirst")
		}
		s.choices.OldestFirst = order == OldestFirst
		return nil
	}
}

// WithWithdrawalLock refuses a second withdrawal from a wallet while one waits, as a help page of 2020 has it.
// Default: what waits is held, and the rest can be sent.
func WithWithdrawalLock() Option {
	return func(s *Sandbox) error { s.choices.WithdrawalLock = true; return nil }
}

// WithCompanyConflict answers 409 where a company of the same ref, or name and domain, exists. The service's
// document lists a 409 and does not say when. Default: the company is made anew each time.
func WithCompanyConflict() Option {
	return func(s *Sandbox) error { s.choices.CompanyConflict = true; return nil }
}

// WithInvitations lets a company ask an e-mail that no user has: it gets a user's ID at once and can accept.
// Default: 404, since a person must have an account first.
func WithInvitations() Option {
	return func(s *Sandbox) error { s.choices.Invitations = true; return nil }
}

// WithWholeUnits writes the figures of ledgers and histories of Qredo API v1 as its document has them: decimals
// of whole units, such as 0.001156. Default: base units.
func WithWholeUnits() Option {
	return func(s *Sandbox) error { s.choices.wholeUnits = true; return nil }
}

// WithRepeatedVotes answers a core client that says the same again as it did the first time. Default: what was
// decided is 400.
func WithRepeatedVotes() Option {
	return func(s *Sandbox) error { s.choices.RepeatedVotes = true; return nil }
}

// WithInitiators fills in who initiated what an action is about: initiatedBy, initiatorName and initiatorType, which
// the service's only example has empty. Default: they are empty.
func WithInitiators() Option {
	return func(s *Sandbox) error { s.choices.initiators = true; return nil }
}

// WithStrictChecks also refuses what no source says that the service refused: RULES.md marks those rules
// "strict". Default: it is taken.
func WithStrictChecks() Option {
	return func(s *Sandbox) error { s.choices.Strict = true; return nil }
}

// WithPersonalAccount makes the account that the keys of Qredo API v1 report on a person's, which has trusted parties
// and no Web3 wallets. Default: an organization's, which has Web3 wallets and no trusted parties.
func WithPersonalAccount() Option {
	return func(s *Sandbox) error { s.choices.Personal = true; return nil }
}
