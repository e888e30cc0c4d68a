package agentcrypto

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha3"
	"strings"
	"testing"
	"time"

	bls "github.com/cloudflare/circl/ecc/bls12381"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKeysAreAMCLs(t *testing.T) {
	for _, c := range knownAnswers(t).Keys {
		t.Run(c.Name, func(t *testing.T) {
			g := newGenerator(c.Seed)
			drawn := make([]byte, len(c.Drawn))
			for i := range drawn {
				drawn[i] = g.byte()
			}
			require.Len(t, drawn, 100)
			assert.Equal(t, []byte(c.Drawn), drawn)

			key, err := NewKey(c.Seed)
			require.NoError(t, err)
			assert.Equal(t, []byte(c.Secret), scalarBytes(key.secret()))
			assert.Equal(t, []byte(c.Public), key.PublicKey().Bytes())
			assert.Equal(t, []byte(c.ECPrivate), ecKey(c.Seed).Serialize())
			assert.Equal(t, []byte(c.ECPublic), key.ECPublicKey())

			read, err := ParsePublicKey(c.Public)
			require.NoError(t, err)
			assert.Equal(t, []byte(c.Public), read.Bytes())
		})
	}
}

func TestSignaturesAreAMCLs(t *testing.T) {
	all := knownAnswers(t)
	for _, c := range all.Signatures {
		t.Run(c.Name, func(t *testing.T) {
			require.Equal(t, "accept", c.Want)
			assert.Equal(t, []byte(c.Digest), sha3.SumSHAKE256(c.Message, 48))
			assert.Equal(t, []byte(c.Point), pointBytes(hashMessage(c.Message)))
			key, err := NewKey(all.Keys[c.Key-1].Seed)
			require.NoError(t, err)
			assert.Equal(t, []byte(c.Public), key.PublicKey().Bytes())
			assert.Equal(t, []byte(c.Secret), scalarBytes(key.secret()))
			assert.Equal(t, []byte(c.Signature), key.Sign(c.Message))
			public, err := ParsePublicKey(c.Public)
			require.NoError(t, err)
			assert.NoError(t, public.Verify(c.Message, c.Signature))
		})
	}
}

func TestSignaturesRefused(t *testing.T) {
	for _, c := range knownAnswers(t).SignaturesRefused {
		t.Run(c.Name, func(t *testing.T) {
			require.Equal(t, "refuse", c.Want)
			public, err := ParsePublicKey(c.Public)
			if err == nil {
				err = public.Verify(c.Message, c.Signature)
			}
			why := c.Why
			where := "signature"
			if what, rest, found := strings.Cut(c.Why, ": "); found {
				where, why = strings.Replace(what, "public", "BLS public", 1), rest
			}
			requireRefused(t, err, where, why)
		})
	}
}

// requireRefused requires the expected error, which must not repeat the value.
func requireRefused(t *testing.T, err error, where, why string) {
	t.Helper()
	require.Contains(t, reasons, why)
	require.ErrorIs(t, err, reasons[why])
	require.EqualError(t, err, "agentcrypto: "+where+": "+reasons[why].Error())
}

func TestClientSecretsAreAMCLs(t *testing.T) {
	for _, c := range knownAnswers(t).ClientSecrets {
		t.Run(c.Name, func(t *testing.T) {
			digest := sha256.Sum256(c.ID)
			assert.Equal(t, []byte(c.Digest), append(make([]byte, 16), digest[:]...))
			assert.Equal(t, []byte(c.Point), pointBytes(hashID(c.ID)))
			master := masterOf(t, c.Master)
			var server bls.G2
			server.ScalarMult(master.secret(), bls.G2Generator())
			assert.Equal(t, []byte(c.Server), publicKeyBytes(&server))
			assert.Equal(t, []byte(c.Secret), master.ClientSecret(c.ID).Bytes())
			read, err := ParseClientSecret(c.Secret)
			require.NoError(t, err)
			assert.Equal(t, []byte(c.Secret), read.Bytes())
		})
	}
}

func TestClientSecretsRefused(t *testing.T) {
	for _, c := range knownAnswers(t).ClientSecretsRefused {
		t.Run(c.Name, func(t *testing.T) {
			require.Equal(t, "refuse", c.Want)
			_, err := ParseClientSecret(c.Secret)
			requireRefused(t, err, "client secret", c.Why)
			_, err = ParseToken(c.Secret) // the same form
			requireRefused(t, err, "token", c.Why)
		})
	}
}

