package cli

import (
	"strconv"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// servingChoices are a sandbox's options where the sources about the service disagree.
type servingChoices struct {
	fees, ledgerOrder                            string
	withdrawalLock, companyConflict, invitations bool
	wholeUnits, repeatedVotes, initiators        bool
	strict, personal                             bool
}

func (c *servingChoices) flags(f *flagSet) {
	f.StringVar(&c.fees, "fees", "rate:1000", "fee for sending: none, rate:MILLIONTHS of the amount, or fixed:BASE_UNITS")
	f.StringVar(&c.ledgerOrder, "ledger-order", "newest", "order of ledgers: newest or oldest first")
	f.BoolVar(&c.withdrawalLock, "withdrawal-lock", false, "refuse a second withdrawal from a wallet while one is pending")
	f.BoolVar(&c.companyConflict, "company-conflict", false, "answer 409 to a company that exists already")
	f.BoolVar(&c.invitations, "invitations", false, "let companies trust an e-mail without a user")
	f.BoolVar(&c.wholeUnits, "whole-units", false, "write Qredo API v1's ledgers in whole units, as decimals")
	f.BoolVar(&c.repeatedVotes, "repeated-votes", false, "accept a repeated vote of a core client")
	f.BoolVar(&c.personal, "personal", false, "make the account of Qredo API v1 a person's: trusted parties, no Web3 wallets")
	f.BoolVar(&c.initiators, "initiators", false, "include the initiator in the details of actions")
	f.BoolVar(&c.strict, "strict", false, "also refuse what no source says the service refused")
}

func (c *servingChoices) check() error {
	if _, err := feeSchedule(c.fees); err != nil {
		return err
	}
	return oneOf("ledger-order", c.ledgerOrder, "newest", "oldest")
}

func (c *servingChoices) options() []sandbox.Option {
	fees, _ := feeSchedule(c.fees) // checked
	opts := []sandbox.Option{sandbox.WithFees(fees)}
	if c.ledgerOrder == "oldest" {
		opts = append(opts, sandbox.WithLedgerOrder(sandbox.OldestFirst))
	}
	for _, choice := range []struct {
		on     bool
		option func() sandbox.Option
	}{
		{c.withdrawalLock, sandbox.WithWithdrawalLock},
		{c.companyConflict, sandbox.WithCompanyConflict},
		{c.invitations, sandbox.WithInvitations},
		{c.wholeUnits, sandbox.WithWholeUnits},
		{c.repeatedVotes, sandbox.WithRepeatedVotes},
		{c.initiators, sandbox.WithInitiators},
		{c.strict, sandbox.WithStrictChecks},
		{c.personal, sandbox.WithPersonalAccount},
	} {
		if choice.on {
			opts = append(opts, choice.option())
		}
	}
	return opts
}

// feeSchedule reads --fees.
func feeSchedule(text string) (sandbox.FeeSchedule, error) {
	kind, figure, _ := strings.Cut(text, ":")
	if kind == "none" && figure == "" {
		return sandbox.NoFees, nil
	}
	n, err := strconv.ParseInt(figure, 10, 64)
	switch {
	case err != nil || n < 0:
	case kind == "rate" && n <= 1_000_000:
		return sandbox.FeeRate(uint32(n)), nil
	case kind == "fixed":
		return sandbox.FixedFee(qredo.Amount(n)), nil
	}
	return nil, usagef("--fees must be none, rate:MILLIONTHS (at most 1000000) or fixed:BASE_UNITS, not %q", text)
}
