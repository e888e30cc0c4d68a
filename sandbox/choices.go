package sandbox

import (
	"math"
	"math/bits"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// choices are what the sandbox does where the sources disagree or say nothing. The zero value, except for the fees, is the
// best reading; each option below is another one, so that a program can be tested against both. They change how commands
// are checked and answers are written, but never how an event is applied: a store keeps no choices.
type choices struct {
	world.Choices
	wholeUnits bool // figures of Qredo API v1 have decimals
	initiators bool // actions say who initiated what they are about
}

// FeeSchedule returns the fee for sending a net amount, in base units of the asset: 0 or more. The sum of net amount and fee
// must not fall when the net amount grows.
type FeeSchedule func(kind qredo.FeeType, asset qredo.AssetCode, net qredo.Amount) qredo.Amount

// NoFees charges nothing. (Transfers within the service have been free since December 2022.)
func NoFees(qredo.FeeType, qredo.AssetCode, qredo.Amount) qredo.Amount { return 0 }

// FeeRate charges the given number of millionths of the net amount, rounded up: 1000 is a thousandth.
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

// FixedFee always charges the same number of base units, like a miner's fee.
func FixedFee(fee qredo.Amount) FeeSchedule {
	return func(qredo.FeeType, qredo.AssetCode, qredo.Amount) qredo.Amount { return fee }
}

// defaultFees fit all published figures of BTC-TESTNET.
var defaultFees = FeeRate(1000)

// WithFees sets the fees. The sources give at least four schedules: programs must ask the service for fees and not calculate
// them. Default: a thousandth of the net amount, rounded up.
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

// The possible orders of a ledger.
const (
	NewestFirst LedgerOrder = iota // as in the service's examples
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

// WithWithdrawalLock refuses a second withdrawal from a wallet while one is pending, as a 2020 help page describes. Default:
// the pending amount is held, and the rest can be sent.
func WithWithdrawalLock() Option {
	return func(s *Sandbox) error { s.choices.WithdrawalLock = true; return nil }
}

// WithCompanyConflict answers 409 if a company with the same ref, or the same name and domain, exists. The service's document
// lists a 409, but does not say when it occurs. Default: another company is created each time.
func WithCompanyConflict() Option {
	return func(s *Sandbox) error { s.choices.CompanyConflict = true; return nil }
}

// WithInvitations lets a company invite an e-mail address that no user has: it gets a user ID at once, and can accept. Default:
// 404, since a person must first have an account.
func WithInvitations() Option {
	return func(s *Sandbox) error { s.choices.Invitations = true; return nil }
}

// WithWholeUnits writes the figures in ledgers and histories of Qredo API v1 as its document describes them: decimals in whole
// units, such as 0.001156. Default: base units.
func WithWholeUnits() Option {
	return func(s *Sandbox) error { s.choices.wholeUnits = true; return nil }
}

// WithRepeatedVotes gives a core client that repeats a vote the same answer as the first time. Default: 400 for an action that
// is already decided.
func WithRepeatedVotes() Option {
	return func(s *Sandbox) error { s.choices.RepeatedVotes = true; return nil }
}

// WithInitiators fills in who initiated the transaction that an action is about: initiatedBy, initiatorName and initiatorType,
// which are empty in the service's only example. Default: they are empty.
func WithInitiators() Option {
	return func(s *Sandbox) error { s.choices.initiators = true; return nil }
}

// WithStrictChecks also refuses what, according to no source, the service refused: RULES.md marks these rules "strict".
// Default: such requests are accepted.
func WithStrictChecks() Option {
	return func(s *Sandbox) error { s.choices.Strict = true; return nil }
}

// WithPersonalAccount makes the account that the keys of Qredo API v1 report on a person's, which has trusted parties but no
// Web3 wallets. Default: an organization's, which has Web3 wallets but no trusted parties.
func WithPersonalAccount() Option {
	return func(s *Sandbox) error { s.choices.Personal = true; return nil }
}
