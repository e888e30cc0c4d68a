package cli

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/pemkey"
	"github.com/qredo-go/qredo/internal/visible"
	"github.com/qredo-go/qredo/sandbox"
)

// checkAPIKey checks the API key without showing any of it.
func (d *diagnosis) checkAPIKey() {
	if key, from, good := d.checkSecret("api-key", "API key", keyAPIKey, keyAPIKeyFile); good {
		d.decodeAPIKey(from, key)
	}
}

// checkSecret checks a one-line secret, and who can read its file. It returns the secret without surrounding white space,
// if it could be right.
func (d *diagnosis) checkSecret(code, what string, keys ...*settingKey) (key string, from setting, good bool) {
	key, from, err := d.app.settings.secret(what, keys[0], keys[1])
	if err != nil {
		d.fault(code+"-missing", "give the "+what+": "+hint(keys...), "%v", err)
		return "", from, false
	}
	if from.key == keys[1] { // a file normally ends in a line end
		key = strings.TrimSuffix(key, "\n")
		d.checkPermissions(code+"-permissions", expandHome(from.value, d.app.env))
	}
	trimmed := strings.TrimSpace(key)
	switch {
	case trimmed == "":
		d.fault(code+"-empty", "copy the "+what+" again, whole", "%s is empty", from.source)
		return "", from, false
	case strings.ContainsAny(trimmed, " \t\r\n"):
		d.fault(code+"-white-space", "copy the "+what+" again, as one line", "the %s (%s) has white space or line ends within it", what, from.source)
		return "", from, false
	case strings.Trim(trimmed, `"'`) != trimmed:
		d.fault(code+"-quotes", "remove the quotation marks", "the %s (%s) has quotation marks around it", what, from.source)
		return "", from, false
	case trimmed != key:
		d.warn(code+"-white-space", "remove it: other programs may send it along", "the %s (%s) has white space around it; this program drops it", what, from.source)
	}
	return trimmed, from, true
}

func (d *diagnosis) decodeAPIKey(from setting, text string) {
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	var parts struct {
		KeyID   string `json:"key_id"`
		Key     string `json:"key"`
		Sandbox bool   `json:"sandbox"`
	}
	switch {
	case err != nil:
		d.fault("api-key-encoding", "copy the API key again, whole: it is base64url, letters, digits, - and _ only", "the API key (%s) does not decode: it is cut off, or is something else", from.source)
	case json.Unmarshal(data, &parts) != nil || parts.KeyID == "" || parts.Key == "":
		d.fault("api-key-content", "use the API key as it was issued, not its ID or the private key", "the API key (%s) decodes, but not to an object with key_id and key", from.source)
	case strings.HasSuffix(text, "="):
		d.warn("api-key-padding", "remove the = at its end: API keys are issued without it", "the API key (%s) has padding", from.source)
	default:
		d.ok("api-key", "decodes (%s)", from.source)
		d.checkKeyEnvironment(parts.Sandbox)
	}
}

// checkKeyEnvironment finds a key of one environment that is used in another.
func (d *diagnosis) checkKeyEnvironment(forSandbox bool) {
	base, err := d.app.settings.baseURL()
	if err != nil {
		return
	}
	base.value = strings.ToLower(base.value) // as hosts are compared
	switch {
	case forSandbox && strings.HasPrefix(base.value, string(qredo.EnvironmentProduction)):
		d.fault("environment", "use --environment sandbox, or the key of the production environment", "the API key is for a sandbox, but the base URL is production")
	case !forSandbox && (strings.HasPrefix(base.value, string(qredo.EnvironmentSandbox)) || strings.HasPrefix(base.value, string(qredo.EnvironmentPlay))):
		d.fault("environment", "use --environment production, or a key of the sandbox", "the API key is for production, but the base URL is a sandbox")
	}
}

