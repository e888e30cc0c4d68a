package access

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
)

const hmacKeyBytes = 10 // 14 characters

// newHMACKey has the form of the service's own: 14 characters of base64. None begins with a hyphen here, which a
// command would take for a flag.
func newHMACKey() string {
	var key [hmacKeyBytes]byte
	_, _ = rand.Read(key[:]) // never fails
	key[0] &= 0x7f
	return base64.RawURLEncoding.EncodeToString(key[:])
}

// newSecret has the form of the service's own: base64 of what looks like a hash of bcrypt. It needs no padding, and is
// the same in base64's two alphabets, so that any program decodes it. Its 53 random characters are 318 bits.
func newSecret() string {
	const begin, alphabet = "$2a$04$", "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	var text [53]byte
	_, _ = rand.Read(text[:]) // never fails
	for i, b := range text {
		text[i] = alphabet[b%byte(len(alphabet))] // of 64, which divides 256
	}
	return base64.StdEncoding.EncodeToString(append([]byte(begin), text[:]...))
}

// hmacKeyID is what answers call a key: the API key itself where it has the form of the service's, which are no
// secrets, else what stands for it in that form.
func hmacKeyID(apiKey string) string {
	text := strings.TrimSpace(apiKey)
	if raw, err := base64.RawURLEncoding.DecodeString(text); err == nil && len(raw) == hmacKeyBytes {
		return text
	}
	digest := digestOfKey(text)
	return base64.RawURLEncoding.EncodeToString(digest[:hmacKeyBytes])
}
