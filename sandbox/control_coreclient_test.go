package sandbox_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// knownID is what a program has written down of a core client that was another's at the service.
const knownID = "7kpvEPtKpLDFQSCCNYK6XyiXEPyNTFLXpsvQJK6WqUXp"

func TestACoreClientWithAKnownID(t *testing.T) {
	create := map[string]func(*testing.T, *sandbox.Sandbox) func(sandbox.CoreClient) (sandbox.CoreClient, error){
		"in Go": func(_ *testing.T, s *sandbox.Sandbox) func(sandbox.CoreClient) (sandbox.CoreClient, error) {
			return s.CreateCoreClient
		},
		"over HTTP": func(t *testing.T, s *sandbox.Sandbox) func(sandbox.CoreClient) (sandbox.CoreClient, error) {
			c := controlOf(t, s)
			return func(known sandbox.CoreClient) (sandbox.CoreClient, error) {
				return c.CreateCoreClient(t.Context(), known)
			}
		},
	}
	for name, form := range create {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			create := form(t, w.Sandbox)
			w.post(w.inCompany("/trustedparty"), object{"address": knownID}).refused(404, "trusted party")
			made, err := create(sandbox.CoreClient{ID: knownID})
			require.NoError(t, err)
			assert.Equal(t, sandbox.CoreClient{ID: knownID, Name: knownID, Account: "foreign"}, made)

			t.Run("can be trusted, and be asked", func(t *testing.T) {
				w.post(w.inCompany("/trustedparty"), object{"address": knownID}).ok()
				list := w.get(w.inCompany("/trustedparty")).ok()
				assert.Contains(t, list.column("list", "trusted_entity_id"), knownID)
				w.newFund(w.company, object{"name": "Theirs", "custodygroup_tx": group(1, knownID)})
			})
			t.Run("is not the account's own", func(t *testing.T) {
				w.get("/coreclient/"+knownID+"/actions").refused(404, "core client")
				assert.Zero(t, w.get("/coreclient").ok().count("clients"))
			})
			t.Run("in an account that has a key", func(t *testing.T) {
				made, err := create(sandbox.CoreClient{ID: "theirs", Name: "Their Venue", Account: "stranger"})
				require.NoError(t, err)
				assert.Equal(t, sandbox.CoreClient{ID: "theirs", Name: "Their Venue", Account: "stranger"}, made)
				w.as("strange").get("/coreclient/theirs/actions").ok()
				_, err = create(sandbox.CoreClient{ID: "ours", Account: "default"})
				require.NoError(t, err)
				w.get("/coreclient/ours/actions").ok()
			})
			for name, test := range map[string]struct{ id, why string }{
				"none":               {"", "id must be"},
				"white space":        {" ", "id must be"},
				"two words":          {"a b", "id must be"},
				"an e-mail":          {"a@example.com", "id must be"},
				"made already":       {knownID, "taken"},
				"a user's":           {w.ids[alice], "taken"},
				"a company's":        {w.company, "taken"},
				"another's, with \n": {knownID + "\n", "id must be"},
			} {
				t.Run(name, func(t *testing.T) {
					_, err := create(sandbox.CoreClient{ID: qredo.CoreClientID(test.id)})
					require.ErrorContains(t, err, test.why)
				})
			}
		})
	}
}
