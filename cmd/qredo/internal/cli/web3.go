package cli

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
)

// weiDecimals are the units that people count a chain's own coin in.
var weiDecimals = map[string]int{"wei": 0, "gwei": 9, "eth": 18}

// wei reads "0.5ETH", "20gwei" or "1wei", exactly.
func wei(flag, text string) (qapi.BigInt, error) {
	figure, unit := splitAmount(text)
	decimals, known := weiDecimals[strings.ToLower(string(unit))]
	if !known {
		return qapi.BigInt{}, usagef("--%s must say its unit: wei, gwei or ETH, as in 0.5ETH; is %q", flag, text)
	}
	whole, fraction, _ := strings.Cut(strings.TrimSpace(figure), ".")
	if len(fraction) > decimals {
		return qapi.BigInt{}, usagef("--%s has more than the %d decimals of %s", flag, decimals, unit)
	}
	value, err := qapi.ParseBigInt(whole + fraction + strings.Repeat("0", decimals-len(fraction)))
	if err != nil || whole == "" {
		return qapi.BigInt{}, usagef("--%s must be a decimal number with its unit, as in 0.5ETH; is %q", flag, text)
	}
	return value, nil
}

// whole reads a whole number.
func whole(flag, text string) (qapi.BigInt, error) {
	value, err := qapi.ParseBigInt(text)
	if err != nil {
		return value, usagef("--%s must be a whole number, is %q", flag, text)
	}
	return value, nil
}

// ether is wei as people say it.
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
		`A Web3 transaction waits for the wallet's approvers and is then signed. Sending it to its chain is your part.`, `
		qredo qapi tx create --from 0x… --to 0x… --value 0.5ETH --gas-limit 21000 --gas-price 20gwei
		qredo qapi tx get TX_ID`,
		a.web3Create(), a.web3Wait(),
		a.command(command{
			use: "get TX_ID", short: "Show a transaction", long: "Shows how far a transaction is, and its signed form once there is one.",
			example: "qredo qapi tx get TX_ID",
			run: a.withQAPI(func(ctx context.Context, client *qapi.Client, args []string) error {
				return a.show(client.Transactions.Get(ctx, qredo.TxID(args[0])))
			}),
		}),
		a.command(command{
			use: "approvals TX_ID", short: "List what the approvers have said", long: "Lists what those who may approve a transaction have said.",
			example: "qredo qapi tx approvals TX_ID",
			run: a.withQAPI(func(ctx context.Context, client *qapi.Client, args []string) error {
				return a.list(found(client.Transactions.ListApprovals(ctx, qredo.TxID(args[0]))), "UserID", "Email", "Status", "ActionID")
			}),
		}),
	)
}

func (a *app) web3Wait() *cobra.Command {
	s := submission{app: a, resume: web3Resume}
	return a.command(command{
		use: "wait TX_ID", short: "Wait until a transaction is signed",
		long:    "Waits until enough have approved, and prints the transaction with its signed form.",
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
		use: "create", short: "Ask for a Web3 transaction",
		long: `Shows what will be asked for, asks, and sends it. The figures carry their unit: wei, gwei or ETH. What is paid for
gas is --gas-price, or --max-fee and --max-priority-fee or one of these; what is left out, the service chooses.

This API has no key that makes a repeated request find the first one. If the answer is lost (exit code 3), ask
those who approve before sending again.`,
		example: `qredo qapi tx create --from 0x… --to 0x… --value 0.5ETH --gas-limit 21000 --gas-price 20gwei
			qredo qapi tx create --from 0x… --to 0x… --value 0wei --gas-limit 90000 --max-fee 30gwei --max-priority-fee 2gwei --data 0xa9059cbb --yes --wait`,
		flags: func(f *flagSet) {
			f.StringVar(&req.From, "from", "", "address of a Web3 wallet (required)")
			f.StringVar(&req.To, "to", "", "address that it goes to, or a contract's (required)")
			f.StringVar(&value, "value", "", "what is paid, as in 0.5ETH or 0wei (required)")
			f.StringVar(&gasLimit, "gas-limit", "", "gas limit; 21000 for a plain payment, 0 for a call that costs nothing (required)")
			f.StringVar(&gasPrice, "gas-price", "", "price of gas, as in 20gwei")
			f.StringVar(&maxFee, "max-fee", "", "most that is paid for a unit of gas, as in 30gwei")
			f.StringVar(&maxPriority, "max-priority-fee", "", "most of that for the block's producer, as in 2gwei")
			f.StringVar(&req.Data, "data", "", "what a contract is called with, 0x and hexadecimal")
			f.StringVar(&chain, "chain-id", "", "chain (default 1, Ethereum's main network)")
			f.StringVar(&req.Note, "note", "", "text for those who approve")
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
			if err := s.show(ctx, "Pay "+cmp.Or(ether(req.Value), "0 ETH"), planned{"from", req.From}, planned{"to", req.To},
				planned{"gas limit", gasLimit}, planned{"gas price", gasPrice}, planned{"max fee", maxFee}, planned{"priority", maxPriority},
				planned{"data", req.Data}, planned{"chain", cmp.Or(chain, "1")}, planned{"note", req.Note}); err != nil {
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