func TestTokensAreAMCLs(t *testing.T) {
	for _, c := range knownAnswers(t).Tokens {
		t.Run(c.Name, func(t *testing.T) {
			secret, err := ParseClientSecret(c.Secret)
			require.NoError(t, err)
			token, err := secret.Token(c.ID, c.PIN)
			require.NoError(t, err)
			assert.Equal(t, []byte(c.Token), token.Bytes())
			read, err := ParseToken(c.Token)
			require.NoError(t, err)
			prover, err := NewProver(c.ID, read, c.PIN)
			require.NoError(t, err)
			assert.Equal(t, []byte(c.Joined), pointBytes(prover.secret()))
		})
	}
}

func TestProofsAreAMCLs(t *testing.T) {
	all := knownAnswers(t)
	master := masterOf(t, all.Master)
	for _, c := range all.Proofs {
		t.Run(c.Name, func(t *testing.T) {
			require.Equal(t, "accept", c.Want)
			x := scalarIn(t, c.X)
			if c.Seed != nil {
				assert.Equal(t, []byte(c.X), scalarBytes(newGenerator(c.Seed).scalar()))
			}
			token, err := ParseToken(c.Token)
			require.NoError(t, err)
			prover, err := NewProver(c.ID, token, c.PIN)
			require.NoError(t, err)
			made := prover.prove(x, c.ET)
			assert.Equal(t, []byte(c.U), made.U)
			assert.Equal(t, []byte(c.Y), scalarBytes(made.challenge()))
			assert.Equal(t, []byte(c.V), made.V)
			assert.Equal(t, c.Header, made.header())

			read, err := parseHeader(c.Header)
			require.NoError(t, err)
			assert.Equal(t, made, read)
			assert.True(t, pairs(t, read, c.Server))
			id, err := Check(c.Header, time.Unix(c.ET, 0), func([]byte) *MasterSecret { return master })
			require.NoError(t, err)
			assert.Equal(t, []byte(c.ID), id)
		})
	}
}

// pairs is AMCL's own check, by somebody with the server secret and without the master secret: e(V, G2)·e(U + y·H(ID),
// s·G2) = 1.
func pairs(t testing.TB, p *proof, server []byte) bool {
	t.Helper()
	s, err := parsePublicKey(server)
	require.NoError(t, err)
	u, err := parsePoint(p.U)
	require.NoError(t, err)
	v, err := parsePoint(p.V)
	require.NoError(t, err)
	var sum bls.G1
	sum.ScalarMult(p.challenge(), hashID(p.ID))
	sum.Add(&sum, u)
	return bls.ProdPairFrac([]*bls.G1{v, &sum}, []*bls.G2{bls.G2Generator(), s}, []int{1, 1}).IsIdentity()
}

func TestHeaders(t *testing.T) {
	all := knownAnswers(t)
	master := masterOf(t, all.Master)
	known := func(id []byte) *MasterSecret {
		for _, k := range all.KnownIDs {
			if bytes.Equal(k, id) {
				return master
			}
		}
		return nil
	}
	for _, c := range all.Headers {
		t.Run(c.Name, func(t *testing.T) {
			id, err := Check(c.Header, time.Unix(c.Now, 0), known)
			if c.Want == "accept" {
				require.NoError(t, err)
				assert.Equal(t, []byte(all.KnownIDs[0]), id)
				return
			}
			require.Equal(t, "refuse", c.Want)
			assert.Nil(t, id)
			switch where, why, found := strings.Cut(c.Why, ": "); {
			case found:
				requireRefused(t, err, "proof: "+where, why)
			case c.Name == "no ET": // not a time at all
				requireRefused(t, err, "proof", "not the JSON object")
			case c.Why == "time":
				requireRefused(t, err, "proof: time", c.Why)
			case c.Why == "no such ID":
				requireRefused(t, err, "proof: ID", c.Why)
			default:
				requireRefused(t, err, "proof", c.Why)
			}
			if p, malformed := parseHeader(c.Header); malformed == nil && c.Why == "proof is wrong" {
				assert.False(t, pairs(t, p, all.Server), "only without a pairing")
			}
		})
	}
}

func TestClientIDsAreTheServices(t *testing.T) {
	for _, c := range knownAnswers(t).ClientIDs {
		id := ClientID(c.AccountCode, time.Unix(c.Created, 0))
		assert.Equal(t, c.JSON, string(id))
		assert.Equal(t, []byte(c.ClientID), id)
		digest := sha256.Sum256(id)
		assert.Equal(t, []byte(c.Digest), append(make([]byte, 16), digest[:]...))
		assert.Equal(t, []byte(c.Point), pointBytes(hashID(id)))
	}
}
