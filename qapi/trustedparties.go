package qapi

import (
	"context"

	"github.com/qredo-go/qredo"
)

// TrustedParty is a person whom the account trusts to approve.
type TrustedParty struct {
	UserID    string     `json:"userID"`
	FirstName string     `json:"firstName"`
	LastName  string     `json:"lastName"`
	Email     string     `json:"email"`
	Username  string     `json:"username"`
	Internal  bool       `json:"internal"` // belongs to the account's own organization
	Pending   bool       `json:"pending"`  // has not accepted yet
	Created   qredo.Time `json:"created"`
}

// TrustedPartiesService tells whom an account trusts.
type TrustedPartiesService struct{ client *Client }

type trustedParties struct {
	Members []TrustedParty `json:"members"`
}

// List returns those whom the account trusts or has asked to join.
//
// API: GET /trustedparties
func (s *TrustedPartiesService) List(ctx context.Context, opts ...qredo.CallOption) ([]TrustedParty, error) {
	return part(ctx, s.client, api("GET /trustedparties"), opts, func(a *trustedParties) []TrustedParty { return a.Members })
}
