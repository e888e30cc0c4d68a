package world

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A store that was written when short codes had hyphens still has its wallets found by them.
func TestShortCodesOfOlderStores(t *testing.T) {
	st := newState(0)
	for _, record := range []string{
		`{"Type":"companyCreated","Change":{"ID":"c","Account":"default","Company":{"name":"Acme"}}}`,
		`{"Type":"fundCreated","Change":{"ID":"f","CompanyID":"c","Name":"F"}}`,
		`{"Type":"walletsAdded","Change":{"FundID":"f","Wallets":[{"ID":"w","Asset":"BTC","Address":"a","ShortCode":"maple-otter-cloud"}]}}`,
	} {
		at, read, err := st.decodeCommit([]byte(record))
		require.NoError(t, err)
		st.commit(at, read)
	}
	for _, name := range []string{"w", "maple-otter-cloud", "maple otter cloud", " Maple-Otter CLOUD"} {
		require.NotNil(t, st.walletNamed(name), name)
		assert.EqualValues(t, "w", st.walletNamed(name).ID)
	}
	for _, name := range []string{"", " ", "W", "maple otter", "mapleottercloud", "maple otter cloud pine"} {
		assert.Nil(t, st.walletNamed(name), name)
	}
}
