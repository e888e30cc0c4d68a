package scenario_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// historyOf returns the entries of a history from a second on, or after it, newest first: three a second, up to a total.
func historyOf(entries int, included bool, asked *[]string) clienttest.RoundTrip {
	return func(req *http.Request) (*http.Response, error) {
		text := req.URL.Query().Get("since")
		*asked = append(*asked, text)
		since, _ := strconv.ParseInt(text, 10, 64)
		if included {
			since--
		}
		body, write := io.Pipe()
		go func() {
			separator := `{"history":[`
			for n := entries - 1; n >= 0; n-- {
				if at := historyStart + int64(n/3); at > since {
					if _, err := fmt.Fprintf(write, `%s{"wallet_id":"w","chain_tx_id":"c%d","asset":"BTC","amount":%d,"net_amount":%d,"timestamp":%d}`, separator, n, n, n, at); err != nil {
						return
					}
					separator = ","
				}
			}
			fmt.Fprint(write, strings.TrimSuffix(separator, ",")+`]}`)
			_ = write.Close()
		}()
		answer := clienttest.Answer(req, 200, "")
		answer.Body, answer.ContentLength = body, -1
		return answer, nil
	}
}

const historyStart = 1_600_000_000

// A history is given oldest first, each entry once, however long it is, and no more of it is held than an answer may have: the rest is in a
// file or, where there can be none, asked for again.
func TestHistoryAll(t *testing.T) {
	t.Run("with a file", func(t *testing.T) {
		folder := t.TempDir()
		t.Setenv("TMPDIR", folder)
		asked := wholeHistory(t)
		require.Len(t, asked, 1)
		left, err := os.ReadDir(folder)
		require.NoError(t, err)
		require.Empty(t, left)
	})
	t.Run("without one", func(t *testing.T) {
		t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
		asked := wholeHistory(t)
		require.Greater(t, len(asked), 3)
		require.Less(t, len(asked), 10)
	})
}

// wholeHistory reads a history, and returns since when it was asked for.
func wholeHistory(t *testing.T) []string {
	const entries = 30_000 // about 3 MB
	var asked []string
	client := clienttest.NewQuickClient(t, historyOf(entries, true, &asked), qredo.WithMaxResponse(1<<20))
	_, err := client.Wallets.ListHistory(t.Context(), "w", qredo.HistoryOptions{})
	require.ErrorIs(t, err, qredo.ErrBadAnswer)
	asked = nil
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	next, most := 0, int64(0)
	seen := map[string]bool{}
	for e, err := range client.Wallets.HistoryAll(t.Context(), "w", qredo.HistoryOptions{}) {
		require.NoError(t, err)
		require.False(t, seen[e.ChainTxID])
		seen[e.ChainTxID] = true
		require.Equal(t, int64(historyStart+next/3), e.Time.Unix(), "oldest first")
		if next++; next%5000 == 1 {
			runtime.GC()
			runtime.ReadMemStats(&during)
			most = max(most, int64(during.HeapAlloc)-int64(before.HeapAlloc))
		}
	}
	require.Equal(t, entries, next)
	require.Less(t, most, int64(8<<20))
	return asked
}

func TestPartsOfHistories(t *testing.T) {
	var asked []string
	client := clienttest.NewQuickClient(t, historyOf(30_000, true, &asked), qredo.WithMaxResponse(1<<20))
	for e, err := range client.Wallets.HistoryAll(t.Context(), "w", qredo.HistoryOptions{Since: qredo.Unix(historyStart + 9_990)}) {
		require.NoError(t, err)
		require.Equal(t, int64(historyStart+9_990), e.Time.Unix())
		break
	}
	require.Len(t, asked, 1)
	for _, err := range client.Wallets.HistoryAll(t.Context(), "a/b", qredo.HistoryOptions{}) {
		clienttest.RequireInvalid(t, err, "wallet_id")
	}
	for _, err := range client.Wallets.HistoryAll(t.Context(), "w", qredo.HistoryOptions{Since: qredo.Unix(time.Now().UnixMilli())}) {
		clienttest.RequireInvalid(t, err, "since")
	}
	none := clienttest.NewQuickClient(t, clienttest.AnswerWith(200, `{"history":null}`))
	for e, err := range none.Wallets.HistoryAll(t.Context(), "w", qredo.HistoryOptions{}) {
		require.Fail(t, "there is nothing", "%v %v", e, err)
	}
}

// Answers that are cut, wherever, and refusals that pass, make no entry come twice or not at all. Each attempt keeps the
// client's rate limit.
func TestHistoryAllOverFaults(t *testing.T) {
	t.Run("with a file", func(t *testing.T) { historyOverFaults(t, 3) })
	t.Run("without one", func(t *testing.T) {
		t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
		historyOverFaults(t, 10)
	})
}

