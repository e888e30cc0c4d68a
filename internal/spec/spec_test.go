package spec

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// published are the operations that the service published, each with its statuses. They are written out
// here, so that the document cannot lose one unnoticed. 101 is the feed's upgrade, which is not published.
const published = `
GET /assets 200 401
POST /fees 200 401
POST /company 200 400 401 403 409
GET /company/{company_id} 200 401 404
PUT /company/{company_id} 200 400 401 404
GET /company/search 200 401
GET /company/{company_id}/trustedparty 200 401 404
POST /company/{company_id}/trustedparty 200 400 401 404
DELETE /company/{company_id}/trustedparty/{trustedparty_id} 202 401 404
GET /company/{company_id}/holding 200 401 404
POST /company/{company_id}/fund 200 400 401 404
GET /company/{company_id}/fund/{fund_id} 200 401 404
GET /company/{company_id}/fund/{fund_id}/deposit 200 401 404
GET /company/{company_id}/fund/{fund_id}/whitelist 200 400 401 404
POST /company/{company_id}/fund/{fund_id}/whitelist 200 400 401 404
POST /company/{company_id}/fund/{fund_id}/asset 200 400 401 404 409
POST /company/{company_id}/fund/{fund_id}/wallet 200 400 401 404 409
GET /company/{company_id}/fund/{fund_id}/ledger 200 400 401 404
GET /company/{company_id}/fund/search 200 400 401 404
GET /wallet/{wallet_id} 200 400 401 404
GET /wallet/{wallet_id}/history 200 400 401 404
GET /wallet/{wallet_id}/max 200 400 401 404
GET /exchanges 200 400 401 404
POST /company/{company_id}/transfer 200 400 401 404
GET /company/{company_id}/transfer/{tx_id} 200 400 401 404
POST /company/{company_id}/withdraw 200 400 401 404
GET /company/{company_id}/withdraw/{tx_id} 200 400 401 404
POST /company/{company_id}/atomicswap/make 200 400 401 404
GET /company/{company_id}/atomicswap/make/{tx_id} 200 400 401 404
DELETE /company/{company_id}/atomicswap/make/{tx_id} 202 401 404
POST /company/{company_id}/atomicswap/take 200 400 401 404
GET /company/{company_id}/atomicswap/take/{tx_id} 200 400 401 404
GET /company/{company_id}/liquidityhub 200 400 401 404
POST /company/{company_id}/liquidityhub 200 400 401 404
GET /liquidityhub 200 400 401 404
POST /coreclient 200 400 401 404
GET /coreclient 200 400 401 404
GET /coreclient/{client_id}/actions 200 400 401 404
GET /coreclient/{client_id}/action/{action_id} 200 400 401 404
PUT /coreclient/{client_id}/action/{action_id} 200 400 401 404
DELETE /coreclient/{client_id}/action/{action_id} 200 400 401 404
GET /coreclient/{client_id}/wallets 200 400 401 404
POST /coreclient/{client_id}/sweep 200 400 401 404
GET /coreclient/{client_id}/sweep/{tx_id} 200 400 401 404
POST /coreclient/{client_id}/sign 200 400 401 404
POST /coreclient/verify 200 400 401 403 404
POST /coreclient/init 200 400 401 403 404
POST /coreclient/finish 200 400 401 403 404
GET /coreclient/feed 101 200
GET /coreclient/action/{action_id} 200
PUT /coreclient/action/{action_id} 200
DELETE /coreclient/action/{action_id} 200
PUT /company/{company_id}/fund/{fund_id}/wallet/{wallet_id}/policy 200
`

// publishedStatuses gives the statuses of each published operation.
var publishedStatuses = readStatuses(published)

func readStatuses(lines string) map[string][]string {
	statuses := map[string][]string{}
	for line := range strings.Lines(strings.TrimSpace(lines)) {
		fields := strings.Fields(line)
		statuses[fields[0]+" "+fields[1]] = fields[2:]
	}
	return statuses
}

func TestSpecHasThePublishedOperations(t *testing.T) {
	require.Len(t, publishedStatuses, 53)
	checkStatuses(t, Partner, publishedStatuses)
}

func checkStatuses(t *testing.T, api *API, published map[string][]string) {
	t.Helper()
	have := map[string]bool{}
	ids := map[string]bool{}
	for _, op := range api.Operations() {
		have[op.String()] = true
		assert.NotEmpty(t, op.ID, op)
		assert.False(t, ids[op.ID], "two operations are called %s", op.ID)
		ids[op.ID] = true
		statuses := []string{"default"}
		statuses = append(statuses, published[op.String()]...)
		responses := api.document().Paths.Value(op.Path).GetOperation(op.Method).Responses.Map()
		assert.ElementsMatch(t, statuses, slices.Collect(maps.Keys(responses)), op)
	}
	for op := range published {
		assert.True(t, have[op], "%s is missing", op)
	}
	assert.Len(t, have, len(published))
}

// A response with open objects would accept any field, and one with an unknown error format would accept any body.
func TestSpecDescribesEveryOperationInFull(t *testing.T) {
	checkDescriptions(t, Partner)
	checkDescriptions(t, Qredo)
}

func checkDescriptions(t *testing.T, api *API) {
	t.Helper()
	for path, item := range api.document().Paths.Map() {
		for method, op := range item.Operations() {
			name := method + " " + path
			assert.NotEmpty(t, op.Summary, name)
			assert.NotNil(t, op.Responses.Default(), "%s has no form of failures", name)
			success := 0
			for status, response := range op.Responses.Map() {
				if strings.HasPrefix(status, "2") {
					success++
				}
				if strings.HasSuffix(path, "/feed") && strings.HasPrefix(status, "1") || op.Responses.Status(101) != nil && status == "200" {
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
	checkDisagreements(t, Partner, disagreements)
}

func checkDisagreements(t *testing.T, api *API, disagreements int) {
	t.Helper()
	data, err := json.Marshal(api.document())
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
