package signingagent_test

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/agentcrypto"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/signingagent"
)

// The steps of a registration, as an identity has them.
const (
	begun = iota
	answered
	finished
)

// fields are an identity's as it is written, with secrets. Identities with the same first byte of the seed are the same agent's.
func fields(t testing.TB, agent byte, step int) map[string]any {
	t.Helper()
	f := map[string]any{
		"version": 1, "name": "agent", "blsSeed": bytes.Repeat([]byte{agent}, agentcrypto.SeedSize),
		"id": "", "zkpID": nil, "zkpToken": nil, "idDoc": nil, "finished": false,
	}
	if step == begun {
		return f
	}
	master, err := agentcrypto.NewMasterSecret([]byte("master"))
	require.NoError(t, err)
	account := "account " + string('A'+rune(agent))
	id := agentcrypto.ClientID(account, time.Unix(1_700_000_000, 0))
	token, err := master.ClientSecret(id).Token(id, 0)
	require.NoError(t, err)
	f["id"], f["zkpID"], f["zkpToken"], f["idDoc"] = account, id, token.Bytes(), []byte("document")
	if step == finished {
		f["finished"] = true
	}
	return f
}

func parse(t testing.TB, f map[string]any) (*signingagent.Identity, error) {
	t.Helper()
	data, err := json.Marshal(f)
	require.NoError(t, err)
	return signingagent.ParseIdentity(data)
}

func identity(t testing.TB, agent byte, step int) *signingagent.Identity {
	t.Helper()
	id, err := parse(t, fields(t, agent, step))
	require.NoError(t, err)
	return id
}

// secretsOf are the texts in which the secrets of an identity could be found.
func secretsOf(t testing.TB, agent byte) (all []string) {
	t.Helper()
	f := fields(t, agent, answered)
	for _, name := range []string{"blsSeed", "zkpToken"} {
		secret := f[name].([]byte)
		all = append(all, string(secret[:16]), hex.EncodeToString(secret)[:32], base64.StdEncoding.EncodeToString(secret)[:32], decimals(secret[:16]))
	}
	return all
}

// decimals are bytes as package fmt prints them.
func decimals(data []byte) string { return strings.Trim(fmt.Sprint(data), "[]") }

func requireSame(t testing.TB, want, got *signingagent.Identity) {
	t.Helper()
	require.NotNil(t, got)
	wanted, err := want.MarshalWithSecrets()
	require.NoError(t, err)
	written, err := got.MarshalWithSecrets()
	require.NoError(t, err)
	require.Equal(t, string(wanted), string(written))
}

func TestIdentityIsWrittenAndRead(t *testing.T) {
	for step := begun; step <= finished; step++ {
		id := identity(t, 1, step)
		data, err := id.MarshalWithSecrets()
		require.NoError(t, err)
		again, err := signingagent.ParseIdentity(data)
		require.NoError(t, err)
		requireSame(t, id, again)
		assert.Equal(t, "agent", again.Name())
		assert.Equal(t, step == begun, again.ID() == "")
	}
}

func TestIdentitiesPrintNoSecret(t *testing.T) {
	id := identity(t, 1, answered)
	type holder struct {
		identity signingagent.Identity
		pointer  *signingagent.Identity
	}
	requirePrintsNone(t, secretsOf(t, 1), id, holder{*id, id}, []any{id})
	assert.Equal(t, `signing agent "agent" (account B)`, clienttest.Printings(t, id)["%v"])
	assert.JSONEq(t, `{"id":"account B","name":"agent"}`, clienttest.Printings(t, id)["JSON"])
	none := &signingagent.Identity{}
	assert.Empty(t, none.ID())
	assert.Empty(t, none.Name())
	_, err := none.MarshalWithSecrets()
	require.ErrorIs(t, err, signingagent.ErrDamaged)
}

func requirePrintsNone(t *testing.T, secrets []string, values ...any) {
	t.Helper()
	for _, value := range values {
		for how, text := range clienttest.DeepPrintings(t, value) {
			for _, secret := range secrets {
				require.NotContains(t, text, secret, "%T by %s", value, how)
			}
		}
	}
}

