package qredo

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// WalletType tells what a wallet is for, and how it is shared. Other values than these may come.
type WalletType int

// The kinds of wallets. The service makes vesting, external and fee wallets itself. One page has 3 for
// multi-counterparty wallets.
const (
	WalletStandard          WalletType = 0
	WalletDedicated         WalletType = 1 // connected to a counterparty, who also approves what leaves it
	WalletMultiCounterparty WalletType = 2 // connected to several counterparties, who do not approve
	WalletVesting           WalletType = 3
	WalletExternal          WalletType = 4 // for Web3 transactions and the like
	WalletFee               WalletType = 5
)

// WalletRequest is what a wallet is created from.
type WalletRequest struct {
	Name  string    `json:"name,omitzero"`
	Asset AssetCode `json:"asset"` // required: a wallet holds one asset
	// The wallet's own custody groups; without them the fund's approve.
	CustodyGroupWithdraw *CustodyGroup    `json:"custodygroup_withdraw,omitzero"`
	CustodyGroupTx       *CustodyGroup    `json:"custodygroup_tx,omitzero"`
	Type                 WalletType       `json:"type"`
	Connect              []ConnectRequest `json:"connect,omitzero"`
}

// ConnectRequest names an account at an exchange that a dedicated or multi-counterparty wallet is to be connected
// to.
type ConnectRequest struct {
	CounterpartyID string `json:"counterparty_id"`    // [Exchange].ID, which is a core client's
	ClientID       string `json:"client_id,omitzero"` // the customer's ID at the exchange
}

