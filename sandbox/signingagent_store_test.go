package sandbox_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

func TestAgentsOutliveARestart(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, sandbox.WithStore(dir))
	a, unfinished := w.newAgent(), w.newAgent()
	a.finish().ok()
	w = w.staff(a)
	tx := w.transfer(nil).ok().at("tx_id")
	action := a.seen().last()
	message := a.message(action)
	proof := a.proof(w.clock.Now())

	w.service = w.reopen(dir)
	a, unfinished = a.of(w.service), unfinished.of(w.service)
	w.sendProof(proof, "GET", "/coreclient/action/"+action, "").ok()
	assert.Equal(t, message, a.message(action), "its message is the same")
	a.sign(action, hex.EncodeToString(unfinished.key.Sign(message))).refused(400, "signatures[0]")
	a.approve(action).ok()
	assert.Equal(t, "approved", w.status(tx))

	unfinished.prove("GET", "/coreclient/action/"+action, "").refused(403, "not finished")
	unfinished.finish().ok()
	unfinished.prove("GET", "/coreclient/action/"+action, "").refused(404, "action")
	later := w.newAgent()
	later.finish().ok()

	w.service = w.reopen(dir)
	for _, one := range []agent{a, unfinished, later} {
		one.of(w.service).finish().ok()
	}
	a = a.of(w.service)
	a.approve(action).ok()

	require.NoError(t, w.Reset())
	a.prove("GET", "/coreclient/action/"+action, "").refused(401, "proof")
	a.finish().refused(401, "proof")
	again := w.newAgent()
	again.finish().ok()
	w.service = w.reopen(dir)
	again.of(w.service).finish().ok()
	a.of(w.service).finish().refused(401, "proof")
}

// A store that was written when proofs were the sandbox's own opens. Its agents are core clients that prove nothing; core
// clients whose seeds have 32 bytes sign.
func TestAgentsOfOlderStores(t *testing.T) {
	dir := t.TempDir()
	const old = `{"At":"2026-03-01T11:00:00Z","Type":"%s","Change":{%s}}`
	seed := "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=" // 32 bytes
	oldStore(t, dir,
		fmt.Sprintf(old, "coreClientCreated", `"ID":"robot","Account":"default","Name":"Robot","Seed":"`+seed+`"`),
		fmt.Sprintf(old, "coreClientCreated", `"ID":"agent","Account":"default","Name":"Agent","Seed":"`+seed+`","Agent":{"ClientID":"c1d2","Secret":"5ec7e7",`+
			`"BLSPublicKey":"`+strings.Repeat("b5", 192)+`","ECPublicKey":"`+strings.Repeat("ec", 65)+`","Finished":false}`),
		fmt.Sprintf(old, "agentFinished", `"ID":"agent"`),
	)

	w := newWorld(t, sandbox.WithStore(dir))
	assert.Equal(t, []string{"agent", "robot"}, w.get("/coreclient").ok().column("clients", "id"))
	hash := strings.Repeat("5a", 32)
	verify := func(signer, signature string) answer {
		return w.post("/coreclient/verify", object{"message_hash_hex": hash, "signature_hex": signature, "signer_id": signer})
	}
	signature := w.post("/coreclient/robot/sign", object{"message_hash_hex": hash}).ok().at("signature_hex")
	assert.Len(t, signature, 2*49)
	verify("robot", signature).ok()
	verify("agent", signature).refused(403, "signature")
	w.post("/coreclient/agent/sign", object{"message_hash_hex": hash}).refused(400, "its own")

	a := w.newAgent()
	a.finish().ok()
	lost := a
	lost.mpinID = []byte{0xc1, 0xd2}
	lost.finish().refused(401, "proof")

	w = w.staff(agent{service: w.service, id: "agent"}) // approves by RSA, as any core client
	tx := w.transfer(nil).ok().at("tx_id")
	seen := approver{w.service, "agent"}
	seen.approve(seen.last()).ok()
	assert.Equal(t, "approved", w.status(tx))
	w.service = w.reopen(dir)
	a.of(w.service).finish().ok()
}

func TestSignatureOfAnAgentIsVerified(t *testing.T) {
	s := newService(t)
	a, other := s.newAgent(), s.newAgent()
	hash := strings.Repeat("5a", 32)
	verify := func(signer, signature string) answer {
		return s.post("/coreclient/verify", object{"message_hash_hex": hash, "signature_hex": signature, "signer_id": signer})
	}
	signature := hex.EncodeToString(a.key.Sign(unhex(t, hash)))
	verify(a.id, signature).ok()
	verify(other.id, signature).refused(403, "signature")
	verify(a.id, flip(t, signature)).refused(403, "signature")
	s.post("/coreclient/"+a.id+"/sign", object{"message_hash_hex": hash}).refused(400, "its own")
}
