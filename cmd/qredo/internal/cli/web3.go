package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
)

// weiDecimals are the usual units of a chain's own coin.
var weiDecimals = map[string]int{"wei": 0, "gwei": 9, "eth": 18}

// wei reads "0.5ETH", "20gwei" or "1wei", exactly.
func wei(flag, text string) (qapi.BigInt, error) {
	figure, unit := splitAmount(text)
	decimals, known := weiDecimals[strings.ToLower(string(unit))]
	if !known {
		return qapi.BigInt{}, usagef("--%s must name its unit, wei, gwei or ETH, as in 0.5ETH; not %q", flag, text)
	}
	whole, fraction, _ := strings.Cut(strings.TrimSpace(figure), ".")
	if len(fraction) > decimals {
		return qapi.BigInt{}, usagef("--%s has more than the %d decimals of %s", flag, decimals, unit)
	}
	value, err := qapi.ParseBigInt(whole + fraction + strings.Repeat("0", decimals-len(fraction)))
	if err != nil || whole == "" {
		return qapi.BigInt{}, usagef("--%s must be a decimal number with its unit, as in 0.5ETH; not %q", flag, text)
	}
	return value, nil
}

// whole reads a whole number.
func whole(flag, text string) (qapi.BigInt, error) {
	value, err := qapi.ParseBigInt(text)
	if err != nil {
		return value, usagef("--%s must be a whole number, not %q", flag, text)
	}
	return value, nil
}

// ether is an amount of wei in readable form.
func ether(value qapi.BigInt) string {
	if value.IsZero() {
		return ""
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil)
	whole, rest := new(big.Int).QuoRem(value.Int, scale, new(big.Int))
	text := whole.String()
	if rest.Sign() != 0 {
		text += "." + strings.TrimRight(fmt.Sprintf("%018s", rest.String()), "0")
	}
	return fmt.Sprintf("%s ETH (%s wei)", text, value)
}

func (a *app) web3Commands() *cobra.Command {
	return group("tx", "Web3 transactions",
		`A Web3 transaction waits for the wallet's approvers and is then signed. You send it to its chain yourself.`, `
		qredo qapi tx create --from 0x… --to 0x… --value 0.5ETH --gas-limit 21000 --gas-price 20gwei
		qredo qapi tx get TX_ID`,
		a.web3Create(), a.web3Wait(),
		a.command(command{
			use: "get TX_ID", short: "Show a transaction", long: "Shows a transaction's status, and its signed form once there is one.",
			example: "qredo qapi tx get TX_ID",
			run: a.withQAPI(func(ctx context.Context, client *qapi.Client, args []string) error {
				return a.show(client.Transactions.Get(ctx, qredo.TxID(args[0])))
			}),
		}),
		a.command(command{
			use: "approvals TX_ID", short: "List the approvers' votes", long: "Lists each approver's vote on a transaction.",
			example: "qredo qapi tx approvals TX_ID",
			run: a.withQAPI(func(ctx context.Context, client *qapi.Client, args []string) error {
				return a.list(found(client.Transactions.ListApprovals(ctx, qredo.TxID(args[0]))))
			}),
		}),
	)
}

func (a *app) web3Wait() *cobra.Command {
	s := submission{app: a, resume: web3Resume}
	return a.command(command{
		use: "wait TX_ID", short: "Wait until a transaction is signed",
		long:    "Waits until enough approvers have approved, and prints the transaction with its signed form.",
		example: "qredo qapi tx wait TX_ID --wait-timeout 1h",
		flags:   s.waitFlags,
		check:   s.checkWait,
		run: a.withQAPI(func(ctx context.Context, client *qapi.Client, args []string) error {
			return follow(ctx, &s, qredo.TxID(args[0]), client.Transactions.Wait)
		}),
	})
}

const web3Resume = "qredo qapi tx wait"

