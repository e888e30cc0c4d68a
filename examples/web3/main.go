// Command web3: a contract is called by a transaction that one key signs, and no single person should hold that key.
//
// So a custody group has a transaction of the EVM signed, and the signature is checked: there is a fund with a wallet for ETH; a transaction
// from that wallet is asked for; the group approves it; and from the signed transaction it is recovered who signed it. A program that means it
// would then hand the signed transaction to a node of the chain.
//
//	go run -C examples/web3 .
//
// It is a module of its own, so that go-ethereum, which recovers it, is not in that of the client. It starts a sandbox of its own and plays the people in it.
package main

import (
	"context"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/signal"
	"time"

	"github.com/ethereum/go-ethereum/core/types"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/demofund"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "web3:", err)
		os.Exit(1) // nothing is left to clean up
	}
}

const recipient = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"

func run(ctx context.Context, out io.Writer) error {
	srv, err := sandbox.Start()
	if err != nil {
		return err
	}
	defer srv.Close()
	approvers := []string{"alice@acme.example", "bob@acme.example"}
	fund, err := demofund.New(ctx, srv, "Acme", approvers, qredo.WalletRequest{Name: "hot", Asset: "ETH"})
	if err != nil {
		return err
	}
	address := fund.Wallets[0].Address
	fmt.Fprintf(out, "Web3 wallet %s, %d of %d approve\n", address, len(approvers), len(approvers))

	client := srv.QAPIClient()
	gwei := func(n int64) qapi.BigInt { return qapi.NewBigInt(n * 1_000_000_000) }
	request := qapi.TransactionRequest{
		From: address, To: recipient, Value: gwei(1_500_000_000), GasLimit: qapi.NewBigInt(21_000), // 1.5 ETH
	}
	legacy, dynamic := request, request
	legacy.GasPrice, legacy.Note = gwei(30), "a legacy transaction"
	dynamic.MaxFeePerGas, dynamic.MaxPriorityFeePerGas, dynamic.Note = gwei(40), gwei(2), "a transaction of type 2"
	for _, req := range []qapi.TransactionRequest{legacy, dynamic} {
		fmt.Fprintf(out, "\n%s: %s wei to %s\n", req.Note, req.Value, req.To)
		if err := sign(ctx, out, srv, client, req, approvers); err != nil {
			return err
		}
	}
	return nil
}

// sign asks for a transaction, has it approved, and checks who signed it.
func sign(ctx context.Context, out io.Writer, srv *sandbox.Server, client *qapi.Client, req qapi.TransactionRequest, approvers []string) error {
	created, err := client.Transactions.Create(ctx, req)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  %s is %s\n", created.ID, created.Status)
	for _, email := range approvers {
		if err := srv.Approve(email, string(created.ID)); err != nil {
			return err
		}
		fmt.Fprintf(out, "  %s approves\n", email)
	}
	done, err := client.Transactions.Wait(ctx, created.ID, qredo.WithPollInterval(50*time.Millisecond))
	if err != nil {
		return err
	}
	raw, err := done.SignedBytes()
	if err != nil {
		return err
	}
	var tx types.Transaction
	if err := tx.UnmarshalBinary(raw); err != nil {
		return err
	}
	sender, err := types.Sender(types.LatestSignerForChainID(tx.ChainId()), &tx)
	if err != nil {
		return err
	}
	from, err := qapi.ChecksumAddress(req.From)
	if err != nil {
		return err
	}
	if sender.Hex() != from || tx.Value().Cmp(req.Value.Int) != 0 || tx.ChainId().Cmp(big.NewInt(1)) != 0 {
		return fmt.Errorf("what was signed is not what was asked for: from %s, %s wei, chain %s", sender, tx.Value(), tx.ChainId())
	}
	fmt.Fprintf(out, "  %s, type %d, nonce %d, %d bytes, hash %s\n  signed by %s\n", done.Status, tx.Type(), tx.Nonce(), len(raw), tx.Hash(), sender)
	return nil
}
