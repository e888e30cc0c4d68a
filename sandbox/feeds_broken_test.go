package sandbox_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

// feedControls are the control calls of feeds, in both their forms.
type feedControls struct {
	drop, freeze func() int
	delay        func(milliseconds int)
	duplicate    func(on bool)
	reset        func()
}

func (f fed) feedControls() map[string]feedControls {
	f.t.Helper()
	call := func(path string, body object) answer {
		req := httptest.NewRequest("POST", "http://127.0.0.1:8080/sandbox/v1"+path, f.reader(body))
		req.RemoteAddr = "127.0.0.1:40000"
		return f.send(req).ok()
	}
	return map[string]feedControls{
		"in Go": {
			f.DropFeeds, f.FreezeFeeds, func(ms int) { f.DelayFeeds(time.Duration(ms) * time.Millisecond) }, f.DuplicateFeeds,
			func() { require.NoError(f.t, f.Reset()) },
		},
		"over HTTP": {
			func() int { return int(call("/feeds/drop", nil).number("connections")) },
			func() int { return int(call("/feeds/freeze", nil).number("connections")) },
			func(ms int) { call("/feeds/delay", object{"milliseconds": ms}) },
			func(on bool) { call("/feeds/duplicate", object{"on": on}) },
			func() { call("/reset", nil) },
		},
	}
}

// withFeeds runs a test with each form of the control calls, with a feed of wallets and one of the hub.
func withFeeds(t *testing.T, test func(t *testing.T, f fed, c feedControls, wallets, hub reader)) {
	for _, form := range []string{"in Go", "over HTTP"} {
		t.Run(form, func(t *testing.T) {
			f := newFed(t)
			test(t, f, f.feedControls()[form], f.open("/wallets/feed", "own"), f.open("/liquidityhub/feed", "own"))
		})
	}
}

func TestFeedsAreDropped(t *testing.T) {
	withFeeds(t, func(t *testing.T, f fed, c feedControls, wallets, hub reader) {
		assert.Equal(t, 2, c.drop())
		wallets.ended()
		hub.ended()
		again := f.open("/wallets/feed", "own")
		f.credit(f.told, 5)
		assert.Equal(t, "5", again.next().at("amount"), "a new one works")
		require.Eventually(t, func() bool { return f.DropFeeds() == 0 }, 10*time.Second, time.Millisecond, "none is left")
	})
}

func TestFeedsAreFrozen(t *testing.T) {
	withFeeds(t, func(t *testing.T, f fed, c feedControls, wallets, hub reader) {
		hub.ws.CloseRead(t.Context()) // takes pongs
		require.NoError(t, hub.ws.Ping(t.Context()), "feeds answer pings")
		assert.Equal(t, 2, c.freeze())
		f.credit(f.told, 5)
		later := f.open("/wallets/feed", "own")
		f.credit(f.told, 6)
		assert.Equal(t, "6", later.next().at("amount"), "one that comes later is not frozen")
		for name, wait := range map[string]func(ctx context.Context) error{
			"a message comes, or a cut": func(ctx context.Context) error { _, _, err := wallets.ws.Read(ctx); return err },
			"a ping is answered":        hub.ws.Ping,
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
			require.ErrorIs(t, wait(ctx), context.DeadlineExceeded, name)
			cancel()
		}
	})
}

func TestFrozenFeedsAreDropped(t *testing.T) {
	withFeeds(t, func(_ *testing.T, _ fed, c feedControls, wallets, hub reader) {
		c.freeze()
		c.drop()
		wallets.ended()
		hub.ended()
	})
}

func TestFeedMessagesAreDelayed(t *testing.T) {
	withFeeds(t, func(t *testing.T, f fed, c feedControls, wallets, _ reader) {
		const by = 40
		c.delay(by)
		began := time.Now()
		f.credit(f.told, 5)
		f.credit(f.told, 6)
		assert.Equal(t, []string{"5", "6"}, []string{wallets.next().at("amount"), wallets.next().at("amount")})
		assert.GreaterOrEqual(t, time.Since(began), 2*by*time.Millisecond, "each of them")
		c.delay(3_600_000)
		f.credit(f.told, 7)
		c.drop()
		wallets.ended() // a feed that waits can be cut
		c.delay(0)
		again := f.open("/wallets/feed", "own")
		f.credit(f.told, 8)
		assert.Equal(t, "8", again.next().at("amount"))
	})
}

