package faultproxy

import (
	"bufio"
	"compress/gzip"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPagesOfEachStatus(t *testing.T) {
	t.Parallel()
	for _, config := range []Config{{}, {HTTP2: true}} {
		forms := []Form{HTML, Empty, JSON}
		config.Plan = func(r Request) Fault {
			if r.N < 200 {
				return Fault{}
			}
			return Page(r.N, forms[r.N%3], When(r.N/3%3), nil)
		}
		b := open(t, config)
		for n := 1; n < 600; n++ {
			g := b.post("/", "")
			require.NoError(t, g.err)
			if n < 200 {
				continue
			}
			assert.Equal(t, n, g.status)
			if n != 204 && n != 304 {
				assert.Equal(t, forms[n%3].Body(n), g.body)
			}
			assert.Empty(t, g.header.Get("Date"))
		}
		b.Settle()
		for _, r := range b.Records()[199:] {
			want := map[When]int{Never: 0, Before: 1, After: 1}[When(r.N/3%3)]
			assert.Len(t, r.Deliveries, want, r.Fault)
			assert.Equal(t, r.N, r.Answered)
		}
	}
}

func TestPageHeaders(t *testing.T) {
	t.Parallel()
	f := Page(503, HTML, Never, http.Header{"Retry-After": {"7"}, "Age": {"9"}}, 3*time.Hour)
	each(t, f, func(t *testing.T, b *bench) {
		g := b.post("/", "")
		assert.Equal(t, []string{"7", "9"}, []string{g.header.Get("Retry-After"), g.header.Get("Age")})
		requireDate(t, g, 3*time.Hour)
		assert.Empty(t, b.only().Deliveries)
	})
	each(t, Redirect(307, "/elsewhere", Before), func(t *testing.T, b *bench) {
		g := b.post("/", "")
		assert.Equal(t, []any{307, "/elsewhere"}, []any{g.status, g.header.Get("Location")})
		assert.Len(t, b.only().Deliveries, 1)
	})
	each(t, AnyPage(4, HTML, Before), func(t *testing.T, b *bench) {
		assert.Equal(t, 4, b.post("/", "").status/100)
		assert.Contains(t, b.only().Fault, fmt.Sprintf("page %d ", b.only().Answered))
	})
}

func requireDate(t *testing.T, g got, off time.Duration) {
	t.Helper()
	date, err := http.ParseTime(g.header.Get("Date"))
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(off), date, 5*time.Second)
}

func TestAltered(t *testing.T) {
	t.Parallel()
	for f, check := range map[*Fault]func(g got){
		ref(WrongDate(-26 * time.Hour)): func(g got) { requireDate(t, g, -26*time.Hour) },
		ref(NoDate):                     func(g got) { assert.Empty(t, g.header.Get("Date")) },
		ref(Aged(time.Hour)):            func(g got) { assert.Equal(t, "3600", g.header.Get("Age")); requireDate(t, g, -time.Hour) },
		ref(EmptyBody):                  func(g got) { assert.Empty(t, g.body) },
		ref(OtherBody(HTML)):            func(g got) { assert.Equal(t, HTML.Body(200), g.body) },
	} {
		each(t, *f, func(t *testing.T, b *bench) {
			g := b.post("/", "")
			require.NoError(t, g.err)
			assert.Equal(t, 200, g.status)
			check(g)
			assert.Equal(t, []Delivery{{Status: 200}}, b.only().Deliveries)
		})
	}
}

func ref(f Fault) *Fault { return &f }

func TestDuplicates(t *testing.T) {
	t.Parallel()
	for f, want := range map[*Fault]string{ref(Duplicate(false)): `{"n":1,`, ref(Duplicate(true)): `{"n":2,`, ref(DuplicateLater): `{"n":1,`, ref(DuplicateLost): ""} {
		each(t, *f, func(t *testing.T, b *bench) {
			g := b.post("/", "abc")
			assert.Equal(t, want == "", g.err != nil)
			assert.True(t, strings.HasPrefix(g.body, want), g.body)
			assert.Len(t, b.only().Deliveries, 2)
		})
	}
}

func TestStale(t *testing.T) {
	t.Parallel()
	for _, w := range []When{Never, Before} {
		for like, want := range map[bool]string{true: `"n":2`, false: `"n":1`} {
			b := open(t, Config{HTTP2: true, Plan: func(r Request) Fault {
				if r.N == 3 {
					return Stale(like, w)
				}
				return Fault{}
			}})
			b.send(http.MethodPut, "/wallet/12345", "")
			b.post("/wallet/12345", "")
			g := b.post("/wallet/67890", "")
			require.NoError(t, g.err)
			assert.Contains(t, g.body, want)
			b.Settle()
			assert.Len(t, b.RecordsOf("/wallet/67890")[0].Deliveries, map[When]int{Never: 0, Before: 1}[w])
		}
		each(t, Stale(false, w), func(t *testing.T, b *bench) {
			require.Error(t, b.post("/", "").err, "there is none yet")
			assert.Len(t, b.only().Deliveries, map[When]int{Never: 0, Before: 1}[w])
		})
	}
}

