package clienttest

import "github.com/qredo-go/qredo"

// The people and programs of the fixtures, and the policies they are members of.
var (
	Alice = qredo.Entity{
		ID: AliceID, Name: "Alice Ames", AccountCode: aliceAccount, Initials: "AA", Type: qredo.TrustedPartyUser, Address: "alice@acme.example",
		User: &qredo.EntityUser{FirstName: "Alice", LastName: "Ames", Email: "alice@acme.example", Username: "alice", Partner: true},
	}
	Core = qredo.Entity{
		ID: CoreID, Name: "approver-1", AccountCode: CoreID, Initials: "C", Type: qredo.TrustedPartyCoreClient,
		CoreClient: &qredo.EntityCoreClient{Name: "approver-1"},
	}
	exchange = qredo.Entity{
		ID: ExchangeID, Name: "Exchange Ltd", AccountCode: exchangeAccount, Initials: "E", Type: qredo.TrustedPartyCompany,
		Owner: CompanyID, Address: "1 Exchange Square",
		Company: &qredo.EntityCompany{Name: "Exchange Ltd"},
	}
	WithdrawPolicy = qredo.Policy{
		ID: PolicyWithdrawID, Name: "Treasury Withdraw policy", Threshold: 2,
		Members:  []qredo.PolicyMember{{Entity: Alice}, {Dedicated: true, Entity: exchange}},
		EntityID: FundID, Locked: true, LockedTxID: lockingTxID, MembersCount: 2, WalletCount: 3,
		DedicatedWalletCount: 1, FundsCount: 1, Funds: []string{FundID},
	}
	TxPolicy = qredo.Policy{
		ID: PolicyTxID, Name: "Treasury Tx policy", Threshold: 1, Members: []qredo.PolicyMember{{Entity: Core}},
		EntityID: FundID, MembersCount: 1, WalletCount: 3, DedicatedWalletCount: 1, FundsCount: 1, Funds: []string{FundID},
	}
	TradingWallet = qredo.Wallet{
		ID: WalletID, Name: "Trading", Asset: "BTC-TESTNET", Type: qredo.WalletDedicated, Status: qredo.WalletReady,
		Address: BTCAddress, AddressType: "P2PKH", ShortCode: "lamp river stone", Balance: 150_000_000,
		CustodyGroupWithdraw: PolicyWithdrawID, CustodyGroupTx: PolicyTxID,
		PolicyWithdraw: &WithdrawPolicy, PolicyTx: &TxPolicy,
		Connected: []qredo.ConnectedAccount{
			{ClientID: "client-77", CounterpartyID: ExchangeID, Name: "Exchange Ltd", Status: qredo.ConnectionConnected},
		},
	}
)
