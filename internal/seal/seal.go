// Package seal computes the sums by which a store knows again what was put into it by somebody who has a secret key.
package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
)

// Size is the length of a sum, in bytes.
const Size = 16

// LeastKey is how long a key must be, in bytes, where people choose one.
const LeastKey = 16

// Keys are secret keys. The first makes sums, and all of them check these. The zero value has one that everybody knows.
type Keys struct {
	keys func() [][]byte // a function, because no printer looks into one
}

// New returns keys for what a domain names: the same key makes other sums in another domain. An empty key makes sums that everybody
// can make.
func New(domain string, keys ...[]byte) Keys {
	own := make([][]byte, len(keys))
	for i, key := range keys {
		own[i] = append([]byte(domain), key...)
	}
	return Keys{func() [][]byte { return own }}
}

// Format prints the type's name, and no secret.
func (Keys) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "seal.Keys(redacted)") }

// Sum returns the sum, by the first key, of data that has a name.
func (k Keys) Sum(name string, data []byte) []byte { return sum(k.all()[0], name, data) }

// By returns which of the keys has made a sum; -1 if none has.
func (k Keys) By(name string, data, made []byte) int {
	for i, key := range k.all() {
		if hmac.Equal(made, sum(key, name, data)) {
			return i
		}
	}
	return -1
}

func (k Keys) all() [][]byte {
	if k.keys == nil {
		return [][]byte{nil}
	}
	return k.keys()
}

func sum(key []byte, name string, data []byte) []byte {
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "%d %s", len(name), name)
	_, _ = mac.Write(data)
	return mac.Sum(nil)[:Size]
}
