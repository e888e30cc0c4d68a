package scenario_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// vectors are known answers, made by other programs.
type vectors struct {
	RSA        []vector `json:"rsa"`
	HMACSecret string   `json:"hmac_secret"`
	HMAC       []vector `json:"hmac"`
}

type vector struct {
	Name    string `json:"name"`
	Method  string `json:"method"`
	Stamp   string `json:"stamp"`
	URL     string `json:"url"`
	Body    string `json:"body"`
	XSign   string `json:"x_sign"`
	HMACSig string `json:"qredo_api_sig"`
}

func loadVectors(t *testing.T) vectors {
	t.Helper()
	var v vectors
	require.NoError(t, json.Unmarshal(clienttest.ReadTestdata(t, "vectors.json"), &v))
	require.Len(t, v.RSA, 9)
	require.Len(t, v.HMAC, 4)
	return v
}

func (v vector) request(t *testing.T) *http.Request {
	t.Helper()
	req, err := http.NewRequest(v.Method, v.URL, strings.NewReader(v.Body))
	require.NoError(t, err)
	return req
}

func (v vector) time(t *testing.T) time.Time {
	t.Helper()
	seconds, err := strconv.ParseInt(v.Stamp, 10, 64)
	require.NoError(t, err)
	return time.Unix(seconds, 999_999_999) // fractions of a second do not count
}

func TestRSAVectors(t *testing.T) {
	for _, file := range []string{"private.pkcs1.pem", "private.pkcs8.pem"} {
		key, err := qredo.ParsePrivateKey(clienttest.ReadTestdata(t, file))
		require.NoError(t, err)
		byTime, err := qredo.NewRSAAuth(clienttest.APIKey, key)
		require.NoError(t, err)
		for _, v := range loadVectors(t).RSA {
			t.Run(file+"/"+v.Name, func(t *testing.T) {
				signature, err := byTime.Sign(v.Stamp, v.URL, []byte(v.Body))
				require.NoError(t, err)
				require.Equal(t, v.XSign, signature)

				req := v.request(t)
				require.NoError(t, byTime.Authenticate(req, []byte(v.Body), v.time(t)))
				assert.Equal(t, http.Header{
					"X-Api-Key": {clienttest.APIKey}, "X-Timestamp": {v.Stamp}, "X-Sign": {v.XSign},
				}, req.Header)

				byNonce, err := qredo.NewRSAAuth(clienttest.APIKey, key, qredo.WithNonce(func() string { return v.Stamp }))
				require.NoError(t, err)
				req = v.request(t)
				require.NoError(t, byNonce.Authenticate(req, []byte(v.Body), time.Unix(1, 0)))
				assert.Equal(t, http.Header{
					"X-Api-Key": {clienttest.APIKey}, "X-Nonce": {v.Stamp}, "X-Sign": {v.XSign},
				}, req.Header)
			})
		}
	}
}

func TestHMACVectors(t *testing.T) {
	all := loadVectors(t)
	auth, err := qredo.NewHMACAuth(clienttest.APIKey, all.HMACSecret)
	require.NoError(t, err)
	for _, v := range all.HMAC {
		t.Run(v.Name+" "+v.Stamp, func(t *testing.T) {
			for _, method := range []string{v.Method, strings.ToLower(v.Method)} {
				signature, err := auth.Sign(v.Stamp, method, v.URL, []byte(v.Body))
				require.NoError(t, err)
				require.Equal(t, v.HMACSig, signature)
			}
			if v.Name == "nanoseconds" {
				return // Authenticate stamps with seconds
			}
			req := v.request(t)
			require.NoError(t, auth.Authenticate(req, []byte(v.Body), v.time(t)))
			assert.Equal(t, http.Header{
				"Qredo-Api-Key": {clienttest.APIKey}, "Qredo-Api-Ts": {v.Stamp}, "Qredo-Api-Sig": {v.HMACSig},
			}, req.Header)
		})
	}
}

// Each part of what is signed changes the signature.
func TestSignaturesCoverEveryPart(t *testing.T) {
	auth := clienttest.NewAuth(t)
	base, err := auth.Sign("1", "https://h/p", []byte("{}"))
	require.NoError(t, err)
	for name, sign := range map[string]func() (string, error){
		"stamp": func() (string, error) { return auth.Sign("2", "https://h/p", []byte("{}")) },
		"url":   func() (string, error) { return auth.Sign("1", "https://h/q", []byte("{}")) },
		"query": func() (string, error) { return auth.Sign("1", "https://h/p?a=1", []byte("{}")) },
		"body":  func() (string, error) { return auth.Sign("1", "https://h/p", []byte("{ }")) },
	} {
		other, err := sign()
		require.NoError(t, err)
		require.NotEqual(t, base, other, name)
	}
	again, err := auth.Sign("1", "https://h/p", []byte("{}"))
	require.NoError(t, err)
	require.Equal(t, base, again, "the same parts give the same signature")
}
