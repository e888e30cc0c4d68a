package qredoapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox/internal/forms"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// organization is the account, if it is one, with its keys as only organizations have them.
type organization struct {
	qapi.Account
	APIKeys struct {
		Count int               `json:"number_of_keys"`
		Keys  []qapi.UserAPIKey `json:"user_api_keys"`
	} `json:"userAPIKeys"`
}

// networks are the chains that have names here.
var networks = []struct {
	chainID int64
	name    string
}{{1, "mainnet"}, {5, "goerli"}, {11155111, "sepolia"}, {137, "polygon"}}

func getAccount(r *serve.Request, v *world.View) (any, error) {
	account := qapi.Account{ID: r.Account(), Name: "Sandbox", Email: "sandbox@example.com", PartnerAPI: true}
	account.APIKeys = qapi.UserAPIKeys{{KeyID: r.Key.ID, Name: "this key"}}
	if v.Choices.Personal {
		account.Username, account.DefaultFiat, account.TestnetAssets = "sandbox", "USD", true
		return map[string]any{"settings": account}, nil
	}
	settings := organization{Account: account}
	settings.Domain, settings.Address = "example.com", "nowhere"
	settings.Members, settings.ConnectClients, settings.RPCNetworks = []qapi.OrgMember{}, []string{}, []qapi.RPCNetwork{}
	for _, u := range v.Users() {
		settings.Members = append(settings.Members, qapi.OrgMember{ID: string(u.ID), Username: u.Username, Email: u.Email, Name: u.FullName()})
	}
	for _, c := range v.CoreClients(r.Account()) {
		settings.ConnectClients = append(settings.ConnectClients, string(c.ID))
	}
	slices.Sort(settings.ConnectClients)
	for _, n := range networks {
		settings.RPCNetworks = append(settings.RPCNetworks, qapi.RPCNetwork{Name: n.name, ChainID: qapi.NewBigInt(n.chainID)})
	}
	settings.APIKeys.Count, settings.APIKeys.Keys = len(account.APIKeys), account.APIKeys
	return map[string]any{"settings": settings}, nil
}

// listAllTrusted lists the people that the account's companies trust, each once.
func listAllTrusted(r *serve.Request, v *world.View) (any, error) {
	if !v.Choices.Personal {
		return nil, serve.BadRequest("trusted parties are for personal accounts: this key is an organization's")
	}
	members := map[qredo.TrustedEntityID]qapi.TrustedParty{}
	for _, c := range v.AccountCompanies(r.Account()) {
		for _, p := range c.Parties {
			u := v.User(string(p.PartyID))
			if u == nil {
				continue
			}
			m := qapi.TrustedParty{
				UserID: string(u.ID), FirstName: u.FirstName, LastName: u.LastName, Email: u.Email, Username: u.Username,
				Pending: !p.Accepted,
			}
			if p.Accepted {
				m.Created = forms.Time(p.Created)
			}
			known, twice := members[u.ID]
			if !twice || known.Pending || !m.Pending && m.Created.Before(known.Created.Time) {
				members[u.ID] = m // of several, the one who was first to accept
			}
		}
	}
	list := slices.AppendSeq([]qapi.TrustedParty{}, maps.Values(members))
	slices.SortFunc(list, func(a, b qapi.TrustedParty) int { return strings.Compare(a.Email, b.Email) })
	return map[string]any{"members": list}, nil
}
