package access_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/agentcrypto"
	"github.com/qredo-go/qredo/sandbox/internal/access"
)

// What a proof proves is tested beside what checks it; here is what becomes of that.
func TestProofs(t *testing.T) {
	master, err := agentcrypto.NewMasterSecret([]byte("the service's"))
	require.NoError(t, err)
	alpha := agentcrypto.ClientID("alpha", now)
	of := func(id []byte, pin int, at time.Time) string {
		token, err := master.ClientSecret(id).Token(id, 0)
		require.NoError(t, err)
		prover, err := agentcrypto.NewProver(id, token, pin)
		require.NoError(t, err)
		return prover.Header(at)
	}
	right := of(alpha, 0, now)
	object, err := hex.DecodeString(right)
	require.NoError(t, err)
	with := func(filler int) string {
		return hex.EncodeToString(append(object[:len(object)-1], `,"more":"`+strings.Repeat("x", filler)+`"}`...))
	}
	for name, test := range map[string]struct {
		proof  string
		kind   access.Kind
		reason string
	}{
		"right":                    {right, 0, ""},
		"in capitals":              {strings.ToUpper(right), 0, ""},
		"with white space around":  {" " + right + " ", 0, ""},
		"with more in it":          {with(1000), 0, ""},
		"5 minutes old":            {of(alpha, 0, now.Add(-5*time.Minute)), 0, ""},
		"5 minutes early":          {of(alpha, 0, now.Add(5*time.Minute)), 0, ""},
		"a second older":           {of(alpha, 0, now.Add(-5*time.Minute-time.Second)), access.NotProved, "proof"},
		"a second earlier":         {of(alpha, 0, now.Add(5*time.Minute+time.Second)), access.NotProved, "proof"},
		"missing":                  {"", access.NoCredentials, "empty token"},
		"of white space":           {"  ", access.NoCredentials, "empty token"},
		"of another PIN":           {of(alpha, 1, now), access.NotProved, "proof"},
		"of an agent that is not":  {of(agentcrypto.ClientID("beta", now), 0, now), access.NotProved, "proof"},
		"with far too much in it":  {with(1 << 14), access.NotProved, "proof"},
		"the object, not its text": {string(object), access.NotProved, "proof"},
		"cut":                      {right[:60], access.NotProved, "proof"},
		"words":                    {"let me in", access.NotProved, "proof"},
	} {
		t.Run(name, func(t *testing.T) {
			req := request(map[string]string{"x-api-zkp": test.proof})
			clientID, err := access.Proved(req, now, func(id []byte) *agentcrypto.MasterSecret {
				if bytes.Equal(id, alpha) {
					return master
				}
				return nil
			})
			refused(t, err, test.kind, test.reason)
			if test.reason == "" {
				assert.Equal(t, hex.EncodeToString(alpha), clientID)
			}
		})
	}
}
