package qredo_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/internal/fieldcheck"
)

func TestTrustedNetworkAdd(t *testing.T) {
	client := clienttest.ServeFixture(t, "trustednetwork_add")
	err := client.TrustedNetwork.Add(t.Context(), clienttest.CompanyID, qredo.TrustedPartyRequest{Address: "alice@acme.example"})
	require.NoError(t, err)
}

func TestTrustedNetworkList(t *testing.T) {
	client := clienttest.ServeFixture(t, "trustednetwork_list")
	got, err := client.TrustedNetwork.List(t.Context(), clienttest.CompanyID)
	require.NoError(t, err)
	want := []qredo.TrustedParty{
		{
			ID: clienttest.AliceID, Name: "Alice Ames", Address: "alice@acme.example", Type: qredo.TrustedPartyUser,
			Created: qredo.Unix(1668069089), Internal: true,
		},
		{ID: clienttest.CoreID, Name: "approver-1", Address: clienttest.CoreID, Type: qredo.TrustedPartyCoreClient, Created: qredo.Unix(1668069100)},
		{
			ID: clienttest.ExchangeID, Name: "Exchange Ltd", Address: "exchange.example", Type: qredo.TrustedPartyCompany,
			Created: qredo.Unix(1668069111),
		},
	}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestTrustedNetworkRemove(t *testing.T) {
	client := clienttest.ServeFixture(t, "trustednetwork_remove")
	require.NoError(t, client.TrustedNetwork.Remove(t.Context(), clienttest.CompanyID, clienttest.AliceID))
}

// The schema nests lists in the list; examples have one object there.
func TestTrustedNetworkListForms(t *testing.T) {
	party := qredo.TrustedParty{ID: "e1", Name: "Alice"}
	other := qredo.TrustedParty{ID: "e2", Name: "Bob"}
	for name, tc := range map[string]struct {
		body string
		want []qredo.TrustedParty
	}{
		"flat":              {`{"list":[{"trusted_entity_id":"e1","name":"Alice"}]}`, []qredo.TrustedParty{party}},
		"one object":        {`{"list":{"trusted_entity_id":"e1","name":"Alice"}}`, []qredo.TrustedParty{party}},
		"nested object":     {`{"list":[{"company_id":"c","list":{"trusted_entity_id":"e1","name":"Alice"}}]}`, []qredo.TrustedParty{party}},
		"nested lists":      {`{"list":[{"list":[{"trustedEntityID":"e1","name":"Alice"},{"trustedEntityID":"e2","name":"Bob"}]}]}`, []qredo.TrustedParty{party, other}},
		"a type to come":    {`{"list":[{"trusted_entity_id":"e1","name":"Alice","type":"robot"}]}`, []qredo.TrustedParty{{ID: "e1", Name: "Alice", Type: "robot"}}},
		"null":              {`{"list":null}`, []qredo.TrustedParty{}},
		"empty":             {`{"total_count":0,"list":[]}`, []qredo.TrustedParty{}},
		"count is not kept": {`{"total_count":"0","list":[{"trusted_entity_id":"e1","name":"Alice"}]}`, []qredo.TrustedParty{party}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := clienttest.NewClient(t, clienttest.AnswerWith(200, tc.body)).TrustedNetwork.List(t.Context(), clienttest.CompanyID)
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

// A success without a body is one where no body is needed.
func TestTrustedNetworkWithoutBody(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.AnswerWith(200, ""))
	require.NoError(t, client.TrustedNetwork.Remove(t.Context(), clienttest.CompanyID, clienttest.AliceID))
	require.NoError(t, client.TrustedNetwork.Add(t.Context(), clienttest.CompanyID, qredo.TrustedPartyRequest{Address: clienttest.CoreID}))
}

func TestTrustedNetworkBadRequests(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.RefuseAll(t))
	for _, address := range []string{"", "  "} {
		err := client.TrustedNetwork.Add(t.Context(), clienttest.CompanyID, qredo.TrustedPartyRequest{Address: address})
		clienttest.RequireInvalid(t, err, "address")
	}
}
