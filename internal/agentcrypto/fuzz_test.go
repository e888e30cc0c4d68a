package agentcrypto

import (
	"bytes"
	"testing"
	"time"

	bls "github.com/cloudflare/circl/ecc/bls12381"
)

// What is read is written as it was, and is in the subgroup by another way of finding out.

func FuzzParsePublicKey(f *testing.F) {
	key, _, _ := agent(f)
	f.Add(key.PublicKey().Bytes())
	f.Add(bytes.Repeat([]byte{0}, PublicKeySize))
	f.Add([]byte{4})
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := ParsePublicKey(data)
		if err != nil {
			return
		}
		if !bytes.Equal(key.Bytes(), data) {
			t.Fatalf("%x is written as %x", data, key.Bytes())
		}
		var last bls.Scalar // r - 1
		var product bls.G2
		last.SetOne()
		last.Neg()
		product.ScalarMult(&last, key.point)
		product.Add(&product, key.point)
		if key.point.IsIdentity() || !product.IsIdentity() {
			t.Fatalf("%x is not in the subgroup", data)
		}
	})
}

func FuzzParsePoint(f *testing.F) {
	_, secret, token := agent(f)
	f.Add(secret.Bytes())
	f.Add(token.Bytes())
	f.Add(append([]byte{4}, make([]byte, PointSize-1)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		secret, err := ParseClientSecret(data)
		token, tokenErr := ParseToken(data)
		if (err == nil) != (tokenErr == nil) {
			t.Fatalf("%x: %v, but %v", data, err, tokenErr)
		}
		if err != nil {
			return
		}
		if !bytes.Equal(secret.Bytes(), data) || !bytes.Equal(token.Bytes(), data) {
			t.Fatalf("%x is written as %x and %x", data, secret.Bytes(), token.Bytes())
		}
		requireInSubgroup(t, secret.point())
	})
}

func FuzzParseSignature(f *testing.F) {
	key, _, _ := agent(f)
	right := key.Sign(message)
	f.Add(right)
	f.Add(append([]byte{2}, make([]byte, SignatureSize-1)...))
	f.Add([]byte{3})
	f.Fuzz(func(t *testing.T, data []byte) {
		point, err := parseSignature(data)
		if err != nil {
			return
		}
		if !bytes.Equal(signatureBytes(point), data) {
			t.Fatalf("%x is written as %x", data, signatureBytes(point))
		}
		requireInSubgroup(t, point)
		if err := key.PublicKey().Verify(message, data); (err == nil) != bytes.Equal(data, right) {
			t.Fatalf("%x: %v", data, err)
		}
	})
}

func requireInSubgroup(t *testing.T, point *bls.G1) {
	t.Helper()
	affine := point.Bytes()
	p := curvePoint{z: one}
	if p.x.UnmarshalBinary(affine[:48]) != nil || p.y.UnmarshalBinary(affine[48:]) != nil || p.times(bls.Order()).z.IsZero() == 0 {
		t.Fatalf("%x is not in the subgroup", affine)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(prover(f, agentID, pin).Header(moment), moment.Unix())
	f.Add((&proof{[]byte("a"), new(int64), []byte{4}, []byte{2}}).header(), int64(0))
	f.Add("7b7d", int64(-1))
	f.Fuzz(func(t *testing.T, header string, now int64) {
		asked := 0
		id, err := Check(header, time.Unix(now, 0), func([]byte) *MasterSecret { asked++; return service })
		p, malformed := parseHeader(header)
		if malformed != nil {
			if err == nil || asked > 0 {
				t.Fatalf("%q is malformed: %v, asked %d times", header, err, asked)
			}
			return
		}
		again, malformed := parseHeader(p.header())
		if malformed != nil || again.header() != p.header() {
			t.Fatalf("%q is written as %q", header, p.header())
		}
		if err == nil && (!bytes.Equal(id, p.ID) || *p.ET < now-300 || *p.ET > now+300) {
			t.Fatalf("%q at %d proves %x", header, now, id)
		}
	})
}
