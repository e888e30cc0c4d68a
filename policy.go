package qredo

import (
	"cmp"
	"time"
)

// Policy says who approves what leaves a fund or wallet: Threshold of the Members.
type Policy struct {
	ID        PolicyID       `json:"id"`
	Name      string         `json:"name"`
	Threshold int            `json:"threshold"`
	Members   []PolicyMember `json:"members"`

	EntityID             string   `json:"entityID"`
	Locked               bool     `json:"locked"` // an update of the policy waits for approval
	LockedTxID           TxID     `json:"lockedTxID"`
	MembersCount         int      `json:"membersCount"`
	WalletCount          int      `json:"walletCount"`
	DedicatedWalletCount int      `json:"dedicatedWalletCount"`
	FundsCount           int      `json:"fundsCount"`
	Funds                []string `json:"funds"`
}

// PolicyMember is one approver. A dedicated member is the counterparty of a dedicated wallet.
type PolicyMember struct {
	Dedicated bool   `json:"dedicated"`
	Entity    Entity `json:"entity" bare:"true"` // the service's schema has the entity itself as the member
}

// Entity is a user, company or core client.
type Entity struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	AccountCode string            `json:"accountCode"` // equals ID for core clients only
	Initials    string            `json:"initials"`
	Type        TrustedPartyType  `json:"type"`
	Owner       string            `json:"owner,omitzero"`   // of an organization or agent: whose it is
	Address     string            `json:"address,omitzero"` // e-mail or postal
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
	Partner   bool   `json:"partner,omitzero"`
}

// EntityCompany is what is known of an entity that is a company.
type EntityCompany struct {
	Name string `json:"name"`
}

// EntityCoreClient is what is known of an entity that is a core client.
type EntityCoreClient struct {
	Name string `json:"name"`
}

// FundMember is an entity with its rights in a fund: in the service's examples the company that owns it, as its
// administrator. Who approves is in the policies.
type FundMember struct {
	Entity      Entity      `json:"entity"`
	Permissions Permissions `json:"permissions"`
}

// Permissions are what a member may do in a fund.
type Permissions struct {
	Admin    bool `json:"admin,omitzero"`
	Withdraw bool `json:"withdraw,omitzero"` // initiate withdrawals
	Transfer bool `json:"transfer,omitzero"` // initiate transfers
	Swap     bool `json:"swap,omitzero"`     // initiate swaps
}

// PolicyType tells which of a wallet's policies is meant.
type PolicyType string

// The policies of a wallet.
const (
	PolicyTx       PolicyType = "policy-tx"
	PolicyWithdraw PolicyType = "policy-withdraw"
)

// PolicyRequest is what a wallet's policy is changed to.
type PolicyRequest struct {
	PolicyID  PolicyID          `json:"policy_id"` // the policy as it is
	Threshold int               `json:"threshold"`
	Members   []TrustedEntityID `json:"members"`
	Type      PolicyType        `json:"type"`
}

func (r PolicyRequest) validate(time.Time) error {
	group := CustodyGroup{Threshold: r.Threshold, Members: r.Members}
	return cmp.Or(checkOneOf("type", r.Type, PolicyTx, PolicyWithdraw), checkText("policy_id", r.PolicyID), group.validate(""))
}
