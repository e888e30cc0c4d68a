package sandbox_test

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

func TestKeys(t *testing.T) {
	l := listen(t, sandbox.WithKey(" from-a-file\n", &ownKey().PublicKey))
	tests := map[string]struct {
		key         any
		status      int
		msg, reason string
	}{
		"missing":              {nil, 401, "Unauthorized", "empty token"},
		"empty":                {"", 401, "Unauthorized", "empty token"},
		"white space":          {"  ", 401, "Unauthorized", "empty token"},
		"unknown":              {"nobody", 401, unsignedMsg, "api key"},
		"in another case":      {"OWN", 401, unsignedMsg, "api key"},
		"with white space":     {"  own\t", 200, "", ""},
		"registered with some": {"from-a-file", 200, "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			req := newSigned(t, startOfTime, "GET", l.url("/assets"), "")
			if test.key == nil {
				delete(req.header, "X-API-KEY")
			} else {
				req.header["X-API-KEY"] = test.key.(string)
			}
			got := req.send(t, l.Client())
			if test.status == http.StatusOK {
				got.ok()
				return
			}
			got.refused(test.status, test.reason)
			assert.Equal(t, test.msg, got.at("msg"))
		})
	}
	t.Run("white space reaches the sandbox when no connection has trimmed it", func(t *testing.T) {
		s := newService(t)
		s.as(" own\n").get("/assets").ok()
	})
	t.Run("names of headers in any case", func(t *testing.T) {
		for _, spell := range []func(string) string{strings.ToUpper, strings.ToLower, http.CanonicalHeaderKey} {
			req := newSigned(t, startOfTime, "GET", l.url("/assets"), "")
			spelled := map[string]string{}
			for name, value := range req.header {
				spelled[spell(name)] = value
			}
			req.header = spelled
			req.send(t, l.Client()).ok()
		}
	})
}

func TestTimestamps(t *testing.T) {
	l := listen(t)
	now := startOfTime.Unix()
	tests := map[string]struct {
		stamp string
		taken bool
	}{
		"now":                      {strconv.FormatInt(now, 10), true},
		"five minutes old":         {strconv.FormatInt(now-300, 10), true},
		"a second more":            {strconv.FormatInt(now-301, 10), false},
		"five minutes early":       {strconv.FormatInt(now+300, 10), true},
		"a second earlier":         {strconv.FormatInt(now+301, 10), false},
		"zero":                     {"0", false},
		"negative":                 {strconv.FormatInt(-now, 10), false},
		"milliseconds":             {strconv.FormatInt(now*1000, 10), false},
		"with a fraction":          {strconv.FormatInt(now, 10) + ".0", false},
		"hexadecimal":              {"0x" + strconv.FormatInt(now, 16), false},
		"with an exponent":         {"1e9", false},
		"a date":                   {startOfTime.Format(time.RFC3339), false},
		"words":                    {"now", false},
		"the least number":         {strconv.FormatInt(math.MinInt64, 10), false},
		"the greatest number":      {strconv.FormatInt(math.MaxInt64, 10), false},
		"beyond 64 bits":           {"18446744073709551616" + strconv.FormatInt(now, 10), false},
		"overflows to a small one": {strconv.FormatInt(math.MinInt64+now, 10), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			req := newSigned(t, startOfTime, "GET", l.url("/assets"), "")
			req.header["x-timestamp"] = test.stamp
			req.header["x-sign"] = signature(t, ownKey(), test.stamp, req.url, "")
			if got := req.send(t, l.Client()); test.taken {
				got.ok()
			} else {
				got.refused(401, "timestamp")
			}
		})
	}
	t.Run("goes with the clock", func(t *testing.T) {
		l := listen(t)
		req := newSigned(t, startOfTime, "GET", l.url("/assets"), "")
		l.clock.forward(300 * time.Second)
		req.send(t, l.Client()).ok()
		l.clock.forward(time.Second)
		req.send(t, l.Client()).refused(401, "timestamp")
	})
	t.Run("what the clock was advanced by does not lock clients out", func(t *testing.T) {
		l := listen(t)
		require.NoError(t, l.sandbox.Advance(24*time.Hour))
		newSigned(t, startOfTime, "GET", l.url("/assets"), "").send(t, l.Client()).ok()
	})
}

func TestExactlyOneStamp(t *testing.T) {
	l := listen(t)
	for name, change := range map[string]func(s *signed){
		"none": func(s *signed) { delete(s.header, "x-timestamp") },
		"both": func(s *signed) { s.header["x-nonce"] = "1" },
		"both, nonce signed": func(s *signed) {
			s.header["x-nonce"] = "1"
			s.header["x-sign"] = signature(t, ownKey(), "1", s.url, "")
		},
		"both, one after the other signed": func(s *signed) {
			s.header["x-nonce"] = "1"
			s.header["x-sign"] = signature(t, ownKey(), s.header["x-timestamp"]+"1", s.url, "")
		},
		"none, nothing signed for it": func(s *signed) {
			delete(s.header, "x-timestamp")
			s.header["x-sign"] = signature(t, ownKey(), "", s.url, "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			req := newSigned(t, startOfTime, "GET", l.url("/assets"), "")
			change(&req)
			assert.Equal(t, unsignedMsg, req.send(t, l.Client()).refused(401, "").at("msg"))
		})
	}
}

