package access

import (
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// Signed returns the key that signed a request to the Partner API, at this time. What must be signed is, also where
// other requests need not be.
func (k *Keys) Signed(req Request, now time.Time, mustSign bool) (*Key, error) {
	key, err := k.partner.find(req.Header.Get(HeaderKey))
	if err != nil {
		return nil, err
	}
	timestamp, once, sign := req.Header.Get(HeaderStamp), req.Header.Get(HeaderNonce), req.Header.Get(HeaderSignature)
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
		var room [512]byte
		digest := sha256.Sum256(append(append(append(room[:0], stamp...), url...), req.Body...))
		if k.verifier.verify(digest, signature) {
			return true
		}
	}
	return false
}
