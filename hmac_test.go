package qredo_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// A secret whose base64 has the characters in which the two alphabets differ, and padding.
var hmacSecret = []byte("\xfb\xef\xbe\xff\xff\xff secret of an API v1 key\x00")

func TestHMACSecretForms(t *testing.T) {
	mac := hmac.New(sha256.New, hmacSecret)
	mac.Write([]byte("7POSThttps://h/p?q=1body"))
	want := base64.RawURLEncoding.EncodeToString(mac.Sum(nil))

	forms := map[string]string{
		"standard":       base64.StdEncoding.EncodeToString(hmacSecret),
		"standard, bare": base64.RawStdEncoding.EncodeToString(hmacSecret),
		"URL":            base64.URLEncoding.EncodeToString(hmacSecret),
		"URL, bare":      base64.RawURLEncoding.EncodeToString(hmacSecret),
	}
	distinct := map[string]bool{}
	for name, form := range forms {
		distinct[form] = true
		for _, text := range []string{form, " \t" + form + "\r\n"} {
			auth, err := qredo.NewHMACAuth(apiKey, text)
			require.NoError(t, err, name)
			got, err := auth.Sign("7", "post", "https://h/p?q=1", []byte("body"))
			require.NoError(t, err)
			require.Equal(t, want, got, name)
		}
	}
	require.Len(t, distinct, 4, "the secret must tell the forms apart")
}

func TestHMACBadSecrets(t *testing.T) {
	for name, secret := range map[string]string{
		"empty": "", "blank": " \n", "padding only": "==", "not base64": "sécret!", "one character": "A",
		"cut": "c2VjcmV0c", "line break within": "c2Vj\ncmV0", "space within": "c2Vj cmV0", "bits left over": "c2VjcmV0cx",
	} {
		t.Run(name, func(t *testing.T) {
			auth, err := qredo.NewHMACAuth(apiKey, secret)
			require.Nil(t, auth)
			refused := requireInvalid(t, err, "secret")
			if len(secret) > 3 {
				require.NotContains(t, refused.Error(), secret)
			}
		})
	}
}

func TestHMACSignNeedsItsParts(t *testing.T) {
	auth, err := qredo.NewHMACAuth(apiKey, "c2VjcmV0")
	require.NoError(t, err)
	for _, parts := range [][3]string{{"", "GET", "https://h"}, {"7", "", "https://h"}, {"7", "GET", ""}} {
		got, err := auth.Sign(parts[0], parts[1], parts[2], nil)
		require.Empty(t, got)
		requireInvalid(t, err, "signature")
	}
}
