package access

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/pemkey"
)

const keyBits = 2048 // as the service's keys

// ParsePublicKey reads an RSA public key from PEM, in either of its forms, also from a text that lost its lines on the way, as
// [qredo.ParsePrivateKey] does. An error never repeats the input.
func ParsePublicKey(pemData []byte) (*rsa.PublicKey, error) {
	refuse := func(rule string, args ...any) (*rsa.PublicKey, error) {
		return nil, &qredo.ValidationError{Field: "public key", Rule: fmt.Sprintf(rule, args...)}
	}
	blocks := pemkey.Blocks(pemData)
	if len(blocks) == 0 {
		return refuse("is not PEM: it must begin with -----BEGIN PUBLIC KEY-----, and be whole")
	}
	block := blocks[0]
	switch {
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return refuse("is a private key, which must not be given away: openssl rsa -in private.pem -pubout -out public.pem makes the public one")
	case block.Type != "PUBLIC KEY" && block.Type != "RSA PUBLIC KEY":
		return refuse("the PEM holds %s, not a public key", block.Type)
	}
	// Either form may stand below the first line of the other.
	key, err := x509.ParsePKCS1PublicKey(block.Bytes)
	if err != nil {
		parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
		algorithm := pemkey.Algorithm(block.Bytes)
		isRSA := false
		switch key, isRSA = parsed.(*rsa.PublicKey); {
		case isRSA:
		case algorithm == "RSA-PSS":
			return refuse("must be RSA for signatures of PKCS #1 v1.5, is RSA-PSS: make another pair")
		case parsed != nil:
			return refuse("must be RSA, is %T", parsed)
		case algorithm != "" && algorithm != pemkey.RSA:
			return refuse("must be RSA, is %s", algorithm)
		default:
			return refuse("the PEM is damaged: %v", err)
		}
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
