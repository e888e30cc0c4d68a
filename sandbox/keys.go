package sandbox

import (
	"context"
	"crypto/rsa"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/access"
	"github.com/qredo-go/qredo/sandbox/internal/control"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
)

// defaultAccount is whose companies the provisioned key sees.
const defaultAccount = "default"

// WithKey registers a caller's own key beside the provisioned one. Both belong to the same account: they
// see the same companies.
func WithKey(apiKey string, public *rsa.PublicKey) Option {
	return WithAccountKey(defaultAccount, apiKey, public)
}

// WithAccountKey registers a key for an account of its own. Keys of one account see the same companies;
// what belongs to another account is not found.
func WithAccountKey(account, apiKey string, public *rsa.PublicKey) Option {
	return func(s *Sandbox) error { return s.keys.Register(apiKey, account, public) }
}

// WithKeyFiles registers a caller's own key from files, as the service's web page did: a public key in PEM
// (BEGIN PUBLIC KEY or BEGIN RSA PUBLIC KEY), and the API key for it. If there is no file of the API key, one is
// made. The key belongs to the same account as the provisioned one.
func WithKeyFiles(apiKeyFile, publicKeyFile string) Option {
	return func(s *Sandbox) error { return s.keys.RegisterFiles(apiKeyFile, publicKeyFile, defaultAccount) }
}

// RegisterKey is [WithKeyFiles] for a sandbox that serves: it takes a public key in PEM, and returns the API key for it, which ends with
// the sandbox. A public key that [ParsePublicKey] does not read is a bad request.
func (s *Sandbox) RegisterKey(publicPEM string) (apiKey string, err error) {
	apiKey, err = s.keys.RegisterPEM([]byte(publicPEM), defaultAccount)
	if err != nil {
		return "", serve.BadRequest("%s", err)
	}
	return apiKey, nil
}

// RegisterKey takes a public key and returns the API key for it: see [Sandbox.RegisterKey].
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

// WithKeyDir keeps the key of the Partner API in a folder, so that other programs can sign with it and a later
// sandbox has the same: the API key in the file apikey, the private key in private.pem (PKCS #1), the public
// key in public.pem; for Qredo API v1 the files qapi-apikey and qapi-secret. What is missing is made, and what
// is there is never changed: a folder with a private.pem of the caller's own, or with a public.pem alone, gets
// an apikey beside it. Without it the key ends with the sandbox, unless [WithStore] names a folder.
func WithKeyDir(dir string) Option {
	return func(s *Sandbox) error { s.keyDir = dir; return nil }
}

// WithUnsigned also takes requests that carry an X-API-KEY alone, as the hosted sandbox did. A request
// that carries a signature is verified all the same. Unless it is given, every request must carry one.
func WithUnsigned() Option {
	return func(s *Sandbox) error { s.keys.Unsigned = true; return nil }
}

// ParsePublicKey reads an RSA public key of 2048 bits or more from PEM, as PKIX (BEGIN PUBLIC KEY, what the
// service's web page took) or PKCS #1 (BEGIN RSA PUBLIC KEY), also from a text that lost its lines on the way, as
// [qredo.ParsePrivateKey] does. Anything else is a [*qredo.ValidationError] that says what was found and how to mend it,
// and never repeats the input.
func ParsePublicKey(pemData []byte) (*rsa.PublicKey, error) { return access.ParsePublicKey(pemData) }

// Permission is what a key of Qredo API v1 can be limited to.
type Permission string

// The permissions of a key.
const (
	PermissionBalance Permission = access.PermissionBalance // GET /balance
	PermissionRead    Permission = access.PermissionRead    // all that reads
	PermissionWeb3    Permission = access.PermissionWeb3    // Web3 transactions: making and following them
)

// WithHMACKey registers a caller's own key for Qredo API v1, with its secret in base64, beside the one that
// the sandbox makes for itself. It reports on the same account, an organization's unless [WithPersonalAccount] is
// given. Without permissions it may do everything.
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

// Auth returns an authenticator for the sandbox's own key of the Partner API. That is the key in its folder
// ([WithKeyDir]). Where the folder has a public key and no private one, nothing can be signed with that key
// here: then it is another key of the same account, which ends with the sandbox.
func (s *Sandbox) Auth() *qredo.RSAAuth { return s.auth }

// HMACAuth returns an authenticator for the key of Qredo API v1 that the sandbox was made with.
func (s *Sandbox) HMACAuth() *qredo.HMACAuth { return s.hmacAuth }
