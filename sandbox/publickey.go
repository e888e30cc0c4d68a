package sandbox

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

// ParsePublicKey reads an RSA public key of 2048 bits or more from PEM, as PKIX (BEGIN PUBLIC KEY, what the
// service's web page took) or PKCS #1 (BEGIN RSA PUBLIC KEY). Anything else is a [*qredo.ValidationError] that
// says what was found and how to mend it, and never repeats the input.
func ParsePublicKey(pemData []byte) (*rsa.PublicKey, error) {
	const field = "public key"
	block, _ := pem.Decode(bytes.TrimPrefix(pemData, []byte("\uFEFF")))
	var parsed any
	var err error
	switch {
	case block == nil:
		return nil, invalid(field, "is not PEM: it must begin with -----BEGIN PUBLIC KEY-----, and be whole")
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, invalid(field, "is a private key, which must not be given away: openssl rsa -in private.pem -pubout -out public.pem makes the public one")
	case block.Type == "PUBLIC KEY":
		parsed, err = x509.ParsePKIXPublicKey(block.Bytes)
	case block.Type == "RSA PUBLIC KEY":
		parsed, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		return nil, invalid(field, "the PEM holds %s, not a public key", block.Type)
	}
	if err != nil {
		return nil, invalid(field, "the PEM is damaged: %v", err)
	}
	key, isRSA := parsed.(*rsa.PublicKey)
	if !isRSA {
		return nil, invalid(field, "must be RSA, is %T", parsed)
	}
	if bits := key.N.BitLen(); bits < keyBits {
		return nil, invalid(field, "must have %d bits or more, has %d", keyBits, bits)
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
