package world

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/agentcrypto"
)

// CoreClient is a program that approves.
type CoreClient struct {
	coreClientCreated
	Created time.Time
	Asked   []AskedRef // what it was asked since the sandbox was started, oldest first: for feeds, which are places in it
	Wallets []*Wallet  // that asked to be connected, oldest first
}

type coreClientCreated struct {
	ID      qredo.CoreClientID
	Account string
	Name    string
	Seed    []byte     // of the key that the sandbox signs with for it: 32 bytes in stores of before. A signing agent has its own
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
		ID: qredo.CoreClientID(u.ids.account()), Account: account, Name: name, Seed: u.ids.bytes(agentcrypto.SeedSize),
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
	u.makeCoreClient(coreClientCreated{ID: id, Account: account, Name: name, Seed: u.ids.bytes(agentcrypto.SeedSize)})
	return nil
}

// public is what an export without secrets has.
func (e coreClientCreated) public() coreClientCreated {
	e.Seed = nil
	if e.Agent != nil {
		keys := *e.Agent
		keys.Secret = ""
		e.Agent = &keys
	}
	return e
}

// giveSecrets gives a state that was exported without its secrets the seed of the world that takes it, and its core clients keys that
// follow from that: nobody has seen their public keys, so that new ones do as well.
func (st *state) giveSecrets(seed uint64) {
	if !st.seedless {
		return
	}
	st.seed, st.seedless = seed, false
	for _, c := range st.coreClients {
		if c.Agent == nil && len(c.Seed) == 0 {
			key := sha256.Sum256(fmt.Appendf(nil, "core client %s of seed %d", c.ID, seed))
			c.Seed = newKeySource(key).bytes(agentcrypto.SeedSize)
		}
	}
}

// Sign signs a hash. What a signing agent's key is only the agent knows.
func (c *CoreClient) Sign(hash []byte) ([]byte, error) {
	if c.Agent != nil {
		return nil, invalid("the core client is a signing agent, whose key is its own")
	}
	key, err := agentcrypto.NewKey(c.Seed)
	if err != nil {
		return nil, err
	}
	return key.Sign(hash), nil
}

// CheckSignature refuses what is not the signature of a core client, of whatever account, over a hash.
func (st *state) CheckSignature(signer qredo.CoreClientID, hash, signature []byte) error {
	c := st.coreClients[signer]
	if c == nil {
		return notFound("core client")
	}
	if c.verify(hash, signature) != nil {
		return &Error{Forbidden, "the signature is not the signer's over this hash"}
	}
	return nil
}

// verify returns an error unless a signature of a message is the core client's.
func (c *CoreClient) verify(message, signature []byte) error {
	if len(signature) != agentcrypto.SignatureSize {
		return errors.New("no signature has this length") // before a key is made for it
	}
	public, err := c.publicKey()
	if err != nil {
		return err
	}
	return public.Verify(message, signature)
}

// publicKey is the one that a signing agent has registered, which in stores of before may be none, or belongs to the key
// that the sandbox has.
func (c *CoreClient) publicKey() (*agentcrypto.PublicKey, error) {
	if c.Agent != nil {
		registered, _ := hex.DecodeString(c.Agent.BLSPublicKey) // what is no hexadecimal is no key either
		return agentcrypto.ParsePublicKey(registered)
	}
	key, err := agentcrypto.NewKey(c.Seed)
	if err != nil {
		return nil, err
	}
	return key.PublicKey(), nil
}
