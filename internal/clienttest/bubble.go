package clienttest

import (
	"crypto/fips140"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
)

// Bubble is [synctest.Test] for tests that sign, or open feeds or TLS. With FIPS 140 (GODEBUG=fips140=on), that takes
// entropy from timing, and in a bubble no time passes. So in bubbles random data is the same each time.
func Bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	if fips140.Enabled() {
		cryptotest.SetGlobalRandom(t, 1)
	}
	synctest.Test(t, test)
}
