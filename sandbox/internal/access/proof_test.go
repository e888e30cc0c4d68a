package access_test

import (
	"crypto/fips140"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox/internal/access"
)

// secrets are those of the signing agents of these tests.
var secrets = map[string]string{"alpha": "the first secret", "beta": "the second secret", "": "of no agent", "mute": ""}

// proof is what the rules say it is, made by hand.
func proof(clientID, secret string, at time.Time, method, url, body string) (proof string) {
	fips140.WithoutEnforcement(func() { // which takes no empty secret
		stamp := strconv.FormatInt(at.Unix(), 10)
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(stamp + method + url + body))
		proof = clientID + "." + stamp + "." + hex.EncodeToString(mac.Sum(nil))
	})
	return proof
}

func TestProofs(t *testing.T) {
	of := func(clientID string, at time.Time, method, url, body string) string {
		return proof(clientID, secrets[clientID], at, method, url, body)
	}
	right := of("alpha", now, "GET", asked, "")
	parts := strings.Split(right, ".")
	flipped := strings.Map(func(r rune) rune { return map[bool]rune{true: '1', false: '0'}[r == '0'] }, parts[2][:1]) + parts[2][1:]
	next := strconv.FormatInt(now.Unix()+1, 10)
	for name, test := range map[string]struct {
		proof  string
		kind   access.Kind
		reason string
	}{
		"right":                     {right, 0, ""},
		"with white space around":   {" " + right + " ", 0, ""},
		"5 minutes old":             {of("alpha", now.Add(-5*time.Minute), "GET", asked, ""), 0, ""},
		"5 minutes early":           {of("alpha", now.Add(5*time.Minute), "GET", asked, ""), 0, ""},
		"a second older":            {of("alpha", now.Add(-5*time.Minute-time.Second), "GET", asked, ""), access.NotProved, "proof"},
		"a second earlier":          {of("alpha", now.Add(5*time.Minute+time.Second), "GET", asked, ""), access.NotProved, "proof"},
		"missing":                   {"", access.NoCredentials, "empty token"},
		"of white space":            {"  ", access.NoCredentials, "empty token"},
		"for another URL":           {of("alpha", now, "GET", asked+"x", ""), access.NotProved, "proof"},
		"for another method":        {of("alpha", now, "DELETE", asked, ""), access.NotProved, "proof"},
		"for another body":          {of("alpha", now, "GET", asked, "x"), access.NotProved, "proof"},
		"of another agent's secret": {proof("alpha", secrets["beta"], now, "GET", asked, ""), access.NotProved, "proof"},
		"of an agent that is not":   {proof("nobody", "", now, "GET", asked, ""), access.NotProved, "proof"},
		"of one without a secret":   {of("mute", now, "GET", asked, ""), access.NotProved, "proof"},
		"a digit changed":           {parts[0] + "." + parts[1] + "." + flipped, access.NotProved, "proof"},
		"cut":                       {right[:60], access.NotProved, "proof"},
		"another time than proved":  {parts[0] + "." + next + "." + parts[2], access.NotProved, "proof"},
		"no time":                   {parts[0] + ".." + parts[2], access.NotProved, "proof"},
		"words":                     {"let me in", access.NotProved, "proof"},
		"points":                    {"...", access.NotProved, "proof"},
	} {
		t.Run(name, func(t *testing.T) {
			req := request(map[string]string{"x-api-zkp": test.proof})
			req.URLs = []string{"http://another.example/", asked}
			clientID, err := access.Proved(req, now, func(clientID string) string { return secrets[clientID] })
			refused(t, err, test.kind, test.reason)
			if test.reason == "" {
				assert.Equal(t, "alpha", clientID)
			}
		})
	}
}

// The module's own authenticator proves what the tests above prove by hand.
func TestProofAuthMakesTheProof(t *testing.T) {
	auth, err := access.NewProofAuth("alpha", secrets["alpha"])
	require.NoError(t, err)
	const body = `{"signatures":["abcd"]}`
	req := httptest.NewRequest("PUT", asked, strings.NewReader(body))
	require.NoError(t, auth.Authenticate(req, []byte(body), now))
	assert.Equal(t, proof("alpha", secrets["alpha"], now, "PUT", asked, body), req.Header.Get("X-Api-Zkp"))
}
