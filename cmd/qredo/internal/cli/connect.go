package cli

import (
	"cmp"
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/transport"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox"
)

// misuse is an error about something that the user gave. It says where it came from.
func misuse(source string, err error) error {
	return usagef("%s: %s", source, strings.TrimPrefix(err.Error(), "qredo: "))
}

// apiKey is the API key of the Partner API.
func (a *app) apiKey() (key string, from setting, err error) {
	return a.settings.secret("API key", keyAPIKey, keyAPIKeyFile)
}

// privatePEM is the private key as it was given. On one line, \n can stand for line ends.
func (a *app) privatePEM() (text string, from setting, err error) {
	text, from, err = a.settings.secret("private key", keyPrivate, keyPrivateFile)
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, `\n`, "\n")
	}
	return text, from, err
}

// privateKey is the key that requests to the Partner API are signed with.
func (a *app) privateKey() (*rsa.PrivateKey, error) {
	text, from, err := a.privatePEM()
	if err != nil {
		return nil, err
	}
	key, err := qredo.ParsePrivateKey([]byte(text))
	if err != nil {
		return nil, misuse(from.source, err)
	}
	return key, nil
}

// rsaAuth is the authenticator for the Partner API.
func (a *app) rsaAuth(opts ...qredo.RSAOption) (*qredo.RSAAuth, error) {
	apiKey, from, err := a.apiKey()
	if err != nil {
		return nil, err
	}
	private, err := a.privateKey()
	if err != nil {
		return nil, err
	}
	signer, _, err := a.signer(private)
	if err != nil {
		return nil, err
	}
	auth, err := qredo.NewRSAAuth(apiKey, signer, opts...)
	if err != nil {
		return nil, misuse(from.source, err)
	}
	return auth, nil
}

// qapiKey is the API key of Qredo API v1.
func (a *app) qapiKey() (key string, from setting, err error) {
	return a.settings.secret("API key of Qredo API v1", keyQAPIKey, keyQAPIKeyFile)
}

// hmacAuth is the authenticator for Qredo API v1.
func (a *app) hmacAuth() (*qredo.HMACAuth, error) {
	apiKey, fromKey, err := a.qapiKey()
	if err != nil {
		return nil, err
	}
	secret, fromSecret, err := a.settings.secret("secret of Qredo API v1", keyQAPISecret, keyQAPISecretFile)
	if err != nil {
		return nil, err
	}
	auth, err := qredo.NewHMACAuth(apiKey, secret)
	if err != nil {
		return nil, misuse(fromKey.source+", "+fromSecret.source, err)
	}
	return auth, nil
}

// with turns a function that needs a connection into one that runs a command.
func with[C any](connect func() (C, error), run func(context.Context, C, []string) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		c, err := connect()
		if err != nil {
			return err
		}
		return run(ctx, c, args)
	}
}

// partnerCall is what a command of the Partner API runs with: the client, and the command's arguments.
type partnerCall struct {
	*qredo.Client
	company qredo.CompanyID    // set only if the command is about one, or looks for names in one
	fund    qredo.FundID       // set only if the first argument names one; so are the next
	agent   qredo.CoreClientID // core client
	wallet  *qredo.Wallet
	args    []string
}

// withClient runs a command that needs the client of the Partner API.
func (a *app) withClient(run func(context.Context, partnerCall) error) func(context.Context, []string) error {
	return with(a.connect, func(ctx context.Context, client *qredo.Client, args []string) error {
		return run(ctx, partnerCall{Client: client, args: args})
	})
}

// withCompany runs a command that also needs a company, the one of the settings.
func (a *app) withCompany(run func(context.Context, partnerCall) error) func(context.Context, []string) error {
	return a.withClient(func(ctx context.Context, c partnerCall) (err error) {
		if c.company, err = a.company(ctx, c); err != nil {
			return err
		}
		return run(ctx, c)
	})
}

// withFund runs a command about the fund of the company that its first argument names.
func (a *app) withFund(run func(context.Context, partnerCall) error) func(context.Context, []string) error {
	return a.withCompany(func(ctx context.Context, c partnerCall) (err error) {
		if c.fund, err = a.fundNamed(ctx, c, c.args[0]); err != nil {
			return err
		}
		return run(ctx, c)
	})
}

