package agentcrypto

import (
	"testing"
)

func Benchmark(b *testing.B) {
	key, secret, token := agent(b)
	signature, public := key.Sign(message), key.PublicKey().Bytes()
	proves := prover(b, agentID, pin)
	header := proves.Header(moment)
	seed := make([]byte, SeedSize)
	for _, part := range []struct {
		name string
		do   func() error
	}{
		{"NewKey", func() error { _, err := NewKey(seed); return err }},
		{"ParsePublicKey", func() error { _, err := ParsePublicKey(public); return err }},
		{"Sign", func() error { key.Sign(message); return nil }},
		{"Verify", func() error { return key.PublicKey().Verify(message, signature) }},
		{"ClientSecret", func() error { service.ClientSecret(agentID); return nil }},
		{"Token", func() error { _, err := secret.Token(agentID, pin); return err }},
		{"NewProver", func() error { _, err := NewProver(agentID, token, pin); return err }},
		{"Prove", func() error { proves.Header(moment); return nil }},
		{"Check", func() error { _, err := Check(header, moment, theService); return err }},
	} {
		b.Run(part.name, func(b *testing.B) {
			for b.Loop() {
				if err := part.do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
