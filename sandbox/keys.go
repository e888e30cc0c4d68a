package sandbox

import (
	"context"
	"crypto/rsa"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/access"
	"github.com/qredo-go/qredo/sandbox/internal/control"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
)

// defaultAccount is the account of the provisioned key.
const defaultAccount = "default"

// WithKey registers your own key in addition to the provisioned one. Both belong to the same account: they see the same
// companies.
func WithKey(apiKey string, public *rsa.PublicKey) Option {
	return WithAccountKey(defaultAccount, apiKey, public)
}

// WithAccountKey registers a key for a separate account. Keys of the same account see the same companies; whatever belongs to
// another account is not found.
func WithAccountKey(account, apiKey string, public *rsa.PublicKey) Option {
	return func(s *Sandbox) error { return s.keys.Register(apiKey, account, public) }
}

// WithKeyFiles registers your own key from files, as the service's web page did: a PEM public key (BEGIN PUBLIC KEY or BEGIN
// RSA PUBLIC KEY), and its API key. If there is no API key file, one is created. The key belongs to the same account as the
// provisioned one.
func WithKeyFiles(apiKeyFile, publicKeyFile string) Option {
	return func(s *Sandbox) error { return s.keys.RegisterFiles(apiKeyFile, publicKeyFile, defaultAccount) }
}

// RegisterKey is [WithKeyFiles] for a running sandbox: it takes a PEM public key, and returns its API key, which is valid until
// the sandbox ends. It returns [qredo.ErrBadRequest] for a public key that [ParsePublicKey] cannot read.
func (s *Sandbox) RegisterKey(publicPEM string) (apiKey string, err error) {
	apiKey, err = s.keys.RegisterPEM([]byte(publicPEM), defaultAccount)
	if err != nil {
		return "", serve.BadRequest("%s", err)
	}
	return apiKey, nil
}

// RegisterKey takes a public key and returns its API key: see [Sandbox.RegisterKey].
func (c *Control) RegisterKey(ctx context.Context, publicPEM string) (apiKey string, err error) {
	made, err := callRegisterKey.Ask(ctx, c.client(), registration{PublicKey: publicPEM})
	return made.APIKey, err
}

var callRegisterKey = control.Post("/keys", func(s *Sandbox, _ ids, in registration) (registered, error) {
	apiKey, err := s.RegisterKey(in.PublicKey)
	return registered{apiKey}, err
}).Exactly()

type (
	registration struct {
		PublicKey string `json:"public_key"`
	}
	registered struct {
		APIKey string `json:"api_key"`
	}
)

// WithKeyDir keeps the Partner API key in a folder, so that other programs can sign with it and a later sandbox has the same
// one: the API key in the file apikey, the private key in private.pem (PKCS #1), the public key in public.pem; and for Qredo
// API v1 the files qapi-apikey and qapi-secret. Missing files are created, and existing ones never changed: if the folder has
// your own private.pem, or only a public.pem, an apikey is added. Default: the folder of [WithStore], if given; otherwise the
// key ends with the sandbox.
func WithKeyDir(dir string) Option {
	return func(s *Sandbox) error { s.keyDir = dir; return nil }
}

// WithUnsigned also accepts requests that carry only an X-API-KEY, as the hosted sandbox did. If a request carries a signature,
// it is still verified. Default: every request must carry a signature.
func WithUnsigned() Option {
	return func(s *Sandbox) error { s.keys.Unsigned = true; return nil }
}

// ParsePublicKey reads an RSA public key of at least 2048 bits from PEM, as PKIX (BEGIN PUBLIC KEY, what the service's web page
// accepted) or PKCS #1 (BEGIN RSA PUBLIC KEY). It also reads a key whose line breaks were damaged on the way, as
// [qredo.ParsePrivateKey] does. Anything else is a [*qredo.ValidationError] that says what was found and how to fix it, and
// never repeats the input.
func ParsePublicKey(pemData []byte) (*rsa.PublicKey, error) { return access.ParsePublicKey(pemData) }

// Permission is something that a key of Qredo API v1 can be limited to.
type Permission string

// The permissions of a key.
const (
	PermissionBalance Permission = access.PermissionBalance // GET /balance
	PermissionRead    Permission = access.PermissionRead    // everything that only reads
	PermissionWeb3    Permission = access.PermissionWeb3    // Web3 transactions: creating and following them
)

// WithHMACKey registers your own key for Qredo API v1, with its secret in base64, in addition to the one that the sandbox makes
// for itself. It reports on the same account: an organization's, unless you give [WithPersonalAccount]. Without permissions it
// may do everything.
func WithHMACKey(apiKey, secret string, permissions ...Permission) Option {
	return func(s *Sandbox) error {
		names := make([]string, len(permissions))
		for i, p := range permissions {
			names[i] = string(p)
		}
		_, err := s.keys.RegisterHMAC(apiKey, defaultAccount, secret, names...)
		return err
	}
}

// provisionKeys gives the sandbox a key of its own for each API.
func (s *Sandbox) provisionKeys() (err error) {
	if s.restored != nil {
		s.restored.Keep()
		if s.auth, s.hmacAuth = s.restored.RSA, s.restored.HMAC; s.keyDir == "" && s.auth != nil && s.hmacAuth != nil {
			return nil
		}
	}
	if s.auth, err = s.keys.Provision(s.keyDir, defaultAccount); err == nil {
		s.hmacAuth, err = s.keys.ProvisionHMAC(s.keyDir, defaultAccount)
	}
	return err
}

// Auth returns an authenticator for the sandbox's own Partner API key: the one in its folder ([WithKeyDir]). If the folder has
// a public key but no private one, the sandbox cannot sign with that key: Auth then uses another key of the same account, which
// ends with the sandbox.
func (s *Sandbox) Auth() *qredo.RSAAuth { return s.auth }

// HMACAuth returns an authenticator for the sandbox's own key of Qredo API v1.
func (s *Sandbox) HMACAuth() *qredo.HMACAuth { return s.hmacAuth }
