// Package demofund makes what most examples begin with, the programs and those of the documentation. The
// walkthrough has its steps one by one.
package demofund

import (
	"context"
	"errors"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// Fund is a fund of a company.
type Fund struct {
	Company qredo.CompanyID
	ID      qredo.FundID
	Wallets []qredo.Wallet // in the order of the requests for them
}

// New makes a company with a fund. Whatever leaves the fund must be approved by all approvers: people by
// their e-mail addresses, who get an account and accept as they would in the app, and core clients by their IDs.
func New(ctx context.Context, srv *sandbox.Server, company string, approvers []string, wallets ...qredo.WalletRequest) (*Fund, error) {
	client := srv.Client()
	made, err := client.Companies.Create(ctx, qredo.CompanyRequest{Name: company})
	if err != nil {
		return nil, err
	}
	for _, approver := range approvers {
		isPerson := strings.Contains(approver, "@")
		if isPerson {
			if _, err := srv.CreateUser(sandbox.User{Email: approver}); err != nil && !errors.Is(err, qredo.ErrConflict) {
				return nil, err
			}
		}
		if err := client.TrustedNetwork.Add(ctx, made.ID, qredo.TrustedPartyRequest{Address: approver}); err != nil {
			return nil, err
		}
		if isPerson { // a core client need not accept
			if err := srv.Accept(approver, made.ID); err != nil {
				return nil, err
			}
		}
	}
	trusted, err := client.TrustedNetwork.List(ctx, made.ID)
	if err != nil {
		return nil, err
	}
	group := &qredo.CustodyGroup{Threshold: len(trusted)}
	for _, party := range trusted {
		group.Members = append(group.Members, party.ID)
	}
	created, err := client.Funds.Create(ctx, made.ID, qredo.FundRequest{
		Name: "Treasury", CustodyGroupTx: group, CustodyGroupWithdraw: group, Wallets: wallets,
	})
	if err != nil {
		return nil, err
	}
	fund, err := client.Funds.Get(ctx, made.ID, created.ID)
	if err != nil {
		return nil, err
	}
	return &Fund{made.ID, fund.ID, fund.Wallets}, nil
}