func historyOverFaults(t *testing.T, least int) {
	clienttest.Bubble(t, func(t *testing.T) {
		const entries = 3000
		var asked []string
		var times []time.Time
		whole := historyOf(entries, false, &asked)
		client := clienttest.NewQuickClient(t, func() clienttest.RoundTrip {
			n := 0
			return clienttest.Noting(&times, func(req *http.Request) (*http.Response, error) {
				n++
				answer, err := whole(req)
				switch n % 3 {
				case 1:
					pipe := answer.Body
					answer.Body = cutBody{io.LimitReader(pipe, int64(n*17_000%120_000+1)), pipe}
				case 2:
					_ = answer.Body.Close()
					return clienttest.FailingWith(503)(req)
				}
				return answer, err
			})
		}(), qredo.WithMaxResponse(100_000), qredo.WithRateLimit(1, 1))
		next := 0
		for e, err := range client.Wallets.HistoryAll(t.Context(), "w", qredo.HistoryOptions{}) {
			require.NoError(t, err)
			require.Equal(t, int64(historyStart+next/3), e.Time.Unix())
			next++
		}
		require.Equal(t, entries, next)
		require.GreaterOrEqual(t, len(times), least)
		for _, pause := range clienttest.Pauses(times) {
			require.GreaterOrEqual(t, pause, time.Second-time.Microsecond)
		}
	})
}

// cutBody ends before its end.
type cutBody struct {
	io.Reader
	io.Closer
}

func (b cutBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// What cannot be right is an error that ends the walk, and no end of a history.
func TestHistoryAllOfWrongAnswers(t *testing.T) {
	entry := `{"wallet_id":"%s","chain_tx_id":"c","amount":5,"timestamp":%s},`
	long := func(wallet, at string) string { return strings.Repeat(fmt.Sprintf(entry, wallet, at), 100) }
	for name, tc := range map[string]struct{ body, says string }{
		"another wallet":   {`{"history":[` + long("w", "8") + fmt.Sprintf(entry, "x", "3") + `{}]}`, "asked for w"},
		"no time":          {`{"history":[` + long("w", "8") + fmt.Sprintf(entry, "w", `"soon"`) + `{}]}`, "timestamp"},
		"something else":   {`{"actions":[` + long("w", "7") + `{}]}`, "none of the fields"},
		"it is no JSON":    {`{"history":[` + long("w", "7") + `?]}`, "cannot be shortened"},
		"it is no history": {strings.Repeat("<html>", 1000), "the body is not an object"},
	} {
		client := clienttest.NewQuickClient(t, clienttest.AnswerWith(200, tc.body), qredo.WithMaxResponse(2000), qredo.WithRetry(clienttest.Once))
		errs := 0
		for _, err := range client.Wallets.HistoryAll(t.Context(), "w", qredo.HistoryOptions{}) {
			require.ErrorIs(t, err, qredo.ErrBadAnswer, name)
			require.ErrorContains(t, err, tc.says, name)
			errs++
		}
		require.Equal(t, 1, errs, name)
	}
}

// connectedWallets is a service in a bubble of time with connected wallets whose histories are long.
type connectedWallets struct {
	wallets int
	history func(wallet string, since int64) string
	tells   func(ctx context.Context, ws *websocket.Conn) // what the feed does; it may be nil

	mu           sync.Mutex
	asked        map[string][]string // wallet, since
	now, highest int
}

func (x *connectedWallets) client(t *testing.T, opts ...qredo.Option) *qredo.Client {
	x.asked = map[string][]string{}
	return clienttest.ServePipes(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		wallet := strings.TrimSuffix(strings.TrimPrefix(req.URL.Path, "/wallet/"), "/history")
		switch {
		case req.URL.Path == "/wallets/feed":
			if ws, err := clienttest.AcceptWebSocket(w, req, nil); err == nil {
				ctx := ws.CloseRead(req.Context())
				if x.tells != nil {
					x.tells(ctx, ws)
				}
				<-ctx.Done()
			}
		case req.URL.Path == "/coreclient":
			fmt.Fprint(w, `{"clients":[{"id":"c"}]}`)
		case req.URL.Path == "/coreclient/c/wallets":
			var list bytes.Buffer
			x.mu.Lock()
			wallets := x.wallets
			x.mu.Unlock()
			for n := range wallets {
				fmt.Fprintf(&list, `,{"wallet_id":"w%d","status":"approved"}`, n)
			}
			fmt.Fprintf(w, `{"wallets":[%s]}`, list.Bytes()[min(1, list.Len()):])
		case strings.HasSuffix(req.URL.Path, "/history"):
			x.mu.Lock()
			x.asked[wallet] = append(x.asked[wallet], req.URL.Query().Get("since"))
			x.now++
			x.highest = max(x.highest, x.now)
			x.mu.Unlock()
			clienttest.Elapse(req.Context(), time.Second)
			since, _ := strconv.ParseInt(req.URL.Query().Get("since"), 10, 64)
			fmt.Fprintf(w, `{"history":[%s]}`, x.history(wallet, since))
			x.mu.Lock()
			x.now--
			x.mu.Unlock()
		default:
			fmt.Fprintf(w, `{"wallet_id":"%s","type":1}`, wallet)
		}
	}), opts...)
}

