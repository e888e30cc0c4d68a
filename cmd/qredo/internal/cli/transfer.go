package cli

import (
	"cmp"
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

func (a *app) transferCommands() *cobra.Command {
	return group("transfer", "Move assets between wallets",
		`A transfer goes from one wallet to another. It waits for the approval of the sending wallet's custody group until it
expires.`, `
		qredo transfer create --from WALLET_ID --to WALLET_ID --amount 0.4BTC-TESTNET
		qredo transfer create --from 'copper lantern valley' --to 'maple otter cloud' --amount 0.4BTC-TESTNET --yes --wait
		qredo transfer wait TX_ID`,
		a.transferCreate(),
		a.txGet("transfer get", "Show a transfer with its approvals", func(c *qredo.Client) txMethod { return c.Transfers.Get }),
		a.txWait("transfer wait", "Follow a transfer to its end", func(c *qredo.Client) txMethod { return c.Transfers.Wait }),
	)
}

func (a *app) withdrawCommands() *cobra.Command {
	return group("withdraw", "Move assets out of the service",
		`A withdrawal goes from a wallet to an address on its chain, which must be on the fund's whitelist. It waits for
the approval of the wallet's custody group until it expires.`, `
		qredo withdraw create --from WALLET_ID --address ADDRESS --amount 0.25BTC-TESTNET
		qredo withdraw get TX_ID`,
		a.withdrawCreate(),
		a.txGet("withdraw get", "Show a withdrawal with its approvals", func(c *qredo.Client) txMethod { return c.Transfers.GetWithdrawal }),
		a.txWait("withdraw wait", "Follow a withdrawal to its end", func(c *qredo.Client) txMethod { return c.Transfers.WaitWithdrawal }),
	)
}

// movement holds what transfers, withdrawals and sweeps have in common.
type movement struct {
	submission
	from, to, amount                string
	baseUnits                       bool
	reference, benefitOf, accountNo string
}

func (m *movement) add(f *flagSet, to, toHelp string) {
	f.StringVar(&m.from, "from", "", "ID, short code or name of the sending wallet")
	f.StringVar(&m.to, to, "", toHelp)
	f.StringVar(&m.amount, "amount", "", "what arrives, with its asset, as in 0.015BTC; fees come on top")
	f.BoolVar(&m.baseUnits, "base-units", false, "the amount is a whole number of base units")
	f.StringVar(&m.reference, "reference", "", "text for the ledger")
	required(f, "from", to, "amount")
	m.submission.add(f, "24h")
}

// addParty adds the flags that sweeps do not have.
func (m *movement) addParty(f *flagSet) {
	f.StringVar(&m.benefitOf, "benefit-of", "", "beneficiary")
	f.StringVar(&m.accountNo, "account-no", "", "account number")
}

// outgoing holds what differs between the kinds of movement.
type outgoing struct {
	verb     string
	from, to *qredo.Wallet // to is nil for an address
	fee      qredo.FeeType // empty if the service gives none
	most     qredo.MaxType
	about    func(*proposal) // adds lines of its own; may be nil
	// prepare makes the request, and the function that sends it.
	prepare func(key qredo.PartnerTxID, send qredo.AssetAmount) (request any, submit func() (*qredo.Submission, error))
	wait    look[qredo.Transaction]
}

// run shows what will move, asks for confirmation, sends the request, and prints or follows the transaction.
func (m *movement) run(ctx context.Context, c partnerCall, o outgoing) error {
	a := m.app
	asset := o.from.Asset
	if o.to != nil {
		asset = cmp.Or(asset, o.to.Asset)
	}
	amount, err := a.money(ctx, "amount", m.amount, m.baseUnits, asset)
	if err != nil {
		return err
	}
	if o.to != nil && o.to.Asset != "" && o.to.Asset != amount.Asset {
		return usagef("the receiving wallet %s holds %s, not %s: name a wallet of %s", o.to.ID, o.to.Asset, amount.Asset, amount.Asset)
	}
	request, submit := o.prepare(m.fixKey(), amount)
	p := &proposal{app: a, c: c, title: o.verb + " " + a.exact(amount.Amount, amount.Asset)}
	p.places(ctx, o.from, o.to)
	if o.to == nil {
		p.address(ctx, o.from, m.to, amount.Asset)
	} else if o.to.ID == o.from.ID {
		p.warn("sender and recipient are the same wallet: this moves nothing, but costs the fee")
	}
	for _, line := range []planned{{"reference", m.reference}, {"for benefit of", m.benefitOf}, {"account number", m.accountNo}} {
		if line.Value != "" {
			p.line(line.Name, "%s", line.Value)
		}
	}
	p.sent(ctx, o.from, amount, o.fee, o.most)
	if o.about != nil {
		o.about(p)
	}
	p.expires(m.until)
	if err := m.confirm(ctx, p, request); err != nil {
		return err
	}
	sent, err := submit()
	if err != nil {
		return err
	}
	return m.finish(ctx, sent, sent, o.wait)
}

func (a *app) transferCreate() *cobra.Command {
	var authorize string
	m := movement{submission: submission{app: a, resume: "qredo transfer wait"}}
	return a.command(command{
		use: "create", short: "Request a transfer",
		long: `Shows what will be transferred, asks for confirmation, and requests it. The amount is what arrives; fees come on top.

The idempotency key is printed before anything is sent. If the response is lost (exit code 3), run the command again with
this key: there is never a second transfer.`,
		example: `qredo transfer create --from WALLET_ID --to WALLET_ID --amount 0.4BTC-TESTNET
			qredo transfer create --from WALLET_ID --to WALLET_ID --amount 0.4BTC-TESTNET --dry-run
			qredo transfer create --from WALLET_ID --to WALLET_ID --amount 40000000 --base-units --yes --wait --output json`,
		flags: func(f *flagSet) {
			m.add(f, "to", "ID, short code or name of the receiving wallet")
			m.addParty(f)
			f.StringVar(&authorize, "authorize", "", "ID or name of a core client that must authorise it before the custody group is asked")
		},
		check: m.check,
		run: a.withCompany(func(ctx context.Context, c partnerCall) error {
			from, err := a.walletNamed(ctx, c, m.from)
			if err != nil {
				return err
			}
			to, err := a.recipientNamed(ctx, c, m.to)
			if err != nil {
				return err
			}
			authorizer, err := a.agentIfNamed(ctx, c, authorize)
			if err != nil {
				return err
			}
			return m.run(ctx, c, outgoing{
				verb: "Transfer", from: from, to: to, fee: qredo.FeeTransferOut, most: qredo.MaxTransfer,
				about: func(p *proposal) {
					p.authorizer(ctx, authorizer)
					p.approvers(from, false)
				},
				prepare: func(key qredo.PartnerTxID, send qredo.AssetAmount) (any, func() (*qredo.Submission, error)) {
					request := qredo.TransferRequest{
						WalletID: from.ID, Counterparty: string(to.ID), Reference: m.reference, BenefitOf: m.benefitOf, AccountNo: m.accountNo,
						PartnerTxID: key, Expires: m.until, Send: send, AuthorizeID: authorizer,
					}
					return request, func() (*qredo.Submission, error) { return c.Transfers.Create(ctx, c.company, request) }
				},
				wait: of(c.company, c.Transfers.Wait),
			})
		}),
	})
}

func (a *app) withdrawCreate() *cobra.Command {
	m := movement{submission: submission{app: a, resume: "qredo withdraw wait"}}
	return a.command(command{
		use: "create", short: "Request a withdrawal",
		long: `Shows what will be withdrawn, asks for confirmation, and requests it. The amount is what arrives; fees come on top. The
address must be on the fund's whitelist: see "qredo fund whitelist".

The idempotency key is printed before anything is sent. If the response is lost (exit code 3), run the command again with
this key: there is never a second withdrawal.`,
		example: `qredo withdraw create --from WALLET_ID --address tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx --amount 0.25BTC-TESTNET
			qredo withdraw create --from WALLET_ID --address ADDRESS --amount 0.25BTC-TESTNET --yes --wait --idempotency-key payout-4711`,
		flags: func(f *flagSet) {
			m.add(f, "address", "address on the asset's chain")
			m.addParty(f)
		},
		check: m.check,
		run: a.withCompany(func(ctx context.Context, c partnerCall) error {
			from, err := a.walletNamed(ctx, c, m.from)
			if err != nil {
				return err
			}
			return m.run(ctx, c, outgoing{
				verb: "Withdraw", from: from, fee: qredo.FeeWithdraw, most: qredo.MaxWithdraw,
				about: func(p *proposal) { p.approvers(from, true) },
				prepare: func(key qredo.PartnerTxID, send qredo.AssetAmount) (any, func() (*qredo.Submission, error)) {
					request := qredo.WithdrawalRequest{
						WalletID: from.ID, Address: m.to, Reference: m.reference, BenefitOf: m.benefitOf, AccountNo: m.accountNo,
						PartnerTxID: key, Expires: m.until, Send: send,
					}
					return request, func() (*qredo.Submission, error) { return c.Transfers.Withdraw(ctx, c.company, request) }
				},
				wait: of(c.company, c.Transfers.WaitWithdrawal),
			})
		}),
	})
}

// txMethod is a method of the client that gets a company's transaction, at once or when it has ended.
type txMethod func(context.Context, qredo.CompanyID, qredo.TxID, ...qredo.CallOption) (*qredo.Transaction, error)

// txGet makes the command that shows a transaction of a kind.
func (a *app) txGet(path, short string, get func(*qredo.Client) txMethod) *cobra.Command {
	return a.command(command{
		use: lastWord(path) + " TX_ID", short: short,
		long:    "Shows the transaction's status, and each approver's vote.",
		example: "qredo " + path + " TX_ID",
		run: a.withCompany(func(ctx context.Context, c partnerCall) error {
			return a.show(get(c.Client)(ctx, c.company, qredo.TxID(c.args[0])))
		}),
	})
}

// txWait makes the command that follows a transaction of a kind.
func (a *app) txWait(path, short string, wait func(*qredo.Client) txMethod) *cobra.Command {
	s := submission{app: a, resume: "qredo " + path}
	return a.command(command{
		use: lastWord(path) + " TX_ID", short: short,
		long: `Waits until the transaction has ended, and prints it. If it was rejected or expired, the exit code is 4; if waiting ends
first, it is 3, and nothing has changed.`,
		example: "qredo " + path + " TX_ID --wait-timeout 1h",
		flags:   s.waitFlags,
		check:   s.checkWait,
		run: a.withCompany(func(ctx context.Context, c partnerCall) error {
			return follow(ctx, &s, qredo.TxID(c.args[0]), of(c.company, wait(c.Client)))
		}),
	})
}

func lastWord(path string) string { return path[strings.LastIndex(path, " ")+1:] }
