// Package pemkey reads PEM as it arrives from files, variables and forms, and tells keys apart that are not read.
package pemkey

import (
	"bytes"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
)

// Blocks returns the blocks of a PEM text. It also reads one whose lines were changed on the way, as long as no digit is
// missing: with \n, carriage returns or spaces for its line ends, indented, in quotes, in UTF-16, or with another name in its
// last line than in its first, which counts.
func Blocks(text []byte) []*pem.Block {
	text = plain(text)
	as := decode(text)
	if mended := decode(mend(text)); len(mended) > len(as) {
		return mended
	}
	return as
}

func decode(text []byte) (blocks []*pem.Block) {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return blocks
		}
		blocks, text = append(blocks, block), rest
	}
}

// Begins reports whether a text has the first line of a block.
func Begins(text []byte) bool { return bytes.Contains(plain(text), []byte("-----BEGIN")) }

// plain removes byte order marks, and decodes UTF-16.
func plain(text []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(text, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(text, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		return bytes.TrimPrefix(text, []byte("\uFEFF"))
	}
	units := make([]uint16, 0, len(text)/2)
	for pair := text[2:]; len(pair) > 1; pair = pair[2:] {
		units = append(units, order.Uint16(pair))
	}
	return []byte(string(utf16.Decode(units)))
}

var (
	escaped = regexp.MustCompile(`\\+[rn]`)
	whole   = regexp.MustCompile(`-----BEGIN([A-Z0-9\s]+)-----((?:-?[^-])*)-----END[A-Z0-9\s]+-----`)
)

// mend rewrites the PEM blocks of a text with proper lines.
func mend(text []byte) []byte {
	var out bytes.Buffer
	for _, found := range whole.FindAllSubmatch(escaped.ReplaceAll(text, []byte("\n")), -1) {
		kind := strings.Join(strings.Fields(string(found[1])), " ")
		if bytes.Contains(found[2], []byte("ENCRYPTED")) { // in the header of PEM's own encryption
			_ = pem.Encode(&out, &pem.Block{Type: kind, Headers: map[string]string{"Proc-Type": "4,ENCRYPTED"}})
			continue
		}
		digits := strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) || strings.ContainsRune(`"',`, r) {
				return -1
			}
			return r
		}, string(found[2]))
		der, err := base64.StdEncoding.DecodeString(digits)
		if err != nil { // without padding, or with wrong padding
			if der, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(digits, "=")); err != nil {
				continue
			}
		}
		_ = pem.Encode(&out, &pem.Block{Type: kind, Bytes: der})
	}
	return out.Bytes()
}

// RSA is the one that is read.
const RSA = "RSA"

// algorithms are the names of key algorithms that are easily mistaken for RSA, or given in its place.
var algorithms = map[string]string{
	"1.2.840.113549.1.1.1":  RSA,
	"1.2.840.113549.1.1.10": "RSA-PSS", "1.2.840.113549.1.1.7": "RSA-OAEP", "1.2.840.10040.4.1": "DSA", "1.2.840.10045.2.1": "EC",
	"1.2.840.113549.1.3.1": "Diffie-Hellman", "1.3.101.110": "X25519", "1.3.101.111": "X448", "1.3.101.112": "Ed25519", "1.3.101.113": "Ed448",
}

// Algorithm names the algorithm that a key in PKCS #8 form, or a public key, is for. It is empty where that cannot be told.
func Algorithm(der []byte) string {
	type identifier struct {
		ID         asn1.ObjectIdentifier
		Parameters asn1.RawValue `asn1:"optional"`
	}
	var private struct {
		Version   int
		Algorithm identifier
		Key       []byte
	}
	var public struct {
		Algorithm identifier
		Key       asn1.BitString
	}
	id := asn1.ObjectIdentifier(nil)
	if _, err := asn1.Unmarshal(der, &private); err == nil {
		id = private.Algorithm.ID
	} else if _, err := asn1.Unmarshal(der, &public); err == nil {
		id = public.Algorithm.ID
	}
	if name, known := algorithms[id.String()]; known || id == nil {
		return name
	}
	return "of the algorithm " + id.String()
}
