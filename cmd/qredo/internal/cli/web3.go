package cli

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
)

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// weiDecimals are the units that people count a chain's own coin in.
var weiDecimals = map[string]int{"wei": 0, "gwei": 9, "eth": 18}

// wei reads "0.5ETH", "20gwei" or "1wei", exactly.
func wei(flag, text string) (qapi.BigInt, error) {
	if text == "" {
		return qapi.BigInt{}, nil
	}
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
	s := submission{app: a}
	wait := a.command(command{
		use: "wait TX_ID", short: "Wait until a transaction is signed",
		long:    "Waits until enough have approved, and prints the transaction with its signed form.",
		example: "qredo qapi tx wait TX_ID --wait-timeout 1h",
		run: a.withQAPI(func(ctx context.Context, client *qapi.Client, args []string) error {
			return a.followWeb3(ctx, &s, client, qredo.TxID(args[0]))
		}),
	})
	s.waitFlags(wait)
	return group("tx", "Web3 transactions",
		`A Web3 transaction waits for the wallet's approvers and is then signed. Sending it to its chain is your part.`, `
		qredo qapi tx create --from 0x… --to 0x… --value 0.5ETH --gas-limit 21000 --gas-price 20gwei
		qredo qapi tx get TX_ID`,
		a.web3Create(), wait,
		a.command(command{
			use: "get TX_ID", short: "Show a transaction", long: "Shows how far a transaction is, and its signed form once there is one.",
			example: "qredo qapi tx get TX_ID",
			run: a.withQAPI(func(ctx context.Context, client *qapi.Client, args []string) error {
				tx, err := client.Transactions.Status(ctx, qredo.TxID(args[0]))
				if err != nil {
					return err
				}
				return a.show(tx)
			}),
		}),
		a.command(command{
			use: "approvals TX_ID", short: "List what the approvers have said", long: "Lists what each of those who may approve a transaction has said.",
			example: "qredo qapi tx approvals TX_ID",
			run: a.withQAPI(func(ctx context.Context, client *qapi.Client, args []string) error {
				approvals, err := client.Transactions.Approvals(ctx, qredo.TxID(args[0]))
				if err != nil {
					return err
				}
				return list(a, approvals, "UserID", "Email", "Status", "ActionID")
			}),
		}),
	)
}

func (a *app) followWeb3(ctx context.Context, s *submission, client *qapi.Client, id qredo.TxID) error {
	if s.poll <= 0 {
		return usagef("--poll must be more than zero, is %s", s.poll)
	}
	if s.longest > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.longest)
		defer cancel()
	}
	tx, err := client.Transactions.Wait(ctx, id, qredo.WithPollInterval(s.poll))
	if err != nil {
		return waited(id, err)
	}
	return a.show(tx)
}

func (a *app) web3Create() *cobra.Command {
	var req qapi.TransactionRequest
	var value, gasLimit, gasPrice, maxFee, maxPriority, chain string
	s := submission{app: a}
	cmd := a.command(command{
		use: "create", short: "Ask for a Web3 transaction",
		long: `Shows what will be asked for, asks, and sends it. The figures carry their unit: wei, gwei or ETH. What is paid for
gas is --gas-price, or --max-fee and --max-priority-fee.

This API has no key that makes a repeated request find the first one. If the answer is lost (exit code 3), ask
those who approve before sending again.`,
		example: `qredo qapi tx create --from 0x… --to 0x… --value 0.5ETH --gas-limit 21000 --gas-price 20gwei
			qredo qapi tx create --from 0x… --to 0x… --value 0wei --gas-limit 90000 --max-fee 30gwei --max-priority-fee 2gwei --data 0xa9059cbb --yes --wait`,
		run: a.withQAPI(func(ctx context.Context, client *qapi.Client, _ []string) error {
			if err := required("from", req.From, "to", req.To, "value", value, "gas-limit", gasLimit); err != nil {
				return err
			}
			if err := s.check(); err != nil {
				return err
			}
			for _, f := range []struct {
				to         *qapi.BigInt
				flag, text string
			}{
				{&req.Value, "value", value}, {&req.GasPrice, "gas-price", gasPrice},
				{&req.MaxFeePerGas, "max-fee", maxFee}, {&req.MaxPriorityFeePerGas, "max-priority-fee", maxPriority},
			} {
				var err error
				if *f.to, err = wei(f.flag, f.text); err != nil {
					return err
				}
			}
			var err error
			if req.GasLimit, err = qapi.ParseBigInt(gasLimit); err != nil {
				return usagef("--gas-limit must be a whole number, is %q", gasLimit)
			}
			if chain != "" {
				if req.ChainID, err = qapi.ParseBigInt(chain); err != nil {
					return usagef("--chain-id must be a whole number, is %q", chain)
				}
			}
			fmt.Fprintf(a.err, "Pay %s\n  from  %s\n  to    %s\n", ether(req.Value), plain(req.From), plain(req.To))
			if !s.yes {
				if err := s.ask(ctx, ""); err != nil {
					return err
				}
			}
			made, err := client.Transactions.Create(ctx, req)
			if err != nil {
				return err
			}
			if s.wait {
				fmt.Fprintf(a.err, "transaction %s: waiting\n", made.ID)
				return a.followWeb3(ctx, &s, client, made.ID)
			}
			return a.show(made)
		}),
	})
	flags := cmd.Flags()
	flags.StringVar(&req.From, "from", "", "address of a Web3 wallet (required)")
	flags.StringVar(&req.To, "to", "", "address that it goes to, or a contract's (required)")
	flags.StringVar(&value, "value", "", "what is paid, as in 0.5ETH or 0wei (required)")
	flags.StringVar(&gasLimit, "gas-limit", "", "gas limit; 21000 for a plain payment (required)")
	flags.StringVar(&gasPrice, "gas-price", "", "price of gas, as in 20gwei")
	flags.StringVar(&maxFee, "max-fee", "", "most that is paid for a unit of gas, as in 30gwei")
	flags.StringVar(&maxPriority, "max-priority-fee", "", "most of that for the block's producer, as in 2gwei")
	flags.StringVar(&req.Data, "data", "", "what a contract is called with, 0x and hexadecimal")
	flags.StringVar(&chain, "chain-id", "", "chain (default 1, Ethereum's main network)")
	flags.StringVar(&req.Note, "note", "", "text for those who approve")
	flags.BoolVarP(&s.yes, "yes", "y", false, "do not ask")
	flags.BoolVar(&s.wait, "wait", false, "wait until it is signed")
	s.waitFlags(cmd)
	return cmd
}
