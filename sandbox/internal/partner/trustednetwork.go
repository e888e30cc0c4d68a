package partner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/wire"
	"github.com/qredo-go/qredo/sandbox/internal/forms"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

func listTrustedParties(_ *serve.Request, _ *world.View, c *world.Company) (any, error) {
	list := []qredo.TrustedParty{}
	for _, p := range c.Parties {
		if p.Accepted {
			list = append(list, qredo.TrustedParty{
				ID: p.PartyID, Name: p.Name, Address: p.Address, Type: p.Type, Created: forms.Time(p.Created),
			})
		}
	}
	return map[string]any{"company_id": c.ID, "total_count": len(list), "list": list}, nil
}

// partyAddresses are whom a request names. A guide sends several in one body, each under the key address.
type partyAddresses []string

// UnmarshalJSON reads all of them, each once.
func (a *partyAddresses) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return errors.New("the body is no object")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if name, _ := key.(string); !strings.EqualFold(name, "address") || string(value) == "null" {
			continue
		}
		text, err := wire.Text(value)
		if err != nil {
			return fmt.Errorf("address: %w", err)
		}
		address := strings.TrimSpace(text)
		if !slices.ContainsFunc(*a, func(known string) bool { return strings.EqualFold(known, address) }) {
			*a = append(*a, address)
		}
	}
	return nil
}

func addTrustedParties(_ *serve.Request, u *world.Update, c *world.Company, addresses partyAddresses) (any, error) {
	return serve.Done(u.AddTrustedParties(c, addresses))
}

func removeTrustedParty(r *serve.Request, u *world.Update, c *world.Company) (any, error) {
	return serve.Done(u.RemoveTrustedParty(c, qredo.TrustedEntityID(r.IDs["trustedparty_id"])))
}
