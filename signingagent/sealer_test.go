package signingagent_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/signingagent"
)

func edKey(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, ed25519.SeedSize))
}

func sealers(t testing.TB) map[string]signingagent.Sealer {
	t.Helper()
	return map[string]signingagent.Sealer{
		"a passphrase": signingagent.QuickPassphrase("open sesame"), "another passphrase": signingagent.QuickPassphrase("open sesame\n"),
		"RSA": signingagent.SignerKey(clienttest.PrivateKey(t)), "Ed25519": signingagent.SignerKey(edKey(1)), "another Ed25519": signingagent.SignerKey(edKey(2)),
	}
}

func TestWhatIsSealedIsOpenedByTheSameAlone(t *testing.T) {
	all := sealers(t)
	plain := []byte("what nobody else may know")
	for name, s := range all {
		sealed, err := s.Seal(t.Context(), plain)
		require.NoError(t, err)
		twice, err := s.Seal(t.Context(), plain)
		require.NoError(t, err)
		assert.NotEqual(t, sealed, twice, name)
		assert.NotContains(t, string(sealed), "nobody")
		for other, o := range all {
			opened, err := o.Open(t.Context(), sealed)
			if other == name {
				require.NoError(t, err)
				assert.Equal(t, plain, opened)
				continue
			}
			require.ErrorIs(t, err, signingagent.ErrSealed, "%s opened %s", other, name)
			assert.NotContains(t, err.Error(), "sesame")
		}
	}
}

func TestSealedBytesThatWereChangedDoNotOpen(t *testing.T) {
	s := signingagent.QuickPassphrase("open sesame")
	plain := []byte("plain")
	sealed, err := s.Seal(t.Context(), plain)
	require.NoError(t, err)
	for i := range sealed {
		for _, bit := range []byte{1, 0x20, 0x80} {
			changed := bytes.Clone(sealed)
			changed[i] ^= bit
			if opened, err := s.Open(t.Context(), changed); err == nil { // the capitals of a name, or bits of base64 that say nothing
				require.Equal(t, plain, opened)
			} else {
				require.ErrorIs(t, err, signingagent.ErrSealed)
			}
		}
		_, err := s.Open(t.Context(), sealed[:i])
		require.ErrorIs(t, err, signingagent.ErrSealed, "cut after %d bytes", i)
	}
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "sealed", "no salt": `{"by":"a passphrase","rounds":1}`,
		"no rounds":          strings.Replace(string(sealed), `"rounds":1,`, ``, 1),
		"rounds for ever":    strings.Replace(string(sealed), `"rounds":1,`, `"rounds":2000000000,`, 1),
		"rounds for minutes": strings.Replace(string(sealed), `"rounds":1,`, `"rounds":60000000,`, 1),
		"fewer than none":    strings.Replace(string(sealed), `"rounds":1,`, `"rounds":-1,`, 1),
	} {
		_, err := s.Open(t.Context(), []byte(text))
		require.ErrorIs(t, err, signingagent.ErrSealed, name)
	}
}

func TestPassphrasesThatAreTooShortSealNothing(t *testing.T) {
	for _, text := range []string{"", "1234567"} {
		_, err := signingagent.Passphrase(text).Seal(t.Context(), []byte("plain"))
		clienttest.RequireInvalid(t, err, "passphrase")
		assert.NotContains(t, err.Error(), "1234567")
	}
	_, err := signingagent.Passphrase([]byte("12345678")).Seal(clienttest.Within(t, 0), []byte("plain"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// signer is a key in a service.
type signer struct {
	public crypto.PublicKey
	sign   func() ([]byte, error)
}

func (s signer) Public() crypto.PublicKey { return s.public }

func (s signer) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return s.sign() }

// remote is a signer that can be cancelled.
type remote struct {
	crypto.Signer
	asked int
}

func (r *remote) SignContext(ctx context.Context, rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	r.asked++
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return r.Sign(rand, digest, opts)
}

func TestSignersThatDoNotSealAreErrors(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	key := clienttest.PrivateKey(t)
	away := errors.New("the HSM is away")
	var invalid *qredo.ValidationError
	for name, c := range map[string]struct {
		key   crypto.Signer
		check func(err error)
	}{
		"none":              {nil, func(err error) { require.ErrorAs(t, err, &invalid) }},
		"a key of ECDSA":    {ec, func(err error) { require.ErrorAs(t, err, &invalid) }},
		"one that is away":  {signer{key.Public(), func() ([]byte, error) { return nil, away }}, func(err error) { require.ErrorIs(t, err, away) }},
		"a wrong signature": {signer{key.Public(), func() ([]byte, error) { return make([]byte, 256), nil }}, func(err error) { require.ErrorContains(t, err, "a wrong signature") }},
		"RSA in another form": {signer{key.Public(), func() ([]byte, error) {
			return rsa.SignPSS(rand.Reader, key, crypto.SHA256, make([]byte, 32), nil)
		}}, func(err error) { require.ErrorContains(t, err, "another scheme") }},
	} {
		t.Run(name, func(*testing.T) {
			_, err := signingagent.SignerKey(c.key).Seal(t.Context(), []byte("plain"))
			c.check(err)
		})
	}
	asked := &remote{Signer: key}
	s := signingagent.SignerKey(asked)
	sealed, err := s.Seal(t.Context(), []byte("plain"))
	require.NoError(t, err)
	assert.Equal(t, 2, asked.asked)
	again, err := s.Seal(t.Context(), []byte("plain"))
	require.NoError(t, err)
	assert.NotEqual(t, sealed, again)
	for _, sealed := range [][]byte{sealed, again} {
		_, err = s.Open(t.Context(), sealed)
		require.NoError(t, err)
	}
	assert.Equal(t, 2, asked.asked, "the key is made once")
	_, err = signingagent.SignerKey(asked).Open(clienttest.Within(t, 0), sealed)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, signingagent.ErrSealed)
}

func TestSealingWithFIPS140Only(t *testing.T) {
	if !clienttest.FIPS140Only(t) {
		return
	}
	for name, s := range map[string]signingagent.Sealer{
		"a passphrase": signingagent.Passphrase("open sesame"), "RSA": signingagent.SignerKey(clienttest.PrivateKey(t)), "Ed25519": signingagent.SignerKey(edKey(1)),
	} {
		path := t.TempDir() + "/agent.json"
		require.NoError(t, signingagent.NewFileStore(path, s).Save(t.Context(), identity(t, 1, finished)), name)
		id, err := signingagent.NewFileStore(path, s).Load(t.Context())
		require.NoError(t, err, name)
		requireSame(t, identity(t, 1, finished), id)
	}
}

func FuzzSealed(f *testing.F) {
	s := signingagent.QuickPassphrase("open sesame")
	path := f.TempDir() + "/agent.json"
	store := signingagent.NewFileStore(path, s)
	id := identity(f, 1, finished)
	require.NoError(f, store.Save(f.Context(), id))
	sealed, err := s.Seal(f.Context(), []byte("something else"))
	require.NoError(f, err)
	f.Add(sealed)
	f.Add(read(f, path))
	f.Fuzz(func(t *testing.T, data []byte) {
		opened, err := signingagent.ReadSealed(t.Context(), s, data)
		if err != nil {
			require.True(t, errors.Is(err, signingagent.ErrSealed) || errors.Is(err, signingagent.ErrDamaged), err)
			return
		}
		requireSame(t, id, opened)
	})
}
