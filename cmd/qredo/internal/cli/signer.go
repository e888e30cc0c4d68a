package cli

import (
	"crypto"
	"crypto/rsa"
	"slices"
	"strings"
)

// What signs requests. The default is Go: a command signs a few times, and to load and compare another library takes as long as ten
// signatures; and a library in the program sees the key, which nobody has asked for.
const (
	signerAuto      = "auto"
	signerGo        = "go"
	signerLibcrypto = "libcrypto"
)

// signer is what signs with a key, by the settings, and what is to be said of it.
func (a *app) signer(key *rsa.PrivateKey) (signer crypto.Signer, what string, err error) {
	switch from := a.settings.get(keySigner); {
	case from.value == "":
		return key, "Go", nil
	case from.value == signerGo:
		return key, "Go: asked for", nil
	case !slices.Contains(keySigner.values, from.value):
		return nil, "", usagef("%s must be %s, is %q", from.source, strings.Join(keySigner.values, ", "), from.value)
	default:
		signer, what, err = signerOf(key, from.value)
		if err != nil {
			return nil, "", misuse(from.source, err)
		}
		return signer, what, nil
	}
}