func TestFeedMessagesComeTwice(t *testing.T) {
	withFeeds(t, func(t *testing.T, f fed, c feedControls, wallets, _ reader) {
		c.duplicate(true)
		f.credit(f.told, 5)
		f.credit(f.told, 6)
		got := []string{}
		for range 4 {
			got = append(got, wallets.next().at("amount"))
		}
		assert.Equal(t, []string{"5", "5", "6", "6"}, got)
		c.duplicate(false)
		f.credit(f.told, 7)
		f.credit(f.told, 8)
		assert.Equal(t, []string{"7", "8"}, []string{wallets.next().at("amount"), wallets.next().at("amount")})
	})
}

func TestResetCutsFeeds(t *testing.T) {
	withFeeds(t, func(t *testing.T, f fed, c feedControls, wallets, hub reader) {
		f.credit(f.told, 5)
		wallets.next()
		c.reset()
		wallets.ended()
		hub.ended()
		f.company = f.newCompany("New", "new.example")
		f.fund = f.newFund(f.company, object{"name": "F"})
		b := bourse{f.world, approver{f.service, f.newCoreClient("New bourse")}}
		wallet := b.connected(1, nil)
		b.exchange.approve(b.exchange.last()).ok()
		again := f.open("/wallets/feed", "own")
		f.credit(wallet, 6)
		assert.Equal(t, []string{"6", wallet}, func() []string { m := again.next(); return []string{m.at("amount"), m.at("wallet_id")} }())
	})
}

func TestASlowReaderIsSentEverything(t *testing.T) {
	f := newFed(t)
	slow, quick := f.open("/wallets/feed", "own"), f.open("/wallets/feed", "own")
	const many = 1500
	for i := range many {
		f.credit(f.told, int64(i+1))
		if i%2 == 0 {
			quick.next()
		}
	}
	for i := range many {
		require.EqualValues(t, i+1, slow.next().number("amount"), "in order, none left out")
	}
}

func TestCloseEndsFeeds(t *testing.T) {
	for name, before := range map[string]func(f fed){
		"idle":    func(fed) {},
		"frozen":  func(f fed) { f.FreezeFeeds() },
		"waiting": func(f fed) { f.DelayFeeds(time.Hour); f.credit(f.told, 5) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFed(t) // which looks for goroutines that are left
			feeds := []reader{f.open("/wallets/feed", "own"), f.open("/liquidityhub/feed", "own"), f.open("/wallets/feed", "strange")}
			before(f)
			require.NoError(t, f.Close())
			for _, feed := range feeds {
				feed.ended()
			}
			r, _, err := f.dial("/wallets/feed", map[string]string{"X-API-KEY": "own"})
			if err == nil {
				r.ended() // none is served any more
			}
		})
	}
	t.Run("of a server", func(t *testing.T) {
		noLeaks(t)
		c := newClock()
		srv, err := sandbox.Start(sandbox.WithUnsigned(), sandbox.WithClock(c.Now), sandbox.WithKey("own", &ownKey().PublicKey))
		require.NoError(t, err)
		f := fed{market: market{world: world{service: service{t: t, Sandbox: srv.Sandbox, clock: c}}}, srv: &httptest.Server{URL: srv.URL()}}
		feed := f.open("/wallets/feed", "own")
		require.NoError(t, srv.Close())
		feed.ended()
	})
}

func TestFeedIsOpenOnceItsClientKnows(t *testing.T) {
	f := newFed(t)
	for range 100 {
		feed := f.open("/wallets/feed", "own")
		require.Equal(t, 1, f.DropFeeds(), "it is cut at once")
		feed.ended()
		require.Eventually(t, func() bool { return f.DropFeeds() == 0 }, 10*time.Second, time.Millisecond)
	}
}

func TestFeedsControlsReadAnyForm(t *testing.T) {
	f := newFed(t)
	for path, bodies := range map[string][]string{
		"/feeds/delay": {`{"milliseconds":"x"}`, `[]`, `{"milliseconds":1.5}`}, "/feeds/duplicate": {`{"on":5}`, `"x"`},
	} {
		for _, body := range bodies {
			req := httptest.NewRequest("POST", "http://127.0.0.1:8080/sandbox/v1"+path, strings.NewReader(body))
			req.RemoteAddr = "127.0.0.1:40000"
			f.send(req).refused(400, "")
		}
	}
}
