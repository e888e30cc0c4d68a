package qredo

import (
	"context"
	"fmt"
	"net/http"

	"github.com/qredo-go/qredo/internal/wire"
)

// WalletType tells how a wallet is shared. Other values than these may come.
type WalletType int

// The kinds of wallets.
const (
	WalletStandard          WalletType = 0
	WalletDedicated         WalletType = 1 // connected to a counterparty, who also approves what leaves it
	WalletMultiCounterparty WalletType = 2 // connected to several counterparties
)

// WalletRequest is what a wallet is created from.
type WalletRequest struct {
	Name  string    `json:"name,omitzero"`
	Asset AssetCode `json:"asset"` // required: a wallet holds one asset
	// The wallet's own custody groups; without them the fund's approve.
	CustodyGroupWithdraw *CustodyGroup    `json:"custodygroup_withdraw,omitzero"`
	CustodyGroupTx       *CustodyGroup    `json:"custodygroup_tx,omitzero"`
	Type                 WalletType       `json:"type"`
	Connect              []ConnectAccount `json:"connect,omitzero"`
}

// ConnectAccount names an account that a dedicated or multi-counterparty wallet is to be connected to.
type ConnectAccount struct {
	CounterpartyID string `json:"counterparty_id"`
	ClientID       string `json:"client_id,omitzero"`
}

func validateWallets(wallets []WalletRequest) error {
	for i, w := range wallets {
		field := fmt.Sprintf("wallets[%d]", i)
		if w.Asset == "" {
			return invalid(field+".asset", "must not be empty")
		}
		if err := w.CustodyGroupWithdraw.validate(field + ".custodygroup_withdraw"); err != nil {
			return err
		}
		if err := w.CustodyGroupTx.validate(field + ".custodygroup_tx"); err != nil {
			return err
		}
		for j, account := range w.Connect {
			if account.CounterpartyID == "" {
				return invalid(fmt.Sprintf("%s.connect[%d].counterparty_id", field, j), "must not be empty")
			}
		}
	}
	return nil
}

// Wallet holds one asset.
type Wallet struct {
	ID                   WalletID           `json:"wallet_id"`
	Name                 string             `json:"name"`
	Asset                AssetCode          `json:"asset"`
	Type                 WalletType         `json:"type"`
	Status               WalletStatus       `json:"status"`
	Address              string             `json:"address"` // on the asset's chain, for deposits
	AddressType          string             `json:"address_type"`
	ShortCode            string             `json:"short_code"` // three words that stand for the ID in transfers
	Balance              Amount             `json:"balance"`
	CustodyGroupWithdraw PolicyID           `json:"custodygroup_withdraw"`
	CustodyGroupTx       PolicyID           `json:"custodygroup_tx"`
	PolicyWithdraw       *Policy            `json:"policy_withdraw,omitzero"`
	PolicyTx             *Policy            `json:"policy_tx,omitzero"`
	Connected            []ConnectedAccount `json:"connected,omitzero"`
}

func (w *Wallet) missing() string { return missingIfEmpty("wallet_id", w.ID) }

// WalletStatus tells whether a wallet can be used. Other values than these may come.
type WalletStatus string

// The states of a wallet.
const (
	WalletReady    WalletStatus = "ready"
	WalletPending  WalletStatus = "pending"
	WalletRejected WalletStatus = "rejected"
	WalletExpired  WalletStatus = "expired"
)

// ConnectedAccount is an account that a wallet is connected to.
type ConnectedAccount struct {
	ClientID       string `json:"client_id"`
	CounterpartyID string `json:"counterparty_id"`
	Name           string `json:"name"`
	Status         string `json:"status"`
}

// Policy says who approves what leaves a fund or wallet: Threshold of the Members.
type Policy struct {
	ID        PolicyID       `json:"id"`
	Name      string         `json:"name"`
	Threshold int            `json:"threshold"`
	Members   []PolicyMember `json:"members"`

	EntityID             string   `json:"entityID,omitzero"`
	Locked               bool     `json:"locked,omitzero"` // an update of the policy waits for approval
	LockedTxID           TxID     `json:"lockedTxID,omitzero"`
	MembersCount         int      `json:"membersCount,omitzero"`
	WalletCount          int      `json:"walletCount,omitzero"`
	DedicatedWalletCount int      `json:"dedicatedWalletCount,omitzero"`
	FundsCount           int      `json:"fundsCount,omitzero"`
	Funds                []string `json:"funds,omitzero"`
}

