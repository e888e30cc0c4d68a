package access

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"net/http"
	"strings"
	"time"
)

// Sent is a request as a program sent it.
type Sent struct {
	Method  string
	URL     string // full, with its query
	Headers map[string]string
	Body    []byte
}

func (s Sent) header() http.Header {
	header := http.Header{}
	for name, value := range s.Headers {
		header.Set(name, value)
	}
	return header
}

// Difference is a wrong part of a signed request.
type Difference struct {
	Part   string // "stamp", "url", "body", "key", "signature", "layout" or "proof"
	Found  string // what is wrong with it
	Remedy string // what to do about it
}

// Explained is the explanation of a signed request.
type Explained struct {
	Found []Difference
	Valid bool // nothing is wrong

	Verified string // the text that must be signed
	Signed   string // the text that was, if it was found out
}

// Explain says which part of the signed text differs from what was sent, at this time, if any. The request was below a base
// path, and one of the URLs must have been signed. It tries the mistakes that programs are known to make, with the public key
// that is registered for the API key. It uses up no nonce.
func (k *Keys) Explain(sent Sent, base string, urls []string, now time.Time) (e Explained) {
	header := sent.header()
	var stamp string
	stamp, e.Found = explainStamp(header, now)
	e.Verified = stamp + urls[0] + string(sent.Body)
	key, problem := k.partner.explain(header, "X-API-KEY")
	if problem != nil {
		e.Found = append(e.Found, *problem)
		return e
	}
	signature, problem := decodeSignature(header, "x-sign", keyBits/8)
	if problem != nil {
		e.Found = append(e.Found, *problem)
	}
	if signature == nil {
		return e
	}
	digest, problem := k.recoverDigest(key, signature)
	if problem != nil {
		e.Found = append(e.Found, *problem)
		return e
	}
	e.match(covered{stamps(stamp), urlForms(urls, base, sent.Headers), bodyForms(string(sent.Body), slips(e.Verified)), layouts, strings.ToUpper(sent.Method)}, func(text string) bool {
		sum := sha256.Sum256([]byte(text))
		return bytes.Equal(sum[:], digest)
	})
	return e
}

func explainStamp(h http.Header, now time.Time) (stamp string, found []Difference) {
	timestamp, once := h.Get("x-timestamp"), h.Get("x-nonce")
	differs := func(what, remedy string) []Difference { return []Difference{{"stamp", what, remedy}} }
	switch {
	case timestamp != "" && once != "":
		return timestamp, differs("x-timestamp and x-nonce are both there", "send one of them")
	case timestamp == "" && once == "":
		return "", differs("neither x-timestamp nor x-nonce is there", "send the stamp that was signed as x-timestamp")
	case timestamp != "":
		return timestamp, explainTimestamp("x-timestamp", timestamp, timestamp, now)
	case len(once) > maxNonce:
		return once, differs("x-nonce is over 1024 bytes", "send a shorter one")
	}
	return once, nil
}

// explainTimestamp says what is wrong with a timestamp in seconds.
func explainTimestamp(name, sent, seconds string, now time.Time) []Difference {
	if !stale(seconds, now) {
		return nil
	}
	off := "is not a whole number of seconds since 1970"
	if n, ok := new(big.Int).SetString(sent, 10); ok {
		off = "is " + new(big.Int).Sub(big.NewInt(now.Unix()), n).String() + " seconds behind the service's clock"
	}
	return []Difference{{"stamp", name + " " + off, "send Unix seconds, by a clock that is right within " + tolerance.String()}}
}

// explain finds the key that a header names.
func (k keyring) explain(h http.Header, name string) (*Key, *Difference) {
	text := h.Get(name)
	if strings.TrimSpace(text) == "" {
		return nil, &Difference{"key", "the header " + name + " is not there", "send the API key"}
	}
	key, err := k.find(text)
	if err != nil {
		return nil, &Difference{"key", "the API key is not registered", "use the API key that this sandbox wrote to its folder of keys"}
	}
	return key, nil
}

