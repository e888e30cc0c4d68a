package access_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox/internal/access"
)

func TestSignatures(t *testing.T) {
	k := newKeys(t)
	stamp := strconv.FormatInt(now.Unix(), 10)
	right := signature(t, ownKey(), stamp, asked, "")
	raw, err := base64.RawURLEncoding.DecodeString(right)
	require.NoError(t, err)
	flipped := append([]byte(nil), raw...)
	flipped[len(flipped)-1] ^= 1
	last := right[:len(right)-1] + string(right[len(right)-1]+1)
	digest := sha256.Sum256([]byte(stamp + asked))
	pss, err := rsa.SignPSS(rand.Reader, ownKey(), crypto.SHA256, digest[:], nil)
	require.NoError(t, err)
	twice := sha256.Sum256(digest[:])
	overDigest, err := rsa.SignPKCS1v15(rand.Reader, ownKey(), crypto.SHA256, twice[:])
	require.NoError(t, err)
	for name, sign := range map[string]string{
		"none":                       "",
		"garbage":                    "garbage!",
		"base64 of nothing":          "AAAA",
		"padded":                     base64.URLEncoding.EncodeToString(raw),
		"not for URLs, with padding": base64.StdEncoding.EncodeToString(raw),
		"hex":                        strings.Repeat("ab", 256),
		"one bit changed":            base64.RawURLEncoding.EncodeToString(flipped),
		"last letter changed":        last,
		"shortened":                  right[:len(right)-4],
		"lengthened":                 right + "AAAA",
		"of another key":             signature(t, otherKey(), stamp, asked, ""),
		"of another body":            signature(t, ownKey(), stamp, asked, "{}"),
		"of another URL":             signature(t, ownKey(), stamp, asked+"?", ""),
		"of another stamp":           signature(t, ownKey(), "0"+stamp, asked, ""),
		"PSS":                        base64.RawURLEncoding.EncodeToString(pss),
		"over the digest of the digest, which the words of the contract could be taken for": base64.RawURLEncoding.EncodeToString(overDigest),
	} {
		t.Run(name, func(t *testing.T) {
			req := stamped(t, now)
			req.Header.Set("x-sign", sign)
			_, err := k.Signed(req, now, false)
			refused(t, err, access.NotProved, "signature")
		})
	}
	t.Run("right", func(t *testing.T) {
		_, err := k.Signed(stamped(t, now), now, true)
		require.NoError(t, err)
	})
	t.Run("right, with a body", func(t *testing.T) {
		req := stamped(t, now)
		req.Body = []byte(`{ "ref":"ü" }`)
		req.Header.Set("x-sign", signature(t, ownKey(), stamp, asked, `{ "ref":"ü" }`))
		_, err := k.Signed(req, now, false)
		require.NoError(t, err)
	})
	t.Run("the method is not part of what is signed", func(t *testing.T) {
		req := stamped(t, now)
		req.Method = "DELETE"
		_, err := k.Signed(req, now, false)
		require.NoError(t, err)
	})
	t.Run("over one of several URLs", func(t *testing.T) {
		req := stamped(t, now)
		req.URLs = []string{"http://another.example/x", asked}
		_, err := k.Signed(req, now, false)
		require.NoError(t, err)
		req.URLs = req.URLs[:1]
		_, err = k.Signed(req, now, false)
		refused(t, err, access.NotProved, "signature")
	})
	t.Run("another's key does not help", func(t *testing.T) {
		req := stamped(t, now)
		req.Header.Set("X-API-KEY", "second")
		_, err := k.Signed(req, now, false)
		refused(t, err, access.NotProved, "signature")
	})
}

