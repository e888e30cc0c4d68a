package access

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/qredo-go/qredo"
)

const keyBits = 2048 // as the service's keys

// ParsePublicKey reads an RSA public key from PEM. An error never repeats the input.
func ParsePublicKey(pemData []byte) (*rsa.PublicKey, error) {
	refuse := func(rule string, args ...any) (*rsa.PublicKey, error) {
		return nil, &qredo.ValidationError{Field: "public key", Rule: fmt.Sprintf(rule, args...)}
	}
	block, _ := pem.Decode(bytes.TrimPrefix(pemData, []byte("\uFEFF")))
	var parsed any
	var err error
	switch {
	case block == nil:
		return refuse("is not PEM: it must begin with -----BEGIN PUBLIC KEY-----, and be whole")
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return refuse("is a private key, which must not be given away: openssl rsa -in private.pem -pubout -out public.pem makes the public one")
	case block.Type == "PUBLIC KEY":
		parsed, err = x509.ParsePKIXPublicKey(block.Bytes)
	case block.Type == "RSA PUBLIC KEY":
		parsed, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		return refuse("the PEM holds %s, not a public key", block.Type)
	}
	if err != nil {
		return refuse("the PEM is damaged: %v", err)
	}
	key, isRSA := parsed.(*rsa.PublicKey)
	if !isRSA {
		return refuse("must be RSA, is %T", parsed)
	}
	if bits := key.N.BitLen(); bits < keyBits {
		return refuse("must have %d bits or more, has %d", keyBits, bits)
	}
	return key, nil
}

// readPublicKey reads a public key from a file.
func readPublicKey(path string) (*rsa.PublicKey, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := ParsePublicKey(data)
	if problem := (*qredo.ValidationError)(nil); errors.As(err, &problem) {
		problem.Rule += fmt.Sprintf(" (in %s)", path)
	}
	return key, err
}