func (a *app) web3Create() *cobra.Command {
	var req qapi.TransactionRequest
	var value, gasLimit, gasPrice, maxFee, maxPriority, chain string
	s := submission{app: a, resume: web3Resume}
	return a.command(command{
		use: "create", short: "Request a Web3 transaction",
		long: `Shows the transaction, asks for confirmation, and requests it. Amounts need a unit: wei, gwei or ETH. For the price of gas
give --gas-price, or --max-fee, --max-priority-fee or both; the service chooses what you leave out.

This API has no idempotency key, so a repeated request makes a second transaction. If the response is lost (exit code 3),
ask the approvers before you send it again.`,
		example: `qredo qapi tx create --from 0x… --to 0x… --value 0.5ETH --gas-limit 21000 --gas-price 20gwei
			qredo qapi tx create --from 0x… --to 0x… --value 0wei --gas-limit 90000 --max-fee 30gwei --max-priority-fee 2gwei --data 0xa9059cbb --yes --wait`,
		flags: func(f *flagSet) {
			f.StringVar(&req.From, "from", "", "address of a Web3 wallet")
			f.StringVar(&req.To, "to", "", "address to pay, or of a contract")
			f.StringVar(&value, "value", "", "amount to pay, as in 0.5ETH or 0wei")
			f.StringVar(&gasLimit, "gas-limit", "", "gas limit; 21000 for a plain payment, 0 for a call that costs nothing")
			f.StringVar(&gasPrice, "gas-price", "", "price of gas, as in 20gwei")
			f.StringVar(&maxFee, "max-fee", "", "maximum price for a unit of gas, as in 30gwei")
			f.StringVar(&maxPriority, "max-priority-fee", "", "maximum tip for the block's producer, part of --max-fee, as in 2gwei")
			f.StringVar(&req.Data, "data", "", "data to call a contract with, as 0x and hexadecimal")
			f.StringVar(&chain, "chain-id", "", "chain (default 1, the Ethereum main network)")
			f.StringVar(&req.Note, "note", "", "note to the approvers")
			required(f, "from", "to", "value", "gas-limit")
			s.askFlags(f)
		},
		check: func() error {
			for _, f := range []struct {
				to         *qapi.BigInt
				flag, text string
				read       func(flag, text string) (qapi.BigInt, error)
			}{
				{&req.Value, "value", value, wei}, {&req.GasPrice, "gas-price", gasPrice, wei},
				{&req.MaxFeePerGas, "max-fee", maxFee, wei}, {&req.MaxPriorityFeePerGas, "max-priority-fee", maxPriority, wei},
				{&req.GasLimit, "gas-limit", gasLimit, whole}, {&req.ChainID, "chain-id", chain, whole},
			} {
				if f.text == "" {
					continue
				}
				var err error
				if *f.to, err = f.read(f.flag, f.text); err != nil {
					return err
				}
			}
			return s.check()
		},
		run: a.withQAPI(func(ctx context.Context, client *qapi.Client, _ []string) error {
			p := &proposal{app: a, title: "Pay " + cmp.Or(ether(req.Value), "0 ETH")}
			p.web3From(ctx, client, req.From)
			p.line("to", "%s", req.To)
			for _, line := range []planned{
				{"gas limit", gasLimit}, {"gas price", gasPrice}, {"max fee", maxFee}, {"priority", maxPriority}, {"data", req.Data}, {"note", req.Note},
			} {
				if line.Value != "" {
					p.line(line.Name, "%s", line.Value)
				}
			}
			p.line("chain", "%s", cmp.Or(chain, "1, the Ethereum main network"))
			p.gas(req)
			if err := req.Validate(); err != nil {
				return err
			}
			if err := s.ask(ctx, p); err != nil {
				return err
			}
			made, err := client.Transactions.Create(ctx, req)
			if err != nil {
				return err
			}
			return followIfAsked(ctx, &s, made, made.ID, client.Transactions.Wait)
		}),
	})
}

// web3From adds the wallet with an address, and its fund.
func (p *proposal) web3From(ctx context.Context, client *qapi.Client, address string) {
	funds, err := client.Funds.List(ctx, qapi.FundsOptions{})
	for _, match := range funds {
		fund, fundErr := client.Funds.Get(ctx, match.ID)
		if fundErr != nil { // another fund may have the wallet
			err = fundErr
			continue
		}
		i := slices.IndexFunc(fund.Wallets, func(w qapi.Wallet) bool { return sameAddress(w.Address, address) })
		if i >= 0 {
			w := fund.Wallets[i]
			p.line("from", "%s, wallet %s", address, titled(w.Name, w.ID))
			p.line("in", "fund %s", titled(fund.Name, fund.ID))
			p.line("balance", "%s, according to the service", p.app.exact(w.Balance, w.Asset))
			return
		}
	}
	p.line("from", "%s", address)
	if err != nil {
		p.unknown("wallet", err)
		return
	}
	p.unknown("wallet", errors.New("no fund of the account has a wallet with this address"))
	p.warn("no wallet of the account has the address %s: the service is likely to refuse this", address)
}

// gas adds the most that gas can cost, and what leaves the wallet with it.
func (p *proposal) gas(req qapi.TransactionRequest) {
	price := req.GasPrice
	if price.IsZero() {
		price = req.MaxFeePerGas
	}
	if req.GasLimit.IsZero() || req.GasLimit.Sign() == 0 {
		p.line("fees", "none, with a gas limit of 0")
		return
	}
	if price.IsZero() {
		p.unknown("fees", errors.New("the service chooses the price of gas"))
		return
	}
	most := qapi.BigInt{Int: new(big.Int).Mul(req.GasLimit.Int, price.Int)}
	p.line("fees", "at most %s", ether(most))
	if value := req.Value.Int; value != nil {
		most.Int = new(big.Int).Add(most.Int, value)
	}
	p.line("leaves the wallet", "at most %s", ether(most))
}
