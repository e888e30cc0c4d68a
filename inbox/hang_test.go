package inbox_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
)

// hanging returns a handler that, for movements of amount 1, does not return until its context ends, and reports each
// such call.
func hanging(mine *books) (handle inbox.Handler[inbox.NoTx], hung <-chan struct{}) {
	calls := make(chan struct{}, 1000)
	return func(ctx context.Context, tx inbox.NoTx, m inbox.Movement) error {
		if m.Amount == 1 {
			calls <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}
		return mine.take(ctx, tx, m)
	}, calls
}

// What is deposited while a handler does not return is found and handed over, also in wallets of the same fund.
func TestAHandlerHangs(t *testing.T) {
	s := newService(t, 2)
	mine := newBooks()
	in, _ := open(t, s.client, file(t), inbox.FromStart(), inbox.WithFunds(s.company, s.fund), inbox.WithHandlerTimeout(time.Hour))
	s.deposit(s.wallets[0], 1)
	handle, hung := hanging(mine)
	run(t, in, handle)
	<-hung
	for n := range qredo.Amount(3) {
		s.deposit(s.wallets[1], 2+n)
		mine.wait(t, 1+int(n))
	}
	assert.Equal(t, []qredo.Amount{2, 3, 4}, mine.amounts(s.wallets[1]))
}

// As many handlers hang as may be called at once: when their time is over others come, and they are set aside in the end.
func TestHandlersHangEverywhere(t *testing.T) {
	s := newService(t, 3)
	_, others := s.otherFund(1)
	mine := newBooks()
	in, store := open(t, s.client, file(t), inbox.FromStart(), inbox.WithCompany(s.company), inbox.WithConcurrency(3), inbox.WithAttempts(3),
		inbox.WithHandlerTimeout(20*time.Millisecond))
	for _, w := range s.wallets {
		s.deposit(w, 1)
		require.NoError(t, s.Advance(time.Second))
		s.deposit(w, 3)
	}
	handle, hung := hanging(mine)
	run(t, in, handle)
	for range 3 {
		<-hung
	}
	s.deposit(others[0], 2)
	mine.wait(t, 4)
	assert.Equal(t, []qredo.Amount{2}, mine.amounts(others[0]))
	aside, err := store.Page(t.Context(), inbox.Filter{States: []inbox.State{inbox.StateAside}}, "", 10)
	require.NoError(t, err)
	require.Len(t, aside, 3)
	for _, e := range aside {
		assert.Equal(t, 3, e.Attempts)
		assert.Contains(t, e.Error, "longer than 20ms")
	}
}

// There is a warning about a handler that ignores its context, and its result counts in the end.
func TestAHandlerIsHeedless(t *testing.T) {
	s := newService(t, 1)
	mine, logs := newBooks(), &logged{lines: make(chan string, 1000)}
	in, _ := open(t, s.client, file(t), inbox.FromStart(), inbox.WithFunds(s.company, s.fund), inbox.WithHandlerTimeout(time.Millisecond),
		inbox.WithLogger(slog.New(slog.NewTextHandler(logs, nil))))
	s.deposit(s.wallets[0], 1)
	run(t, in, func(ctx context.Context, tx inbox.NoTx, m inbox.Movement) error {
		for !strings.Contains(<-logs.lines, "does not return although its context has ended") {
		}
		return mine.take(ctx, tx, m)
	})
	mine.wait(t, 1)
}

// logged has each line that is logged.
type logged struct{ lines chan string }

func (l *logged) Write(line []byte) (int, error) {
	l.lines <- string(line)
	return len(line), nil
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A look reports the newest first. While it goes on, none of it is handed over, though other entries are retried in the
// meantime.
func TestOrderWhileALookGoesOn(t *testing.T) {
	s := newService(t, 2)
	mine := newBooks()
	var asking sync.RWMutex
	called := make(chan qredo.Amount, 1000)
	var once sync.Once
	client, err := qredo.NewClient(s.Auth(), qredo.WithBaseURL(s.BaseURL()), qredo.WithHTTPClient(&http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
		asking.RLock()
		defer asking.RUnlock()
		if o := r.URL.Query().Get("offset"); o != "" && o != "0" { // the newest are recorded
			once.Do(func() {
				select {
				case <-called:
				case <-time.After(100 * time.Millisecond): // time enough to hand them over, were that begun
				}
			})
		}
		return http.DefaultTransport.RoundTrip(r)
	})}))
	require.NoError(t, err)
	in, _ := open(t, client, file(t), inbox.FromStart(), inbox.WithFunds(s.company, s.fund), inbox.WithAttempts(1_000_000))
	s.deposit(s.wallets[0], 1)
	again := make(chan struct{})
	run(t, in, func(ctx context.Context, tx inbox.NoTx, m inbox.Movement) error {
		if m.Amount == 1 { // is tried again every few milliseconds
			select {
			case again <- struct{}{}:
			default:
			}
			return errNo
		}
		called <- m.Amount
		return mine.take(ctx, tx, m)
	})
	<-again
	asking.Lock()
	for n := range qredo.Amount(150) {
		s.deposit(s.wallets[1], 2+n)
		require.NoError(t, s.Advance(time.Second))
	}
	asking.Unlock()
	got := mine.wait(t, 150)
	for n, m := range got {
		require.Equal(t, qredo.Amount(2+n), m.Amount, "movement %d", n)
	}
}
