package qapi

import (
	"bytes"
	"context"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/wire"
)

// Account is the owner of the API key: an organization or a person. Fields that only the other kind has are empty. Web3 wallets
// need an organization, trusted parties a person.
type Account struct {
	ID         string      `json:"id"`
	Name       string      `json:"name"`
	Email      string      `json:"email"`
	PartnerAPI bool        `json:"partnerAPI"` // whether it may create Partner API keys
	APIKeys    UserAPIKeys `json:"userAPIKeys"`

	// For organizations.
	Domain         string       `json:"domain,omitzero"`
	Address        string       `json:"address,omitzero"`
	Members        []OrgMember  `json:"members,omitzero"`
	ConnectClients []string     `json:"connectClients,omitzero"`
	RPCNetworks    []RPCNetwork `json:"rpcNetworks,omitzero"`

	// For persons.
	Username      string `json:"username,omitzero"`
	DefaultFiat   string `json:"defaultFiat,omitzero"` // the currency shown in the app: "USD"
	TestnetAssets bool   `json:"testnetAssets,omitzero"`
}

// IsOrganization reports whether the account has fields that only organizations have.
func (a Account) IsOrganization() bool {
	return a.Domain != "" || a.Address != "" || a.Members != nil || a.ConnectClients != nil || a.RPCNetworks != nil
}

// OrgMember is a person of an organization.
type OrgMember struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Email    string `json:"email"`
	Name     string `json:"name"`
}

// RPCNetwork is a chain that Web3 transactions can be made for.
type RPCNetwork struct {
	Name    string `json:"name"`
	ChainID BigInt `json:"chainID"`
}

// UserAPIKey identifies an API key.
type UserAPIKey struct {
	KeyID string `json:"keyID"`
	Name  string `json:"name"`
}

// UserAPIKeys are the keys of an account. On the wire a person's keys are a list, and an organization's are a list inside an
// object that counts them.
type UserAPIKeys []UserAPIKey

type countedAPIKeys struct {
	Count int          `json:"number_of_keys"`
	Keys  []UserAPIKey `json:"user_api_keys"`
}

// UnmarshalJSON reads both forms.
func (k *UserAPIKeys) UnmarshalJSON(data []byte) error {
	if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return wire.Unmarshal(data, (*[]UserAPIKey)(k))
	}
	var counted countedAPIKeys
	if err := wire.Unmarshal(data, &counted); err != nil {
		return err
	}
	*k = counted.Keys
	return nil
}

// AccountService reads the account that the API key belongs to.
type AccountService struct{ client *Client }

type accountInfo struct {
	Settings Account `json:"settings"`
}

// Get returns the account that the API key belongs to.
//
// API: GET /account
func (s *AccountService) Get(ctx context.Context, opts ...qredo.CallOption) (*Account, error) {
	return part(ctx, s.client, api("GET /account"), opts, func(a *accountInfo) *Account { return &a.Settings })
}
