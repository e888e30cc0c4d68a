//go:build !(darwin || (linux && (cgo || libcrypto)))

package cli

import (
	"crypto"
	"crypto/rsa"
	"errors"
)

// signerOf signs with Go: see signer_libcrypto.go.
func signerOf(key *rsa.PrivateKey, mode string) (crypto.Signer, string, error) {
	const why = "this program was built without libcrypto: on Linux build it with cgo, or with -tags libcrypto"
	if mode == signerLibcrypto {
		return nil, "", errors.New(why)
	}
	return key, "Go: " + why, nil
}
