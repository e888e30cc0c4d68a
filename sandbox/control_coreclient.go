package sandbox

import (
	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// CoreClient is a core client with an ID that is given to it, not made by the sandbox.
type CoreClient struct {
	ID      qredo.CoreClientID `json:"id"`
	Name    string             `json:"name"`    // the ID if empty
	Account string             `json:"account"` // whose keys can use it: [WithAccountKey]; "foreign" if empty, "default" is the provisioned key's
}

// foreignAccount owns the core clients that others trust. No key need belong to it.
const foreignAccount = "foreign"

// CreateCoreClient makes a core client with a known ID, as if another account had made it: for programs that
// trust a certain one of the service's. It can be trusted, be a member of custody groups, and be connected
// to, as any other. An ID that something has already is a conflict.
func (s *Sandbox) CreateCoreClient(c CoreClient) (CoreClient, error) {
	if c.Name == "" {
		c.Name = string(c.ID)
	}
	if c.Account == "" {
		c.Account = foreignAccount
	}
	err := s.update(func(w *world.Update) error { return w.CreateKnownCoreClient(c.Account, c.Name, c.ID) })
	if err != nil {
		return CoreClient{}, err
	}
	return c, nil
}
