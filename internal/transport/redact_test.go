package transport

import (
	"bytes"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The start of a body contains no part of a secret, wherever one is and however it is spelled, and a long body is not
// searched for it.
func TestRedactStart(t *testing.T) {
	const most = 4 << 10
	secret := strings.Repeat("aB/3+x=9", 40)
	r := Result{stamp: stamp{nil, http.Header{"X-Sign": {secret}, "X-Api-Key": {"short-secret"}}}}
	spelled := strings.NewReplacer("/", `\/`, "+", `\u002b`, "=", `\u003D`).Replace(secret)
	tail := strings.Repeat(".", 1<<20)
	for _, as := range []string{secret, spelled} {
		for _, before := range []int{0, 1, most - len(as), most - len(as)/2, most - 9, most - 1, most, most + 1, most + 6*len(secret) - 20} {
			for _, end := range []string{"", tail} {
				text := strings.Repeat("-", before) + as + end
				got := string(r.RedactStart([]byte(text), most, "*"))
				require.LessOrEqual(t, len(got), most)
				require.Empty(t, strings.Trim(got[:min(before, len(got))], "-"))
				require.NotContains(t, got, "aB", "%d before, %d after", before, len(end))
			}
		}
	}
	require.Equal(t, strings.Repeat(".", most), string(r.RedactStart([]byte(tail), most, "*")))
	require.Equal(t, "abc", string(r.RedactStart([]byte("abc"), most, "*")))
	require.Equal(t, "*abc", string(r.RedactStart([]byte("short-secretabc"), most, "*")))
	many := bytes.Repeat([]byte(secret+"\n"), 1000)
	require.NotContains(t, string(r.RedactStart(many, most, "*")), "aB", "many secrets make the start short")

	long := bytes.Repeat([]byte("."), 31<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r.RedactStart(long, most, "*")
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}
