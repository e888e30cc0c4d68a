package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSignVectors holds the command against known answers that OpenSSL made, with both forms of the key.
func TestSignVectors(t *testing.T) {
	root := filepath.Join("..", "..", "testdata")
	data, err := os.ReadFile(filepath.Join(root, "vectors.json"))
	require.NoError(t, err)
	type vector struct {
		Name   string `json:"name"`
		Method string `json:"method"`
		Stamp  string `json:"stamp"`
		URL    string `json:"url"`
		Body   string `json:"body"`
		XSign  string `json:"x_sign"`
		Sig    string `json:"qredo_api_sig"`
	}
	var vectors struct {
		RSA  []vector `json:"rsa"`
		HMAC []vector `json:"hmac"`

		Secret string `json:"hmac_secret"`
	}
	require.NoError(t, json.Unmarshal(data, &vectors))
	require.NotEmpty(t, vectors.RSA)
	require.NotEmpty(t, vectors.HMAC)

	sign := func(t *testing.T, v vector, env []string, args ...string) string {
		body := filepath.Join(t.TempDir(), "body")
		require.NoError(t, os.WriteFile(body, []byte(v.Body), 0o600))
		args = append([]string{"sign", "--url", v.URL, "--method", v.Method, "--body", body}, args...)
		printed, err := qredoCommand(t, env, args...).Output()
		require.NoError(t, err)
		return string(printed)
	}
	for _, form := range []string{"private.pkcs1.pem", "private.pkcs8.pem"} {
		for _, v := range vectors.RSA {
			t.Run(form+"/"+v.Name, func(t *testing.T) {
				stamp, header := "--timestamp", "x-timestamp: "
				if strings.Contains(v.Name, "nonce") {
					stamp, header = "--nonce", "x-nonce: "
				}
				key := filepath.Join(root, form)
				out := sign(t, v, []string{"QREDO_API_KEY=k", "QREDO_PRIVATE_KEY_FILE=" + key}, stamp, v.Stamp)
				assert.Equal(t, header+v.Stamp+"\nx-sign: "+v.XSign+"\n", out)
			})
		}
	}
	for _, v := range vectors.HMAC {
		t.Run("hmac/"+v.Name, func(t *testing.T) {
			out := sign(t, v, []string{"QREDO_QAPI_KEY=k", "QREDO_QAPI_SECRET=" + vectors.Secret}, "--api", "qapi", "--timestamp", v.Stamp)
			assert.Equal(t, "qredo-api-ts: "+v.Stamp+"\nqredo-api-sig: "+v.Sig+"\n", out)
		})
	}
}
