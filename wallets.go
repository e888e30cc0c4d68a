package qredo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// WalletType says what a wallet is for, and how it is shared. The service may return other values.
type WalletType int

// The types of wallets. The service itself makes vesting, external and fee wallets. One page of its documentation uses 3 for
// multi-counterparty wallets.
const (
	WalletStandard          WalletType = 0
	WalletDedicated         WalletType = 1 // connected to a counterparty, who also approves what leaves it
	WalletMultiCounterparty WalletType = 2 // connected to several counterparties, who do not approve
	WalletVesting           WalletType = 3
	WalletExternal          WalletType = 4 // for Web3 transactions and similar
	WalletFee               WalletType = 5
)

// WalletRequest describes a wallet to create.
type WalletRequest struct {
	Name  string    `json:"name,omitzero"`
	Asset AssetCode `json:"asset"` // required: a wallet holds one asset
	// The wallet's own custody groups; if nil, the fund's groups apply.
	CustodyGroupWithdraw *CustodyGroup    `json:"custodygroup_withdraw,omitzero"`
	CustodyGroupTx       *CustodyGroup    `json:"custodygroup_tx,omitzero"`
	Type                 WalletType       `json:"type"`
	Connect              []ConnectRequest `json:"connect,omitzero"`
}

// ConnectRequest names an account at an exchange to which a dedicated or multi-counterparty wallet should be connected.
type ConnectRequest struct {
	CounterpartyID string `json:"counterparty_id"`    // [Exchange].ID, which is the ID of a core client
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
	ShortCode            string             `json:"short_code"` // three words with spaces between, usable in place of the ID
	Balance              Amount             `json:"balance"`
	CustodyGroupWithdraw PolicyID           `json:"custodygroup_withdraw"`
	CustodyGroupTx       PolicyID           `json:"custodygroup_tx"`
	PolicyWithdraw       *Policy            `json:"policy_withdraw,omitzero"`
	PolicyTx             *Policy            `json:"policy_tx,omitzero"`
	Connected            []ConnectedAccount `json:"connected,omitzero"`
}

// WalletStatus says whether a wallet can be used. The service may return other values.
type WalletStatus string

// The states of a wallet.
const (
	WalletReady    WalletStatus = "ready"
	WalletPending  WalletStatus = "pending" // a dedicated wallet whose counterparty has not decided yet
	WalletRejected WalletStatus = "rejected"
	WalletExpired  WalletStatus = "expired"
)

// ConnectedAccount is an account at an exchange that a wallet is, or will be, connected to.
type ConnectedAccount struct {
	ClientID       string           `json:"client_id"`       // the customer's ID at the exchange
	CounterpartyID string           `json:"counterparty_id"` // [Exchange].ID, which is the ID of a core client
	Name           string           `json:"name"`
	Status         ConnectionStatus `json:"status"`
}

// ConnectionStatus is the state of a connection. The service may return other values.
type ConnectionStatus string

// The states of a connection.
const (
	ConnectionInitiated ConnectionStatus = "initiated" // the counterparty has not decided yet
	ConnectionConnected ConnectionStatus = "connected"
	ConnectionRejected  ConnectionStatus = "rejected"
	ConnectionExpired   ConnectionStatus = "expired"
)

// WalletsService reads wallets: their balances, policies and histories.
type WalletsService struct{ client *Client }

// Get returns a wallet with its balance and policies. A core client's account can also read the wallets of others that are
// connected to it, and their history.
//
// API: GET /wallet/{wallet_id}
func (s *WalletsService) Get(ctx context.Context, walletID WalletID, opts ...CallOption) (*Wallet, error) {
	return call[Wallet](ctx, s.client, api("GET /wallet/{wallet_id}", string(walletID)), opts)
}

// Ensure returns the fund's wallet with the request's asset and name, and creates it if it does not exist; made says whether it
// did. A fund can have several wallets for an asset, and one without a name. Fields left empty in the request are not compared,
// except the type. If the wallet differs, or can never be used because its counterparty did not accept, it is left as it is:
// Ensure returns it with a [*DifferenceError]. [WalletsService.UpdatePolicy] asks for other custody groups; nothing else can be
// changed. If there are two, you get a [*DuplicateError]. See [CompaniesService.Ensure] about several programs at once and lost
// answers.
//
// API: GET /company/{company_id}/fund/{fund_id}
// API: POST /company/{company_id}/fund/{fund_id}/wallet
// API: GET /wallet/{wallet_id}
func (s *WalletsService) Ensure(ctx context.Context, companyID CompanyID, fundID FundID, req WalletRequest, opts ...CallOption) (wallet *Wallet, made bool, err error) {
	funds := s.client.Funds
	if err := validateWallets([]WalletRequest{req}); err != nil {
		return nil, false, err
	}
	e := ensuring[Wallet]{
		kind: "wallet", key: fmt.Sprintf("asset %q and name %q", req.Asset, req.Name), within: "wallets of " + string(fundID),
		find: func(ctx context.Context) ([]string, error) {
			fund, err := funds.Get(ctx, companyID, fundID, opts...)
			if err != nil {
				return nil, err
			}
			return req.meant(fund.Wallets), nil
		},
		create: func(ctx context.Context, opts ...CallOption) (string, error) {
			ids, err := funds.AddWallets(ctx, companyID, fundID, []WalletRequest{req}, opts...)
			if err != nil || len(ids) != 1 {
				return "", err
			}
			return string(ids[0]), nil
		},
		get:     func(ctx context.Context, id string) (*Wallet, error) { return s.Get(ctx, WalletID(id), opts...) },
		compare: func(is *Wallet) (d differences) { d.wallet("", is, req); return d },
		remedy:  "Wallets.UpdatePolicy asks for other custody groups, nothing changes the rest",
	}
	return e.run(ctx, s.client, opts)
}

