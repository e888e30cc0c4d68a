package qredo

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/qredo-go/qredo/internal/pemkey"
)

// minKeyBits is the size of the service's own keys; shorter keys can be broken.
const minKeyBits = 2048

// LoadPrivateKey reads an RSA private key from a PEM file, as [ParsePrivateKey] does.
func LoadPrivateKey(path string) (*rsa.PrivateKey, error) {
	if strings.Contains(path, "-----BEGIN") { // and a key must not be repeated in an error
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

// ParsePrivateKey reads an RSA private key of at least 2048 bits from PEM, as PKCS #1 or PKCS #8, whichever its first line
// says. It also reads a key whose line breaks were damaged on the way: with \n, carriage returns or spaces for line breaks,
// indented, or in quotes. Anything else is a [*ValidationError] that says what was found and how to fix it, and never repeats
// the input.
func ParsePrivateKey(pemData []byte) (*rsa.PrivateKey, error) {
	var found []string
	for _, block := range pemkey.Blocks(pemData) {
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return parseBlock(block)
		}
		found = append(found, block.Type)
	}
	switch {
	case len(found) > 0:
		return nil, invalid("private key", "the PEM holds %s, not a private key", strings.Join(found, ", "))
	case pemkey.Begins(pemData):
		return nil, invalid("private key", "the PEM is cut or damaged: copy the file again, whole")
	}
	return nil, invalid("private key", "is not PEM: it must start with -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----")
}

func parseBlock(block *pem.Block) (*rsa.PrivateKey, error) {
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
		return nil, invalid("private key", "is encrypted: decrypt it first (openssl pkey -in FILE -out NEW_FILE)")
	case block.Type != "RSA PRIVATE KEY" && block.Type != "PRIVATE KEY":
		return nil, invalid("private key", "must be RSA in PKCS #1 or PKCS #8 form, the PEM holds %s", block.Type)
	}
	key, err := parseRSA(block.Bytes)
	if err != nil {
		return nil, err
	}
	if err := checkKeySize(&key.PublicKey); err != nil {
		return nil, err
	}
	return key, nil
}

// parseRSA parses a key in either form: programs, and people, mix up the PEM labels.
func parseRSA(der []byte) (*rsa.PrivateKey, error) {
	key, notPKCS1 := x509.ParsePKCS1PrivateKey(der)
	if notPKCS1 == nil {
		return key, nil
	}
	parsed, notPKCS8 := x509.ParsePKCS8PrivateKey(der)
	if key, isRSA := parsed.(*rsa.PrivateKey); isRSA {
		return key, nil
	}
	switch algorithm := pemkey.Algorithm(der); {
	case algorithm == "RSA-PSS":
		return nil, invalid("private key", "must be RSA for signatures of PKCS #1 v1.5, is RSA-PSS, which the service does not take: make another (openssl genrsa -out NEW_FILE 2048)")
	case parsed != nil:
		return nil, invalid("private key", "must be RSA, is %T", parsed)
	case algorithm == "": // not PKCS #8
		if _, err := x509.ParseECPrivateKey(der); err == nil {
			return nil, invalid("private key", "must be RSA, is EC")
		}
		return nil, invalid("private key", "the PEM is cut or damaged: %v", notPKCS1)
	case algorithm == pemkey.RSA:
		return nil, invalid("private key", "the PEM is cut or damaged: %v", notPKCS8)
	default:
		return nil, invalid("private key", "must be RSA, is %s", algorithm)
	}
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

// AuthFromEnv builds an [RSAAuth] from the environment: the API key from QREDO_API_KEY, or from the file named by
// QREDO_API_KEY_FILE; the private key (PEM) from QREDO_PRIVATE_KEY, or from the file named by QREDO_PRIVATE_KEY_FILE. In
// either, \n may be used for line breaks: see [ParsePrivateKey].
func AuthFromEnv() (*RSAAuth, error) {
	apiKey, err := fromEnv("QREDO_API_KEY")
	if err != nil {
		return nil, err
	}
	pemText, err := fromEnv("QREDO_PRIVATE_KEY")
	if err != nil {
		return nil, err
	}
	key, err := ParsePrivateKey([]byte(pemText))
	if err != nil {
		return nil, err
	}
	return NewRSAAuth(apiKey, key)
}

// HMACAuthFromEnv builds an [HMACAuth] from the environment, for Qredo API v1: the API key from QREDO_QAPI_KEY, or from the
// file named by QREDO_QAPI_KEY_FILE; its secret from QREDO_QAPI_SECRET, or from the file named by QREDO_QAPI_SECRET_FILE. If a
// value is set in both ways or in neither, it returns a [*ValidationError] that names the variables.
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
		err = named.Err // without the file name: some people put the secret itself there
	}
	if err != nil {
		return "", fmt.Errorf("qredo: %s_FILE: %w", name, err)
	}
	return string(data), nil
}
