package sandbox_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/agentcrypto"
)

// fieldModulus is p of BLS12-381.
var fieldModulus, _ = new(big.Int).SetString("1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab", 16)

const fieldSize = 48

func inField(n *big.Int) []byte { return n.FillBytes(make([]byte, fieldSize)) }

// plusThree adds (0, 2), which is on the curve and of order 3, to a point of it.
func plusThree(x, y *big.Int) (*big.Int, *big.Int) {
	p, two := fieldModulus, big.NewInt(2)
	slope := new(big.Int).Sub(y, two)
	slope.Mul(slope, new(big.Int).ModInverse(x, p)).Mod(slope, p)
	sumX := new(big.Int).Mul(slope, slope)
	sumX.Sub(sumX, x).Mod(sumX, p)
	sumY := new(big.Int).Mul(slope, sumX)
	sumY.Neg(sumY).Sub(sumY, two).Mod(sumY, p)
	return sumX, sumY
}

// ordinate is the y of a point of the curve, by the parity that its tag says.
func ordinate(tag byte, x *big.Int) *big.Int {
	square := new(big.Int).Exp(x, big.NewInt(3), fieldModulus)
	square.Add(square, big.NewInt(4))
	y := new(big.Int).ModSqrt(square.Mod(square, fieldModulus), fieldModulus)
	if y.Bit(0) != uint(tag&1) {
		y.Sub(fieldModulus, y)
	}
	return y
}

// junkSignatures are hexadecimal texts that are not a key's signature of a message, by what they are.
func junkSignatures(t testing.TB, key *agentcrypto.Key, message []byte, other *agentcrypto.Key) map[string]string {
	t.Helper()
	right := key.Sign(message)
	x := new(big.Int).SetBytes(right[1:])
	sumX, sumY := plusThree(x, ordinate(right[0], x))
	moved := append([]byte{2 + byte(sumY.Bit(0))}, inField(sumX)...)
	negated := bytes.Clone(right)
	negated[0] ^= 1
	zeros := make([]byte, fieldSize)
	junk := map[string][]byte{
		"another key's":                       other.Sign(message),
		"of another message":                  key.Sign(append(bytes.Clone(message), 0)),
		"of no message":                       key.Sign(nil),
		"of the message's text":               key.Sign([]byte(hex.EncodeToString(message))),
		"the point negated":                   negated,
		"infinity, as zeros":                  make([]byte, agentcrypto.SignatureSize),
		"infinity, as AMCL writes it":         append([]byte{2}, zeros...),
		"infinity, of the other parity":       append([]byte{3}, zeros...),
		"infinity, as ZCash writes it":        append([]byte{0xc0}, zeros...),
		"outside the subgroup":                moved,
		"a coordinate over the modulus":       append([]byte{right[0]}, inField(new(big.Int).Add(x, fieldModulus))...),
		"a coordinate that is the modulus":    append([]byte{right[0]}, inField(fieldModulus)...),
		"the point uncompressed":              append(append([]byte{4}, right[1:]...), inField(ordinate(right[0], x))...),
		"without its tag":                     right[1:],
		"cut":                                 right[:len(right)-1],
		"longer":                              append(bytes.Clone(right), 0),
		"twice":                               append(bytes.Clone(right), right...),
		"one byte":                            {0xaa},
		"as long as one, but of nothing":      bytes.Repeat([]byte{0xff}, agentcrypto.SignatureSize),
		"a public key":                        key.PublicKey().Bytes(),
		"of Ed25519's length, as before":      bytes.Repeat([]byte{0xab}, 64),
		"another's, with the right one's tag": append([]byte{right[0]}, other.Sign(message)[1:]...),
	}
	for name, bit := range map[string]int{
		"its tag": 1, "its tag, to another form": 2, "the first byte of x": 8 + 3, "the middle of x": 8 * 25, "the last byte of x": 8*agentcrypto.SignatureSize - 2,
		"the last bit of x": 8*agentcrypto.SignatureSize - 1, "the highest bit of x": 8,
	} {
		flipped := bytes.Clone(right)
		flipped[bit/8] ^= 0x80 >> (bit % 8)
		junk["a bit flipped in "+name] = flipped
	}
	texts := map[string]string{"no hexadecimal": "zz" + hex.EncodeToString(right[1:]), "an odd digit": hex.EncodeToString(right) + "0", "empty": "", "base64": base64.StdEncoding.EncodeToString(right)}
	for name, data := range junk {
		require.Error(t, key.PublicKey().Verify(message, data), name)
		texts[name] = hex.EncodeToString(data)
	}
	return texts
}

