package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox"
)

// rsaAuth is the authenticator for the Partner API.
func (a *app) rsaAuth(opts ...qredo.RSAOption) (*qredo.RSAAuth, error) {
	apiKey, err := a.settings.secret("API key", keyAPIKey, keyAPIKeyFile)
	if err != nil {
		return nil, err
	}
	key, err := a.settings.secret("private key", keyPrivate, keyPrivateFile)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(key.value, "\n") {
		key.value = strings.ReplaceAll(key.value, `\n`, "\n") // as qredo.AuthFromEnv reads it
	}
	private, err := qredo.ParsePrivateKey([]byte(key.value))
	if err != nil {
		return nil, usagef("%s: %s", key.source, strings.TrimPrefix(err.Error(), "qredo: "))
	}
	auth, err := qredo.NewRSAAuth(apiKey.value, private, opts...)
	if err != nil {
		return nil, usagef("%s: %s", apiKey.source, strings.TrimPrefix(err.Error(), "qredo: "))
	}
	return auth, nil
}

// hmacAuth is the authenticator for Qredo API v1.
func (a *app) hmacAuth() (*qredo.HMACAuth, error) {
	apiKey, err := a.settings.secret("API key of Qredo API v1", keyQAPIKey, keyQAPIKeyFile)
	if err != nil {
		return nil, err
	}
	secret, err := a.settings.secret("secret of Qredo API v1", keyQAPISecret, keyQAPISecretFile)
	if err != nil {
		return nil, err
	}
	auth, err := qredo.NewHMACAuth(apiKey.value, secret.value)
	if err != nil {
		return nil, usagef("%s, %s: %s", apiKey.source, secret.source, strings.TrimPrefix(err.Error(), "qredo: "))
	}
	return auth, nil
}

// connect returns the client of the Partner API.
func (a *app) connect() (*qredo.Client, error) {
	if a.client != nil {
		return a.client, nil
	}
	base, err := a.settings.baseURL()
	if err != nil {
		return nil, err
	}
	auth, err := a.rsaAuth()
	if err != nil {
		return nil, err
	}
	a.client, err = a.newClient(auth, base)
	return a.client, err
}

// newClient returns a client of either API.
func (a *app) newClient(auth qredo.Authenticator, base setting, more ...qredo.Option) (*qredo.Client, error) {
	opts, err := a.clientOptions(base)
	if err != nil {
		return nil, err
	}
	client, err := qredo.NewClient(auth, append(opts, more...)...)
	if err != nil {
		return nil, usagef("%s: %s", base.source, strings.TrimPrefix(err.Error(), "qredo: "))
	}
	return client, nil
}

// qapiBase is where requests to Qredo API v1 go: beside the Partner API unless it is set.
func (a *app) qapiBase() (setting, error) {
	if found := a.settings.get(keyQAPIBaseURL); found.value != "" {
		return found, nil
	}
	base, err := a.settings.baseURL()
	if err != nil {
		return base, usagef("no base URL of Qredo API v1: %s", hint(keyQAPIBaseURL))
	}
	if u, err := url.Parse(base.value); err == nil && u.Host != "" {
		base.value = u.Scheme + "://" + u.Host + "/qapi/v1"
	}
	return base, nil
}

// connectQAPI returns the client of Qredo API v1.
func (a *app) connectQAPI() (*qapi.Client, error) {
	base, err := a.qapiBase()
	if err != nil {
		return nil, err
	}
	auth, err := a.hmacAuth()
	if err != nil {
		return nil, err
	}
	opts, err := a.clientOptions(base)
	if err != nil {
		return nil, err
	}
	client, err := qapi.NewClient(auth, opts...)
	if err != nil {
		return nil, usagef("%s: %s", base.source, strings.TrimPrefix(err.Error(), "qredo: "))
	}
	return client, nil
}

func (a *app) clientOptions(base setting) ([]qredo.Option, error) {
	opts := []qredo.Option{qredo.WithBaseURL(base.value), qredo.WithClock(a.now), qredo.WithUserAgent("qredo-cli/" + qredo.Version)}
	httpClient, err := a.httpClient()
	if err != nil {
		return nil, err
	}
	if a.settings.get(keyCAFile).value != "" {
		opts = append(opts, qredo.WithHTTPClient(httpClient))
	}
	if a.global.verbose {
		opts = append(opts, qredo.WithLogger(slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	}
	return opts, nil
}

// httpClient trusts the authority in the settings besides the system's.
func (a *app) httpClient() (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if file := a.settings.get(keyCAFile); file.value != "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		data, err := os.ReadFile(expandHome(file.value, a.env))
		if err != nil {
			return nil, usagef("%s: %v", file.source, err)
		}
		if !pool.AppendCertsFromPEM(data) {
			return nil, usagef("%s: %s holds no certificate in PEM", file.source, file.value)
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	return &http.Client{Transport: transport, Timeout: time.Minute}, nil
}

// control makes the control calls of the sandbox that the base URL names.
func (a *app) control() (*sandbox.Control, error) {
	base, err := a.settings.baseURL()
	if err != nil {
		return nil, err
	}
	control, err := sandbox.NewControl(base.value)
	if err != nil {
		return nil, usagef("%s: %v", base.source, err)
	}
	control.HTTPClient, err = a.httpClient()
	return control, err
}

// company is the company that a command is about.
func (a *app) company() (qredo.CompanyID, error) {
	if id := a.settings.get(keyCompany).value; id != "" {
		return qredo.CompanyID(id), nil
	}
	return "", usagef("no company: %s", hint(keyCompany))
}

// limited ends a context after --timeout.
func (a *app) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.global.timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, a.global.timeout)
}

// isTLSError reports whether a connection failed before a request was sent on it, for its certificate.
func isTLSError(err error) bool {
	var notTLS tls.RecordHeaderError
	return errors.As(err, new(*tls.CertificateVerificationError)) || errors.As(err, &notTLS) && notTLS.Conn != nil
}
