package qredotest

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/qredo-go/qredo"
)

// calls make the call of each fixture, by the method's name.
type calls map[string]func(ctx context.Context, c *qredo.Client, f Fixture) (any, error)

func (c calls) names() []string {
	return slices.Concat(slices.Collect(maps.Keys(c)), slices.Collect(maps.Keys(partnerEvents)))
}

// partnerEvents read the message of each feed.
var partnerEvents = map[string]func(message []byte) (any, error){
	"CoreClients.Feed":  event[qredo.Action],
	"SigningAgent.Feed": event[qredo.Action],
	"Swaps.Feed":        event[qredo.SwapEvent],
	"Wallets.Feed":      event[qredo.WalletEvent],
}

func event[E any](message []byte) (any, error) {
	var e E
	err := qredo.Unmarshal(message, &e)
	return e, err
}

// newClient returns a client that sends every request to transport, once and unsigned, at the time of the fixtures.
func newClient(transport http.RoundTripper, opts ...qredo.Option) (*qredo.Client, error) {
	auth, err := qredo.NewProofAuth(func(string, string, []byte, time.Time) (string, error) { return "proof", nil })
	if err != nil {
		return nil, err
	}
	return qredo.NewClient(auth, append([]qredo.Option{
		qredo.WithBaseURL(baseURL), qredo.WithHTTPClient(&http.Client{Transport: transport}), qredo.WithClock(FixtureTime),
	}, opts...)...)
}

// baseURL is a service that nobody can reach.
const baseURL = "https://qredo.invalid/api/v1/p"

