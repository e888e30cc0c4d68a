package cli

import (
	"crypto"
	"crypto/rsa"
	"slices"
	"strings"
)

// The values of --signer. The default is Go: a command signs only a few times, loading and checking another library takes as
// long as ten signatures, and that library would see the key although nobody asked for it.
const (
	signerAuto      = "auto"
	signerGo        = "go"
	signerLibcrypto = "libcrypto"
)

// signer returns what signs with a key, according to the settings, and a description of it.
func (a *app) signer(key *rsa.PrivateKey) (signer crypto.Signer, what string, err error) {
	switch from := a.settings.get(keySigner); {
	case from.value == "":
		return key, "Go", nil
	case from.value == signerGo:
		return key, "Go: asked for", nil
	case !slices.Contains(keySigner.values, from.value):
		return nil, "", usagef("%s must be %s, not %q", from.source, strings.Join(keySigner.values, ", "), from.value)
	default:
		signer, what, err = signerOf(key, from.value)
		if err != nil {
			return nil, "", misuse(from.source, err)
		}
		return signer, what, nil
	}
}