// meant returns the wallets that a request may mean.
func (r WalletRequest) meant(wallets []Wallet) (ids []string) {
	of := slices.DeleteFunc(slices.Clone(wallets), func(w Wallet) bool { return w.Asset != r.Asset })
	for _, w := range namesakes(of, r.Name, func(w Wallet) string { return w.Name }) {
		ids = append(ids, string(w.ID))
	}
	return ids
}

// wallet compares a wallet, whose fields are told below a path.
func (d *differences) wallet(path string, is *Wallet, wanted WalletRequest) {
	d.text(path+"name", is.Name, wanted.Name)
	d.text(path+"type", strconv.Itoa(int(is.Type)), strconv.Itoa(int(wanted.Type)))
	d.group(path+"custodygroup_withdraw", is.PolicyWithdraw, wanted.CustodyGroupWithdraw)
	d.group(path+"custodygroup_tx", is.PolicyTx, wanted.CustodyGroupTx)
	for i, to := range wanted.Connect {
		connected := slices.ContainsFunc(is.Connected, func(c ConnectedAccount) bool {
			return c.CounterpartyID == to.CounterpartyID && (to.ClientID == "" || c.ClientID == to.ClientID)
		})
		if !connected {
			d.text(fmt.Sprintf("%sconnect[%d]", path, i), "", strings.TrimSpace(to.CounterpartyID+" "+to.ClientID))
		}
	}
	if is.Status == WalletRejected || is.Status == WalletExpired {
		d.text(path+"status", string(is.Status), string(WalletReady))
	}
}

// MaxAmountOptions says what [WalletsService.GetMaxAmount] calculates.
type MaxAmountOptions struct {
	// Pending takes into account the transactions that are waiting for approval. The service's documents do not say whether
	// that makes the answer smaller or larger: to be safe, ask for both and take the smaller.
	Pending bool    `url:"pending,int,omitempty"`
	Type    MaxType `url:"tx_type,omitempty"` // Default: transfer.
}

// MaxType is the kind of transaction that the maximum amount is for.
type MaxType string

// The kinds of transactions that a maximum amount can be for.
const (
	MaxTransfer MaxType = "transfer"
	MaxWithdraw MaxType = "withdraw"
	MaxSwap     MaxType = "swap"
)

func (o MaxAmountOptions) validate(time.Time) error {
	return checkOneOf("tx_type", o.Type, "", MaxTransfer, MaxWithdraw, MaxSwap)
}

// GetMaxAmount returns the most that can be sent from a wallet now, and what that costs. Send its NetAmount: if you send its
// AmountToSend, you are refused because the fee is not covered. Transactions that wait for approval may already hold some of
// it: see [MaxAmountOptions].
//
// API: GET /wallet/{wallet_id}/max
func (s *WalletsService) GetMaxAmount(ctx context.Context, walletID WalletID, options MaxAmountOptions, opts ...CallOption) (*Fees, error) {
	return call[Fees](ctx, s.client, api("GET /wallet/{wallet_id}/max", string(walletID)).where(options), opts)
}

// UpdatePolicy asks for another custody group for a wallet. The update itself has to be approved by the current group; until
// then [WalletsService.Get] shows it as pending. Only a wallet's own policy can be updated, not its fund's.
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

// ExchangeClient lists what an exchange wants to know about its client when a wallet is connected.
type ExchangeClient struct {
	Fields []ExchangeField `json:"fields"`
}

// ExchangeField is one item that an exchange wants to know.
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

// withWallets waits until a fund whose making has no clear answer has the wallets that it was to be made with.
func (s *FundsService) withWallets(ctx context.Context, companyID CompanyID, fund *Fund, wanted []WalletRequest, opts []CallOption) (*Fund, error) {
	look, lacking := 0, 0
	err := Poll(ctx, func() (still string, err error) {
		if look++; look > 1 {
			if fund, err = s.Get(ctx, companyID, fund.ID, opts...); err != nil {
				return "", err
			}
		}
		lacking = 0
		for _, w := range wanted {
			if len(w.meant(fund.Wallets)) == 0 {
				lacking++
			}
		}
		if lacking == 0 || look == looks {
			return "", nil
		}
		return fmt.Sprintf("fund %s has no such wallets", fund.ID), nil
	}, opts...)
	if err == nil && lacking > 0 {
		err = fmt.Errorf("qredo: fund %s is there, and %d of its wallets are not: whether its making still brings them is not known; call Ensure again later: %w", fund.ID, lacking, ErrOutcomeUnknown)
	}
	return fund, err
}
