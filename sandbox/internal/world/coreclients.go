package world

import (
	"cmp"
	"crypto/ed25519"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/qredo-go/qredo"
)

// CoreClient is a program that approves.
type CoreClient struct {
	coreClientCreated
	Created time.Time
	Actions []qredo.ActionID // all it was asked, oldest first
	Wallets []*Wallet        // that asked to be connected, oldest first
}

type coreClientCreated struct {
	ID      qredo.CoreClientID
	Account string
	Name    string
	Seed    []byte     // of the key it signs with
	Agent   *AgentKeys `json:",omitzero"` // of a signing agent
}

func (e coreClientCreated) apply(st *state, at time.Time) {
	c := &CoreClient{coreClientCreated: e, Created: at}
	st.coreClients[e.ID] = c
	if e.Agent != nil {
		st.agents[e.Agent.ClientID] = c
	}
}

// AnyCoreClient returns the core client with an ID, of whatever account, nil if there is none.
func (st *state) AnyCoreClient(id qredo.CoreClientID) *CoreClient { return st.coreClients[id] }

// CoreClient returns a core client of an account.
func (st *state) CoreClient(account string, id qredo.CoreClientID) (*CoreClient, error) {
	c := st.coreClients[id]
	if c == nil || c.Account != account {
		return nil, notFound("core client")
	}
	return c, nil
}

// CoreClients are the core clients of an account, oldest first.
func (st *state) CoreClients(account string) []*CoreClient {
	var list []*CoreClient
	for _, c := range st.coreClients {
		if c.Account == account {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b *CoreClient) int {
		return cmp.Or(cmp.Compare(a.Created.Unix(), b.Created.Unix()), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// CreateCoreClient makes a core client for an account.
func (u *Update) CreateCoreClient(account, name string) (*CoreClient, error) {
	if err := named(name); err != nil && u.Choices.Strict {
		return nil, err
	}
	return u.makeCoreClient(coreClientCreated{
		ID: qredo.CoreClientID(u.ids.account()), Account: account, Name: name, Seed: u.ids.bytes(ed25519.SeedSize),
	}), nil
}

func (u *Update) makeCoreClient(made coreClientCreated) *CoreClient {
	u.change(made)
	return &CoreClient{coreClientCreated: made, Created: u.Now}
}

// CreateKnownCoreClient makes a core client with a known ID, as if another account had made it.
func (u *Update) CreateKnownCoreClient(account, name string, id qredo.CoreClientID) error {
	if id == "" || strings.Contains(string(id), "@") || strings.ContainsFunc(string(id), unicode.IsSpace) {
		return invalid("id must be a core client's ID: not empty, without white space and @")
	}
	if u.coreClients[id] != nil || u.users[string(id)] != nil || u.companies[qredo.CompanyID(id)] != nil {
		return conflict("the ID is taken already")
	}
	u.makeCoreClient(coreClientCreated{ID: id, Account: account, Name: name, Seed: u.ids.bytes(ed25519.SeedSize)})
	return nil
}

// Sign signs a hash with Ed25519. The service signed with BLS, which is not emulated.
func (c *CoreClient) Sign(hash []byte) []byte {
	return ed25519.Sign(ed25519.NewKeyFromSeed(c.Seed), hash)
}

// CheckSignature refuses what is not the signature of a core client, of whatever account, over a hash.
func (st *state) CheckSignature(signer qredo.CoreClientID, hash, signature []byte) error {
	c := st.coreClients[signer]
	if c == nil {
		return notFound("core client")
	}
	public := ed25519.NewKeyFromSeed(c.Seed).Public().(ed25519.PublicKey)
	if !ed25519.Verify(public, hash, signature) {
		return &Error{Forbidden, "the signature is not the signer's over this hash"}
	}
	return nil
}
