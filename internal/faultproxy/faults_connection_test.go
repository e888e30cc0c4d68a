package faultproxy

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// delivered is how often a request reaches the server that comes so far.
func delivered(p Point) int {
	if p == AfterDelivery {
		return 1
	}
	return 0
}

func TestEndsAtEachPoint(t *testing.T) {
	t.Parallel()
	for _, p := range Points {
		for _, c := range []struct {
			fault Fault
			want  []string // one of the client's errors; over HTTP/2 net/http calls each of these an unexpected EOF
		}{
			{Reset(p), []string{"reset", "broken pipe", "unexpected EOF"}},
			{Finish(p), []string{"EOF"}},
			{Shut(p), []string{"EOF", "reset", "broken pipe", "server closed"}},
			{RefuseFor(time.Millisecond, p), []string{"reset", "broken pipe", "unexpected EOF"}},
		} {
			each(t, c.fault, func(t *testing.T, b *bench) {
				g := b.post("/", "abc")
				require.Error(t, g.err)
				containsOne(t, g.err.Error(), c.want)
				r := b.only()
				assert.Len(t, r.Deliveries, delivered(p))
				assert.Zero(t, r.Answered)
			})
		}
		each(t, Silent(p), func(t *testing.T, b *bench) {
			b.client.Timeout = patience / 8
			require.ErrorContains(t, b.post("/", "abc").err, "Timeout")
			assert.Len(t, b.only().Deliveries, delivered(p))
		})
	}
}

func containsOne(t *testing.T, text string, parts []string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(text, part) {
			return
		}
	}
	t.Errorf("%q has none of %q", text, parts)
}

func TestCarriedOutAfterTheEnd(t *testing.T) {
	t.Parallel()
	for _, f := range CarriedOutAfter() {
		each(t, f, func(t *testing.T, b *bench) {
			b.client.Timeout = patience / 8
			require.Error(t, b.post("/", "abc").err)
			assert.Equal(t, []Delivery{{Status: 200}}, b.only().Deliveries)
		})
	}
}

func TestAtOnce(t *testing.T) {
	t.Parallel()
	for _, f := range AtOnce {
		for _, config := range []Config{{}, {HTTP2: true}} {
			config.Connections = onFirst(f)
			b := open(t, config)
			b.client.Timeout = patience / 8
			require.Error(t, b.post("/", "abc").err, f.Name)
			assert.Empty(t, b.Records(), "nothing was read")
			require.NoError(t, b.post("/", "abc").err, "the next connection is right")
		}
	}
}

// The answer can be cut at each of its bytes: the client gets those before it and no others.
func TestCutAtEachByte(t *testing.T) {
	t.Parallel()
	whole := rawAnswer(t, Fault{})
	require.True(t, bytes.HasSuffix(whole, []byte(`"body":"abc"}`)))
	for n := range len(whole) {
		assert.Len(t, rawAnswer(t, Cut(n, false)), n)
	}
	assert.Len(t, rawAnswer(t, Cut(-3, false)), len(whole)-3)
}

// rawAnswer is what a client receives until the connection ends.
func rawAnswer(t *testing.T, f Fault) []byte {
	t.Helper()
	b := open(t, Config{Plan: once(f)})
	c, in := dial(t, b)
	_, err := c.Write([]byte("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc"))
	require.NoError(t, err)
	answer, err := io.ReadAll(in)
	require.NoError(t, err)
	return answer
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, f := range []Fault{Cut(0, false), Cut(20, false), Cut(-1, false), Cut(20, true), Cut(-1, true), CutAnywhere(true), CutAnywhere(false)} {
		each(t, f, func(t *testing.T, b *bench) {
			if g := b.post("/", strings.Repeat("x", 500)); g.err == nil {
				t.Errorf("the client is content with %+v", g)
			}
			r := b.only()
			assert.Equal(t, []Delivery{{Status: 200}}, r.Deliveries)
			assert.Equal(t, []any{200, false}, []any{r.Answered, r.Complete})
		})
	}
	each(t, SilentWithin(30), func(t *testing.T, b *bench) {
		b.client.Timeout = patience / 8
		require.Error(t, b.post("/", "").err)
		assert.Len(t, b.only().Deliveries, 1)
	})
}

func TestSlow(t *testing.T) {
	t.Parallel()
	each(t, Slow(time.Millisecond), func(t *testing.T, b *bench) {
		start := time.Now()
		g := b.post("/", "abc")
		require.NoError(t, g.err)
		assert.Equal(t, `{"n":1,"path":"/","body":"abc"}`, g.body)
		assert.Greater(t, time.Since(start), 100*time.Millisecond, "an answer of more than a hundred bytes")
		assert.True(t, b.only().Complete)
	})
}

func TestRefusedAfterReset(t *testing.T) {
	t.Parallel()
	b := open(t, Config{Plan: once(RefuseFor(50*time.Millisecond, AfterDelivery))})
	require.Error(t, b.post("/", "").err)
	require.ErrorContains(t, b.post("/", "").err, "refused")
	require.Eventually(t, func() bool { return b.post("/", "").err == nil }, patience, 5*time.Millisecond)
}

// A connection that ends after its response breaks the next request on it, for a client that has not noticed yet.
func TestClosedAfterTheAnswer(t *testing.T) {
	t.Parallel()
	each(t, CloseAfter, func(t *testing.T, b *bench) {
		g := b.send(http.MethodPost, "/", "")
		require.NoError(t, g.err)
		assert.True(t, b.only().Complete)
		require.Eventually(t, func() bool { return b.post("/", "").err == nil }, patience, time.Millisecond)
		assert.GreaterOrEqual(t, b.connected.Load(), int64(2))
	})
}
