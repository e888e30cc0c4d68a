// Command setup: a program makes its company, fund and wallets when it is installed, and is started again one day: after
// a crash, with a new version, by somebody who does not know that it is done. Nothing may be created twice, since money
// would arrive at one and be looked for at the other. And changes that somebody has made in the meantime must be noticed,
// not ignored.
//
// So the Ensure methods create what is missing, return what exists, and report what differs. Function setUp is all you
// need.
//
// It starts a sandbox for itself, sets up three times, once with a different threshold, and exits with 0 only if
// everything exists once.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "setup:", err)
		os.Exit(1) // nothing is left to clean up
	}
}

// setUp makes a company, and a fund with two wallets whose outgoing transactions need the given number of votes of a
// program and a person. If it is called again, it continues where it ended.
func setUp(ctx context.Context, client *qredo.Client, threshold int) (*qredo.Fund, error) {
	company, _, err1 := client.Companies.Ensure(ctx, qredo.CompanyRequest{Name: "Acme", Ref: "acme-1"})
	robot, _, err2 := client.CoreClients.Ensure(ctx, "Acme's approver")
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	group := &qredo.CustodyGroup{Threshold: threshold}
	for _, address := range []string{string(robot.ID), "alice@example.com"} {
		party, _, err := client.TrustedNetwork.Ensure(ctx, company.ID, qredo.TrustedPartyRequest{Address: address})
		if err != nil {
			return nil, err
		}
		group.Members = append(group.Members, party.ID)
	}
	fund, _, err := client.Funds.Ensure(ctx, company.ID, qredo.FundRequest{
		Name: "Treasury", CustodyGroupTx: group, CustodyGroupWithdraw: group,
		Wallets: []qredo.WalletRequest{{Name: "Hot", Asset: "BTC-TESTNET"}, {Name: "Hot", Asset: "ETH-TESTNET"}},
	})
	if err != nil {
		return fund, err
	}
	_, _, err = client.Funds.EnsureWhitelisted(ctx, company.ID, fund.ID, qredo.WhitelistEntry{Asset: "BTC-TESTNET", Address: "tb1q-our-bank", Name: "Our bank"})
	return fund, err
}

func run(ctx context.Context, out io.Writer) error {
	srv, err := sandbox.Start()
	if err != nil {
		return err
	}
	defer srv.Close()
	client := srv.Client()
	if _, err := srv.CreateUser(sandbox.User{Email: "alice@example.com"}); err != nil {
		return err
	}
	if _, err := setUp(ctx, client, 2); !errors.Is(err, qredo.ErrNotAccepted) {
		return fmt.Errorf("somebody has not accepted, but the error is: %w", err)
	}
	companies, err := client.Companies.List(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "Set up, as far as it goes: Alice has been asked, and has to accept.")
	if err := srv.Accept("alice@example.com", companies[0].ID); err != nil {
		return err
	}
	first, err := setUp(ctx, client, 2)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "She has: now fund %s has wallets for %v.\n", first.Name, first.Assets)
	second, err := setUp(ctx, client, 2)
	if err != nil {
		return err
	}
	if second.ID != first.ID || len(second.Wallets) != len(first.Wallets) {
		return errors.New("the second time made something")
	}
	fmt.Fprintln(out, "Set up once more: it is the same fund, with the same wallets.")
	var differs *qredo.DifferenceError
	if _, err := setUp(ctx, client, 1); !errors.As(err, &differs) {
		return fmt.Errorf("another threshold is no difference: %w", err)
	}
	for _, d := range differs.Differences {
		fmt.Fprintf(out, "With a threshold of 1: %s of the %s is %s, not %s.\n", d.Field, differs.Kind, d.Is, d.Wanted)
	}
	return nil
}
