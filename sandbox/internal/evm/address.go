package evm

import (
	"encoding/hex"
	"errors"
	"strings"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"golang.org/x/crypto/sha3"
)

// NewAddress makes a private key of 32 random bytes, and the address that belongs to it in small letters.
func NewAddress(random []byte) (address string, key []byte) {
	private, err := parseKey(random)
	for err != nil { // out of range, which is as good as impossible
		random = keccak(random)
		private, err = parseKey(random)
	}
	defer private.Zero()
	return addressOf(private.PubKey()), random
}

// addressOf returns the address of a public key: the end of the hash of its two coordinates.
func addressOf(public *secp256k1.PublicKey) string {
	return "0x" + hex.EncodeToString(keccak(public.SerializeUncompressed()[1:])[12:])
}

var errKey = errors.New("evm: a private key has 32 bytes, is not zero and less than the order of secp256k1")

// parseKey refuses what the library would shorten or reduce to another key.
func parseKey(key []byte) (*secp256k1.PrivateKey, error) {
	var scalar secp256k1.ModNScalar
	if len(key) != secp256k1.PrivKeyBytesLen || scalar.SetByteSlice(key) || scalar.IsZero() {
		return nil, errKey
	}
	return secp256k1.NewPrivateKey(&scalar), nil
}

// IsAddress reports whether a text has the form of an address, whatever its capitals.
func IsAddress(text string) bool {
	_, err := parseAddress(text)
	return err == nil
}

var errAddress = errors.New("evm: an address has 40 hexadecimal digits after 0x")

func parseAddress(text string) ([]byte, error) {
	const size = 20
	digits, found := strings.CutPrefix(text, "0x")
	address, err := hex.DecodeString(digits)
	if !found || err != nil || len(address) != size {
		return nil, errAddress
	}
	return address, nil
}

func keccak(data []byte) []byte {
	hash := sha3.NewLegacyKeccak256()
	hash.Write(data)
	return hash.Sum(nil)
}