var partnerCalls = calls{
	"Assets.List": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) { return c.Assets.List(ctx) },
	"Assets.GetFees": func(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
		return c.Assets.GetFees(ctx, body[qredo.FeesRequest](f))
	},
	"Companies.Create": func(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
		return c.Companies.Create(ctx, body[qredo.CompanyRequest](f))
	},
	"Companies.Get": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.Companies.Get(ctx, CompanyID)
	},
	"Companies.ListHoldings": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.Companies.ListHoldings(ctx, CompanyID)
	},
	"Companies.Search": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.Companies.Search(ctx, "acme & co")
	},
	"Companies.Update": func(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
		return c.Companies.Update(ctx, CompanyID, body[qredo.CompanyUpdate](f))
	},
	"CoreClients.Approve": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return nil, c.CoreClients.Approve(ctx, CoreClientID, ActionID)
	},
	"CoreClients.Create": func(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
		return c.CoreClients.Create(ctx, body[struct{ Name string }](f).Name)
	},
	"CoreClients.GetAction": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.CoreClients.GetAction(ctx, CoreClientID, ActionID)
	},
	"CoreClients.GetSweep": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.CoreClients.GetSweep(ctx, CoreClientID, TransferID)
	},
	"CoreClients.List": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) { return c.CoreClients.List(ctx) },
	"CoreClients.ListActions": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.CoreClients.ListActions(ctx, CoreClientID)
	},
	"CoreClients.ListWallets": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.CoreClients.ListWallets(ctx, CoreClientID)
	},
	"CoreClients.Register": func(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
		return c.CoreClients.Register(ctx, body[qredo.AgentRequest](f))
	},
	"CoreClients.Reject": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return nil, c.CoreClients.Reject(ctx, CoreClientID, ActionID)
	},
	"CoreClients.Sign": func(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
		return c.CoreClients.Sign(ctx, CoreClientID, body[qredo.VerifyRequest](f).MessageHashHex)
	},
	"CoreClients.Sweep": func(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
		return c.CoreClients.Sweep(ctx, CoreClientID, body[qredo.SweepRequest](f))
	},
	"CoreClients.Verify": func(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
		return nil, c.CoreClients.Verify(ctx, body[qredo.VerifyRequest](f))
	},
	"Funds.AddAssets": func(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
		return c.Funds.AddAssets(ctx, CompanyID, FundID, body[struct{ Assets []qredo.AssetCode }](f).Assets)
	},
	"Funds.AddToWhitelist": func(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
		return nil, c.Funds.AddToWhitelist(ctx, CompanyID, FundID, body[qredo.WhitelistEntry](f))
	},
	"Funds.AddWallets": func(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
		return c.Funds.AddWallets(ctx, CompanyID, FundID, body[struct{ Wallets []qredo.WalletRequest }](f).Wallets)
	},
	"Funds.Create": func(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
		return c.Funds.Create(ctx, CompanyID, body[qredo.FundRequest](f))
	},
	"Funds.Get": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.Funds.Get(ctx, CompanyID, FundID)
	},
	"Funds.ListDepositAddresses": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.Funds.ListDepositAddresses(ctx, CompanyID, FundID)
	},
	"Funds.ListLedger": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.Funds.ListLedger(ctx, CompanyID, FundID, qredo.LedgerOptions{Asset: "BTC-TESTNET", WalletID: WalletID, Direction: qredo.DirectionOut, Offset: 4, Limit: 2})
	},
	"Funds.ListWhitelist": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.Funds.ListWhitelist(ctx, CompanyID, FundID, qredo.WhitelistOptions{Asset: "BTC-TESTNET", Address: WhitelistedAddress})
	},
	"Funds.Search": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.Funds.Search(ctx, CompanyID, "Trésor")
	},
	"SigningAgent.Approve": func(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
		return nil, c.SigningAgent.Approve(ctx, ActionID, body[struct{ Signatures []string }](f).Signatures)
	},
	"SigningAgent.Finish": func(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
		return c.SigningAgent.Finish(ctx, body[struct{ IDDocSignatureHex string }](f).IDDocSignatureHex)
	},
	"SigningAgent.GetMessages": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.SigningAgent.GetMessages(ctx, ActionID)
	},
	"SigningAgent.Reject": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return nil, c.SigningAgent.Reject(ctx, ActionID)
	},
	"Swaps.CancelMake": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return nil, c.Swaps.CancelMake(ctx, CompanyID, TransferID)
	},
	"Swaps.GetMake": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.Swaps.GetMake(ctx, CompanyID, TransferID)
	},
	"Swaps.GetTake": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.Swaps.GetTake(ctx, CompanyID, WithdrawalID)
	},
	"Swaps.ListHub": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.Swaps.ListHub(ctx, CompanyID)
	},
	"Swaps.ListHubAll": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) { return c.Swaps.ListHubAll(ctx) },
	"Swaps.Make": func(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
		return c.Swaps.Make(ctx, CompanyID, body[qredo.SwapRequest](f))
	},
	"Swaps.Publish": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return nil, c.Swaps.Publish(ctx, CompanyID, TransferID)
	},
	"Swaps.Take": func(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
		return c.Swaps.Take(ctx, CompanyID, body[qredo.TakeRequest](f))
	},
	"Transfers.Create": func(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
		return c.Transfers.Create(ctx, CompanyID, body[qredo.TransferRequest](f))
	},
	"Transfers.Get": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.Transfers.Get(ctx, CompanyID, TransferID)
	},
	"Transfers.GetWithdrawal": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.Transfers.GetWithdrawal(ctx, CompanyID, WithdrawalID)
	},
	"Transfers.Withdraw": func(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
		return c.Transfers.Withdraw(ctx, CompanyID, body[qredo.WithdrawalRequest](f))
	},
	"TrustedNetwork.Add": func(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
		return nil, c.TrustedNetwork.Add(ctx, CompanyID, body[qredo.TrustedPartyRequest](f))
	},
	"TrustedNetwork.List": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.TrustedNetwork.List(ctx, CompanyID)
	},
	"TrustedNetwork.Remove": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return nil, c.TrustedNetwork.Remove(ctx, CompanyID, TrustedID)
	},
	"Wallets.Get": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.Wallets.Get(ctx, WalletID)
	},
	"Wallets.GetMaxAmount": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.Wallets.GetMaxAmount(ctx, WalletID, qredo.MaxAmountOptions{Type: qredo.MaxWithdraw, Pending: true})
	},
	"Wallets.ListExchanges": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.Wallets.ListExchanges(ctx)
	},
	"Wallets.ListHistory": func(ctx context.Context, c *qredo.Client, _ Fixture) (any, error) {
		return c.Wallets.ListHistory(ctx, WalletID, qredo.HistoryOptions{Since: qredo.Unix(1668000000)})
	},
	"Wallets.UpdatePolicy": func(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
		return nil, c.Wallets.UpdatePolicy(ctx, CompanyID, FundID, WalletID, body[qredo.PolicyRequest](f))
	},
}