// untouched demands that a transfer waits as it did when nobody had voted.
func (w world) untouched(t *testing.T, tx string) {
	t.Helper()
	assert.Equal(t, "pending", w.status(tx))
	assert.EqualValues(t, 1_000_000, w.balance(w.treasury))
	assert.EqualValues(t, 1001, w.held(w.treasury))
}

func TestJunkSignaturesMoveNothing(t *testing.T) {
	w, a := staffed(t)
	other := w.newAgent()
	other.finish().ok()
	first := w.transfer(nil).ok().at("tx_id")
	firstAction := a.seen().last()
	firstSignature := hex.EncodeToString(a.key.Sign(a.message(firstAction)))
	a.reject(firstAction).ok()
	assert.Equal(t, "custody_rejected", w.status(first))

	tx := w.transfer(nil).ok().at("tx_id")
	action := a.seen().last()
	right := hex.EncodeToString(a.key.Sign(a.message(action)))
	junk := junkSignatures(t, a.key, a.message(action), other.key)
	junk["of another action's message"] = firstSignature
	for name, signature := range junk {
		t.Run(name, func(t *testing.T) { a.sign(action, signature).refused(400, "signatures") })
	}
	for name, body := range map[string]string{
		"nothing": "", "no signatures": "{}", "null": `{"signatures":null}`, "none": `{"signatures":[]}`, "two": `{"signatures":["` + right + `","` + right + `"]}`,
		"a right one and nothing": `{"signatures":["` + right + `",""]}`, "a number": `{"signatures":[1.5]}`,
		"a list in a list": `{"signatures":[["` + right + `"]]}`, "no JSON": right, "its parts": `{"signatures":["` + right[:48] + `","` + right[48:] + `"]}`,
	} {
		t.Run(name, func(t *testing.T) { a.prove("PUT", "/coreclient/action/"+action, body).refused(400, "") })
	}
	other.sign(action, right).refused(404, "action")
	other.reject(action).refused(404, "action")
	w.untouched(t, tx)
	a.sign(action, right).ok()
	assert.Equal(t, "approved", w.status(tx))
}

// header is what a proof says, to be changed.
type header map[string]any

func (a agent) header(at time.Time) header {
	a.t.Helper()
	h := header{}
	decoder := json.NewDecoder(bytes.NewReader(unhex(a.t, a.proof(at))))
	decoder.UseNumber()
	require.NoError(a.t, decoder.Decode(&h))
	return h
}

func (h header) with(t testing.TB, changed header) string {
	t.Helper()
	all := maps.Clone(h)
	maps.Copy(all, changed)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == missing })
	return hex.EncodeToString(mustJSON(t, all))
}

// missing stands for a field that is not there.
var missing = &struct{ int }{}

