package qredo

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// minKeyBits is the size of the service's own keys; shorter ones can be broken.
const minKeyBits = 2048

// LoadPrivateKey reads an RSA private key from a PEM file, as [ParsePrivateKey] does.
func LoadPrivateKey(path string) (*rsa.PrivateKey, error) {
	if strings.Contains(path, "-----BEGIN") { // and must not be repeated
		return nil, invalid("private key file", "must be the name of a file, is a key itself: see ParsePrivateKey")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("qredo: private key: %w", err)
	}
	key, err := ParsePrivateKey(data)
	if err != nil {
		return nil, fmt.Errorf("%w (in %s)", err, path)
	}
	return key, nil
}

// ParsePrivateKey reads an RSA private key of 2048 bits or more from PEM, as PKCS #1 (BEGIN RSA PRIVATE
// KEY) or PKCS #8 (BEGIN PRIVATE KEY). Anything else is a [*ValidationError] that says what was found
// and how to mend it, and never repeats the input.
func ParsePrivateKey(pemData []byte) (*rsa.PrivateKey, error) {
	rest := bytes.TrimPrefix(pemData, []byte("\uFEFF"))
	var found []string
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return parseBlock(block)
		}
		found = append(found, block.Type)
	}
	switch {
	case len(found) > 0:
		return nil, invalid("private key", "the PEM holds %s, not a private key", strings.Join(found, ", "))
	case bytes.Contains(pemData, []byte("-----BEGIN")):
		return nil, invalid("private key", "the PEM is cut or damaged: copy the file again, whole")
	}
	return nil, invalid("private key", "is not PEM: it must start with -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----")
}

func parseBlock(block *pem.Block) (*rsa.PrivateKey, error) {
	var (
		key *rsa.PrivateKey
		err error
	)
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
		return nil, invalid("private key", "is encrypted: decrypt it first (openssl pkey -in FILE -out NEW_FILE)")
	case block.Type == "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case block.Type == "PRIVATE KEY":
		var parsed any
		if parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			var ok bool
			if key, ok = parsed.(*rsa.PrivateKey); !ok {
				return nil, invalid("private key", "must be RSA, is %T", parsed)
			}
		}
	default:
		return nil, invalid("private key", "must be RSA in PKCS #1 or PKCS #8 form, the PEM holds %s", block.Type)
	}
	if err != nil {
		return nil, invalid("private key", "the PEM is cut or damaged: %v", err)
	}
	if err := checkKeySize(&key.PublicKey); err != nil {
		return nil, err
	}
	return key, nil
}

func checkKeySize(key *rsa.PublicKey) error {
	if key.N == nil {
		return invalid("private key", "holds no key")
	}
	if bits := key.N.BitLen(); bits < minKeyBits {
		return invalid("private key", "must have %d bits or more, has %d", minKeyBits, bits)
	}
	return nil
}

// AuthFromEnv builds an [RSAAuth] from the environment: the API key from QREDO_API_KEY, or from the file
// that QREDO_API_KEY_FILE names; the private key (PEM) from QREDO_PRIVATE_KEY, or from the file that
// QREDO_PRIVATE_KEY_FILE names. In QREDO_PRIVATE_KEY, \n may stand for line breaks.
func AuthFromEnv() (*RSAAuth, error) {
	apiKey, err := fromEnv("QREDO_API_KEY")
	if err != nil {
		return nil, err
	}
	pemText, err := fromEnv("QREDO_PRIVATE_KEY")
	if err != nil {
		return nil, err
	}
	if !strings.Contains(pemText, "\n") {
		pemText = strings.ReplaceAll(pemText, `\n`, "\n")
	}
	key, err := ParsePrivateKey([]byte(pemText))
	if err != nil {
		return nil, err
	}
	return NewRSAAuth(apiKey, key)
}

// HMACAuthFromEnv builds an [HMACAuth] from the environment, for Qredo API v1: the API key from QREDO_QAPI_KEY, or
// from the file that QREDO_QAPI_KEY_FILE names; its secret from QREDO_QAPI_SECRET, or from the file that
// QREDO_QAPI_SECRET_FILE names. A value that is set in both ways or in neither is a [*ValidationError] that names
// the variables.
func HMACAuthFromEnv() (*HMACAuth, error) {
	apiKey, err := fromEnv("QREDO_QAPI_KEY")
	if err != nil {
		return nil, err
	}
	secret, err := fromEnv("QREDO_QAPI_SECRET")
	if err != nil {
		return nil, err
	}
	return NewHMACAuth(apiKey, secret)
}

// fromEnv reads a value from the variable name, or from the file that name_FILE names.
func fromEnv(name string) (string, error) {
	value, file := os.Getenv(name), os.Getenv(name+"_FILE")
	switch {
	case value != "" && file != "":
		return "", invalid(name, "is set and so is %s_FILE: set one of them", name)
	case value != "":
		return value, nil
	case file == "":
		return "", invalid(name, "is not set, nor is %s_FILE", name)
	}
	data, err := os.ReadFile(file)
	if named := (*fs.PathError)(nil); errors.As(err, &named) {
		err = named.Err // without the name: some put the secret itself there
	}
	if err != nil {
		return "", fmt.Errorf("qredo: %s_FILE: %w", name, err)
	}
	return string(data), nil
}