// decodeSignature reads a signature of at least size bytes in any encoding, and says so if it is not the required one.
func decodeSignature(h http.Header, name string, size int) ([]byte, *Difference) {
	text := h.Get(name)
	if text == "" {
		return nil, &Difference{"signature", "the header " + name + " is not there", "send the signature as " + name}
	}
	inHex, err := hex.DecodeString(text)
	if err != nil || len(inHex) < size { // hexadecimal digits are base64 too
		if signature, err := base64.RawURLEncoding.Strict().DecodeString(text); err == nil {
			return signature, nil
		}
	}
	const remedy = "encode it as base64url without padding: - and _ for + and /, and no = at the end"
	for _, other := range []struct {
		name   string
		decode func(string) ([]byte, error)
	}{
		{"hexadecimal", hex.DecodeString},
		{"base64url with padding", base64.URLEncoding.DecodeString},
		{"standard base64", base64.StdEncoding.DecodeString},
		{"standard base64 without padding", base64.RawStdEncoding.DecodeString},
	} {
		if signature, err := other.decode(strings.TrimSpace(text)); err == nil {
			return signature, &Difference{"signature", "it is " + other.name, remedy}
		}
	}
	return nil, &Difference{"signature", "its encoding is unknown", remedy}
}

// recoverDigest opens a PKCS #1 v1.5 signature and returns the SHA-256 that was signed.
func (k *Keys) recoverDigest(key *Key, signature []byte) ([]byte, *Difference) {
	digest, form := openSignature(key.public, signature)
	if form == "" {
		return digest, nil
	}
	for _, other := range k.partner.all() {
		if _, otherForm := openSignature(other.public, signature); otherForm == "" {
			return nil, &Difference{"key", "it was signed with the private key of another API key", "use the private key that belongs to the API key"}
		}
	}
	if form == formUnknown {
		return nil, &Difference{
			"key", "it was not signed with the private key of this API key, or not with RSASSA-PKCS1-v1_5",
			"use the private key that belongs to the API key, and PKCS #1 v1.5, not PSS",
		}
	}
	return nil, &Difference{"signature", "it was signed with " + form, "use RSASSA-PKCS1-v1_5 with SHA-256"}
}

const formUnknown = "another key"

// digestInfos are the prefixes of the digest in a PKCS #1 v1.5 signature.
var digestInfos = map[string]struct {
	name string
	size int
}{
	"3031300d060960864801650304020105000420": {"", sha256.Size},
	"3021300906052b0e03021a05000414":         {"SHA-1", 20},
	"3041300d060960864801650304020205000430": {"SHA-384", 48},
	"3051300d060960864801650304020305000440": {"SHA-512", 64},
}

// openSignature returns the signed SHA-256 digest, or says what was signed instead.
func openSignature(public *rsa.PublicKey, signature []byte) (digest []byte, form string) {
	if len(signature) != public.Size() {
		return nil, formUnknown
	}
	value := new(big.Int).Exp(new(big.Int).SetBytes(signature), big.NewInt(int64(public.E)), public.N)
	message := value.FillBytes(make([]byte, public.Size()))
	rest, found := bytes.CutPrefix(message, []byte{0, 1})
	padding, content, cut := bytes.Cut(rest, []byte{0})
	if !found || !cut || len(padding) < 8 || len(bytes.Trim(padding, "\xff")) > 0 {
		return nil, formUnknown
	}
	for prefix, hash := range digestInfos {
		if sum, ok := strings.CutPrefix(hex.EncodeToString(content), prefix); ok && len(sum) == 2*hash.size {
			return content[len(prefix)/2:], hash.name
		}
	}
	if len(content) == sha256.Size {
		return content, "the bare digest, without the name of the hash (no DigestInfo)"
	}
	return nil, "another hash than SHA-256"
}