// A sealer keeps the key that it has used last, which opens the file.
func TestSealersAndStoresPrintNoSecret(t *testing.T) {
	const phrase = "open sesame"
	sealer := signingagent.QuickPassphrase(phrase)
	sealed, err := sealer.Seal(t.Context(), []byte("plain"))
	require.NoError(t, err)
	var box struct {
		Salt []byte `json:"salt"`
	}
	require.NoError(t, json.Unmarshal(sealed, &box))
	key, err := pbkdf2.Key(sha512.New, phrase, box.Salt, 1, 32)
	require.NoError(t, err)
	secrets := []string{phrase, hex.EncodeToString([]byte(phrase)), string(key[:16]), hex.EncodeToString(key)[:16], decimals(key[:16])}
	store := signingagent.NewFileStore("agent.json", sealer)
	own := signingagent.NewFileStore("agent.json", &ownSealer{key: string(key)})
	requirePrintsNone(t, secrets, sealer, store, own, signingagent.Passphrase(phrase), []signingagent.Store{store, own})
	assert.Equal(t, `signingagent.FileStore("agent.json")`, fmt.Sprint(store))
	assert.Equal(t, "signingagent.Sealer(a passphrase)", fmt.Sprint(sealer))
}

// ownSealer is a sealer that does not take care of how it prints.
type ownSealer struct {
	signingagent.Sealer
	key string
}

func TestAgentsPrintNoSecret(t *testing.T) {
	d := newDesk(t, signingagent.WithPIN(4321))
	var kept struct {
		BLSSeed  []byte `json:"blsSeed"`
		ZKPToken []byte `json:"zkpToken"`
	}
	require.NoError(t, json.Unmarshal(d.store.kept, &kept))
	secrets := []string{clienttest.APIKey}
	for _, secret := range [][]byte{kept.BLSSeed, kept.ZKPToken} {
		require.NotEmpty(t, secret)
		secrets = append(secrets, string(secret[:16]), hex.EncodeToString(secret)[:32], base64.StdEncoding.EncodeToString(secret)[:32], decimals(secret[:16]))
	}
	const token = "the-token-that-a-client-sends"
	client, err := signingagent.NewClient("http://127.0.0.1:1", signingagent.WithBearerToken(token))
	require.NoError(t, err)
	a, err := d.agent.NewApprover(d.rules())
	require.NoError(t, err)
	requirePrintsNone(t, append(secrets, token), d.agent, a, client, signingagent.WithPIN(4321))
}

func TestDamagedIdentitiesAreRefused(t *testing.T) {
	for name, change := range map[string]func(f map[string]any){
		"a version of later":         func(f map[string]any) { f["version"] = 2 },
		"no version":                 func(f map[string]any) { delete(f, "version") },
		"no name":                    func(f map[string]any) { f["name"] = "" },
		"a seed that is too short":   func(f map[string]any) { f["blsSeed"] = f["blsSeed"].([]byte)[1:] },
		"no seed":                    func(f map[string]any) { delete(f, "blsSeed") },
		"a seed that is no base64":   func(f map[string]any) { f["blsSeed"] = "!" },
		"no ID":                      func(f map[string]any) { f["id"] = "" },
		"no M-Pin ID":                func(f map[string]any) { f["zkpID"] = nil },
		"no token":                   func(f map[string]any) { f["zkpToken"] = nil },
		"a token that is cut":        func(f map[string]any) { f["zkpToken"] = f["zkpToken"].([]byte)[:96] },
		"a token that is no point":   func(f map[string]any) { f["zkpToken"].([]byte)[50] ^= 1 },
		"not finished, and without":  func(f map[string]any) { f["idDoc"] = nil },
		"inferred, and not finished": func(f map[string]any) { f["inferred"] = true },
		"inferred, and without":      func(f map[string]any) { f["inferred"], f["finished"], f["idDoc"] = true, true, nil },
		"begun, and finished": func(f map[string]any) {
			f["id"], f["zkpID"], f["zkpToken"], f["idDoc"], f["finished"] = "", nil, nil, nil, true
		},
		"a number for the name":           func(f map[string]any) { f["name"] = 7 },
		"a text for what is not a text":   func(f map[string]any) { f["finished"] = "yes" },
		"an ID document in place of JSON": func(f map[string]any) { clear(f) },
	} {
		t.Run(name, func(t *testing.T) {
			f := fields(t, 1, answered)
			change(f)
			_, err := parse(t, f)
			require.ErrorIs(t, err, signingagent.ErrDamaged)
			for _, secret := range secretsOf(t, 1) {
				assert.NotContains(t, err.Error(), secret)
			}
		})
	}
}

func FuzzIdentity(f *testing.F) {
	for step := begun; step <= finished; step++ {
		data, err := identity(f, 1, step).MarshalWithSecrets()
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		id, err := signingagent.ParseIdentity(data)
		if err != nil {
			require.ErrorIs(t, err, signingagent.ErrDamaged)
			return
		}
		written, err := id.MarshalWithSecrets()
		require.NoError(t, err)
		again, err := signingagent.ParseIdentity(written)
		require.NoError(t, err)
		requireSame(t, id, again)
	})
}