// junkPoints are base64 texts that are not the point that a field of a proof has, by what they are.
func junkPoints(t testing.TB, text string) map[string]any {
	t.Helper()
	right, err := base64.StdEncoding.DecodeString(text)
	require.NoError(t, err)
	require.Len(t, right, agentcrypto.PointSize)
	x, y := new(big.Int).SetBytes(right[1:1+fieldSize]), new(big.Int).SetBytes(right[1+fieldSize:])
	sumX, sumY := plusThree(x, y)
	zero, two := new(big.Int), big.NewInt(2)
	point := func(tag byte, x, y *big.Int) []byte { return append(append([]byte{tag}, inField(x)...), inField(y)...) }
	over := func(n *big.Int) *big.Int { return new(big.Int).Add(n, fieldModulus) }
	junk := map[string][]byte{
		"empty": {}, "cut": right[:len(right)-1], "longer": append(bytes.Clone(right), 0), "without its tag": right[1:],
		"negated":  point(4, x, new(big.Int).Sub(fieldModulus, y)),
		"zeros":    make([]byte, len(right)),
		"infinity": point(4, zero, zero), "infinity in one byte": {0},
		"of order 3": point(4, zero, two), "outside the subgroup": point(4, sumX, sumY),
		"with x over the modulus": point(4, over(x), y), "with y over the modulus": point(4, x, over(y)),
		"with x and y exchanged": point(4, y, x), "off the curve": point(4, x, new(big.Int).Add(y, big.NewInt(1))),
		"compressed": append([]byte{2 + byte(y.Bit(0))}, inField(x)...),
	}
	for _, tag := range []byte{0, 2, 3, 5, 6, 7} {
		junk[fmt.Sprintf("with the tag %02x", tag)] = point(tag, x, y)
	}
	for name, at := range map[string]int{"the tag": 0, "the first of x": 1, "the last of x": fieldSize, "the first of y": fieldSize + 1, "the last of y": 2 * fieldSize} {
		flipped := bytes.Clone(right)
		flipped[at] ^= 1
		junk["a bit flipped in "+name] = flipped
	}
	values := map[string]any{
		"missing": missing, "null": nil, "a number": 7, "a list": []string{text}, "in hexadecimal": hex.EncodeToString(right), "no base64": "!" + text[1:],
		"without padding": strings.TrimRight(text, "="), "of the URL's alphabet": "_" + text[1:], "with a line break": text[:8] + "\n" + text[8:],
	}
	for name, data := range junk {
		values[name] = base64.StdEncoding.EncodeToString(data)
	}
	return values
}

// junkProofs are headers that prove nothing, by what is wrong with them.
func junkProofs(t testing.TB, a, other agent) map[string]string {
	t.Helper()
	now := a.clock.Now()
	h, others := a.header(now), other.header(now)
	good := a.proof(now)
	later, err := h["ET"].(json.Number).Int64()
	require.NoError(t, err)
	wrongPIN, noPIN, stranger := a, a, a
	wrongPIN.pin, noPIN.pin = a.pin+1, 0
	elsewhere, err := agentcrypto.NewMasterSecret([]byte("another sandbox's"))
	require.NoError(t, err)
	stranger.token, err = elsewhere.ClientSecret(a.mpinID).Token(a.mpinID, a.pin)
	require.NoError(t, err)
	text := string(unhex(t, good))
	base := func(data string) string { return base64.StdEncoding.EncodeToString([]byte(data)) }
	junk := map[string]string{
		"no hexadecimal": "zz" + good[2:], "an odd digit": good + "0", "with 0x": "0x" + good, "the object itself": text, "base64": base(text), "words": "let me in",
		"cut": good[:len(good)-2], "no object": hex.EncodeToString([]byte(`[` + text + `]`)), "two objects": good + good, "null": hex.EncodeToString([]byte("null")),
		"an empty object": hex.EncodeToString([]byte("{}")), "huge": strings.Repeat("7b", 1<<17), "huge and right": h.with(t, header{"more": strings.Repeat("x", 1<<16)}),
		"deep": hex.EncodeToString([]byte(strings.Repeat("[", 5000))), "of before": "client.1772366400." + strings.Repeat("ab", 32),
		"301 s old": a.proof(now.Add(-301 * time.Second)), "301 s early": a.proof(now.Add(301 * time.Second)), "a year old": a.proof(now.AddDate(-1, 0, 0)),
		"another PIN": wrongPIN.proof(now), "no PIN": noPIN.proof(now), "another sandbox's": stranger.proof(now),
		"another's ID": h.with(t, header{"ID": others["ID"]}), "another's U": h.with(t, header{"U": others["U"]}),
		"another's V": h.with(t, header{"V": others["V"]}), "another's U and V": h.with(t, header{"U": others["U"], "V": others["V"]}),
		"U and V exchanged": h.with(t, header{"U": h["V"], "V": h["U"]}), "U twice": h.with(t, header{"V": h["U"]}),
	}
	for name, id := range map[string]any{
		"missing": missing, "empty": "", "null": nil, "a number": 7, "no base64": "!!!!", "its text": string(a.mpinID), "in hexadecimal": hex.EncodeToString(a.mpinID),
		"with a space more": base(string(a.mpinID) + " "), "the account code alone": base(a.id), "nobody's": base(string(agentcrypto.ClientID("nobody", now))),
		"of another second": base(string(agentcrypto.ClientID(a.id, now.Add(time.Second)))), "without padding": strings.TrimRight(h["ID"].(string), "=") + "\n",
	} {
		junk["ID "+name] = h.with(t, header{"ID": id})
	}
	for name, et := range map[string]any{
		"missing": missing, "null": nil, "a text": h["ET"].(json.Number).String(), "a fraction": json.RawMessage(fmt.Sprintf("%d.5", later)), "true": true,
		"a power": json.RawMessage("1.772366400e9"), "zero": 0, "negative": -later, "of 32 bits and more": int64(1) << 31, "too large": json.RawMessage("9223372036854775808"),
		"beyond any": json.RawMessage("1e400"), "the largest": json.RawMessage("9223372036854775807"), "the smallest": json.RawMessage("-9223372036854775808"),
		"another second": later + 1, "in milliseconds": later * 1000, "a list": []int64{later},
	} {
		junk["ET "+name] = h.with(t, header{"ET": et})
	}
	for _, field := range []string{"U", "V"} {
		for name, value := range junkPoints(t, h[field].(string)) {
			junk[field+" "+name] = h.with(t, header{field: value})
		}
	}
	return junk
}

