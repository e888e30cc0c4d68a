package agentcrypto

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// secrets are all that must not get into a log.
func secrets(t *testing.T) []any {
	key, secret, token := agent(t)
	return []any{key, secret, token, service, prover(t, agentID, pin)}
}

func TestSecretsDoNotShow(t *testing.T) {
	for _, secret := range secrets(t) {
		for _, value := range []any{secret, reflect.ValueOf(secret).Elem().Interface()} {
			t.Run(fmt.Sprintf("%T", value), func(t *testing.T) {
				for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%b", "%U"} {
					assert.Equal(t, redacted, fmt.Sprintf(verb, value), verb)
				}
				assert.Equal(t, redacted, fmt.Sprint(value))
				data, err := json.Marshal(map[string]any{"a": value})
				require.NoError(t, err)
				assert.JSONEq(t, `{"a":"[redacted]"}`, string(data))
				assert.Equal(t, redacted, slog.AnyValue(value).Resolve().Any(), "a handler of one's own may look inside")
				var log bytes.Buffer
				for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
					slog.New(handler).Info("m", "a", value)
				}
				assert.Equal(t, 2, bytes.Count(log.Bytes(), []byte(redacted)), log.String())
			})
		}
	}
}

// TestSecretsDoNotShowInsideOthers: package fmt cannot call methods of an unexported field, and prints its fields. For a
// verb that does not apply to a pointer, such as %s, it follows the pointer.
func TestSecretsDoNotShowInsideOthers(t *testing.T) {
	key, secret, token := agent(t)
	proves := prover(t, agentID, pin)
	outer := struct {
		key    Key
		secret ClientSecret
		token  Token
		master MasterSecret
		proves Prover
	}{*key, *secret, *token, *service, *proves}
	var parts []string // the words that the points and scalars are kept as, in decimal and hexadecimal
	for _, inner := range []any{
		struct{ s any }{*key.secret()}, struct{ s any }{*service.secret()}, struct{ s any }{*secret.point()}, struct{ s any }{*token.point()}, struct{ s any }{*proves.secret()},
	} {
		for _, verb := range []string{"%d", "%x"} {
			parts = append(parts, regexp.MustCompile(`[0-9a-f]{12,}`).FindAllString(fmt.Sprintf(verb, inner), -1)...)
		}
	}
	require.Greater(t, len(parts), 40)
	for _, secret := range [][]byte{scalarBytes(key.secret())[16:], scalarBytes(service.secret())[16:], secret.Bytes()[1:49], token.Bytes()[1:49]} {
		parts = append(parts, hex.EncodeToString(secret))
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%d", "%x", "%s", "%q", "%t", "%o", "%b", "%c", "%U", "%e"} {
		shown := fmt.Sprintf(verb, outer) + fmt.Sprintf(verb, &outer)
		for _, part := range parts {
			assert.NotContains(t, shown, part, verb)
		}
	}
}
