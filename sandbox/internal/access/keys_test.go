package access_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/access"
)

// now is when the requests of these tests are made and checked.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// asked is the URL of the requests of these tests.
const asked = "http://sandbox.example/api/v1/p/assets"

// Two RSA keys for all tests, because making one takes long.
var (
	ownKey   = sync.OnceValue(newRSAKey)
	otherKey = sync.OnceValue(newRSAKey)
)

func newRSAKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// newKeys has the keys own and second of one account, and strange of another.
func newKeys(t testing.TB) *access.Keys {
	t.Helper()
	k := access.NewKeys()
	require.NoError(t, k.Register("own", "default", &ownKey().PublicKey))
	require.NoError(t, k.Register("second", "default", &otherKey().PublicKey))
	require.NoError(t, k.Register("strange", "stranger", &otherKey().PublicKey))
	return k
}

// signature is the contract's x-sign, made with nothing but crypto/rsa.
func signature(t testing.TB, key *rsa.PrivateKey, stamp, url, body string) string {
	t.Helper()
	digest := sha256.Sum256([]byte(stamp + url + body))
	raw, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	require.NoError(t, err)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// request is one with these headers.
func request(headers map[string]string) access.Request {
	h := http.Header{}
	for name, value := range headers {
		h.Set(name, value)
	}
	return access.Request{Method: "GET", Header: h, URLs: []string{asked}}
}

// stamped is a request that the key own has signed. Tests change parts of it.
func stamped(t testing.TB, at time.Time) access.Request {
	t.Helper()
	stamp := strconv.FormatInt(at.Unix(), 10)
	return request(map[string]string{"X-API-KEY": "own", "x-timestamp": stamp, "x-sign": signature(t, ownKey(), stamp, asked, "")})
}

// nonced is a request with a nonce that the key own has signed.
func nonced(t testing.TB, nonce string) access.Request {
	t.Helper()
	return request(map[string]string{"X-API-KEY": "own", "x-nonce": nonce, "x-sign": signature(t, ownKey(), nonce, asked, "")})
}

// refused demands a refusal of a kind, for this reason. With no reason it demands that there is none.
func refused(t testing.TB, err error, kind access.Kind, reason string) {
	t.Helper()
	if reason == "" {
		require.NoError(t, err)
		return
	}
	var refusal *access.Refusal
	require.ErrorAs(t, err, &refusal)
	assert.Equal(t, access.Refusal{Kind: kind, Reason: reason}, *refusal)
}

func TestKeysAreFound(t *testing.T) {
	k := newKeys(t)
	require.NoError(t, k.Register(" from-a-file\n", "default", &ownKey().PublicKey))
	for name, test := range map[string]struct {
		key    string
		kind   access.Kind
		reason string
	}{
		"missing":              {"-", access.NoCredentials, "empty token"},
		"empty":                {"", access.NoCredentials, "empty token"},
		"white space":          {"  ", access.NoCredentials, "empty token"},
		"unknown":              {"nobody", access.NotProved, "api key"},
		"in another case":      {"OWN", access.NotProved, "api key"},
		"with white space":     {"  own\t", 0, ""},
		"registered with some": {"from-a-file", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			req := stamped(t, now)
			req.Header.Set("X-API-KEY", test.key)
			if test.key == "-" {
				req.Header.Del("X-API-KEY")
			}
			key, err := k.Signed(req, now, false)
			refused(t, err, test.kind, test.reason)
			assert.Equal(t, test.reason == "", key != nil)
		})
	}
}

func TestAKeyIsNamedWithoutBeingGivenAway(t *testing.T) {
	k := newKeys(t)
	own, err := k.Signed(stamped(t, now), now, false)
	require.NoError(t, err)
	assert.Equal(t, "default", own.Account)
	assert.NotContains(t, own.ID, "own")
	k.Unsigned = true
	ids := map[string]bool{own.ID: true}
	for name, account := range map[string]string{"second": "default", "strange": "stranger"} {
		key, err := k.Signed(request(map[string]string{"X-API-KEY": name}), now, false)
		require.NoError(t, err)
		assert.Equal(t, account, key.Account)
		ids[key.ID] = true
	}
	assert.Len(t, ids, 3, "each key has an ID of its own, also where two have one public key")
	later, err := newKeys(t).Signed(stamped(t, now), now, false)
	require.NoError(t, err)
	assert.Equal(t, own.ID, later.ID, "the same in each sandbox")
}

func TestRegister(t *testing.T) {
	k, public := newKeys(t), &ownKey().PublicKey
	for name, refused := range map[string]error{
		"no API key":               k.Register("", "default", public),
		"no public key":            k.Register("key", "default", nil),
		"no account":               k.Register("key", "", public),
		"another public key":       k.Register("own", "default", &otherKey().PublicKey),
		"another account":          k.Register("own", "stranger", public),
		"the same, written longer": k.Register(" own\n", "stranger", public),
	} {
		var problem *qredo.ValidationError
		require.ErrorAs(t, refused, &problem, name)
		assert.Equal(t, "key", problem.Field, name)
	}
	require.NoError(t, k.Register("own", "default", public), "the same again")
}

func TestDemand(t *testing.T) {
	k := access.NewKeys()
	const all, balance, web3 = "all", "balance", "web3"
	for name, permissions := range map[string][]string{all: nil, balance: {access.PermissionBalance}, web3: {access.PermissionBalance, access.PermissionWeb3}} {
		_, err := k.RegisterHMAC(name, "default", base64.StdEncoding.EncodeToString(hmacSecret), permissions...)
		require.NoError(t, err)
	}
	for _, test := range []struct {
		key    string
		needed []string
		may    bool
	}{
		{all, []string{access.PermissionRead}, true},
		{balance, []string{access.PermissionBalance, access.PermissionRead}, true},
		{balance, []string{access.PermissionRead, access.PermissionWeb3}, false},
		{balance, nil, true},
		{web3, []string{access.PermissionRead, access.PermissionWeb3}, true},
		{web3, []string{access.PermissionRead}, false},
	} {
		key, err := k.SignedByHMAC(hmacRequest{key: test.key}.sign(), now)
		require.NoError(t, err)
		if test.may {
			require.NoError(t, key.Demand(test.needed...), "%v", test)
		} else {
			refused(t, key.Demand(test.needed...), access.NotAllowed, "insufficient privileges")
		}
	}
}
