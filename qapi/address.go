package qapi

import (
	"encoding/hex"
	"strings"

	"golang.org/x/crypto/sha3"
)

// ChecksumAddress returns an EVM address with the capitalization that is its checksum (EIP-55). It returns a
// [*qredo.ValidationError] for text that is not an address, or whose mixed case is not a valid checksum.
func ChecksumAddress(address string) (string, error) {
	if err := checkAddress("address", address); err != nil {
		return "", err
	}
	return checksummed(strings.ToLower(address[2:])), nil
}

// checkAddress refuses text that is not an address. An address in only small letters or only capitals has no checksum.
func checkAddress(field, address string) error {
	const digits = 40
	if address == "" {
		return invalid(field, "must not be empty")
	}
	text, found := strings.CutPrefix(address, "0x")
	shown := address[:min(len(address), 100)]
	if !found {
		return invalid(field, "must begin with 0x, is %q", shown)
	}
	if len(text) != digits {
		return invalid(field, "must have %d hexadecimal digits after 0x, has %d", digits, len(text))
	}
	if _, err := hex.DecodeString(text); err != nil {
		return invalid(field, "must be hexadecimal, is %q", shown)
	}
	lower, upper := strings.ToLower(text), strings.ToUpper(text)
	if text != lower && text != upper && address != checksummed(lower) {
		return invalid(field, "has a wrong checksum, is %q: it contains a typing error", shown)
	}
	return nil
}

// checksummed applies the checksum's capitals to the digits of an address, which are in small letters: a letter is a
// capital if the digit at its place in the Keccak-256 hash of the text is 8 or more.
func checksummed(lower string) string {
	hash := sha3.NewLegacyKeccak256()
	hash.Write([]byte(lower))
	marks := hex.EncodeToString(hash.Sum(nil))
	digits := []byte(lower)
	for i, c := range digits {
		if c >= 'a' && marks[i] >= '8' {
			digits[i] = c - 'a' + 'A'
		}
	}
	return "0x" + string(digits)
}