// withAgent runs a command about the core client that its first argument names.
func (a *app) withAgent(run func(context.Context, partnerCall) error) func(context.Context, []string) error {
	return a.withClient(func(ctx context.Context, c partnerCall) (err error) {
		if c.agent, err = a.agentNamed(ctx, c, c.args[0]); err != nil {
			return err
		}
		return run(ctx, c)
	})
}

// withWallets runs a command that names wallets. It looks up their names in the company of the settings, or in all
// companies if none is set.
func (a *app) withWallets(run func(context.Context, partnerCall) error) func(context.Context, []string) error {
	return a.withClient(func(ctx context.Context, c partnerCall) (err error) {
		if a.settings.get(keyCompany).value != "" {
			if c.company, err = a.company(ctx, c); err != nil {
				return err
			}
		}
		return run(ctx, c)
	})
}

// withWallet runs a command about the wallet that its first argument names.
func (a *app) withWallet(run func(context.Context, partnerCall) error) func(context.Context, []string) error {
	return a.withWallets(func(ctx context.Context, c partnerCall) (err error) {
		if c.wallet, err = a.walletNamed(ctx, c, c.args[0]); err != nil {
			return err
		}
		return run(ctx, c)
	})
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
		return nil, misuse(base.source, err)
	}
	return client, nil
}

// qapiBase is where requests to Qredo API v1 go. Default: beside the Partner API.
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
		return nil, misuse(base.source, err)
	}
	return client, nil
}

func (a *app) clientOptions(base setting) ([]qredo.Option, error) {
	httpClient, err := a.httpClient()
	if err != nil {
		return nil, err
	}
	opts := []qredo.Option{
		qredo.WithBaseURL(base.value), qredo.WithClock(a.now), qredo.WithUserAgent("qredo-cli/" + qredo.Version),
		qredo.WithHTTPClient(a.dry.guard(httpClient, base.value)), qredo.WithObserver(a.traffic.observe),
	}
	if a.global.verbose {
		opts = append(opts, qredo.WithLogger(slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	}
	return opts, nil
}

// httpClient trusts the authority in the settings as well as the system's. It keeps track of what it sends.
func (a *app) httpClient() (*http.Client, error) {
	file := a.settings.get(keyCAFile)
	if file.value == "" {
		return a.traffic.watch(transport.DefaultHTTP(nil)), nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	data, err := os.ReadFile(expandHome(file.value, a.env))
	if err != nil {
		return nil, misuse(file.source, err)
	}
	if !pool.AppendCertsFromPEM(data) {
		return nil, usagef("%s: %s does not hold a certificate in PEM form", file.source, file.value)
	}
	return a.traffic.watch(transport.DefaultHTTP(pool)), nil
}

// control makes the control calls of the sandbox that the base URL names.
func (a *app) control() (*sandbox.Control, error) {
	base, err := a.settings.baseURL()
	if err != nil {
		return nil, err
	}
	control, err := sandbox.NewControl(base.value)
	if err != nil {
		return nil, misuse(base.source, err)
	}
	if control.HTTPClient, err = a.httpClient(); err != nil {
		return nil, err
	}
	control.HTTPClient = a.dry.guard(control.HTTPClient, base.value)
	control.Token, err = a.controlToken()
	return control, err
}

// controlToken is the token for control calls to another machine, or empty if none is set.
func (a *app) controlToken() (string, error) {
	if from, err := a.settings.first(keyControlToken, keyControlFile); err != nil || from.value == "" {
		return "", err
	}
	text, _, err := a.settings.secret("control token", keyControlToken, keyControlFile)
	return strings.TrimSpace(text), err
}

// company is the company that a command is about: the one that its arguments name, or the one of the settings.
func (a *app) company(ctx context.Context, c partnerCall, args ...string) (qredo.CompanyID, error) {
	if text := cmp.Or(append(args, a.settings.get(keyCompany).value)...); text != "" {
		return a.companyNamed(ctx, c, text)
	}
	return "", usagef("no company: %s", hint(keyCompany))
}

// limited limits a context by --timeout.
func (a *app) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.global.timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, a.global.timeout)
}

// isTLSError reports whether a connection failed because of its certificate, before a request was sent.
func isTLSError(err error) bool {
	var notTLS tls.RecordHeaderError
	return errors.As(err, new(*tls.CertificateVerificationError)) || errors.As(err, &notTLS) && notTLS.Conn != nil
}
