// Package forms writes what both APIs say alike: times, people, custody groups and what wallets are connected to.
package forms

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// Time is a moment as the APIs have it: to the second.
func Time(t time.Time) qredo.Time { return qredo.Unix(t.Unix()) }

// PolicyID is the ID of a policy, empty where there is none.
func PolicyID(p *custody.Policy) qredo.PolicyID {
	if p == nil {
		return ""
	}
	return qredo.PolicyID(p.ID)
}

// Policy is a custody group with its members, nil where there is none.
func Policy(v *world.View, p *custody.Policy) *qredo.Policy {
	if p == nil {
		return nil
	}
	policy := &qredo.Policy{
		ID: qredo.PolicyID(p.ID), Name: p.Name, Threshold: p.Threshold, MembersCount: len(p.Members),
		Members: make([]qredo.PolicyMember, len(p.Members)),
	}
	for i, id := range p.Members {
		policy.Members[i].Entity = Entity(v, id)
	}
	return policy
}

// WalletPolicy is who approves what leaves a wallet, with what is particular to the wallet: its counterparty, and
// a waiting update.
func WalletPolicy(v *world.View, w *world.Wallet, t qredo.PolicyType) *qredo.Policy {
	p := w.Policy(t)
	policy := Policy(v, p)
	if policy == nil {
		return nil
	}
	for _, id := range w.DedicatedTo() {
		if i := slices.Index(p.Members, id); i >= 0 { // in the group too: shown once
			policy.Members[i].Dedicated = true
			continue
		}
		policy.Members = append(policy.Members, qredo.PolicyMember{Dedicated: true, Entity: Entity(v, id)})
	}
	policy.MembersCount = len(policy.Members)
	if update := w.WaitingUpdate(t); update != nil {
		policy.Locked, policy.LockedTxID = true, update.ID
	}
	return policy
}

// Connected is what a wallet is connected to, or was asked to be.
func Connected(v *world.View, w *world.Wallet) []qredo.ConnectedAccount {
	var accounts []qredo.ConnectedAccount
	for _, c := range w.Connections {
		accounts = append(accounts, qredo.ConnectedAccount{
			ClientID: c.ClientID, CounterpartyID: string(c.CoreClientID), Name: v.AnyCoreClient(c.CoreClientID).Name, Status: c.Status(),
		})
	}
	return accounts
}

// Entity describes a user or core client by their ID.
func Entity(v *world.View, id string) qredo.Entity {
	if c := v.AnyCoreClient(qredo.CoreClientID(id)); c != nil {
		return qredo.Entity{
			ID: id, Name: c.Name, AccountCode: id, Initials: "C", Type: qredo.TrustedPartyCoreClient,
			CoreClient: &qredo.EntityCoreClient{Name: c.Name},
		}
	}
	u := v.User(id)
	if u == nil {
		return qredo.Entity{ID: id}
	}
	return qredo.Entity{
		ID: id, Name: u.FullName(), AccountCode: world.AccountCode(id), Type: qredo.TrustedPartyUser,
		Initials: cmp.Or(initials(u.FirstName, u.LastName), initials(u.Username)),
		User:     &qredo.EntityUser{FirstName: u.FirstName, LastName: u.LastName, Email: u.Email, Username: u.Username},
	}
}

// Company describes a company.
func Company(c *world.Company) qredo.Entity {
	name := c.Profile.Name
	return qredo.Entity{
		ID: string(c.ID), Name: name, AccountCode: world.AccountCode(string(c.ID)), Initials: initials(name),
		Type: qredo.TrustedPartyCompany, Company: &qredo.EntityCompany{Name: name},
	}
}

// initials are the first letters of the names that somebody has.
func initials(names ...string) string {
	letters := ""
	for _, name := range names {
		for _, first := range strings.TrimSpace(name) {
			letters += string(unicode.ToUpper(first))
			break
		}
	}
	return letters
}
