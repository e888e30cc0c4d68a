package sandbox_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// Without its keys a world has nothing that signs, and no seed that it could be made from again. Where it is imported, core clients sign with
// new keys, and what cannot be signed is refused with the reason.
func TestAnExportWithoutKeysHasNoSecrets(t *testing.T) {
	keys := t.TempDir()
	w := web3World(t, sandbox.WithKeyDir(keys))
	w.newAgent().finish().ok()
	bot := w.newCoreClient("One")
	open := w.propose(w.payment(nil)).ok().at("txID")
	private, public := string(w.export(sandbox.WithPrivateKeys())), string(w.export())

	secrets := regexp.MustCompile(`"(?:Seed|Key|secret|api_key|private)":"([^"]{20,})"`).FindAllStringSubmatch(private, -1)
	found := map[string]int{}
	for _, secret := range secrets {
		found[strings.SplitN(secret[0], `"`, 3)[1]]++
		assert.NotContains(t, public, secret[1], secret[0])
	}
	for _, name := range []string{"Seed", "Key", "secret", "api_key", "private"} {
		assert.Positive(t, found[name], name)
	}

	other := w
	other.service = newService(t, sandbox.WithKeyDir(keys), sandbox.WithClock(w.clock.Now), withReportsKey(), sandbox.WithStore(t.TempDir()))
	t.Cleanup(func() { assert.NoError(t, other.Close()) })
	other.clock = w.clock
	require.NoError(t, other.Import(strings.NewReader(public)))
	assert.Equal(t, public, string(other.export()))

	signature := func(s service) string {
		return s.post("/coreclient/"+bot+"/sign", object{"message_hash_hex": strings.Repeat("ab", 32)}).ok().at("signature_hex")
	}
	assert.NotEqual(t, signature(w.service), signature(other.service))
	other.post("/coreclient/verify", object{
		"message_hash_hex": strings.Repeat("ab", 32), "signature_hex": signature(other.service), "signer_id": bot,
	}).ok()

	const reason = "exported without keys"
	other.propose(other.payment(nil)).refused(409, reason)
	require.NoError(t, other.Approve(alice, open))
	err := other.Approve(bob, open)
	require.ErrorIs(t, err, qredo.ErrConflict)
	require.ErrorContains(t, err, reason)
	made := other.newWallet(other.company, other.fund, object{"name": "New", "asset": eth})
	other.propose(other.payment(object{"from": other.address(made)})).ok()

	kept := signature(other.service)
	var again bytes.Buffer
	require.NoError(t, other.Export(&again, sandbox.WithPrivateKeys()))
	later := newService(t, sandbox.WithKeyDir(keys), sandbox.WithClock(w.clock.Now), withReportsKey())
	require.NoError(t, later.Import(&again))
	assert.Equal(t, kept, signature(later), "a new key is kept like any other")
	assert.Contains(t, private, `"seed":`)
	assert.NotContains(t, public, `"seed":`, "keys follow from it")
}
