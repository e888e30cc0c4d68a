package world

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/agentcrypto"
)

func (l *lab) register() (made Registration) {
	l.t.Helper()
	key, err := agentcrypto.NewKey([]byte("an agent's"))
	require.NoError(l.t, err)
	l.must(func(u *Update) (err error) {
		made, err = u.RegisterAgent(NewAgent{account, "Agent", key.PublicKey().Bytes(), key.ECPublicKey()})
		return err
	})
	return made
}

func TestMasterSecretIsOfThoseItWasIssuedTo(t *testing.T) {
	journal := &memory{}
	l := open(t, journal)
	nobody := agentcrypto.ClientID("nobody", l.clock)
	assert.Nil(t, l.MasterSecret(nobody), "none is drawn")
	made := l.register()
	id, err := hex.DecodeString(made.Agent.ClientID)
	require.NoError(t, err)
	master := l.MasterSecret(id)
	require.NotNil(t, master)
	assert.Equal(t, made.ClientSecret.Bytes(), master.ClientSecret(id).Bytes())
	assert.Nil(t, l.MasterSecret(nobody), "what nobody was given is not worth the work of checking")
	l.register()
	require.Same(t, master, l.MasterSecret(id), "one for all")

	later := open(t, journal)
	assert.Equal(t, made.ClientSecret.Bytes(), later.MasterSecret(id).ClientSecret(id).Bytes())
	secret := made.ClientSecret.Bytes()
	for _, record := range journal.records {
		for _, form := range []string{hex.EncodeToString(secret), base64.StdEncoding.EncodeToString(secret)} {
			assert.False(t, bytes.Contains(record, []byte(form)), "the client secret is stored: %s", record)
		}
	}

	require.NoError(t, later.Reset())
	assert.Nil(t, later.MasterSecret(id))
	again := later.register()
	id, err = hex.DecodeString(again.Agent.ClientID)
	require.NoError(t, err)
	assert.NotEqual(t, master.ClientSecret(id).Bytes(), again.ClientSecret.Bytes(), "another after a reset")
}

// Who knows a world's seed, as everybody knows that of a test, knows its identifiers and not the secrets of its agents.
func TestClientSecretsComeFromNoSeed(t *testing.T) {
	first, second := open(t, &memory{}).register(), open(t, &memory{}).register()
	assert.Equal(t, first.Agent.ClientID, second.Agent.ClientID)
	assert.NotEqual(t, first.ClientSecret.Bytes(), second.ClientSecret.Bytes())
}

func TestAccountCodesAreReadBack(t *testing.T) {
	ids := newIDSource(1, 0, 0)
	for range 100 {
		id := ids.account()
		raw := decode(id, base58)
		assert.Len(t, raw, 32)
		assert.Equal(t, id, encode(raw, base58))
	}
}