func TestInterim(t *testing.T) {
	t.Parallel()
	each(t, Interim(http.StatusEarlyHints, 3), func(t *testing.T, b *bench) {
		seen := 0
		trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
			assert.Equal(t, 103, code)
			seen++
			return nil
		}}
		req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, b.URL(), nil)
		require.NoError(t, err)
		res, err := b.client.Do(req)
		require.NoError(t, err)
		res.Body.Close()
		assert.Equal(t, []int{200, 3}, []int{res.StatusCode, seen})
		assert.Len(t, b.only().Deliveries, 1)
	})
	each(t, InterimEndless(103), func(t *testing.T, b *bench) {
		require.Error(t, b.post("/", "").err)
		r := b.only()
		assert.Len(t, r.Deliveries, 1)
		assert.Zero(t, r.Answered)
	})
}

func TestManyHeaders(t *testing.T) {
	t.Parallel()
	each(t, ManyHeaders(50, 10), func(t *testing.T, b *bench) {
		g := b.post("/", "")
		require.NoError(t, g.err)
		assert.Equal(t, "xxxxxxxxxx", g.header.Get("X-Flood-49"))
	})
	for _, f := range []Fault{ManyHeaders(1, 11<<20), ManyHeaders(20_000, 1000)} {
		each(t, f, func(t *testing.T, b *bench) {
			require.Error(t, b.post("/", "").err, "more than the 10 MB that net/http takes")
			assert.Len(t, b.only().Deliveries, 1)
		})
	}
}

func TestZeros(t *testing.T) {
	t.Parallel()
	each(t, Zeros(5<<20, true, Before), func(t *testing.T, b *bench) {
		g := b.post("/", "")
		require.NoError(t, g.err)
		assert.Equal(t, "gzip", g.header.Get("Content-Encoding"))
		assert.Less(t, len(g.body), 1<<16)
		z, err := gzip.NewReader(strings.NewReader(g.body))
		require.NoError(t, err)
		n, err := io.Copy(io.Discard, z)
		require.NoError(t, err)
		assert.EqualValues(t, 5<<20, n)
		assert.Len(t, b.only().Deliveries, 1)
	})
	each(t, Zeros(3<<20, false, Never), func(t *testing.T, b *bench) {
		g := b.post("/", "")
		assert.Equal(t, strings.Repeat("\x00", 3<<20), g.body)
		assert.Empty(t, b.only().Deliveries)
	})
}

// The answer comes while the client has not sent all of its body. What is left of it is carried out: seen by a client that
// goes on sending, which net/http does for 50 ms only.
func TestEarly(t *testing.T) {
	t.Parallel()
	each(t, Early(413), func(t *testing.T, b *bench) {
		if b.config.HTTP2 { // net/http ends the stream once it has an answer
			in, out := io.Pipe()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.URL()+"/", in)
			require.NoError(t, err)
			req.ContentLength = 6
			go func() { _, _ = out.Write([]byte("abc")) }()
			res, err := b.client.Do(req)
			require.NoError(t, err)
			defer res.Body.Close()
			assert.Equal(t, 413, res.StatusCode)
			assert.Empty(t, b.Records()[0].Deliveries, "the body has not come yet")
			_ = out.Close()
			return
		}
		scheme, address, _ := strings.Cut(b.URL(), "://")
		dial := (&net.Dialer{}).DialContext
		if scheme == "https" {
			dial = (&tls.Dialer{Config: clientTLS(b.Proxy)}).DialContext
		}
		conn, err := dial(t.Context(), "tcp", address)
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: "+address+"\r\nContent-Length: 6\r\n\r\nabc")
		require.NoError(t, err)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		defer res.Body.Close()
		assert.Equal(t, 413, res.StatusCode)
		assert.Empty(t, b.Records()[0].Deliveries, "the body has not come yet")
		_, err = io.WriteString(conn, "def")
		require.NoError(t, err)
		require.Eventually(t, func() bool { // without a demand meanwhile: the server knows before the record does
			records := b.Records()
			return len(records) == 1 && len(records[0].Deliveries) == 1
		}, patience, time.Millisecond)
	})
}

func TestShape(t *testing.T) {
	t.Parallel()
	assert.Equal(t, shape("GET", "/api/v1/p/wallet/2Xk9aZ?x=1"), shape("GET", "/api/v1/p/wallet/7yQ1"))
	assert.NotEqual(t, shape("GET", "/wallet/2Xk9aZ"), shape("GET", "/company/2Xk9aZ"))
	assert.NotEqual(t, shape("GET", "/wallet"), shape("POST", "/wallet"))
}