func TestNonces(t *testing.T) {
	l := listen(t)
	url := l.url("/assets")
	send := func(nonce string) answer { t.Helper(); return newNonced(t, nonce, url).send(t, l.Client()) }

	send("1").ok()
	send("1").refused(401, "nonce")
	send("2").ok()
	send("not-a-number").ok()
	send("1").refused(401, "nonce")

	t.Run("one with a bad signature is not used up", func(t *testing.T) {
		bad := newNonced(t, "10", url)
		bad.header["x-sign"] = signature(t, otherKey(), "10", url, "")
		bad.send(t, l.Client()).refused(401, "signature")
		send("10").ok()
	})
	t.Run("one is used up by a request that is refused for its content", func(t *testing.T) {
		missing := newNonced(t, "11", l.url("/company/none"))
		missing.send(t, l.Client()).refused(404, "company")
		missing.send(t, l.Client()).refused(401, "nonce")
	})
	t.Run("each key has its own", func(t *testing.T) {
		req := newNonced(t, "1", url)
		req.header["X-API-KEY"], req.header["x-sign"] = "second", signature(t, otherKey(), "1", url, "")
		req.send(t, l.Client()).ok()
	})
	t.Run("they do not depend on the clock, nor are forgotten with time", func(t *testing.T) {
		l := listen(t)
		newNonced(t, "1", l.url("/assets")).send(t, l.Client()).ok()
		l.clock.forward(1000 * time.Hour)
		newNonced(t, "1", l.url("/assets")).send(t, l.Client()).refused(401, "nonce")
		newNonced(t, "2", l.url("/assets")).send(t, l.Client()).ok()
	})
	t.Run("they outlive a reset, which would open old requests to repetition", func(t *testing.T) {
		require.NoError(t, l.sandbox.Reset())
		send("1").refused(401, "nonce")
	})
}

func TestNonceUsedAtTheSameTimePassesOnce(t *testing.T) {
	l := listen(t)
	const senders = 50
	var passed, refused atomic.Int32
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	req := newNonced(t, "42", l.url("/assets"))
	for range senders {
		ready.Add(1)
		done.Go(func() {
			r := req.request(t)
			ready.Done()
			<-start
			resp, err := l.Client().Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			switch resp.StatusCode {
			case http.StatusOK:
				passed.Add(1)
			case http.StatusUnauthorized:
				refused.Add(1)
			}
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	assert.EqualValues(t, 1, passed.Load())
	assert.EqualValues(t, senders-1, refused.Load())
}

func TestUnsignedMode(t *testing.T) {
	bare := func(l listening) signed {
		return signed{method: "GET", url: l.url("/assets"), header: map[string]string{"X-API-KEY": "own"}}
	}
	t.Run("is off by default", func(t *testing.T) {
		l := listen(t)
		bare(l).send(t, l.Client()).refused(401, "")
	})
	l := listen(t, sandbox.WithUnsigned())
	t.Run("takes the key alone", func(t *testing.T) { bare(l).send(t, l.Client()).ok() })
	t.Run("takes a right signature", func(t *testing.T) {
		newSigned(t, startOfTime, "GET", l.url("/assets"), "").send(t, l.Client()).ok()
	})
	for name, change := range map[string]func(s *signed){
		"unknown key":            func(s *signed) { s.header = map[string]string{"X-API-KEY": "nobody"} },
		"no key":                 func(s *signed) { s.header = nil },
		"wrong signature":        func(s *signed) { s.header["x-sign"] = "AAAA" },
		"stamp, no signature":    func(s *signed) { delete(s.header, "x-sign") },
		"signature, no stamp":    func(s *signed) { delete(s.header, "x-timestamp") },
		"stale, rightly signed":  func(s *signed) { *s = newSigned(t, startOfTime.Add(-time.Hour), "GET", s.url, "") },
		"nonce, wrong signature": func(s *signed) { *s = newNonced(t, "5", s.url); s.header["x-nonce"] = "6" },
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			req := newSigned(t, startOfTime, "GET", l.url("/assets"), "")
			change(&req)
			assert.Equal(t, http.StatusUnauthorized, req.send(t, l.Client()).Status)
		})
	}
}

func TestKeyOptionsRefuseWhatIsMissing(t *testing.T) {
	public := &ownKey().PublicKey
	for name, opt := range map[string]sandbox.Option{
		"no API key":    sandbox.WithKey("", public),
		"no public key": sandbox.WithKey("key", nil),
		"no account":    sandbox.WithAccountKey("", "key", public),
		"no clock":      sandbox.WithClock(nil),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sandbox.New(opt)
			require.Error(t, err)
		})
	}
}
