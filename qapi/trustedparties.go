package qapi

import (
	"context"

	"github.com/qredo-go/qredo"
)

// TrustedParty is another person whom a personal account trusts to approve.
type TrustedParty struct {
	UserID    string     `json:"userID"`
	FirstName string     `json:"firstName"`
	LastName  string     `json:"lastName"`
	Email     string     `json:"email"`
	Username  string     `json:"username"`
	Internal  bool       `json:"internal"` // legacy; undocumented
	Pending   bool       `json:"pending"`  // they have not accepted yet
	Created   qredo.Time `json:"created"`  // when they accepted
}

// TrustedPartiesService lists the people that a personal account trusts.
type TrustedPartiesService struct{ client *Client }

type trustedParties struct {
	Members []TrustedParty `json:"members"`
}

// List returns the people that a personal account trusts or has asked to join, without its owner. An organization's key is
// refused; the status is not documented. The sandbox returns [qredo.ErrBadRequest].
//
// API: GET /trustedparties
func (s *TrustedPartiesService) List(ctx context.Context, opts ...qredo.CallOption) ([]TrustedParty, error) {
	return part(ctx, s.client, api("GET /trustedparties"), opts, func(a *trustedParties) []TrustedParty { return a.Members })
}
