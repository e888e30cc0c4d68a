package world

import (
	"crypto/fips140"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
)

// bubble is [synctest.Test] for tests that sign. With FIPS 140 (GODEBUG=fips140=on), signing takes entropy from timing,
// and in a bubble no time passes. So in bubbles random data is the same each time.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	if fips140.Enabled() {
		cryptotest.SetGlobalRandom(t, 1)
	}
	synctest.Test(t, test)
}

// list joins names in alphabetical order.
func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
