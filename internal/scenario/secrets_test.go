package scenario_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// secretForms are the forms in which the tests' secrets could be printed, by kind.
func secretForms(t *testing.T) map[string]string {
	t.Helper()
	key := clienttest.PrivateKey(t)
	block, _ := pem.Decode(clienttest.ReadTestdata(t, "private.pkcs8.pem"))
	forms := map[string]string{
		"API key":                clienttest.APIKey,
		"API key, decoded":       "hN2rZ0w7u1QyVtK5pXcA",
		"HMAC secret, decoded":   string(clienttest.HMACSecret[7:]),
		"HMAC secret, standard":  base64.RawStdEncoding.EncodeToString(clienttest.HMACSecret),
		"HMAC secret, URL":       base64.RawURLEncoding.EncodeToString(clienttest.HMACSecret),
		"HMAC secret, hex":       hex.EncodeToString(clienttest.HMACSecret),
		"HMAC secret, bytes":     strings.Trim(fmt.Sprint(clienttest.HMACSecret), "[]"),
		"PKCS #8, base64":        base64.StdEncoding.EncodeToString(block.Bytes)[40:100],
		"PKCS #8, a line of PEM": strings.Split(string(clienttest.ReadTestdata(t, "private.pkcs8.pem")), "\n")[5],
		"PKCS #1, a line of PEM": strings.Split(string(clienttest.ReadTestdata(t, "private.pkcs1.pem")), "\n")[5],
	}
	for name, number := range map[string][]byte{"D": key.D.Bytes(), "P": key.Primes[0].Bytes(), "Q": key.Primes[1].Bytes()} {
		forms[name+", hex"] = hex.EncodeToString(number)
		forms[name+", standard"] = base64.RawStdEncoding.EncodeToString(number)
		forms[name+", URL"] = base64.RawURLEncoding.EncodeToString(number)
		forms[name+", bytes"] = strings.Trim(fmt.Sprint(number), "[]")
	}
	forms["D, decimal"] = key.D.String()
	forms["P, decimal"] = key.Primes[0].String()
	forms["Q, decimal"] = key.Primes[1].String()
	return forms
}

// requireNoSecret asserts that text holds no secret and none of the signatures, in whole or for most of
// its length.
func requireNoSecret(t *testing.T, where, text string, signatures ...string) {
	t.Helper()
	forms := secretForms(t)
	for i, signature := range signatures {
		require.NotEmpty(t, signature)
		forms[fmt.Sprint("signature ", i)] = signature
	}
	lower := strings.ToLower(text)
	for name, form := range forms {
		if part := form[:min(len(form), 16)]; strings.Contains(lower, strings.ToLower(part)) {
			t.Errorf("%s shows the %s: %q", where, name, text)
		}
	}
}

