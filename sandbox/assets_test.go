package sandbox_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/qredo-go/qredo/sandbox"
)

func TestAssets(t *testing.T) {
	codes := newService(t).get("/assets").ok()
	scales := map[string]string{}
	for i, code := range codes.column("assets", "code") {
		scales[code] = codes.column("assets", "scale")[i]
	}
	assert.Equal(t, "100000000", scales["BTC"])
	assert.Equal(t, "100000000", scales[btc])
	assert.Equal(t, "1000000000", scales["ETH"], "ETH is counted in gwei")
	assert.Equal(t, "1000000000", scales[eth])
	for _, code := range []string{"ETH-GOERLI", "USDT", "USDC", "QRDO"} {
		assert.Contains(t, scales, code)
	}

	t.Run("testnet only", func(t *testing.T) {
		w := newWorld(t, sandbox.WithTestnetOnly())
		for _, code := range w.get("/assets").ok().column("assets", "code") {
			assert.True(t, strings.Contains(code, "TESTNET") || code == "ETH-GOERLI", code)
		}
		w.post(w.inFund("/asset"), object{"assets": []string{"BTC"}}).refused(400, "BTC")
		w.post("/fees", object{"type": "withdraw", "asset": "BTC", "amount": 1}).refused(400, "BTC")
		w.post("/fees", object{"type": "withdraw", "asset": btc, "amount": 1}).ok()
	})
}
