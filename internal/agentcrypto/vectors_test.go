package agentcrypto

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"reflect"
	"testing"

	bls "github.com/cloudflare/circl/ecc/bls12381"
	"github.com/stretchr/testify/require"
)

// hexBytes are bytes that a file has in hexadecimal.
type hexBytes []byte

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

type keyCase struct {
	Name      string   `json:"name"`
	Seed      hexBytes `json:"seed"`
	Drawn     hexBytes `json:"csprng_first_100_bytes"`
	Secret    hexBytes `json:"bls_secret_key"`
	Public    hexBytes `json:"bls_public_key"`
	ECPrivate hexBytes `json:"ec_private_key"`
	ECPublic  hexBytes `json:"ec_public_key"`
}

type signatureCase struct {
	Name      string   `json:"name"`
	Key       int      `json:"key"` // the first is 1
	Secret    hexBytes `json:"bls_secret_key"`
	Public    hexBytes `json:"bls_public_key"`
	Message   hexBytes `json:"message"`
	Digest    hexBytes `json:"shake256_48"`
	Point     hexBytes `json:"point"`
	Signature hexBytes `json:"signature"`
	AMCL      string   `json:"amcl"`
	Want      string   `json:"want"`
	Why       string   `json:"why"`
}

type secretCase struct {
	Name   string   `json:"name"`
	ID     hexBytes `json:"id"`
	Master hexBytes `json:"master_secret"`
	Server hexBytes `json:"server_secret"`
	Digest hexBytes `json:"hash_48"`
	Point  hexBytes `json:"id_point"`
	Secret hexBytes `json:"client_secret"`
	PIN    int      `json:"pin"`
	Token  hexBytes `json:"token"`
	Joined hexBytes `json:"token_and_pin_give"`
	AMCL   string   `json:"amcl"`
	Want   string   `json:"want"`
	Why    string   `json:"why"`
}

type proofCase struct {
	Name   string   `json:"name"`
	ID     hexBytes `json:"id"`
	Server hexBytes `json:"server_secret"`
	Token  hexBytes `json:"token"`
	PIN    int      `json:"pin"`
	Seed   hexBytes `json:"rng_seed"`
	X      hexBytes `json:"x"`
	ET     int64    `json:"et"`
	U      hexBytes `json:"u"`
	Y      hexBytes `json:"y"`
	V      hexBytes `json:"v"`
	JSON   string   `json:"json"`
	Header string   `json:"header"`
	Want   string   `json:"want"`
}

type headerCase struct {
	Name   string `json:"name"`
	Header string `json:"header"`
	Now    int64  `json:"now"`
	AMCL   string `json:"amcl"`
	Want   string `json:"want"`
	Why    string `json:"why"`
}

type clientIDCase struct {
	AccountCode string   `json:"id"`
	Created     int64    `json:"created"`
	JSON        string   `json:"json"`
	ClientID    hexBytes `json:"clientID"`
	Digest      hexBytes `json:"hash_48"`
	Point       hexBytes `json:"point"`
}

// answers are the known ones.
type answers struct {
	About    string     `json:"about"`
	Master   hexBytes   `json:"master_secret"` // of the proofs and the headers
	Server   hexBytes   `json:"server_secret"`
	KnownIDs []hexBytes `json:"known_ids"` // to the headers' service

	Keys                 []keyCase       `json:"keys"`
	Signatures           []signatureCase `json:"signatures"`
	SignaturesRefused    []signatureCase `json:"signatures_refused"`
	ClientSecrets        []secretCase    `json:"client_secrets"`
	ClientSecretsRefused []secretCase    `json:"client_secrets_refused"`
	Tokens               []secretCase    `json:"tokens"`
	Proofs               []proofCase     `json:"proofs"`
	Headers              []headerCase    `json:"headers"`
	ClientIDs            []clientIDCase  `json:"client_ids"`
}

func knownAnswers(t testing.TB) *answers {
	t.Helper()
	data, err := os.ReadFile("testdata/amcl-vectors.json")
	require.NoError(t, err)
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields() // each is looked at
	var all answers
	require.NoError(t, decoder.Decode(&all))
	cases := 0
	for _, group := range reflect.ValueOf(all).Fields() {
		if group.Kind() == reflect.Slice && group.Type().Elem().Kind() == reflect.Struct {
			cases += group.Len()
		}
	}
	require.Equal(t, 130, cases)
	return &all
}

// scalarIn reads a scalar of 48 bytes, as AMCL writes it.
func scalarIn(t testing.TB, data []byte) *bls.Scalar {
	t.Helper()
	require.Len(t, data, 48)
	require.Equal(t, make([]byte, 16), data[:16])
	var s bls.Scalar
	require.NoError(t, s.UnmarshalBinary(data[16:]))
	return &s
}

func scalarBytes(s *bls.Scalar) []byte {
	data, _ := s.MarshalBinary()
	return append(make([]byte, 16), data...)
}

func masterOf(t testing.TB, secret []byte) *MasterSecret {
	t.Helper()
	return &MasterSecret{secret: veil(scalarIn(t, secret))}
}

// reasons are the expected errors of refused cases.
var reasons = map[string]error{
	"length":              errLength,
	"tag":                 errTag,
	"coordinate":          errCoordinate,
	"not on the curve":    errCurve,
	"not in the subgroup": errSubgroup,
	"signature is wrong":  errSignature,
	"proof is wrong":      ErrProof,
	"time":                ErrTime,
	"no such ID":          ErrID,
	"not hexadecimal":     errHex,
	"not the JSON object": errForm,
}
