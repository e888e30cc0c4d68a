package main

import (
	"context"
	"errors"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox"
)

// demo starts a sandbox in which something has moved, and returns a client for its reports.
func demo(ctx context.Context) (*qapi.Client, func(), error) {
	srv, err := sandbox.Start()
	if err != nil {
		return nil, nil, err
	}
	client, err := qapi.NewClient(srv.HMACAuth(), qredo.WithBaseURL(srv.QAPIBaseURL()))
	if err = errors.Join(err, fill(ctx, srv)); err != nil {
		return nil, nil, errors.Join(err, srv.Close())
	}
	return client, func() { _ = srv.Close() }, nil
}

// fill makes a fund, deposits to it, and transfers within it: one transfer is done, another waits.
func fill(ctx context.Context, srv *sandbox.Server) error {
	const approver = "alice@acme.example"
	client := srv.Client()
	company, err := client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Acme", Domain: "acme.example"})
	if err != nil {
		return err
	}
	if err := client.TrustedNetwork.Add(ctx, company.ID, qredo.TrustedPartyRequest{Address: approver}); err != nil {
		return err
	}
	if err := srv.Accept(approver, company.ID); err != nil {
		return err
	}
	parties, err := client.TrustedNetwork.List(ctx, company.ID)
	if err != nil {
		return err
	}
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{parties[0].ID}}
	made, err := client.Funds.Create(ctx, company.ID, qredo.FundRequest{
		Name: "Treasury", CustodyGroupWithdraw: group, CustodyGroupTx: group,
		Wallets: []qredo.WalletRequest{{Name: "main", Asset: "BTC"}, {Name: "payroll", Asset: "BTC"}, {Name: "gas", Asset: "ETH"}},
	})
	if err != nil {
		return err
	}
	fund, err := client.Funds.Get(ctx, company.ID, made.ID)
	if err != nil {
		return err
	}
	wallets := fund.Wallets
	if _, err := srv.Deposit(wallets[0].Address, 150_000_000); err != nil {
		return err
	}
	if _, err := srv.Deposit(wallets[2].Address, 2_500_000_000); err != nil {
		return err
	}
	for _, reference := range []string{"May", "June"} {
		sent, err := client.Transfers.Create(ctx, company.ID, qredo.TransferRequest{
			WalletID: wallets[0].ID, Counterparty: string(wallets[1].ID), Reference: reference,
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
