package sandbox

import (
	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// CoreClient is a core client whose ID you choose, instead of the sandbox.
type CoreClient struct {
	ID      qredo.CoreClientID `json:"id"`
	Name    string             `json:"name"`    // default: the ID
	Account string             `json:"account"` // see [WithAccountKey]; default: "foreign"; "default" is the provisioned key's
}

// foreignAccount owns core clients that others trust. It needs no key.
const foreignAccount = "foreign"

// CreateCoreClient creates a core client with a given ID, as if another account had created it: for programs that trust a
// particular one of the service's core clients. It can be trusted, be a member of custody groups, and be connected to, like any
// other. An ID that is already in use is a conflict.
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