// checkPrivateKey checks the private key, and who else can read it.
func (d *diagnosis) checkPrivateKey() {
	text, from, err := d.app.privatePEM()
	if err != nil {
		d.fault("private-key-missing", "give the private key: "+hint(keyPrivateFile), "%v", err)
		return
	}
	private, err := qredo.ParsePrivateKey([]byte(text))
	if err != nil {
		code, remedy := classifyKey([]byte(text))
		d.fault(code, remedy, "%s: %s", from.source, strings.TrimPrefix(err.Error(), "qredo: "))
		return
	}
	d.ok("private-key", "RSA, %d bits (%s)", private.N.BitLen(), from.source)
	if from.key == keyPrivateFile {
		d.checkPermissions("private-key-permissions", expandHome(from.value, d.app.env))
	}
	if _, what, err := d.app.signer(private); err != nil {
		d.fault("signer", "install OpenSSL 3 or 4, or use --signer auto or go", "%v", err)
	} else {
		d.ok("signer", "requests are signed by %s", what)
	}
	if auth, err := d.app.rsaAuth(); err == nil {
		d.auth = auth
	}
}

func (d *diagnosis) checkPermissions(code, path string) {
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS == "windows" { // where the mode says nothing
		return
	}
	const others = 0o077
	if mode := info.Mode().Perm(); mode&others != 0 {
		d.fault(code, "chmod 600 "+visible.Shell(path), "%s can be read or written by other users of this machine (mode %04o)", path, mode)
	}
}

// classifyKey says what a file is that does not hold a usable private key, and what to do.
func classifyKey(data []byte) (code, remedy string) {
	blocks := pemkey.Blocks(data)
	if len(blocks) == 0 {
		_, pkcs1 := x509.ParsePKCS1PrivateKey(data)
		_, pkcs8 := x509.ParsePKCS8PrivateKey(data)
		switch {
		case pkcs1 == nil || pkcs8 == nil:
			return "private-key-der", "convert it to PEM: openssl pkey -inform DER -in FILE -out NEW_FILE"
		case pemkey.Begins(data):
			return "private-key-damaged", "copy the file again, whole, with its line ends"
		}
		return "private-key-format", "give the private key in PEM: it begins with -----BEGIN"
	}
	block := blocks[0]
	switch {
	case block.Type == "PUBLIC KEY" || block.Type == "RSA PUBLIC KEY":
		return "private-key-is-public", "give the private key: it signs requests; the public key only verifies them"
	case block.Type == "CERTIFICATE":
		return "private-key-is-certificate", "give the private key, not a certificate"
	case block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
		return "private-key-encrypted", "decrypt it into a file that only you can read: openssl pkey -in FILE -out NEW_FILE"
	case block.Type == "EC PRIVATE KEY":
		return "private-key-not-rsa", "make an RSA key (qredo keys new) and register its public half"
	case block.Type == "OPENSSH PRIVATE KEY":
		return "private-key-openssh", "convert it to PEM: ssh-keygen -p -m PEM -f FILE"
	}
	var key any
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	private, isRSA := key.(*rsa.PrivateKey)
	algorithm := pemkey.Algorithm(block.Bytes)
	switch {
	case err != nil && algorithm != "" && algorithm != pemkey.RSA:
		return "private-key-not-rsa", "make an RSA key (qredo keys new) and register its public half"
	case err != nil:
		return "private-key-damaged", "copy the file again, whole, with its line ends"
	case !isRSA:
		return "private-key-not-rsa", "make an RSA key (qredo keys new) and register its public half"
	case private.N.BitLen() < 2048:
		return "private-key-size", "make a key of 2048 bits or more (qredo keys new) and register its public half"
	}
	return "private-key-damaged", "copy the file again, whole, with its line ends"
}

// checkPair checks the private key against a public key: the named one, or public.pem beside it.
func (d *diagnosis) checkPair() {
	private, err := d.app.privateKey()
	if err != nil {
		return // already reported
	}
	path := d.publicKey
	if path == "" {
		file := d.app.settings.get(keyPrivateFile)
		if file.value == "" {
			return
		}
		path = filepath.Join(filepath.Dir(expandHome(file.value, d.app.env)), "public.pem")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		if d.publicKey != "" {
			d.fault("public-key-missing", "name a file that holds the public key", "%v", err)
		}
		return
	}
	public, err := sandbox.ParsePublicKey(data)
	switch {
	case err != nil:
		d.fault("public-key-format", "write it again: qredo keys public > "+path, "%s: %s", path, strings.TrimPrefix(err.Error(), "qredo: "))
	case !private.PublicKey.Equal(public):
		d.fault("key-pair", "use the private key that belongs to the registered public key, or register the other one", "the private key does not belong to %s", path)
	default:
		d.ok("key-pair", "the private key belongs to %s", path)
	}
}
