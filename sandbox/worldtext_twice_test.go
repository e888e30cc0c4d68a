package sandbox_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// sealed is a world of lines, with the digest that makes it whole.
func sealed(lines []string) []byte {
	text := strings.Join(lines, "\n") + "\n"
	return fmt.Appendf([]byte(text), `{"end":{"lines":%d,"sha256":"%x"}}`+"\n", len(lines), sha256.Sum256([]byte(text)))
}

// entityID is the field with the ID of what a line is about.
var entityID = regexp.MustCompile(`"(?:id|ID)":"[^"]+",?`)

// A world that somebody has written, with a digest that is right, has no thing twice, nothing that refers to nothing, and no call that cannot
// be signed: it is refused with the line, and nothing has changed.
func TestAWorldThatCannotBeIsRefused(t *testing.T) {
	w := web3World(t)
	w.credit(w.treasury, 5000)
	w.transfer(nil).ok()
	w.newCoreClient("One")
	w.propose(w.payment(object{"maxFeePerGas": "100", "maxPriorityFeePerGas": "3"})).ok()
	text := w.export()
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	lines = lines[:len(lines)-1]
	require.Equal(t, string(text), string(sealed(lines)))
	refused := func(at int, lines []string, why string) {
		t.Helper()
		err := w.Import(bytes.NewReader(sealed(lines)))
		require.ErrorIs(t, err, qredo.ErrBadRequest, why)
		require.ErrorContains(t, err, fmt.Sprintf("line %d: ", at+1), why)
		require.Equal(t, string(text), string(w.export()), why)
	}
	twice := map[string]int{}
	for i, line := range lines {
		kind := strings.SplitN(line, `"`, 3)[1]
		if kind == "key" {
			continue
		}
		twice[kind]++
		refused(i+1, append(append(append([]string{}, lines[:i+1]...), line), lines[i+1:]...), line)
		if found := entityID.FindString(line); found != "" && kind != "policy" {
			cut := strings.Replace(line, found, "", 1)
			refused(i, append(append(append([]string{}, lines[:i]...), cut), lines[i+1:]...), cut)
			twice["ID"]++
		}
		if kind == "tx" {
			for _, without := range []string{`"Value":"` + beyond64 + `",`, `"GasLimit":"21000",`, `"ChainID":"1",`, `,"FeeTip":"3"`} {
				if cut := strings.Replace(line, without, "", 1); cut != line {
					refused(i, append(append(append([]string{}, lines[:i]...), cut), lines[i+1:]...), cut)
					twice["call"]++
				}
			}
		}
	}
	for _, kind := range []string{"world", "user", "core_client", "company", "fund", "wallet", "policy", "tx", "call", "ID"} {
		assert.Positive(t, twice[kind], kind)
	}
}
