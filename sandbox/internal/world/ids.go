package world

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/evm"
)

const (
	base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// idSource makes identifiers and addresses in the forms of the service's own, from a seed and how many commits there were, so that
// a run can be repeated, and goes on as if it had not ended. They identify; they keep nothing secret. It is used by one writer at a
// time.
type idSource struct{ random *rand.ChaCha8 }

func newIDSource(seed, commits, past uint64) *idSource {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	binary.LittleEndian.PutUint64(key[8:], commits+1) // older stores had 0 here
	binary.LittleEndian.PutUint64(key[16:], past)
	return newKeySource(key)
}

func newKeySource(key [sha256.Size]byte) *idSource { return &idSource{rand.NewChaCha8(key)} }

func (s *idSource) bytes(n int) []byte {
	b := make([]byte, n)
	_, _ = s.random.Read(b) // never fails
	return b
}

// ksuid is the form of company, fund, policy, transaction and action IDs: 27 characters of base62 over
// the time and 16 random bytes.
func (s *idSource) ksuid(now time.Time) string { return ksuidOf(now, s.bytes(16)) }

func ksuidOf(now time.Time, random []byte) string {
	const epoch = 1_400_000_000
	seconds := uint32(now.Unix() - epoch) //nolint:gosec // KSUIDs wrap around by design
	raw := append(binary.BigEndian.AppendUint32(nil, seconds), random...)
	text := encode(raw, base62)
	return strings.Repeat("0", 27-len(text)) + text
}

// account is the form of wallet, user and core client IDs: 43 or 44 characters of base58.
func (s *idSource) account() string {
	raw := s.bytes(32)
	raw[0] |= 1 // no leading zero, which would shorten it
	return encode(raw, base58)
}

// hash is the form of a transaction's ID on a chain.
func (s *idSource) hash() string { return hex.EncodeToString(s.bytes(32)) }

// AccountCode is the code of a user's or company's account, which is not their ID. That of a core client is.
func AccountCode(id string) string {
	sum := sha256.Sum256([]byte("account code of " + id))
	return encode(sum[:], base58)
}

// address returns a chain address and the name of its type. Those of BTC have a valid checksum; the others
// have a private key.
func (s *idSource) address(asset qredo.Asset) (address, kind string, key []byte) {
	if !strings.HasPrefix(string(asset.Code), "BTC") {
		address, key = evm.NewAddress(s.bytes(32))
		return address, "ethereum", key
	}
	version := byte(0x00)
	if asset.TestAsset {
		version = 0x6f
	}
	raw := append([]byte{version}, s.bytes(20)...)
	once := sha256.Sum256(raw)
	twice := sha256.Sum256(once[:])
	text := encode(append(raw, twice[:4]...), base58)
	for i := 0; raw[i] == 0; i++ {
		text = "1" + text // each leading zero byte is a 1
	}
	return text, "P2PKH", nil
}

// addressKey is what addresses are compared by: those of the EVM without regard to capitals, which are but a
// checksum, others letter for letter.
func addressKey(address string) string {
	if evm.IsAddress(address) {
		return strings.ToLower(address)
	}
	return address
}

// shortCode is three words, with spaces between.
func (s *idSource) shortCode() string {
	raw := s.bytes(6)
	parts := make([]string, 3)
	for i := range parts {
		parts[i] = words[(int(raw[2*i])<<8|int(raw[2*i+1]))%len(words)]
	}
	return strings.Join(parts, " ")
}

// shortCodeKey is what short codes are compared by. People write them in capitals and with hyphens, which older
// stores have too.
func shortCodeKey(code string) string {
	return strings.Join(strings.Fields(strings.ToLower(strings.ReplaceAll(code, "-", " "))), " ")
}

// encode writes a number in the digits of an alphabet, without leading zeros. It divides by five digits at a time: each answer that names
// a person or company has the code of an account in it.
func encode(raw []byte, alphabet string) string {
	var number [16]uint32 // the most significant first
	words := number[:0]
	for head := len(raw) % 4; len(raw) > 0; head = 4 {
		if head == 0 {
			head = 4
		}
		word := uint32(0)
		for _, b := range raw[:head] {
			word = word<<8 | uint32(b)
		}
		words, raw = append(words, word), raw[head:]
	}
	base := uint64(len(alphabet))
	five := base * base * base * base * base // of either alphabet: within 32 bits
	var room [80]byte
	digits := room[:0]
	for {
		for len(words) > 0 && words[0] == 0 {
			words = words[1:]
		}
		if len(words) == 0 {
			break
		}
		rest := uint64(0)
		for i, word := range words {
			rest = rest<<32 | uint64(word)
			words[i], rest = uint32(rest/five), rest%five //nolint:gosec // less than 32 bits, since rest was less than five
		}
		for range 5 {
			digits = append(digits, alphabet[rest%base])
			rest /= base
		}
	}
	zero := alphabet[0]
	for len(digits) > 0 && digits[len(digits)-1] == zero {
		digits = digits[:len(digits)-1]
	}
	slices.Reverse(digits)
	return string(digits)
}

// decode returns what encode has made a text of.
func decode(text, alphabet string) []byte {
	n, base := new(big.Int), big.NewInt(int64(len(alphabet)))
	for _, digit := range []byte(text) {
		n.Mul(n, base)
		n.Add(n, big.NewInt(int64(strings.IndexByte(alphabet, digit))))
	}
	return n.Bytes()
}

// words are short, common and spelled one way.
var words = strings.Fields(`
able acid acorn actor adapt agent album alert alley amber angle ankle apple april apron arena arrow atlas
attic audio autumn award bacon badge baker bamboo banjo basil basin beach beacon beaver bench berry bison
blade blanket blaze bloom board bonus border bottle branch brass bread breeze brick bridge bronze brush
bucket buffalo bundle butter button cabin cable cactus camel camera candle canoe canvas canyon carbon
cargo carpet castle cedar cellar chalk cherry chess chimney cider cinema circle citrus clay cliff clock
cloud clover coast cobalt cocoa coffee comet copper coral cotton cousin cradle crane crater cricket crown
crystal curtain cycle daisy dance dawn decade delta denim desert diary dinner dolphin domino donkey dragon
drum eagle earth echo elbow ember engine epoch fabric falcon family feather fence fern ferry fiddle field
finch fjord flag flame flint flute forest fossil fountain fox frame frost galaxy garden garlic gate ginger
glacier glass globe glove goose granite grape gravel guitar hammer harbor harvest hazel heron hill hockey
honey horizon hotel island ivory jacket jaguar jasmine jazz jelly jewel jungle kettle kitten koala ladder
lagoon lake lamp lantern laurel lava leaf lemon lentil library lilac linen lion lobster lotus lunar magnet
mango maple marble market meadow melon metal meteor mirror mocha moon morning mosaic moss motor mountain
mouse museum mustard nectar nickel noble north novel oasis oat ocean olive onion opal orbit orchid otter
owl oyster paddle palace panda paper parrot pasta pearl pebble pepper piano pilot pine planet plaza plum
pocket poem polar pond poppy prairie prism pumpkin puzzle quartz quiet rabbit radar raven ribbon ridge
river robin rocket rose ruby saddle saffron salmon sand sapphire satin scarf school shadow shell silver
sketch slate smoke snow socket solar sparrow spice spiral spring stable stamp steel stone storm stream
sugar summer sunset swan table talent tango teapot temple tennis thunder tiger timber toast tomato torch
tower train tulip tunnel turtle uncle valley vanilla velvet violet violin wagon walnut water wave whale
wheat window winter wolf wood yacht yellow zebra zenith`)
