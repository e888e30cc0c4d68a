package agentcrypto

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// reading is a decoder for one kind of bytes.
type reading struct {
	good []byte
	read func(data []byte) error
}

var message = []byte("an action to approve")

// readings are all there are of points.
func readings(t testing.TB) map[string]reading {
	t.Helper()
	key, secret, token := agent(t)
	return map[string]reading{
		"public key": {key.PublicKey().Bytes(), func(data []byte) error {
			_, err := ParsePublicKey(data)
			return err
		}},
		"signature": {key.Sign(message), func(data []byte) error { return key.PublicKey().Verify(message, data) }},
		"client secret": {secret.Bytes(), func(data []byte) error {
			_, err := ParseClientSecret(data)
			return err
		}},
		"token": {token.Bytes(), func(data []byte) error {
			_, err := ParseToken(data)
			return err
		}},
	}
}

const pin = 4321

var (
	service, _ = NewMasterSecret([]byte("the service's"))
	agentID    = ClientID("an account", moment)
	moment     = time.Unix(1_700_000_000, 0)
)

func agent(t testing.TB) (*Key, *ClientSecret, *Token) {
	t.Helper()
	key, err := NewKey(bytes.Repeat([]byte{7}, SeedSize))
	require.NoError(t, err)
	secret := service.ClientSecret(agentID)
	token, err := secret.Token(agentID, pin)
	require.NoError(t, err)
	return key, secret, token
}

func prover(t testing.TB, id []byte, pin int) *Prover {
	t.Helper()
	_, _, token := agent(t)
	p, err := NewProver(id, token, pin)
	require.NoError(t, err)
	return p
}

func theService([]byte) *MasterSecret { return service }

func TestFlippedBitsAreRefused(t *testing.T) {
	for name, r := range readings(t) {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, r.read(r.good))
			for bit := range 8 * len(r.good) {
				data := bytes.Clone(r.good)
				data[bit/8] ^= 1 << (bit % 8)
				require.Error(t, r.read(data), "bit %d", bit)
			}
		})
	}
}

func TestWrongLengthsAreRefused(t *testing.T) {
	for name, r := range readings(t) {
		t.Run(name, func(t *testing.T) {
			long := append(bytes.Clone(r.good), r.good...)
			for length := range long {
				if length != len(r.good) {
					require.ErrorIs(t, r.read(long[:length]), errLength, "%d bytes", length)
				}
			}
			require.ErrorIs(t, r.read(nil), errLength)
		})
	}
}

func TestInfinityAndWhatPassesForItIsRefused(t *testing.T) {
	for name, r := range readings(t) {
		t.Run(name, func(t *testing.T) {
			for _, first := range []byte{0, 1, 2, 3, 4, 5, 0x40, 0x60, 0x80, 0xc0, 0xe0, 0xff} { // those of ZCash and SEC 1 too
				data := make([]byte, len(r.good))
				data[0] = first
				require.Error(t, r.read(data), "%02x and zeros", first)
				require.Error(t, r.read(bytes.Repeat([]byte{first}, len(r.good))), "%02x all over", first)
				copy(data[1:], r.good[1:])
				if data[0] != r.good[0] {
					require.Error(t, r.read(data), "%02x in front", first)
				}
			}
		})
	}
}

func TestPointsOutsideTheSubgroupAreRefused(t *testing.T) {
	three := make([]byte, PointSize) // (0, 2), of order 3
	three[0], three[PointSize-1] = 4, 2
	_, err := ParseClientSecret(three)
	require.ErrorIs(t, err, errSubgroup)
	_, err = ParseToken(three)
	require.ErrorIs(t, err, errSubgroup)
	key, _, _ := agent(t)
	for _, tag := range []byte{2, 3} {
		signature := make([]byte, SignatureSize)
		signature[0] = tag
		require.ErrorIs(t, key.PublicKey().Verify(message, signature), errSubgroup)
	}
}

func TestAnotherMessageOrKeyIsRefused(t *testing.T) {
	key, _, _ := agent(t)
	signature := key.Sign(message)
	require.NoError(t, key.PublicKey().Verify(message, signature))
	for _, other := range [][]byte{nil, message[1:], append(bytes.Clone(message), 0), []byte(hex.EncodeToString(message)), bytes.ToUpper(message)} {
		require.ErrorIs(t, key.PublicKey().Verify(other, signature), errSignature)
	}
	another, err := NewKey(bytes.Repeat([]byte{8}, SeedSize))
	require.NoError(t, err)
	require.ErrorIs(t, another.PublicKey().Verify(message, signature), errSignature)
	require.ErrorIs(t, key.PublicKey().Verify(message, another.Sign(message)), errSignature)
}

func TestPINs(t *testing.T) {
	_, secret, token := agent(t)
	for _, right := range []int{pin, pin + 10_000, pin + 120_000} {
		id, err := Check(prover(t, agentID, right).Header(moment), moment, theService)
		require.NoError(t, err, right)
		require.Equal(t, agentID, id)
	}
	for _, wrong := range []int{0, 1, pin - 1, pin + 1, 9999, 10_000} {
		_, err := Check(prover(t, agentID, wrong).Header(moment), moment, theService)
		require.ErrorIs(t, err, ErrProof, wrong)
	}
	_, err := secret.Token(agentID, -1)
	require.ErrorIs(t, err, errPIN)
	_, err = NewProver(agentID, token, -pin)
	require.ErrorIs(t, err, errPIN)
	require.NotContains(t, err.Error(), "4321")
}

