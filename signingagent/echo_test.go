package signingagent_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/signingagent"
)

// A service says what is wrong with a proof, and repeats it in one form or another. Anyone who reads the error or the log
// could use it.
func TestAProofThatIsRepeatedIsNotTold(t *testing.T) {
	d := newDesk(t)
	var logged lockedBuffer
	debug := slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.Level(-100)}))
	rsa := d.Through(d.way.pass, qredo.WithRetry(qredo.RetryPolicy{MaxAttempts: 1}), qredo.WithLogger(debug))
	agent, err := signingagent.Open(t.Context(), d.store, signingagent.WithClient(rsa))
	require.NoError(t, err)
	object := func(proof string) (text string, fields map[string]any) {
		raw, err := hex.DecodeString(proof)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, &fields))
		return string(raw), fields
	}
	for name, form := range map[string]func(proof string) string{
		"as it is":    func(proof string) string { return proof },
		"in capitals": strings.ToUpper,
		"its object":  func(proof string) string { text, _ := object(proof); return text },
		"a field":     func(proof string) string { _, fields := object(proof); return fields["V"].(string) },
	} {
		for call, do := range map[string]func() error{
			"a call": func() error { return agent.Approve(t.Context(), "0123456789012345678901234567") },
			"the feed": func() error {
				for _, err := range agent.Feed(t.Context()) {
					return err
				}
				return nil
			},
		} {
			t.Run(name+", "+call, func(t *testing.T) {
				var proof string
				d.way.set(func(req *http.Request, _ http.RoundTripper) (*http.Response, error) {
					proof = req.Header.Get("X-Api-Zkp")
					reason, err := json.Marshal("not right: " + form(proof))
					return clienttest.Answer(req, http.StatusUnauthorized, `{"code":401,"msg":"no","detail":{"reason":`+string(reason)+`}}`), err
				})
				err := do()
				require.ErrorIs(t, err, qredo.ErrUnauthorized)
				told := fmt.Sprintf("%v %+v", err, err) + logged.String()
				_, fields := object(proof)
				for _, secret := range []string{proof[200:260], strings.ToUpper(proof[200:260]), fields["V"].(string)[10:70]} {
					assert.NotContains(t, told, secret)
				}
			})
		}
	}
}