// PolicyMember is one approver. A dedicated member is the counterparty of a dedicated wallet.
type PolicyMember struct {
	Dedicated bool   `json:"dedicated"`
	Entity    Entity `json:"entity"`
}

// UnmarshalJSON reads a member; the service's schema has the entity itself in its place.
func (m *PolicyMember) UnmarshalJSON(data []byte) error {
	var wrapped struct {
		Dedicated bool    `json:"dedicated"`
		Entity    *Entity `json:"entity"`
	}
	if err := wire.Unmarshal(data, &wrapped); err != nil {
		return err
	}
	*m = PolicyMember{Dedicated: wrapped.Dedicated}
	if wrapped.Entity == nil {
		return wire.Unmarshal(data, &m.Entity)
	}
	m.Entity = *wrapped.Entity
	return nil
}

// Entity is a user, company or core client.
type Entity struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	AccountCode string            `json:"accountCode"`
	Initials    string            `json:"initials"`
	Type        TrustedPartyType  `json:"type"`
	User        *EntityUser       `json:"user,omitzero"`
	Company     *EntityCompany    `json:"company,omitzero"`
	CoreClient  *EntityCoreClient `json:"coreClient,omitzero"`
}

// EntityUser is what is known of an entity that is a user.
type EntityUser struct {
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Email     string `json:"email"`
	Username  string `json:"username"`
}

// EntityCompany is what is known of an entity that is a company.
type EntityCompany struct {
	Name string `json:"name"`
}

// EntityCoreClient is what is known of an entity that is a core client.
type EntityCoreClient struct {
	Name string `json:"name"`
}

// FundMember is an entity with its rights in a fund.
type FundMember struct {
	Entity      Entity      `json:"entity"`
	Permissions Permissions `json:"permissions"`
}

// Permissions are what a member may do in a fund.
type Permissions struct {
	Admin    bool `json:"admin"`
	Withdraw bool `json:"withdraw"`
	Transfer bool `json:"transfer"`
	Swap     bool `json:"swap"`
}

// HistoryEntry is a movement of a wallet that is done. Amounts are signed: what left the wallet is
// negative, what came is positive, and Amount = NetAmount + Fee.
type HistoryEntry struct {
	WalletID  WalletID  `json:"wallet_id"`
	TxID      TxID      `json:"tx_id"`
	ChainTxID string    `json:"chain_tx_id"`
	Asset     AssetCode `json:"asset"`
	Amount    Amount    `json:"amount"`
	Fee       Amount    `json:"fee"`
	NetAmount Amount    `json:"net_amount"`
	Time      Time      `json:"timestamp"`
}

type walletHistory struct {
	History []HistoryEntry `json:"history"`
}

// HistoryOptions selects history entries.
type HistoryOptions struct {
	Since Time `url:"since,omitempty"` // entries from this moment on; all if zero
}

// WalletsService tells what wallets hold and did.
type WalletsService struct{ client *Client }

// Get returns a wallet with its balance and policies.
//
// API: GET /wallet/{wallet_id}
func (s *WalletsService) Get(ctx context.Context, walletID WalletID, opts ...CallOption) (*Wallet, error) {
	return call[Wallet](ctx, s.client, operation{
		method: http.MethodGet, path: "/wallet/{wallet_id}", ids: []string{string(walletID)},
	}, opts)
}

// History returns what moved in a wallet.
//
// API: GET /wallet/{wallet_id}/history
func (s *WalletsService) History(ctx context.Context, walletID WalletID, options HistoryOptions, opts ...CallOption) ([]HistoryEntry, error) {
	answer, err := call[walletHistory](ctx, s.client, operation{
		method: http.MethodGet, path: "/wallet/{wallet_id}/history", ids: []string{string(walletID)}, query: options,
	}, opts)
	if err != nil {
		return nil, err
	}
	return answer.History, nil
}