func TestPINThatLeavesNothingIsRefused(t *testing.T) {
	weak := &MasterSecret{secret: veil(reduce([]byte{0, 0, 0, 0, 0, 0, 0, 5}))}
	_, err := weak.ClientSecret(agentID).Token(agentID, 5)
	require.ErrorIs(t, err, errPINToken)
	minus := *weak.secret()
	minus.Neg()
	token := (&MasterSecret{secret: veil(&minus)}).ClientSecret(agentID)
	_, err = NewProver(agentID, &Token{point: token.point}, 5)
	require.ErrorIs(t, err, errPINToken)
}

func TestSeedsThatGiveNoKeyAreRefused(t *testing.T) {
	_, err := NewKey(nil)
	require.ErrorIs(t, err, errEmpty)
	_, err = NewMasterSecret([]byte{})
	require.ErrorIs(t, err, errEmpty)
}

func TestProofIsOfItsIDAndTime(t *testing.T) {
	proves := prover(t, agentID, pin)
	first, second := proves.Header(moment), proves.Header(moment)
	assert.NotEqual(t, first, second, "nothing is drawn")
	for _, header := range []string{first, second, strings.ToUpper(second)} {
		_, err := Check(header, moment, theService)
		require.NoError(t, err)
	}
	p, err := parseHeader(first)
	require.NoError(t, err)

	later := *p.ET + 1
	_, err = Check((&proof{p.ID, &later, p.U, p.V}).header(), moment, theService)
	require.ErrorIs(t, err, ErrProof)
	_, err = Check((&proof{[]byte("another"), p.ET, p.U, p.V}).header(), moment, theService)
	require.ErrorIs(t, err, ErrProof)
	_, err = Check(prover(t, []byte("another"), pin).Header(moment), moment, theService)
	require.ErrorIs(t, err, ErrProof)
	_, err = Check(first, moment, func([]byte) *MasterSecret { return nil })
	require.ErrorIs(t, err, ErrID)
	other, err := NewMasterSecret([]byte("another service's"))
	require.NoError(t, err)
	_, err = Check(first, moment, func([]byte) *MasterSecret { return other })
	require.ErrorIs(t, err, ErrProof)
	_, err = Check(first, moment.Add(Tolerance+time.Second), theService)
	require.ErrorIs(t, err, ErrTime)
	_, err = Check(first, moment.Add(-Tolerance-time.Second), theService)
	require.ErrorIs(t, err, ErrTime)
}

func TestFlippedBitsOfAProofAreRefused(t *testing.T) {
	header := prover(t, agentID, pin).Header(moment)
	p, err := parseHeader(header)
	require.NoError(t, err)
	for name, field := range map[string][]byte{"ID": p.ID, "U": p.U, "V": p.V} {
		for bit := range 8 * len(field) {
			field[bit/8] ^= 1 << (bit % 8)
			_, err := Check(p.header(), moment, theService)
			require.Error(t, err, "%s, bit %d", name, bit)
			field[bit/8] ^= 1 << (bit % 8)
		}
	}
	_, err = Check(p.header(), moment, theService)
	require.NoError(t, err)
}

func TestHeadersOfAnotherFormAreRefused(t *testing.T) {
	good, err := hex.DecodeString(prover(t, agentID, pin).Header(moment))
	require.NoError(t, err)
	u := strings.Split(strings.Split(string(good), `"U":"`)[1], `"`)[0]
	for _, object := range []string{
		``, `null`, `{}`, `""`, `7`, `[` + string(good) + `]`, string(good) + string(good),
		strings.Replace(string(good), `1700000000`, `"1700000000"`, 1),
		strings.Replace(string(good), `1700000000`, `null`, 1),
		strings.Replace(string(good), `1700000000`, `1700000000.5`, 1),
		strings.Replace(string(good), `1700000000`, `1.7e9`, 1),
		strings.Replace(string(good), `1700000000`, `99999999999999999999`, 1),
		strings.Replace(string(good), u, `\n`+u, 1), // base64 decoders pass over line breaks
		strings.Replace(string(good), u, u[:4]+`\r\n`+u[4:], 1),
		strings.Replace(string(good), u, u+"=", 1),
		strings.Replace(string(good), `"`+u+`"`, `7`, 1),
	} {
		_, err := Check(hex.EncodeToString([]byte(object)), moment, theService)
		require.Error(t, err, object)
		require.ErrorIs(t, err, errForm, object)
	}
	for _, header := range []string{" ", "0", "0x7b7d", fmt.Sprintf("%x ", good), string(good)} {
		_, err := Check(header, moment, theService)
		require.ErrorIs(t, err, errHex)
	}
	// Bits of the last digit that say nothing.
	_, err = Check(hex.EncodeToString([]byte(strings.Replace(string(good), u, u[:len(u)-3]+string(u[len(u)-3]+1)+"==", 1))), moment, theService)
	require.Error(t, err)
}