// Neither the authenticators, nor what holds them, nor any part of it shows a secret.
func TestValuesShowNoSecret(t *testing.T) {
	auth := clienttest.NewAuth(t)
	mac, err := qredo.NewHMACAuth(clienttest.APIKey, base64.StdEncoding.EncodeToString(clienttest.HMACSecret))
	require.NoError(t, err)
	client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{}`))
	macClient, err := qredo.NewClient(mac, qredo.WithBaseURL(clienttest.BaseURL))
	require.NoError(t, err)
	for name, value := range map[string]any{
		"*RSAAuth": auth, "RSAAuth": *auth, "**RSAAuth": &auth, "[]RSAAuth": []qredo.RSAAuth{*auth},
		"map": map[string]any{"a": auth}, "struct": struct{ Auth qredo.Authenticator }{auth}, "hidden": struct{ auth qredo.RSAAuth }{*auth},
		"*HMACAuth": mac, "HMACAuth": *mac, "*Client": client, "Client": *client, "*Client, HMAC": macClient, "Client, HMAC": *macClient,
		"Companies": client.Companies, "Companies, value": *client.Companies, "Funds": *client.Funds, "Wallets": *client.Wallets,
		"Transfers": *client.Transfers, "Assets": *client.Assets, "TrustedNetwork": *client.TrustedNetwork,
	} {
		for way, text := range clienttest.DeepPrintings(t, value) {
			requireNoSecret(t, name+" by "+way, text)
		}
	}
	require.Equal(t, "qredo.RSAAuth(redacted)", fmt.Sprintf("%+v", auth))
	require.Equal(t, "qredo.RSAAuth(redacted)", fmt.Sprintf("%#v", *auth))
	require.Equal(t, "qredo.HMACAuth(redacted)", fmt.Sprintf("%+v", mac))
	require.Equal(t, "qredo.HMACAuth(redacted)", fmt.Sprintf("%#v", *mac))
}

// echoes are servers that repeat the headers of the request, as badly made ones do, in many shapes.
var echoes = map[string]func(headers string) (status int, body string){
	"HTML":         func(h string) (int, string) { return 502, "<html><pre>" + html.EscapeString(h) + "</pre></html>" },
	"text":         func(h string) (int, string) { return 400, h },
	"JSON message": func(h string) (int, string) { return 401, `{"code":401,"msg":` + clienttest.Quoted(h) + `}` },
	"JSON reason": func(h string) (int, string) {
		return 401, `{"code":401,"msg":"m","detail":{"reason":` + clienttest.Quoted(h) + `}}`
	},
	"JSON detail": func(h string) (int, string) {
		return 403, `{"code":403,"msg":"m","detail":` + clienttest.Quoted(h) + `}`
	},
	"escaped": func(h string) (int, string) { // as some encoders write characters that need no escape
		return 400, `{"code":400,"msg":` + strings.NewReplacer("-", `\u002d`, "_", `\u005f`, "y", `\u0079`).Replace(clienttest.Quoted(h)) + `}`
	},
	"redirect":         func(h string) (int, string) { return 302, h },
	"success, text":    func(h string) (int, string) { return 200, h },
	"success, no ID":   func(h string) (int, string) { return 200, `{"headers":` + clienttest.Quoted(h) + `}` },
	"success, figure":  func(h string) (int, string) { return 200, `{"balance":` + clienttest.Quoted(h) + `}` },
	"success, boolean": func(h string) (int, string) { return 200, `{"policy_tx":{"locked":` + clienttest.Quoted(h) + `}}` },
	"success, number":  func(h string) (int, string) { return 200, `{"policy_tx":{"threshold":` + clienttest.Quoted(h) + `}}` },
}

func TestErrorsAndLogsShowNoSecret(t *testing.T) {
	for name, echo := range echoes {
		t.Run(name, func(t *testing.T) {
			mac, err := qredo.NewHMACAuth(clienttest.APIKey, base64.StdEncoding.EncodeToString(clienttest.HMACSecret))
			require.NoError(t, err)
			var log bytes.Buffer
			loggers := debugLoggers(&log)
			for kind, auth := range map[string]qredo.Authenticator{"RSA text": clienttest.NewAuth(t), "HMAC JSON": mac, "RSA JSON": clienttest.NewAuth(t), "HMAC text": mac} {
				var signature string
				logger := loggers[strings.Fields(kind)[1]]
				client, err := qredo.NewClient(auth, qredo.WithBaseURL(clienttest.BaseURL), qredo.WithRetry(clienttest.Once), qredo.WithLogger(logger), qredo.WithHTTPClient(&http.Client{
					Transport: clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
						var headers strings.Builder
						require.NoError(t, req.Header.Write(&headers))
						signature = req.Header.Get("x-sign") + req.Header.Get("qredo-api-sig")
						status, body := echo(headers.String())
						return clienttest.Answer(req, status, body), nil
					}),
				}))
				require.NoError(t, err)
				_, err = client.Wallets.Get(t.Context(), clienttest.WalletID)
				e := clienttest.RequireError(t, err)
				for way, text := range clienttest.Printings(t, err) {
					requireNoSecret(t, kind+" error by "+way, text, signature)
				}
				for cause := err; cause != nil; cause = errors.Unwrap(cause) {
					requireNoSecret(t, kind+" cause", cause.Error(), signature)
				}
				requireNoSecret(t, kind+" log", log.String(), signature)
				if name != "escaped" { // its text is not what was sent, but reveals it when decoded
					requireNoSecret(t, kind+" body", string(e.Body), signature)
					require.Contains(t, string(e.Body), "[redacted]")
				}
				requireNoSecret(t, kind+" fields", e.Msg+e.Reason, signature)
			}
		})
	}
}

// debugLoggers log everything.
func debugLoggers(w io.Writer) map[string]*slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelDebug}
	return map[string]*slog.Logger{
		"text": slog.New(slog.NewTextHandler(w, options)), "JSON": slog.New(slog.NewJSONHandler(w, options)),
	}
}

// A body that ends within a secret, because it is truncated or too long, does not show that part.
func TestCutSecretsAreHidden(t *testing.T) {
	for _, limit := range []int64{20, int64(len(clienttest.APIKey)) - 1, 200} {
		var signature string
		client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
			signature = req.Header.Get("x-sign")
			if limit == 200 {
				return clienttest.Answer(req, 400, signature), nil
			}
			return clienttest.Answer(req, 400, clienttest.APIKey), nil
		}), qredo.WithMaxResponse(limit))
		_, err := client.Wallets.Get(t.Context(), clienttest.WalletID)
		e := clienttest.RequireError(t, err)
		requireNoSecret(t, "error", err.Error(), signature)
		requireNoSecret(t, "body", string(e.Body), signature)
	}
}

// Calls that succeed or fail on the way are logged without what authenticated them, too.
func TestLogOfCalls(t *testing.T) {
	var log bytes.Buffer
	for format, logger := range debugLoggers(&log) {
		log.Reset()
		var signature string
		var failure error
		client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
			signature = req.Header.Get("x-sign")
			if failure != nil {
				return nil, failure
			}
			return clienttest.Answer(req, 200, `{"assets":[]}`), nil
		}), qredo.WithLogger(logger))
		_, err := client.Assets.List(t.Context())
		require.NoError(t, err)
		failure = errors.New("no route")
		_, err = client.Assets.List(t.Context())
		require.ErrorIs(t, err, failure)
		for way, text := range clienttest.Printings(t, err) {
			requireNoSecret(t, "error by "+way, text, signature)
		}
		requireNoSecret(t, "log", log.String(), signature)
		words := []string{"level=DEBUG", "status=200", "path=/assets", "level=WARN", "no route"}
		if format == "JSON" {
			words = []string{`"level":"DEBUG"`, `"status":200`, `"path":"/assets"`, `"level":"WARN"`, "no route"}
		}
		for _, word := range words {
			require.Contains(t, log.String(), word)
		}
	}
}

// An Error that is logged gives its fields, without the body.
func TestErrorAsLogValue(t *testing.T) {
	var log bytes.Buffer
	_, err := clienttest.NewClient(t, clienttest.AnswerWith(401, `{"code":401,"msg":"m","detail":{"reason":"r"},"x":"only in the body"}`)).Assets.List(t.Context())
	slog.New(slog.NewTextHandler(&log, nil)).Info("failed", "err", err)
	require.Contains(t, log.String(), "err.method=GET err.path=/assets err.status=401 err.code=401 err.msg=m err.reason=r err.attempts=1")
	require.NotContains(t, log.String(), "only in the body")
}

// A transfer whose outcome is unknown says how the last attempt ended, without a secret in it.
func TestUnknownOutcomeShowsNoSecret(t *testing.T) {
	for name, echo := range echoes {
		var signature string
		client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
			var headers strings.Builder
			require.NoError(t, req.Header.Write(&headers))
			signature = req.Header.Get("x-sign")
			status, body := echo(headers.String())
			return clienttest.Answer(req, status, body), nil
		}))
		_, err := client.Transfers.Create(t.Context(), clienttest.CompanyID, clienttest.GoodTransfer(), qredo.WithoutRetry())
		require.Error(t, err)
		for way, text := range clienttest.Printings(t, err) {
			requireNoSecret(t, name+" by "+way, text, signature)
		}
	}
}

// Some put the secret where the name of its file, or a URL, should stand.
func TestMisplacedSecretsAreNotRepeated(t *testing.T) {
	const secret = "-----BEGIN PRIVATE KEY-----\nMIIEvgIBADANBgkq\n-----END PRIVATE KEY-----"
	_, err := qredo.LoadPrivateKey(secret)
	clienttest.RequireInvalid(t, err, "private key file")
	require.NotContains(t, err.Error(), "MIIE")
	t.Setenv("QREDO_API_KEY_FILE", "MDEyMzQ1Njc4OWFiY2RlZg")
	_, err = qredo.AuthFromEnv()
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NotContains(t, err.Error(), "MDEy")
	t.Setenv("QREDO_API_KEY_FILE", "")
	t.Setenv("QREDO_API_KEY", "k")
	t.Setenv("QREDO_PRIVATE_KEY_FILE", secret)
	_, err = qredo.AuthFromEnv()
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NotContains(t, err.Error(), "MIIE")
	for _, base := range []string{"https://user:s3cr/et@example.com", "https://s3cr@example.com/x", "s3cr:x@example.com", "https://example.com?key=s3cr"} {
		_, err = qredo.NewClient(clienttest.NewAuth(t), qredo.WithBaseURL(base))
		clienttest.RequireInvalid(t, err, "base URL")
		require.NotContains(t, err.Error(), "s3cr", base)
	}
}

// An API key is hidden though it is short, and though JSON spells it in another way.
func TestReflectedKeysAreHidden(t *testing.T) {
	for _, key := range []string{"shortkey", "12345678901234567890", "/a+b=c/d==", "MDEyMzQ1Njc4OWFiY2RlZg==", "ab/cd/ef/gh="} {
		auth, err := qredo.NewRSAAuth(key, clienttest.PrivateKey(t))
		require.NoError(t, err)
		for _, spelled := range []string{key, strings.ReplaceAll(key, "/", `\/`), strings.ReplaceAll(key, "=", `\u003d`), strings.NewReplacer("/", `\/`, "=", `\u003D`, "+", `\u002B`).Replace(key)} {
			body := `{"code":401,"msg":"no key ` + spelled + ` here","x":"` + spelled + `"}`
			client, err := qredo.NewClient(auth, qredo.WithBaseURL(clienttest.BaseURL), qredo.WithHTTPClient(&http.Client{Transport: clienttest.AnswerWith(401, body)}))
			require.NoError(t, err)
			_, err = client.Assets.List(t.Context())
			var answer *qredo.Error
			require.ErrorAs(t, err, &answer)
			require.Equal(t, "no key [redacted] here", answer.Msg)
			require.NotContains(t, string(answer.Body), spelled)
		}
	}
}

// A secret that is given once is not shown by the error of an answer that could not be read to its end.
func TestCutRegistrationIsHidden(t *testing.T) {
	const body = `{"id":"a","clientSecret":"s3cr3t-s3cr3t"`
	for name, client := range map[string]*qredo.Client{
		"cut":      clienttest.NewClient(t, clienttest.AnswerWith(200, body)),
		"too long": clienttest.NewClient(t, clienttest.AnswerWith(200, body+`}`), qredo.WithMaxResponse(int64(len(body)))),
	} {
		_, err := client.CoreClients.Register(t.Context(), clienttest.GoodAgent())
		e := clienttest.RequireError(t, err)
		require.ErrorIs(t, err, qredo.ErrBadAnswer, name)
		require.NotContains(t, err.Error()+string(e.Body), "s3cr3t", name)
	}
}

// What authenticated an earlier attempt of a call is hidden as well.
func TestSecretsOfEarlierAttemptsAreHidden(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		first := ""
		client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
			if first == "" {
				first = req.Header.Get("x-sign")
				return clienttest.FailingWith(503, "Retry-After", "5")(req)
			}
			require.NotEqual(t, first, req.Header.Get("x-sign"))
			return clienttest.Answer(req, 400, `{"code":400,"msg":"got `+first+` before"}`), nil
		}), qredo.WithClock(time.Now), qredo.WithRetry(qredo.RetryPolicy{}))
		_, err := client.Assets.List(t.Context())
		e := clienttest.RequireError(t, err)
		require.Equal(t, 2, e.Attempts)
		require.Contains(t, e.Msg, "got [redacted] before")
		require.NotContains(t, string(e.Body), first)
	})
}
