package main

import (
	"bytes"
	"crypto/fips140"
	"regexp"
	"strconv"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	var server *miniredis.Miniredis
	fips140.WithoutEnforcement(func() { server = miniredis.RunT(t) }) // it names scripts by their SHA-1
	for name, address := range map[string]string{"memory": "", "redis": server.Addr()} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("REDIS_ADDR", address)
			var out bytes.Buffer
			require.NoError(t, run(t.Context(), &out), out.String())
			count := func(reason string) int {
				match := regexp.MustCompile(regexp.QuoteMeta(reason) + ` +(\d+)`).FindStringSubmatch(out.String())
				require.NotNil(t, match, "%s: %s", reason, out.String())
				n, err := strconv.Atoi(match[1])
				require.NoError(t, err)
				return n
			}
			assert.Equal(t, 20, count("reject blocked: the reference is on the list of fraud"))
			assert.Equal(t, 20, count("leave large: large amounts are for humans"))
			assert.Equal(t, 78, count("approve payouts: within the limits"), "150,150 with the fees, 39 times from each wallet")
			assert.Equal(t, 42, count("leave payouts: the wallet's sum would be over the limit"))
			assert.Equal(t, 8, count("approve rent: within the limits"), "two for each of four")
			assert.Equal(t, 12, count("reject rent: the recipient's count would be over the limit"))
			assert.Equal(t, 20, count("leave : no rule matches"))
			assert.Contains(t, out.String(), "each of 200 was decided once, by 2 replicas")
		})
	}
}
