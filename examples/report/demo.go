package main

import (
	"context"
	"errors"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/demofund"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox"
)

// demo starts a sandbox with some movements, and returns a client for its reports.
func demo(ctx context.Context) (*qapi.Client, func(), error) {
	srv, err := sandbox.Start()
	if err != nil {
		return nil, nil, err
	}
	if err := fill(ctx, srv); err != nil {
		return nil, nil, errors.Join(err, srv.Close())
	}
	return srv.QAPIClient(), func() { _ = srv.Close() }, nil
}

// fill makes a fund, deposits to it, and transfers within it: one transfer is done, another is pending.
func fill(ctx context.Context, srv *sandbox.Server) error {
	const approver = "alice@acme.example"
	fund, err := demofund.New(ctx, srv, "Acme", []string{approver}, qredo.WalletRequest{Name: "main", Asset: "BTC"},
		qredo.WalletRequest{Name: "payroll", Asset: "BTC"}, qredo.WalletRequest{Name: "gas", Asset: "ETH"})
	if err != nil {
		return err
	}
	main, payroll, gas := fund.Wallets[0], fund.Wallets[1], fund.Wallets[2]
	if _, err := srv.Deposit(main.Address, 150_000_000); err != nil {
		return err
	}
	if _, err := srv.Deposit(gas.Address, 2_500_000_000); err != nil {
		return err
	}
	for _, reference := range []string{"May", "June"} {
		sent, err := srv.Client().Transfers.Create(ctx, fund.Company, qredo.TransferRequest{
			WalletID: main.ID, Counterparty: string(payroll.ID), Reference: reference,
			Expires: qredo.TimeOf(srv.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: "BTC", Amount: 40_000_000},
		})
		if err != nil {
			return err
		}
		if reference == "May" {
			if err := srv.Approve(approver, string(sent.TxID)); err != nil {
				return err
			}
		}
	}
	return nil
}
