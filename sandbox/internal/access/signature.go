package access

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// Signed returns the key that signed a request to the Partner API, at this time. What must be signed is, also where
// other requests need not be.
func (k *Keys) Signed(req Request, now time.Time, mustSign bool) (*Key, error) {
	key, err := k.partner.find(req.Header.Get("X-API-KEY"))
	if err != nil {
		return nil, err
	}
	timestamp, once, sign := req.Header.Get("x-timestamp"), req.Header.Get("x-nonce"), req.Header.Get("x-sign")
	switch unsigned := timestamp == "" && once == "" && sign == ""; {
	case unsigned && mustSign:
		return nil, notProved("signature: this request must be signed, also with --unsigned")
	case unsigned && k.Unsigned:
		return key, nil
	case unsigned:
		return nil, notProved("signature: the request is not signed; with --unsigned (WithUnsigned) the sandbox takes it")
	}
	stamp := timestamp + once
	switch {
	case timestamp != "" && once != "", stamp == "":
		return nil, notProved("timestamp or nonce: exactly one must be given")
	case timestamp != "" && stale(timestamp, now):
		return nil, notProved("timestamp")
	case len(once) > maxNonce:
		return nil, notProved("nonce: it is over 1024 bytes")
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(sign)
	if err != nil || !key.signed(stamp, req, signature) {
		return nil, notProved("signature")
	}
	if once != "" && !k.useOnce(newNonce(key, once)) {
		return nil, notProved("nonce")
	}
	return key, nil
}

// signed reports whether a signature is the key's over stamp, one of the URLs, and body.
func (k *Key) signed(stamp string, req Request, signature []byte) bool {
	for _, url := range req.URLs {
		digest := sha256.New()
		digest.Write([]byte(stamp))
		digest.Write([]byte(url))
		digest.Write(req.Body)
		if rsa.VerifyPKCS1v15(k.public, crypto.SHA256, digest.Sum(nil), signature) == nil {
			return true
		}
	}
	return false
}
