package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	assert.Contains(t, out.String(), "8 assets, by a request that was signed remotely")
}

// newService is a signing service that another handler may come before, with a signer for it.
func newService(t *testing.T, before func(n int64, w http.ResponseWriter, next func())) (*Signer, *atomic.Int64) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	service := signingService(key)
	var signatures atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			service.ServeHTTP(w, r)
			return
		}
		before(signatures.Add(1), w, func() { service.ServeHTTP(w, r) })
	}))
	t.Cleanup(srv.Close)
	signer, err := NewSigner(t.Context(), srv.URL, "custody", srv.Client())
	require.NoError(t, err)
	signer.pause = time.Millisecond
	return signer, &signatures
}

var digest = sha256.Sum256([]byte("a request"))

func TestSignerTriesAgain(t *testing.T) {
	for name, test := range map[string]struct {
		status, attempts int64
		fails            bool
	}{
		"unavailable once": {503, 2, false},
		"too many":         {429, 2, false},
		"refused":          {403, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			signer, signatures := newService(t, func(n int64, w http.ResponseWriter, next func()) {
				if n == 1 {
					w.WriteHeader(int(test.status))
					return
				}
				next()
			})
			signature, err := signer.Sign(nil, digest[:], crypto.SHA256)
			assert.Equal(t, test.attempts, signatures.Load())
			if test.fails {
				assert.Error(t, err)
				return
			}
			require.NoError(t, err)
			assert.NoError(t, rsa.VerifyPKCS1v15(signer.public, crypto.SHA256, digest[:], signature))
		})
	}
}

func TestSignerGivesUp(t *testing.T) {
	signer, signatures := newService(t, func(_ int64, w http.ResponseWriter, _ func()) { w.WriteHeader(500) })
	_, err := signer.Sign(nil, digest[:], crypto.SHA256)
	require.ErrorContains(t, err, "500")
	assert.Equal(t, int64(signer.attempts), signatures.Load())

	signer.timeout = time.Millisecond
	signer.pause = time.Hour
	_, err = signer.Sign(nil, digest[:], crypto.SHA256)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestSignerDoubtsTheService(t *testing.T) {
	signer, _ := newService(t, func(_ int64, w http.ResponseWriter, _ func()) {
		_, _ = w.Write([]byte(`{"signature":"bm90IGEgc2lnbmF0dXJl"}`))
	})
	_, err := signer.Sign(nil, digest[:], crypto.SHA256)
	require.ErrorContains(t, err, "does not fit the key")
	_, err = signer.Sign(nil, digest[:5], crypto.SHA256)
	require.Error(t, err)
	_, err = signer.Sign(nil, digest[:], crypto.SHA512)
	assert.Error(t, err)
}
