package access_test

import (
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox/internal/access"
)

func TestTimestamps(t *testing.T) {
	k := newKeys(t)
	seconds := now.Unix()
	for name, test := range map[string]struct {
		stamp string
		taken bool
	}{
		"now":                      {strconv.FormatInt(seconds, 10), true},
		"five minutes old":         {strconv.FormatInt(seconds-300, 10), true},
		"a second more":            {strconv.FormatInt(seconds-301, 10), false},
		"five minutes early":       {strconv.FormatInt(seconds+300, 10), true},
		"a second earlier":         {strconv.FormatInt(seconds+301, 10), false},
		"zero":                     {"0", false},
		"negative":                 {strconv.FormatInt(-seconds, 10), false},
		"milliseconds":             {strconv.FormatInt(seconds*1000, 10), false},
		"with a fraction":          {strconv.FormatInt(seconds, 10) + ".0", false},
		"hexadecimal":              {"0x" + strconv.FormatInt(seconds, 16), false},
		"with an exponent":         {"1e9", false},
		"a date":                   {now.Format(time.RFC3339), false},
		"words":                    {"now", false},
		"the least number":         {strconv.FormatInt(math.MinInt64, 10), false},
		"the greatest number":      {strconv.FormatInt(math.MaxInt64, 10), false},
		"beyond 64 bits":           {"18446744073709551616" + strconv.FormatInt(seconds, 10), false},
		"overflows to a small one": {strconv.FormatInt(math.MinInt64+seconds, 10), false},
	} {
		t.Run(name, func(t *testing.T) {
			req := stamped(t, now)
			req.Header.Set("x-timestamp", test.stamp)
			req.Header.Set("x-sign", signature(t, ownKey(), test.stamp, asked, ""))
			_, err := k.Signed(req, now, false)
			if test.taken {
				require.NoError(t, err)
			} else {
				refused(t, err, access.NotProved, "timestamp")
			}
		})
	}
}

func TestExactlyOneStamp(t *testing.T) {
	k := newKeys(t)
	for name, change := range map[string]func(r *access.Request){
		"none": func(r *access.Request) { r.Header.Del("x-timestamp") },
		"both": func(r *access.Request) { r.Header.Set("x-nonce", "1") },
		"both, nonce signed": func(r *access.Request) {
			r.Header.Set("x-nonce", "1")
			r.Header.Set("x-sign", signature(t, ownKey(), "1", asked, ""))
		},
		"both, one after the other signed": func(r *access.Request) {
			r.Header.Set("x-nonce", "1")
			r.Header.Set("x-sign", signature(t, ownKey(), r.Header.Get("x-timestamp")+"1", asked, ""))
		},
		"none, nothing signed for it": func(r *access.Request) {
			r.Header.Del("x-timestamp")
			r.Header.Set("x-sign", signature(t, ownKey(), "", asked, ""))
		},
	} {
		t.Run(name, func(t *testing.T) {
			req := stamped(t, now)
			change(&req)
			_, err := k.Signed(req, now, false)
			refused(t, err, access.NotProved, "timestamp or nonce: exactly one must be given")
		})
	}
}

func TestNonces(t *testing.T) {
	k := newKeys(t)
	send := func(nonce, reason string) {
		t.Helper()
		_, err := k.Signed(nonced(t, nonce), now, false)
		refused(t, err, access.NotProved, reason)
	}
	send("1", "")
	send("1", "nonce")
	send("2", "")
	send("not-a-number", "")
	send("1", "nonce")

	t.Run("one with a bad signature is not used up", func(t *testing.T) {
		bad := nonced(t, "10")
		bad.Header.Set("x-sign", signature(t, otherKey(), "10", asked, ""))
		_, err := k.Signed(bad, now, false)
		refused(t, err, access.NotProved, "signature")
		send("10", "")
	})
	t.Run("each key has its own", func(t *testing.T) {
		req := nonced(t, "1")
		req.Header.Set("X-API-KEY", "second")
		req.Header.Set("x-sign", signature(t, otherKey(), "1", asked, ""))
		_, err := k.Signed(req, now, false)
		require.NoError(t, err)
	})
	t.Run("they do not depend on the time, nor are forgotten with it", func(t *testing.T) {
		later := now.Add(1000 * time.Hour)
		_, err := k.Signed(nonced(t, "1"), later, false)
		refused(t, err, access.NotProved, "nonce")
		_, err = k.Signed(nonced(t, "3"), later, false)
		require.NoError(t, err)
	})
}

func TestANonceUsedAtTheSameTimePassesOnce(t *testing.T) {
	k, req := newKeys(t), nonced(t, "42")
	const senders = 50
	var passed atomic.Int32
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for range senders {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			if _, err := k.Signed(req, now, false); err == nil {
				passed.Add(1)
			}
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	assert.EqualValues(t, 1, passed.Load())
}
