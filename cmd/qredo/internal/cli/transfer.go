package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

func (a *app) transferCommands() *cobra.Command {
	return group("transfer", "Move assets between wallets",
		`A transfer goes from a wallet to another wallet's ID or short code. It waits for the approval of the sending
wallet's custody group until it expires.`, `
		qredo transfer create --from WALLET_ID --to WALLET_ID --amount 0.4BTC-TESTNET
		qredo transfer create --from WALLET_ID --to maple-otter-cloud --amount 0.4BTC-TESTNET --yes --wait
		qredo transfer wait TX_ID`,
		a.transferCreate(),
		a.txGet("transfer", func(ctx context.Context, c *qredo.Client, company qredo.CompanyID, tx qredo.TxID) (*qredo.Transaction, error) {
			return c.Transfers.Get(ctx, company, tx)
		}),
		a.txWait("transfer", func(c *qredo.Client, company qredo.CompanyID) look {
			return func(ctx context.Context, tx qredo.TxID, opts ...qredo.CallOption) (*qredo.Transaction, error) {
				return c.Transfers.Wait(ctx, company, tx, opts...)
			}
		}),
	)
}

func (a *app) withdrawCommands() *cobra.Command {
	return group("withdraw", "Move assets out of the service",
		`A withdrawal goes from a wallet to an address on its chain, which must be on the fund's whitelist. It waits for
the approval of the wallet's custody group until it expires.`, `
		qredo withdraw create --from WALLET_ID --address ADDRESS --amount 0.25BTC-TESTNET
		qredo withdraw get TX_ID`,
		a.withdrawCreate(),
		a.txGet("withdraw", func(ctx context.Context, c *qredo.Client, company qredo.CompanyID, tx qredo.TxID) (*qredo.Transaction, error) {
			return c.Transfers.GetWithdrawal(ctx, company, tx)
		}),
		a.txWait("withdraw", func(c *qredo.Client, company qredo.CompanyID) look {
			return func(ctx context.Context, tx qredo.TxID, opts ...qredo.CallOption) (*qredo.Transaction, error) {
				return c.Transfers.WaitWithdrawal(ctx, company, tx, opts...)
			}
		}),
	)
}

// movement is what transfers and withdrawals have in common.
type movement struct {
	submission
	from, amount                    string
	baseUnits                       bool
	reference, benefitOf, accountNo string
}

func (m *movement) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&m.from, "from", "", "ID of the wallet it leaves (required)")
	flags.StringVar(&m.amount, "amount", "", "amount with its asset, fees included, as in 0.015BTC (required)")
	flags.BoolVar(&m.baseUnits, "base-units", false, "the amount is a whole number of base units")
	flags.StringVar(&m.reference, "reference", "", "text for the ledger")
	flags.StringVar(&m.benefitOf, "benefit-of", "", "for whose benefit it is")
	flags.StringVar(&m.accountNo, "account-no", "", "account number")
	m.submission.add(cmd, "24h")
}

// prepare reads what both need: the wallet, the amount in its asset, and until when.
func (m *movement) prepare(ctx context.Context) (client *qredo.Client, company qredo.CompanyID, wallet *qredo.Wallet, send qredo.AssetAmount, expires qredo.Time, err error) {
	if err = m.check(); err != nil {
		return
	}
	if expires, err = m.until(); err != nil {
		return
	}
	if client, company, err = m.app.forCompany(nil); err != nil {
		return
	}
	if wallet, err = client.Wallets.Get(ctx, qredo.WalletID(m.from)); err != nil {
		return
	}
	send, err = m.app.money(ctx, "amount", m.amount, m.baseUnits, wallet.Asset)
	return
}

func (a *app) transferCreate() *cobra.Command {
	var to string
	m := movement{submission: submission{app: a}}
	cmd := a.command(command{
		use: "create", short: "Ask for a transfer",
		long: `Shows what will be transferred, asks, and then asks the service for it. The amount includes the fees: what
arrives is less.

The idempotency key is printed before anything is sent. If the answer is lost (exit code 3), run the command
again with it: there is never a second transfer.`,
		example: `qredo transfer create --from WALLET_ID --to WALLET_ID --amount 0.4BTC-TESTNET
			qredo transfer create --from WALLET_ID --to WALLET_ID --amount 40000000 --base-units --yes --wait --output json`,
		run: func(ctx context.Context, _ []string) error {
			if err := required("from", m.from, "to", to, "amount", m.amount); err != nil {
				return err
			}
			client, company, wallet, send, expires, err := m.prepare(ctx)
			if err != nil {
				return err
			}
			plan := append([]planned{
				{"from", fmt.Sprintf("%s, balance %s", named(wallet), a.figure(wallet.Balance, wallet.Asset))},
				{"to", to}, {"reference", m.reference}, {"expires", expires.UTC().Format("2006-01-02 15:04:05 MST")},
			}, a.feePlan(ctx, client, qredo.FeeTransferOut, send)...)
			key, err := m.confirm(ctx, fmt.Sprintf("Transfer %s (%d base units)", a.figure(send.Amount, send.Asset), send.Amount), plan...)
			if err != nil {
				return err
			}
			sent, err := client.Transfers.Create(ctx, company, qredo.TransferRequest{
				WalletID: wallet.ID, Counterparty: to, Reference: m.reference, BenefitOf: m.benefitOf, AccountNo: m.accountNo,
				PartnerTxID: key, Expires: expires, Send: send,
			})
			if err != nil {
				return err
			}
			return m.finish(ctx, sent, *sent, func(ctx context.Context, tx qredo.TxID, opts ...qredo.CallOption) (*qredo.Transaction, error) {
				return client.Transfers.Wait(ctx, company, tx, opts...)
			})
		},
	})
	cmd.Flags().StringVar(&to, "to", "", "ID or short code of the wallet it goes to (required)")
	m.add(cmd)
	return cmd
}

