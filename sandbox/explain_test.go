package sandbox_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

// TestExplain explains requests by both forms of the call. What can be found out is tested beside what finds it.
func TestExplain(t *testing.T) {
	const public = "https://api.qredo.network/api/v1/p"
	s, err := sandbox.New(sandbox.WithClock(newClock().Now), sandbox.WithKey("own", &ownKey().PublicKey), sandbox.WithPublicURL(public))
	require.NoError(t, err)
	overHTTP := controlOf(t, s)
	const url, body = "http://sandbox.example" + basePath + "/company", `{"name":"Acme"}`
	for name, test := range map[string]struct {
		signedURL string
		url       string // that is different
	}{
		"right":               {url, ""},
		"for the public URL":  {public + "/company", ""},
		"without its host":    {basePath + "/company", "without scheme and host"},
		"below the base path": {"/company", "below the base URL"},
	} {
		t.Run(name, func(t *testing.T) {
			req := newSigned(t, startOfTime, "POST", test.signedURL, body)
			sent := sandbox.SignedRequest{Method: "POST", URL: url, Headers: req.header, Body: []byte(body)}
			found, err := s.Explain(sent)
			require.NoError(t, err)
			if test.url == "" {
				signed := []sandbox.TextRun{{Text: req.header["x-timestamp"] + test.signedURL + body}}
				assert.Equal(t, sandbox.Explanation{Valid: true, Differences: []sandbox.Difference{}, Verified: signed, Signed: signed}, found)
			} else {
				assert.False(t, found.Valid)
				require.Len(t, found.Differences, 1)
				assert.Equal(t, "url", found.Differences[0].Part)
				assert.Contains(t, found.Differences[0].Found, test.url)
				assert.NotEmpty(t, found.Differences[0].Remedy)
			}
			same, err := overHTTP.Explain(t.Context(), sent)
			require.NoError(t, err)
			assert.Equal(t, found, same)
		})
	}
	_, err = s.Explain(sandbox.SignedRequest{URL: url, Headers: map[string]string{"X-API-KEY": "own"}, Body: make([]byte, 64<<10+1)})
	assert.ErrorContains(t, err, "is not examined")
}
