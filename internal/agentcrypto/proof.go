package agentcrypto

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"time"

	bls "github.com/cloudflare/circl/ecc/bls12381"
)

// Tolerance is how far the time of a proof may be from the service's, in either direction. What the hosted service
// allowed is not known.
const Tolerance = 5 * time.Minute

// Why a header is refused.
var (
	errHex   = errors.New("is not hexadecimal")
	errForm  = errors.New("is not the JSON object with ID, ET, U and V in base64")
	ErrTime  = errors.New("is too far from now")
	ErrID    = errors.New("does not belong to an agent")
	ErrProof = errors.New("does not prove the ID")
)

// Prover makes an agent's proofs.
type Prover struct {
	hidden
	id     []byte
	base   *bls.G1 // the ID's
	secret veiled[*bls.G1]
}

// NewProver returns the prover of an M-Pin ID, of the token for it and the PIN that was taken out of that. Whether they
// fit cannot be seen: only the service can. A PIN below zero is an error.
func NewProver(id []byte, token *Token, pin int) (*Prover, error) {
	base := hashID(id)
	secret, err := pinPart(base, pin)
	if err != nil {
		return nil, err
	}
	secret.Add(token.point(), secret)
	if secret.IsIdentity() {
		return nil, invalid("PIN", errPINToken)
	}
	return &Prover{id: bytes.Clone(id), base: base, secret: veil(secret)}, nil
}

// Header returns a new proof at a time, as the header x-api-zkp has it. It proves who and when, not what is asked
// for: whoever sees it can use it for anything, as often as they like, until it is [Tolerance] old. It must not be logged.
func (p *Prover) Header(now time.Time) string { return p.prove(randomScalar(), now.Unix()).header() }

func (p *Prover) prove(x *bls.Scalar, et int64) *proof {
	var u, v bls.G1
	u.ScalarMult(x, p.base)
	made := &proof{ID: p.id, ET: &et, U: pointBytes(&u)}
	factor := made.challenge()
	factor.Add(factor, x)
	factor.Neg()
	v.ScalarMult(factor, p.secret())
	made.V = pointBytes(&v)
	return made
}

// proof is the content of a header.
type proof struct {
	ID []byte `json:"ID"`
	ET *int64 `json:"ET"` // Unix seconds
	U  []byte `json:"U"`
	V  []byte `json:"V"`
}

// challenge returns y, which binds the proof to its time and to U. AMCL keeps the time in a 32-bit int and leaves it out
// if it is not above zero, so from 2038 on: such a proof can be given any other such time.
func (p *proof) challenge() *bls.Scalar {
	var hashed []byte
	if *p.ET > 0 && *p.ET <= math.MaxInt32 {
		hashed = binary.BigEndian.AppendUint32(hashed, uint32(*p.ET))
	}
	digest := sha256.Sum256(append(hashed, p.U...))
	return reduce(digest[:])
}

func (p *proof) header() string {
	object, _ := json.Marshal(p) //nolint:errchkjson // bytes and a number: it never fails
	return hex.EncodeToString(object)
}

func parseHeader(header string) (*proof, error) {
	object, err := hex.DecodeString(header)
	if err != nil {
		return nil, errHex
	}
	var said struct {
		ID string `json:"ID"`
		ET *int64 `json:"ET"`
		U  string `json:"U"`
		V  string `json:"V"`
	}
	if json.Unmarshal(object, &said) != nil || said.ET == nil {
		return nil, errForm
	}
	p := &proof{ET: said.ET}
	for _, field := range []struct {
		to   *[]byte
		text string
	}{{&p.ID, said.ID}, {&p.U, said.U}, {&p.V, said.V}} {
		*field.to, err = base64.StdEncoding.DecodeString(field.text)
		// The decoder accepts line breaks, and non-zero trailing bits.
		if err != nil || base64.StdEncoding.EncodeToString(*field.to) != field.text {
			return nil, errForm
		}
	}
	return p, nil
}

// Check returns the M-Pin ID that the header x-api-zkp of a request proves, or an error. masterOf returns the
// master secret that the client secret for an ID was issued from, or nil if none was.
func Check(header string, now time.Time, masterOf func(id []byte) *MasterSecret) (id []byte, err error) {
	p, err := parseHeader(header)
	if err != nil {
		return nil, invalid("proof", err)
	}
	const most = int64(Tolerance / time.Second)
	if seconds := now.Unix(); *p.ET < seconds-most || *p.ET > seconds+most {
		return nil, invalid("proof: time", ErrTime)
	}
	master := masterOf(p.ID)
	if master == nil {
		return nil, invalid("proof: ID", ErrID)
	}
	if err := master.check(p); err != nil {
		return nil, err
	}
	return p.ID, nil
}

// check compares V with -s·(U + y·H(ID)), without a pairing.
func (m *MasterSecret) check(p *proof) error {
	u, err := parsePoint(p.U)
	if err != nil {
		return invalid("proof: U", err)
	}
	v, err := parsePoint(p.V)
	if err != nil {
		return invalid("proof: V", err)
	}
	var want bls.G1
	want.ScalarMult(p.challenge(), hashID(p.ID))
	want.Add(u, &want)
	want.ScalarMult(m.secret(), &want)
	want.Neg()
	if !v.IsEqual(&want) {
		return invalid("proof", ErrProof)
	}
	return nil
}
