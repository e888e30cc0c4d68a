package access

import (
	"encoding/base64"
	"math"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A secret has the form of the service's: the text of a bcrypt hash in base64, the same in both of its alphabets.
func TestSecretsHaveTheServicesForm(t *testing.T) {
	const secrets = 1000
	seen, letters := map[string]bool{}, map[byte]int{}
	for range secrets {
		secret := newSecret()
		require.Regexp(t, `^[0-9A-Za-z]{80}$`, secret, "neither + nor /, and no padding")
		standard, err := base64.StdEncoding.DecodeString(secret)
		require.NoError(t, err)
		url, err := base64.URLEncoding.DecodeString(secret)
		require.NoError(t, err)
		require.Equal(t, standard, url)
		require.Regexp(t, `^\$2a\$04\$[./A-Za-z0-9]{53}$`, string(standard))
		require.False(t, seen[secret])
		seen[secret] = true
		for _, c := range standard[7:] {
			letters[c]++
		}
	}
	// Each of the 53 places is any of 64 letters, evenly: 318 bits.
	require.Len(t, letters, 64)
	entropy := 0.0
	for _, n := range letters {
		p := float64(n) / (secrets * 53)
		entropy -= p * math.Log2(p)
	}
	assert.Greater(t, entropy, 5.99)
}

func TestKeysHaveTheServicesForm(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		key := newHMACKey()
		require.Regexp(t, `^[0-9A-Za-z][0-9A-Za-z_-]{13}$`, key)
		require.False(t, seen[key])
		seen[key] = true
		require.Equal(t, key, hmacKeyID(key), "such a key is its own ID")
	}
	form := regexp.MustCompile(`^[0-9A-Za-z_-]{14}$`)
	for _, key := range []string{"reports", "a key of fourte", "eyJrZXlfaWQiOiJhIiwia2V5IjoiYiJ9"} {
		assert.Regexp(t, form, hmacKeyID(key))
		assert.NotEqual(t, key, hmacKeyID(key), "any other is not shown")
	}
}
