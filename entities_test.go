package qredo_test

import "github.com/qredo-go/qredo"

// The people and programs of the fixtures, and the policies they are members of.
var (
	alice = qredo.Entity{
		ID: aliceID, Name: "Alice Ames", AccountCode: aliceAccount, Initials: "AA", Type: qredo.TrustedPartyUser, Address: "alice@acme.example",
		User: &qredo.EntityUser{FirstName: "Alice", LastName: "Ames", Email: "alice@acme.example", Username: "alice", Partner: true},
	}
	core = qredo.Entity{
		ID: coreID, Name: "approver-1", AccountCode: coreID, Initials: "C", Type: qredo.TrustedPartyCoreClient,
		CoreClient: &qredo.EntityCoreClient{Name: "approver-1"},
	}
	exchange = qredo.Entity{
		ID: exchangeID, Name: "Exchange Ltd", AccountCode: exchangeAccount, Initials: "E", Type: qredo.TrustedPartyCompany,
		Owner: companyID, Address: "1 Exchange Square",
		Company: &qredo.EntityCompany{Name: "Exchange Ltd"},
	}
	withdrawPolicy = qredo.Policy{
		ID: policyWithdrawID, Name: "Treasury Withdraw policy", Threshold: 2,
		Members:  []qredo.PolicyMember{{Entity: alice}, {Dedicated: true, Entity: exchange}},
		EntityID: fundID, Locked: true, LockedTxID: lockingTxID, MembersCount: 2, WalletCount: 3,
		DedicatedWalletCount: 1, FundsCount: 1, Funds: []string{fundID},
	}
	txPolicy = qredo.Policy{
		ID: policyTxID, Name: "Treasury Tx policy", Threshold: 1, Members: []qredo.PolicyMember{{Entity: core}},
	}
	tradingWallet = qredo.Wallet{
		ID: walletID, Name: "Trading", Asset: "BTC-TESTNET", Type: qredo.WalletDedicated, Status: qredo.WalletReady,
		Address: btcAddress, AddressType: "P2PKH", ShortCode: "lamp river stone", Balance: 150_000_000,
		CustodyGroupWithdraw: policyWithdrawID, CustodyGroupTx: policyTxID,
		PolicyWithdraw: &withdrawPolicy, PolicyTx: &txPolicy,
		Connected: []qredo.ConnectedAccount{
			{ClientID: "client-77", CounterpartyID: exchangeID, Name: "Exchange Ltd", Status: qredo.ConnectionConnected},
		},
	}
)
