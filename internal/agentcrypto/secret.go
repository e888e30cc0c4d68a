package agentcrypto

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	bls "github.com/cloudflare/circl/ecc/bls12381"
)

var (
	errPIN      = errors.New("must not be below zero")
	errPINToken = errors.New("leaves nothing")
)

// ClientID returns the M-Pin ID that a service gives an agent: the text of a JSON object, which is sent in
// hexadecimal. Nobody reads it again; agent and service use its bytes.
func ClientID(accountCode string, created time.Time) []byte {
	id, _ := json.Marshal(struct { //nolint:errchkjson // texts and a number: it never fails
		ID      string `json:"id"`
		Curve   string `json:"curve"`
		Created int64  `json:"created"`
	}{accountCode, "BLS381", created.Unix()})
	return id
}

// MasterSecret is what a service issues client secrets from and checks proofs with. Whoever has it can prove to be
// any agent. One is enough for a service.
type MasterSecret struct {
	hidden
	secret veiled[*bls.Scalar]
}

// NewMasterSecret makes the master secret of a seed, as [NewKey] makes a key: not of a seed that is a key's too.
func NewMasterSecret(seed []byte) (*MasterSecret, error) {
	secret, err := scalarOf(seed)
	if err != nil {
		return nil, err
	}
	return &MasterSecret{secret: veil(secret)}, nil
}

// ClientSecret issues the client secret for an M-Pin ID. It is the same each time.
func (m *MasterSecret) ClientSecret(id []byte) *ClientSecret {
	var point bls.G1
	point.ScalarMult(m.secret(), hashID(id))
	return &ClientSecret{point: veil(&point)}
}

// ClientSecret is what an agent is given once, and makes its token of.
type ClientSecret struct {
	hidden
	point veiled[*bls.G1]
}

// ErrClientSecret says that what a service gave for a client secret is none.
var ErrClientSecret = errors.New("client secret")

// ParseClientSecret reads a client secret of [PointSize] bytes.
func ParseClientSecret(data []byte) (*ClientSecret, error) {
	point, err := parsePoint(data)
	if err != nil {
		return nil, fmt.Errorf("agentcrypto: %w: %w", ErrClientSecret, err)
	}
	return &ClientSecret{point: veil(point)}, nil
}

// Bytes returns what [ParseClientSecret] reads.
func (c *ClientSecret) Bytes() []byte { return pointBytes(c.point()) }

// Token takes the PIN out of the client secret for an M-Pin ID. Of the PIN its last four digits count: 123456 is 3456.
// One below zero is an error.
func (c *ClientSecret) Token(id []byte, pin int) (*Token, error) {
	part, err := pinPart(hashID(id), pin)
	if err != nil {
		return nil, err
	}
	part.Neg()
	part.Add(c.point(), part)
	if part.IsIdentity() {
		return nil, invalid("PIN", errPINToken)
	}
	return &Token{point: veil(part)}, nil
}

// Token is what an agent keeps of its client secret. Without the PIN it proves nothing, though there are but 10,000 of
// them to try.
type Token struct {
	hidden
	point veiled[*bls.G1]
}

// ParseToken reads a token of [PointSize] bytes.
func ParseToken(data []byte) (*Token, error) {
	point, err := parsePoint(data)
	if err != nil {
		return nil, invalid("token", err)
	}
	return &Token{point: veil(point)}, nil
}

// Bytes returns what [ParseToken] reads.
func (t *Token) Bytes() []byte { return pointBytes(t.point()) }

// pinPart returns the point that represents the PIN.
func pinPart(id *bls.G1, pin int) (*bls.G1, error) {
	if pin < 0 {
		return nil, invalid("PIN", errPIN)
	}
	var factor bls.Scalar
	factor.SetUint64(uint64(pin % 10_000))
	var part bls.G1
	part.ScalarMult(&factor, id)
	return &part, nil
}