func validateWallets(wallets []WalletRequest) error {
	for i, w := range wallets {
		field := fmt.Sprintf("wallets[%d]", i)
		err := cmp.Or(
			checkText(field+".asset", w.Asset), w.CustodyGroupWithdraw.validate(field+".custodygroup_withdraw"),
			w.CustodyGroupTx.validate(field+".custodygroup_tx"))
		for j, account := range w.Connect {
			err = cmp.Or(err, checkText(fmt.Sprintf("%s.connect[%d].counterparty_id", field, j), account.CounterpartyID))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Wallet holds one asset.
type Wallet struct {
	ID                   WalletID           `json:"wallet_id" required:"true"`
	Name                 string             `json:"name"`
	Asset                AssetCode          `json:"asset"`
	Type                 WalletType         `json:"type"`
	Status               WalletStatus       `json:"status"`
	Address              string             `json:"address"` // on the asset's chain, for deposits
	AddressType          string             `json:"address_type"`
	ShortCode            string             `json:"short_code"` // three words with spaces between, which stand for the ID wherever a wallet is named
	Balance              Amount             `json:"balance"`
	CustodyGroupWithdraw PolicyID           `json:"custodygroup_withdraw"`
	CustodyGroupTx       PolicyID           `json:"custodygroup_tx"`
	PolicyWithdraw       *Policy            `json:"policy_withdraw,omitzero"`
	PolicyTx             *Policy            `json:"policy_tx,omitzero"`
	Connected            []ConnectedAccount `json:"connected,omitzero"`
}

// WalletStatus tells whether a wallet can be used. Other values than these may come.
type WalletStatus string

// The states of a wallet.
const (
	WalletReady    WalletStatus = "ready"
	WalletPending  WalletStatus = "pending" // a dedicated wallet whose counterparty has not decided
	WalletRejected WalletStatus = "rejected"
	WalletExpired  WalletStatus = "expired"
)

// ConnectedAccount is an account at an exchange that a wallet is connected to, or is to be.
type ConnectedAccount struct {
	ClientID       string           `json:"client_id"`       // the customer's ID at the exchange
	CounterpartyID string           `json:"counterparty_id"` // [Exchange].ID, which is a core client's
	Name           string           `json:"name"`
	Status         ConnectionStatus `json:"status"`
}

// ConnectionStatus tells how a connection stands. Other values than these may come.
type ConnectionStatus string

// The states of a connection.
const (
	ConnectionInitiated ConnectionStatus = "initiated" // the counterparty has not decided
	ConnectionConnected ConnectionStatus = "connected"
	ConnectionRejected  ConnectionStatus = "rejected"
	ConnectionExpired   ConnectionStatus = "expired"
)

// WalletsService tells what wallets hold and did.
type WalletsService struct{ client *Client }

// Get returns a wallet with its balance and policies. The account of a core client may also read, and see the
// history of, the wallets of others that are connected to it.
//
// API: GET /wallet/{wallet_id}
func (s *WalletsService) Get(ctx context.Context, walletID WalletID, opts ...CallOption) (*Wallet, error) {
	return call[Wallet](ctx, s.client, api("GET /wallet/{wallet_id}", string(walletID)), opts)
}

// MaxAmountOptions says what the maximum is asked for.
type MaxAmountOptions struct {
	// Pending counts the transactions in that wait for approval. Whether that makes the answer smaller or larger
	// the service's documents do not say: a careful program asks for both and takes the smaller.
	Pending bool    `url:"pending,int,omitempty"`
	Type    MaxType `url:"tx_type,omitempty"` // Default: transfer.
}

// MaxType is what the maximum amount is asked for.
type MaxType string

// What a maximum amount can be asked for.
const (
	MaxTransfer MaxType = "transfer"
	MaxWithdraw MaxType = "withdraw"
	MaxSwap     MaxType = "swap"
)

func (o MaxAmountOptions) validate(time.Time) error {
	return checkOneOf("tx_type", o.Type, "", MaxTransfer, MaxWithdraw, MaxSwap)
}

// GetMaxAmount returns the most that can be sent from a wallet now, and what that costs: send its NetAmount. A
// program that sends its AmountToSend is refused for want of the fee.
//
// API: GET /wallet/{wallet_id}/max
func (s *WalletsService) GetMaxAmount(ctx context.Context, walletID WalletID, options MaxAmountOptions, opts ...CallOption) (*Fees, error) {
	return call[Fees](ctx, s.client, api("GET /wallet/{wallet_id}/max", string(walletID)).where(options), opts)
}

// UpdatePolicy asks for another custody group of a wallet. The update itself waits for the approval of
// the group as it is; until then [WalletsService.Get] shows that. Only a wallet's own policy can be
// updated, not that of its fund.
//
// API: PUT /company/{company_id}/fund/{fund_id}/wallet/{wallet_id}/policy
func (s *WalletsService) UpdatePolicy(ctx context.Context, companyID CompanyID, fundID FundID, walletID WalletID, req PolicyRequest, opts ...CallOption) error {
	return s.client.run(ctx, api("PUT /company/{company_id}/fund/{fund_id}/wallet/{wallet_id}/policy", string(companyID), string(fundID), string(walletID)).with(req).deciding(), new(done), opts)
}

// Exchange is a counterparty that wallets can be connected to.
type Exchange struct {
	ID      string         `json:"id"`
	Name    string         `json:"name"`
	URL     string         `json:"url"`
	LogoURL string         `json:"logourl"`
	Client  ExchangeClient `json:"client,omitzero"`
}

// ExchangeClient says what an exchange wants to know of its client when a wallet is connected.
type ExchangeClient struct {
	Fields []ExchangeField `json:"fields"`
}

// ExchangeField is one thing that an exchange wants to know.
type ExchangeField struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Name string `json:"name"`
}

type exchangeList struct {
	Exchanges []Exchange `json:"exchanges"`
}

// ListExchanges returns the counterparties that wallets can be connected to.
//
// API: GET /exchanges
func (s *WalletsService) ListExchanges(ctx context.Context, opts ...CallOption) ([]Exchange, error) {
	return list(ctx, s.client, api("GET /exchanges"), opts, func(a *exchangeList) []Exchange { return a.Exchanges })
}