// Histories are read eight at a time, and none from its beginning.
func TestHistoriesOfManyWallets(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		x := &connectedWallets{wallets: 100, history: func(string, int64) string { return "" }}
		client := x.client(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		start := time.Now()
		caughtUp := func(s qredo.FeedState) {
			if s.Status == qredo.FeedCaughtUp {
				cancel()
			}
		}
		require.NoError(t, clienttest.Drain(client.Wallets.Feed(ctx, qredo.WithFeedState(caughtUp))))
		synctest.Wait()
		assert.Equal(t, 8, x.highest)
		assert.Equal(t, 13*time.Second, time.Since(start))
		require.Len(t, x.asked, 100)
		for _, since := range x.asked {
			require.Equal(t, []string{fmt.Sprint(start.Add(-5 * time.Minute).Unix())}, since)
		}
	})
}

// If a wallet is connected later, what happened from five minutes before the feed began is reported, even by a service
// that returns more than was asked for. Events of the feed are yielded even if they were in the history at the beginning.
func TestWhatIsOldForAFeed(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		start := time.Now().Unix()
		entry := func(wallet, chain string, at int64) string {
			return fmt.Sprintf(`{"Status":"approved","wallet_id":"%s","chain_tx_id":"%s","amount":1,"timestamp":%d}`, wallet, chain, at)
		}
		x := &connectedWallets{wallets: 1, history: func(wallet string, _ int64) string {
			return strings.Join([]string{entry(wallet, "hour", start-3600), entry(wallet, "minutes", start-240), entry(wallet, "now", start)}, ",")
		}}
		x.tells = func(ctx context.Context, ws *websocket.Conn) {
			clienttest.Elapse(ctx, 100*time.Second)
			x.mu.Lock()
			x.wallets = 2
			x.mu.Unlock()
			for range 2 {
				_ = ws.Write(ctx, websocket.MessageText, []byte(entry("w0", "now", start)))
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 11*time.Minute)
		defer cancel()
		var given []string
		for e, err := range x.client(t).Wallets.Feed(ctx) {
			require.NoError(t, err)
			given = append(given, string(e.WalletID)+" "+e.ChainTxID)
		}
		require.Equal(t, []string{"w0 now", "w1 minutes", "w1 now"}, given)
	})
}

// While one history cannot be read, the others are read every five minutes as before, and not with each attempt.
func TestOneHistoryThatCannotBeRead(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		x := &connectedWallets{wallets: 20, history: func(wallet string, _ int64) string {
			if wallet == "w7" {
				return "<html>"
			}
			return ""
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 14*time.Minute)
		defer cancel()
		behind := 0
		require.Error(t, clienttest.Drain(x.client(t).Wallets.Feed(ctx, qredo.WithFeedState(func(s qredo.FeedState) {
			require.NotEqual(t, qredo.FeedCaughtUp, s.Status)
			if s.Status == qredo.FeedBehind {
				require.ErrorIs(t, s.Err, qredo.ErrBadAnswer)
				behind++
			}
		}))))
		synctest.Wait()
		assert.InDelta(t, 12, behind, 2, "once a minute")
		for wallet, since := range x.asked {
			if wallet == "w7" {
				assert.Greater(t, len(since), 30)
			} else {
				assert.Len(t, since, 3, wallet)
			}
		}
	})
}

// A wallet's history that exceeds the response limit, even within the period of the feed, is yielded whole, and one that
// cannot be read holds up no other.
func TestFeedOfLongHistories(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		start := time.Now().Unix()
		x := &connectedWallets{wallets: 3, history: func(wallet string, since int64) string {
			var list []string
			for n := range int64(1000) {
				if at := start - 1000 + n; at > since {
					list = append(list, fmt.Sprintf(`{"wallet_id":"%s","chain_tx_id":"c%d","amount":1,"timestamp":%d}`, wallet, n, at))
				}
			}
			if wallet == "w0" {
				return "<html>"
			}
			return strings.Join(list, ",")
		}}
		client := x.client(t, qredo.WithMaxResponse(20_000))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		given, errs := map[string]int{}, 0
		for e, err := range client.Wallets.Feed(ctx, qredo.WithSince(qredo.Unix(start-1000))) {
			if err != nil {
				require.ErrorIs(t, err, qredo.ErrBadAnswer)
				errs++
				continue
			}
			require.Equal(t, fmt.Sprintf("c%d", given[string(e.WalletID)]), e.ChainTxID)
			given[string(e.WalletID)]++
		}
		require.Equal(t, map[string]int{"w1": 1000, "w2": 1000}, given)
		require.Positive(t, errs)
	})
}