func TestJunkProofsMoveNothing(t *testing.T) {
	f := newFed(t)
	a, other := f.newAgent(), f.newAgent()
	a.finish().ok()
	other.finish().ok()
	w := f.staff(a)
	tx := w.transfer(nil).ok().at("tx_id")
	action := a.seen().last()
	path := "/coreclient/action/" + action
	signed := `{"signatures":["` + hex.EncodeToString(a.key.Sign(a.message(action))) + `"]}`
	finishing := `{"idDocSignatureHex":"` + hex.EncodeToString(a.key.Sign(unhex(t, a.given.at("idDoc")))) + `"}`
	for name, proof := range junkProofs(t, a, other) {
		t.Run(name, func(t *testing.T) {
			for _, call := range [][3]string{{"PUT", path, signed}, {"DELETE", path, ""}, {"GET", path, ""}, {"POST", "/coreclient/finish", finishing}} {
				got := w.sendProof(proof, call[0], call[1], call[2]).refused(401, "proof")
				assert.Equal(t, "errPartnerAuth", got.at("msg"))
			}
			_, status, err := f.dial("/coreclient/feed", map[string]string{"X-Api-Zkp": proof})
			require.Error(t, err)
			assert.Equal(t, http.StatusUnauthorized, status, "of the feed")
		})
	}
	for name, proof := range map[string]string{"none": "", "white space": "  "} {
		t.Run(name, func(t *testing.T) {
			got := w.sendProof(proof, "PUT", path, signed).refused(401, "empty token")
			assert.Equal(t, "Unauthorized", got.at("msg"))
		})
	}
	other.prove("PUT", path, signed).refused(404, "action")
	other.reject(action).refused(404, "action")
	w.untouched(t, tx)

	h := a.header(w.clock.Now())
	for name, proof := range map[string]string{
		"300 s old": a.proof(w.clock.Now().Add(-300 * time.Second)), "300 s early": a.proof(w.clock.Now().Add(300 * time.Second)),
		"in capitals": strings.ToUpper(a.proof(w.clock.Now())), "unknown fields, in another order": h.with(t, header{"A": 1, "more": []int{1}}),
	} {
		t.Run(name, func(t *testing.T) {
			w.sendProof(proof, "GET", path, "").ok()
			feed, _, err := f.dial("/coreclient/feed", map[string]string{"X-Api-Zkp": proof})
			require.NoError(t, err)
			assert.Equal(t, action, feed.next().at("id"))
		})
	}
	w.sendProof(a.proof(w.clock.Now()), "PUT", path, signed).ok()
	assert.Equal(t, "approved", w.status(tx))
}
