package main

import (
	"context"

	"github.com/qredo-go/qredo"
)

const asset = qredo.AssetCode("BTC-TESTNET")

// Custody is where customers' money is.
type Custody struct {
	Company  qredo.CompanyID
	Fund     qredo.FundID
	Approver qredo.CoreClientID
}

// SetUp makes what is missing of it. Either the approver or the officer, by their e-mail address, has to approve what leaves it.
func SetUp(ctx context.Context, client *qredo.Client, officer string) (*Custody, error) {
	company, _, err := client.Companies.Ensure(ctx, qredo.CompanyRequest{Name: "Example Exchange", Ref: "exchange"})
	if err != nil {
		return nil, err
	}
	robot, _, err := client.CoreClients.Ensure(ctx, "Exchange's approver")
	if err != nil {
		return nil, err
	}
	group := &qredo.CustodyGroup{Threshold: 1}
	for _, address := range []string{string(robot.ID), officer} {
		party, _, err := client.TrustedNetwork.Ensure(ctx, company.ID, qredo.TrustedPartyRequest{Address: address})
		if err != nil {
			return nil, err
		}
		group.Members = append(group.Members, party.ID)
	}
	fund, _, err := client.Funds.Ensure(ctx, company.ID, qredo.FundRequest{Name: "Customers", CustodyGroupTx: group, CustodyGroupWithdraw: group})
	if err != nil {
		return nil, err
	}
	return &Custody{Company: company.ID, Fund: fund.ID, Approver: robot.ID}, nil
}
