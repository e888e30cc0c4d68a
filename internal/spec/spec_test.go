package spec

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// published are the operations that the service published. They are written out here, so that the
// document cannot lose one unnoticed.
var published = strings.Split(strings.TrimSpace(`
GET /assets
POST /fees
POST /company
GET /company/{company_id}
PUT /company/{company_id}
GET /company/search
GET /company/{company_id}/trustedparty
POST /company/{company_id}/trustedparty
DELETE /company/{company_id}/trustedparty/{trustedparty_id}
GET /company/{company_id}/holding
POST /company/{company_id}/fund
GET /company/{company_id}/fund/{fund_id}
GET /company/{company_id}/fund/{fund_id}/deposit
GET /company/{company_id}/fund/{fund_id}/whitelist
POST /company/{company_id}/fund/{fund_id}/whitelist
POST /company/{company_id}/fund/{fund_id}/asset
POST /company/{company_id}/fund/{fund_id}/wallet
GET /company/{company_id}/fund/{fund_id}/ledger
GET /company/{company_id}/fund/search
GET /wallet/{wallet_id}
GET /wallet/{wallet_id}/history
GET /wallet/{wallet_id}/max
GET /exchanges
POST /company/{company_id}/transfer
GET /company/{company_id}/transfer/{tx_id}
POST /company/{company_id}/withdraw
GET /company/{company_id}/withdraw/{tx_id}
POST /company/{company_id}/atomicswap/make
GET /company/{company_id}/atomicswap/make/{tx_id}
DELETE /company/{company_id}/atomicswap/make/{tx_id}
POST /company/{company_id}/atomicswap/take
GET /company/{company_id}/atomicswap/take/{tx_id}
GET /company/{company_id}/liquidityhub
POST /company/{company_id}/liquidityhub
GET /liquidityhub
POST /coreclient
GET /coreclient
GET /coreclient/{client_id}/actions
GET /coreclient/{client_id}/action/{action_id}
PUT /coreclient/{client_id}/action/{action_id}
DELETE /coreclient/{client_id}/action/{action_id}
GET /coreclient/{client_id}/wallets
POST /coreclient/{client_id}/sweep
GET /coreclient/{client_id}/sweep/{tx_id}
POST /coreclient/{client_id}/sign
POST /coreclient/verify
POST /coreclient/init
POST /coreclient/finish
GET /coreclient/feed
GET /coreclient/action/{action_id}
PUT /coreclient/action/{action_id}
DELETE /coreclient/action/{action_id}
PUT /company/{company_id}/fund/{fund_id}/wallet/{wallet_id}/policy
`), "\n")

func TestSpecHasThePublishedOperations(t *testing.T) {
	require.Len(t, published, 53)
	var have []string
	ids := map[string]bool{}
	for _, op := range Operations() {
		have = append(have, op.String())
		assert.NotEmpty(t, op.ID, op)
		assert.False(t, ids[op.ID], "two operations are called %s", op.ID)
		ids[op.ID] = true
	}
	assert.ElementsMatch(t, published, have)
}

// An answer whose objects were open would take any field, and one that failed in an unknown form would
// take any body.
func TestSpecDescribesEveryOperationInFull(t *testing.T) {
	for path, item := range document().Paths.Map() {
		for method, op := range item.Operations() {
			name := method + " " + path
			assert.NotEmpty(t, op.Summary, name)
			assert.NotNil(t, op.Responses.Default(), "%s has no form of failures", name)
			success := 0
			for status, response := range op.Responses.Map() {
				if strings.HasPrefix(status, "2") {
					success++
				}
				if path == "/coreclient/feed" && status != "default" {
					continue
				}
				media := response.Value.Content.Get("application/json")
				if !assert.NotNil(t, media, "%s: status %s has no form", name, status) {
					continue
				}
				assert.NotEmpty(t, media.Schema.Ref, "%s: the form of status %s has no name", name, status)
				closed := media.Schema.Value.AdditionalProperties.Has
				assert.True(t, closed != nil && !*closed, "%s: the form of status %s is open", name, status)
			}
			assert.Equal(t, 1, success, "%s: statuses of success", name)
			hasBody := method == "POST" || method == "PUT" && path != "/coreclient/{client_id}/action/{action_id}"
			assert.Equal(t, hasBody, op.RequestBody != nil, "%s: request body", name)
		}
	}
}

// disagreements is how many rows the list of disagreements between the service's sources has.
const disagreements = 57

func TestSpecHasEveryDisagreement(t *testing.T) {
	data, err := json.Marshal(document())
	require.NoError(t, err)
	var tree any
	require.NoError(t, json.Unmarshal(data, &tree))
	rows := map[int]bool{}
	walkVariants(t, tree, rows)
	for row := 1; row <= disagreements; row++ {
		assert.True(t, rows[row], "row %d is nowhere in x-accepted-variants", row)
	}
	assert.Len(t, rows, disagreements)
}

func walkVariants(t *testing.T, tree any, rows map[int]bool) {
	switch node := tree.(type) {
	case []any:
		for _, item := range node {
			walkVariants(t, item, rows)
		}
	case map[string]any:
		for key, value := range node {
			if key != "x-accepted-variants" {
				walkVariants(t, value, rows)
				continue
			}
			data, err := json.Marshal(value)
			require.NoError(t, err)
			var list []struct {
				Row      int    `json:"row"`
				Form     string `json:"form"`
				Evidence string `json:"evidence"`
			}
			decoder := json.NewDecoder(strings.NewReader(string(data)))
			decoder.DisallowUnknownFields()
			require.NoError(t, decoder.Decode(&list), "%s", data)
			for _, v := range list {
				assert.NotEmpty(t, v.Form, "row %d", v.Row)
				assert.Contains(t, []string{"R", "E", "S", "P"}, v.Evidence, "row %d", v.Row)
				rows[v.Row] = true
			}
		}
	}
}
