package faultproxy

import (
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"os"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What net/http says of each.
func TestFormsOfHTTP1(t *testing.T) {
	t.Parallel()
	for f, want := range map[*Fault]string{
		ref(LengthWrong(-1)): "", ref(LengthWrong(+1)): "unexpected EOF", ref(LengthWrong(+1000)): "unexpected EOF",
		ref(Lengths("-1")): "bad Content-Length", ref(Lengths("2", "3")): "Content-Length", ref(Lengths("1e2")): "bad Content-Length",
		&ChunksWithoutEnd: "unexpected EOF", &ChunkSizeInvalid: "invalid byte in chunk length", &ChunkSizeNegative: "invalid byte in chunk length",
		&ChunkSizeHuge: "unexpected EOF", &ChunkTooLong: "unexpected EOF", &ChunksAndLength: "",
	} {
		each(t, *f, func(t *testing.T, b *bench) {
			g := b.post("/", "abcdefghi")
			if want == "" {
				require.NoError(t, g.err)
			} else {
				require.ErrorContains(t, g.err, want)
			}
			r := b.only()
			assert.Equal(t, []Delivery{{Status: 200}}, r.Deliveries)
			assert.Equal(t, []any{200, false}, []any{r.Answered, r.Complete})
		})
	}
	each(t, LengthWrong(-10), func(t *testing.T, b *bench) {
		g := b.post("/", "abcdefghi")
		assert.Equal(t, `{"n":1,"path":"/","body":"a`, g.body, "the last ten bytes are no part of it")
	})
}

func TestChunksForever(t *testing.T) {
	t.Parallel()
	b := open(t, Config{Plan: once(ChunksForever), Bound: 1 << 20})
	b.client.Timeout = patience
	g := b.post("/", "")
	require.ErrorContains(t, g.err, "unexpected EOF")
	assert.Greater(t, len(g.body), 1<<19)
}

func TestNotHTTP(t *testing.T) {
	t.Parallel()
	for _, f := range NotHTTP {
		each(t, f, func(t *testing.T, b *bench) {
			g := b.post("/", "abc")
			fine := strings.Contains(f.Name, "599") || strings.Contains(f.Name, "folded") || strings.Contains(f.Name, "HTTP/1.0")
			assert.Equal(t, fine, g.err == nil, "%+v", g)
			assert.Len(t, b.only().Deliveries, 1)
		})
	}
}

func TestSwitchingUnasked(t *testing.T) {
	t.Parallel()
	for _, w := range []When{Never, Before, After} {
		each(t, Switching(w), func(t *testing.T, b *bench) {
			g := b.post("/", "abc")
			if g.err == nil {
				assert.Equal(t, 101, g.status)
			}
			assert.Len(t, b.only().Deliveries, map[When]int{Never: 0, Before: 1, After: 1}[w])
		})
	}
}

func TestLastAnswer(t *testing.T) {
	t.Parallel()
	b := open(t, Config{Plan: once(LastAnswer)})
	for range 2 {
		require.NoError(t, b.post("/", "").err)
	}
	assert.EqualValues(t, 2, b.connected.Load())
}

// The next request on the connection gets the unsolicited response, if the client does not look at the connection before
// it sends.
func TestUnasked(t *testing.T) {
	t.Parallel()
	for f, want := range map[*Fault]string{ref(Unasked(HTML, 408)): "408", &UnaskedStale: `"n":1`} {
		b := open(t, Config{Plan: once(*f)})
		answers := talk(t, b, 2)
		require.Len(t, answers, 2)
		assert.Contains(t, answers[0], `"n":1`)
		assert.Contains(t, answers[1], want)
	}
}

// talk sends requests on one connection and returns as many answers.
func talk(t *testing.T, b *bench, count int) (answers []string) {
	t.Helper()
	c, in := dial(t, b)
	for range count {
		_, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
		require.NoError(t, err)
		res, err := http.ReadResponse(in, nil)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		require.NoError(t, err)
		answers = append(answers, res.Status+" "+string(body))
	}
	return answers
}

// curl is another client; it sees the same.
// curl makes a request. It gives up soon if that is the code to see, and else not because of a slow machine.
func curl(t *testing.T, b *bench, want int, arguments ...string) (output string, code int) {
	t.Helper()
	most := "60"
	if want == 28 { // timed out
		most = "2"
	}
	path, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("there is no curl: ", err)
	}
	arguments = append(arguments, "--silent", "--show-error", "--max-time", most, "--data", "abc", "--write-out", " %{http_code} %{http_version}", b.URL()+"/")
	if b.config.TLS {
		roots := filepath.Join(t.TempDir(), "roots.pem")
		require.NoError(t, os.WriteFile(roots, b.RootsPEM(), 0o600))
		arguments = append(arguments, "--cacert", roots)
	}
	out, err := exec.CommandContext(t.Context(), path, arguments...).CombinedOutput()
	if err == nil {
		return string(out), 0
	}
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	return string(out), exit.ExitCode()
}

// The codes are those of curl's manual.
func TestCurlHTTP1(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault     Fault
		output    string
		code      int
		delivered int
	}{
		{Fault{}, `"n":1`, 0, 1},
		{Fault{}, " 200 1.1", 0, 1},
		{Reset(AfterHead), "reset", 56, 0},
		{Reset(AfterDelivery), "reset", 56, 1},
		{Shut(AfterRequest), "Empty reply", 52, 0},
		{Finish(AfterDelivery), "Empty reply", 52, 1},
		{Silent(AfterDelivery), "timed out", 28, 1},
		{Cut(-1, false), "", 18, 1},
		{LengthWrong(1), "", 18, 1},
		{Lengths("-1"), "Content-Length", 8, 1},
		{ChunksWithoutEnd, "", 18, 1},
		{ChunkSizeNegative, "", 56, 1},
		{NotHTTP[0], "HTTP/0.9", 1, 1},
		{Page(451, HTML, Before, nil), " 451 1.1", 0, 1},
		{Page(599, Empty, After, nil), " 599 1.1", 0, 1},
		{Duplicate(true), `"n":2`, 0, 2},
		{Duplicate(false), `"n":1`, 0, 2},
		{DuplicateLater, `"n":1`, 0, 2},
		{Interim(103, 3), " 200 1.1", 0, 1},
		{Slow(time.Millisecond), " 200 1.1", 0, 1},
	} {
		b := open(t, Config{Plan: once(c.fault)})
		output, code := curl(t, b, c.code, "--http1.1")
		assert.Contains(t, output, c.output, c.fault.Name)
		assert.Equal(t, c.code, code, "%s: %s", c.fault.Name, output)
		b.Settle()
		assert.Len(t, b.Records()[0].Deliveries, c.delivered, c.fault.Name)
	}
}
