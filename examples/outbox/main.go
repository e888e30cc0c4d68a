// Command outbox: a program asks for a payment and dies, or the answer is lost. Was it paid? Paying again may pay twice, and not paying may
// not pay at all.
//
// So payments go through package outbox, and survive the death of the program that makes them.
//
// It starts a sandbox and, as a process of its own, a payer that sends three payments through an outbox. The
// sandbox makes them and loses its answers, so that the payer cannot know. Then the payer is killed (SIGKILL)
// and started again: it finds in its file what it had begun, and finds out that all three were made.
//
// It exits with 0 only if each payment was made once.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/demofund"
	"github.com/qredo-go/qredo/sandbox"
)

const (
	asset     = qredo.AssetCode("BTC-TESTNET")
	approver  = "alice@example.com"
	operation = "POST /company/{company_id}/transfer"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	work := func() error { return run(ctx, os.Stdout) }
	if isPayer() {
		work = func() error { return pay(ctx, os.Stdout) }
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, "outbox:", err)
		os.Exit(1) // nothing is left to clean up
	}
}

func run(ctx context.Context, out io.Writer) error {
	folder, err := os.MkdirTemp("", "outbox")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	srv, err := sandbox.Start(sandbox.WithKeyDir(folder))
	if err != nil {
		return err
	}
	defer srv.Close()
	e := example{srv: srv, folder: folder, out: out}
	for _, step := range []func(context.Context) error{e.openBank, e.payAndDie, e.payAgain, e.check} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "\nDone: three payments, each made once.")
	return nil
}

// example is the world that the payer lives in.
type example struct {
	srv      *sandbox.Server
	folder   string
	out      io.Writer
	company  qredo.CompanyID
	from, to qredo.Wallet
}

// openBank makes a company with two wallets, one of them with money.
func (e *example) openBank(ctx context.Context) error {
	fund, err := demofund.New(ctx, e.srv, "Acme", []string{approver},
		qredo.WalletRequest{Name: "Treasury", Asset: asset}, qredo.WalletRequest{Name: "Salaries", Asset: asset})
	if err != nil {
		return err
	}
	e.company, e.from, e.to = fund.Company, fund.Wallets[0], fund.Wallets[1]
	_, err = e.srv.Deposit(e.from.Address, 1_000_000)
	return err
}

// start starts the payer, with the service's URL, what pays whom, and its file.
func (e *example) start(ctx context.Context) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	payer := exec.CommandContext(ctx, self) //nolint:gosec // this program itself
	payer.Env = append(os.Environ(),
		"QREDO_API_KEY_FILE="+filepath.Join(e.folder, "apikey"), "QREDO_PRIVATE_KEY_FILE="+filepath.Join(e.folder, "private.pem"),
		"QREDO_BASE_URL="+e.srv.BaseURL(), "PAYER_OUTBOX="+filepath.Join(e.folder, "outbox.db"),
		"PAYER_COMPANY="+string(e.company), "PAYER_FROM="+string(e.from.ID), "PAYER_TO="+string(e.to.ID))
	payer.Stdout, payer.Stderr = e.out, os.Stderr
	return payer, payer.Start()
}

// payAndDie has the payer send to a service that never answers, and kills it.
func (e *example) payAndDie(ctx context.Context) error {
	err := e.srv.SetFaults(1, sandbox.FaultRule{Kind: sandbox.FaultDropAnswer, Operation: operation, Rate: 1})
	if err != nil {
		return err
	}
	payer, err := e.start(ctx)
	if err != nil {
		return err
	}
	err = e.until(ctx, func() (bool, error) {
		state, err := e.srv.State()
		return state.Transactions == 1+len(payments), err // the deposit is one too
	})
	if err := errors.Join(err, payer.Process.Kill()); err != nil {
		return err
	}
	fmt.Fprintf(e.out, "The payer is killed: %v\n\n", payer.Wait())
	return nil
}

// payAgain starts the payer again, approves what it has sent, and waits for its end.
func (e *example) payAgain(ctx context.Context) error {
	if err := e.srv.SetFaults(0); err != nil {
		return err
	}
	payer, err := e.start(ctx)
	if err != nil {
		return err
	}
	err = e.until(ctx, func() (bool, error) {
		pending, err := e.srv.Pending(approver)
		for _, p := range pending {
			err = errors.Join(err, e.srv.Approve(approver, string(p.ActionID)))
		}
		return len(pending) == 0, err
	})
	return errors.Join(err, payer.Wait())
}

// until asks again and again until the answer is yes.
func (e *example) until(ctx context.Context, yes func() (bool, error)) error {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		if done, err := yes(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// check makes sure that the recipient has each payment once.
func (e *example) check(ctx context.Context) error {
	client := e.srv.Client()
	var want qredo.Amount
	for _, p := range payments {
		want += p.amount // the fees were on top
	}
	wallet, err := client.Wallets.Get(ctx, e.to.ID)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.out, "\nThe recipient has %d satoshi.\n", wallet.Balance)
	if wallet.Balance != want {
		return fmt.Errorf("the recipient has %d satoshi, not %d", wallet.Balance, want)
	}
	return nil
}