func (a *app) withdrawCreate() *cobra.Command {
	var address string
	m := movement{submission: submission{app: a}}
	cmd := a.command(command{
		use: "create", short: "Ask for a withdrawal",
		long: `Shows what will be withdrawn, asks, and then asks the service for it. The amount includes the fees: what
arrives is less. The address must be on the fund's whitelist: see "qredo fund whitelist".

The idempotency key is printed before anything is sent. If the answer is lost (exit code 3), run the command
again with it: there is never a second withdrawal.`,
		example: `qredo withdraw create --from WALLET_ID --address tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx --amount 0.25BTC-TESTNET
			qredo withdraw create --from WALLET_ID --address ADDRESS --amount 0.25BTC-TESTNET --yes --wait --idempotency-key payout-4711`,
		run: func(ctx context.Context, _ []string) error {
			if err := required("from", m.from, "address", address, "amount", m.amount); err != nil {
				return err
			}
			client, company, wallet, send, expires, err := m.prepare(ctx)
			if err != nil {
				return err
			}
			plan := append([]planned{
				{"from", fmt.Sprintf("%s, balance %s", named(wallet), a.figure(wallet.Balance, wallet.Asset))},
				{"to", address}, {"reference", m.reference}, {"expires", expires.UTC().Format("2006-01-02 15:04:05 MST")},
			}, a.feePlan(ctx, client, qredo.FeeWithdraw, send)...)
			key, err := m.confirm(ctx, fmt.Sprintf("Withdraw %s (%d base units)", a.figure(send.Amount, send.Asset), send.Amount), plan...)
			if err != nil {
				return err
			}
			sent, err := client.Transfers.Withdraw(ctx, company, qredo.WithdrawalRequest{
				WalletID: wallet.ID, Address: address, Reference: m.reference, BenefitOf: m.benefitOf, AccountNo: m.accountNo,
				PartnerTxID: key, Expires: expires, Send: send,
			})
			if err != nil {
				return err
			}
			return m.finish(ctx, sent, *sent, func(ctx context.Context, tx qredo.TxID, opts ...qredo.CallOption) (*qredo.Transaction, error) {
				return client.Transfers.WaitWithdrawal(ctx, company, tx, opts...)
			})
		},
	})
	cmd.Flags().StringVar(&address, "address", "", "address on the asset's chain (required)")
	m.add(cmd)
	return cmd
}

type txGetter func(ctx context.Context, c *qredo.Client, company qredo.CompanyID, tx qredo.TxID) (*qredo.Transaction, error)

// txGet makes the command that shows a transaction of a kind.
func (a *app) txGet(kind string, get txGetter) *cobra.Command {
	return a.command(command{
		use: "get TX_ID", short: "Show it with its approvals",
		long:    "Shows how far it is: its status, and what each of those who may approve has said.",
		example: "qredo " + kind + " get TX_ID",
		run: func(ctx context.Context, args []string) error {
			client, company, err := a.forCompany(nil)
			if err != nil {
				return err
			}
			tx, err := get(ctx, client, company, qredo.TxID(args[0]))
			if err != nil {
				return err
			}
			return a.show(tx)
		},
	})
}

// txWait makes the command that follows a transaction of a kind.
func (a *app) txWait(kind string, wait func(*qredo.Client, qredo.CompanyID) look) *cobra.Command {
	s := submission{app: a}
	cmd := a.command(command{
		use: "wait TX_ID", short: "Follow it to its end",
		long: `Waits until it is done, and prints it. If it is rejected or expires, the exit code is 4; if waiting ends before,
it is 3, and nothing has changed.`,
		example: "qredo " + kind + " wait TX_ID --wait-timeout 1h",
		run: func(ctx context.Context, args []string) error {
			client, company, err := a.forCompany(nil)
			if err != nil {
				return err
			}
			return s.follow(ctx, qredo.TxID(args[0]), wait(client, company))
		},
	})
	s.waitFlags(cmd)
	return cmd
}
