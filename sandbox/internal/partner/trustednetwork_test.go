package partner

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/wire"
)

func TestPartyAddresses(t *testing.T) {
	for body, want := range map[string]partyAddresses{
		`{"address":"a@example.com"}`:                                {"a@example.com"},
		`{"address":"a@example.com","address":"b"}`:                  {"a@example.com", "b"},
		`{"Address":" a@example.com ","address":"A@example.com"}`:    {"a@example.com"},
		`{"address":1,"name":"x"}`:                                   {"1"},
		`{"address":null}`:                                           nil,
		`{"address":null,"other":["address"],"address":"b.example"}`: {"b.example"},
		`{"address":""}`:                                             {""},
		`{}`:                                                         nil,
	} {
		var got partyAddresses
		require.NoError(t, wire.Unmarshal([]byte(body), &got), body)
		assert.Equal(t, want, got, body)
	}
	for _, body := range []string{`[]`, `"a@example.com"`, `{"address":{}}`, `{"address":["a","b"]}`, `{"address":`} {
		var got partyAddresses
		require.Error(t, wire.Unmarshal([]byte(body), &got), body)
	}
}
