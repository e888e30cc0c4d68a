//go:build darwin || (linux && (cgo || libcrypto))

package cli

import (
	"crypto"
	"crypto/rsa"

	"github.com/qredo-go/qredo/signer/libcrypto"
)

// signerOf is the signer of a mode other than Go's. On Linux it is part of builds that are linked with the system's C
// library anyway, and of builds with the tag libcrypto: others stay one static program.
func signerOf(key *rsa.PrivateKey, mode string) (crypto.Signer, string, error) {
	signer, err := libcrypto.New(key, libcrypto.WithMode(libcrypto.Mode(mode)))
	if err != nil {
		return nil, "", err
	}
	return signer, signer.Implementation().String(), nil
}