func TestUnsigned(t *testing.T) {
	bare := func() access.Request { return request(map[string]string{"X-API-KEY": "own"}) }
	k := newKeys(t)
	_, err := k.Signed(bare(), now, false)
	refused(t, err, access.NotProved, "signature: the request is not signed; with --unsigned (WithUnsigned) the sandbox takes it")
	k.Unsigned = true
	key, err := k.Signed(bare(), now, false)
	require.NoError(t, err)
	require.Equal(t, "default", key.Account)
	_, err = k.Signed(bare(), now, true)
	refused(t, err, access.NotProved, "signature: this request must be signed, also with --unsigned")
	_, err = k.Signed(stamped(t, now), now, true)
	require.NoError(t, err)

	for name, test := range map[string]struct {
		change func(r *access.Request)
		kind   access.Kind
		reason string
	}{
		"unknown key":           {func(r *access.Request) { *r = request(map[string]string{"X-API-KEY": "nobody"}) }, access.NotProved, "api key"},
		"no key":                {func(r *access.Request) { *r = request(nil) }, access.NoCredentials, "empty token"},
		"wrong signature":       {func(r *access.Request) { r.Header.Set("x-sign", "AAAA") }, access.NotProved, "signature"},
		"stamp, no signature":   {func(r *access.Request) { r.Header.Del("x-sign") }, access.NotProved, "signature"},
		"signature, no stamp":   {func(r *access.Request) { r.Header.Del("x-timestamp") }, access.NotProved, "timestamp or nonce: exactly one must be given"},
		"stale, rightly signed": {func(r *access.Request) { *r = stamped(t, now.Add(-time.Hour)) }, access.NotProved, "timestamp"},
		"another nonce":         {func(r *access.Request) { *r = nonced(t, "5"); r.Header.Set("x-nonce", "6") }, access.NotProved, "signature"},
	} {
		t.Run(name, func(t *testing.T) {
			req := stamped(t, now)
			test.change(&req)
			_, err := k.Signed(req, now, false)
			refused(t, err, test.kind, test.reason)
		})
	}
}

// The first check that fails answers: each request here fails all that come after it too.
func TestOrderOfChecks(t *testing.T) {
	k := newKeys(t)
	used := nonced(t, "1")
	_, err := k.Signed(used, now, false)
	require.NoError(t, err)
	bad := map[string]string{"x-sign": "AAAA"}
	with := func(more map[string]string) access.Request {
		headers := map[string]string{}
		for _, part := range []map[string]string{bad, more} {
			for name, value := range part {
				headers[name] = value
			}
		}
		return request(headers)
	}
	for _, test := range []struct {
		req    access.Request
		kind   access.Kind
		reason string
	}{
		{with(map[string]string{"x-timestamp": "0", "x-nonce": "1"}), access.NoCredentials, "empty token"},
		{with(map[string]string{"x-timestamp": "0", "x-nonce": "1", "X-API-KEY": "nobody"}), access.NotProved, "api key"},
		{with(map[string]string{"x-timestamp": "0", "x-nonce": "1", "X-API-KEY": "own"}), access.NotProved, "timestamp or nonce: exactly one must be given"},
		{with(map[string]string{"x-timestamp": "0", "X-API-KEY": "own"}), access.NotProved, "timestamp"},
		{with(map[string]string{"x-nonce": "1", "X-API-KEY": "own"}), access.NotProved, "signature"},
		{used, access.NotProved, "nonce"},
	} {
		_, err := k.Signed(test.req, now, false)
		refused(t, err, test.kind, test.reason)
	}
}

func TestLongNoncesAreRefused(t *testing.T) {
	k := newKeys(t)
	_, err := k.Signed(nonced(t, strings.Repeat("7", 1024)), now, false)
	require.NoError(t, err)
	for _, length := range []int{1025, 900_000} {
		_, err := k.Signed(nonced(t, strings.Repeat("7", length)), now, false)
		require.ErrorContains(t, err, "over 1024 bytes")
	}
	_, err = k.Signed(nonced(t, strings.Repeat("7", 1024)), now, false)
	require.ErrorContains(t, err, "nonce", "a digest of it is kept")
}
