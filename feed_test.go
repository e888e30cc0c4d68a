package qredo_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// A feed that no service has a method for is followed all the same: as it comes, or read.
func TestFeedOfAnyPath(t *testing.T) {
	messages := []string{`{"n":"7", "text":"a"}`, `null`, `{"n":1.5}`}
	serve := func(t *testing.T) *clienttest.FeedServer {
		return clienttest.ServeFeed(t, func(ctx context.Context, ws *websocket.Conn, connection int) {
			for _, m := range messages {
				_ = ws.Write(ctx, websocket.MessageText, []byte(m))
			}
			if connection > 1 {
				<-ctx.Done()
			}
		})
	}
	t.Run("as it comes", func(t *testing.T) {
		server := serve(t)
		f := clienttest.Follow(t, func(ctx context.Context, opts ...qredo.FeedOption) iter.Seq2[json.RawMessage, error] {
			return qredo.Feed[json.RawMessage](ctx, server.Client, "/new/feed", nil, opts...)
		})
		for range 2 { // connections: repeated events are yielded again
			for _, want := range messages {
				require.Equal(t, want, string(f.Next(t)))
			}
		}
	})
	t.Run("read", func(t *testing.T) {
		type event struct {
			N    int64  `json:"n"`
			Text string `json:"text"`
		}
		server, fills := serve(t), 0
		f := clienttest.Follow(t, func(ctx context.Context, opts ...qredo.FeedOption) iter.Seq2[event, error] {
			return qredo.Feed(ctx, server.Client, "/new/feed", func(context.Context) ([]event, error) {
				if fills++; fills == 1 {
					return nil, errors.New("not now")
				}
				return []event{{N: -1}}, nil
			}, opts...)
		})
		require.Equal(t, event{7, "a"}, f.Next(t), "with the tolerance of the rest; what comes does not wait for what may have been missed")
		require.EqualError(t, f.Reaches(t, qredo.FeedBehind).Err, "not now")
		for range 2 {
			require.ErrorIs(t, f.Failure(t), qredo.ErrBadAnswer)
		}
		f.Reaches(t, qredo.FeedCaughtUp)
		require.Contains(t, []event{f.Next(t), f.Next(t)}, event{N: -1}, "it is given once that can be told")
	})
	t.Run("with keys", func(t *testing.T) {
		server := clienttest.ServeFeed(t, func(ctx context.Context, ws *websocket.Conn, _ int) {
			for _, id := range []string{"a", "b", "a", "a"} {
				_ = ws.Write(ctx, websocket.MessageText, []byte(`{"txID":"`+id+`","status":"s"}`))
			}
			<-ctx.Done()
		})
		known := qredo.WithKnown("a:s", "a:s", "c:s")
		require.Equal(t, []string{"a:s", "a:s", "c:s"}, qredo.KnownKeys(nil, known))
		f := clienttest.Follow(t, func(ctx context.Context, opts ...qredo.FeedOption) iter.Seq2[qredo.SwapEvent, error] {
			return qredo.Feed(ctx, server.Client, "/new/feed", func(context.Context) ([]qredo.SwapEvent, error) {
				return []qredo.SwapEvent{{TxID: "c", Status: "s"}, {TxID: "d", Status: "s"}}, nil
			}, opts...)
		}, known)
		for _, want := range []qredo.TxID{"d", "b", "a"} {
			require.Equal(t, want, f.Next(t).TxID, "what is known is not given again, as often as it is known")
		}
		f.RequireQuiet(t)
	})
	t.Run("a path that cannot be", func(t *testing.T) {
		client := clienttest.NewClient(t, clienttest.RefuseAll(t))
		for path, field := range map[string]string{
			"/{id}/feed": "id", "": "path", "feed": "path", ".example.com/feed": "path", "@example.com/feed": "path", "//example.com/feed": "path",
			"/../feed": "path", "/%2e%2e/feed": "path", "/feed#a": "path", "/%zz": "path", "/feed?a=b c": "path",
		} {
			seen := 0
			for _, err := range qredo.Feed[json.RawMessage](t.Context(), client, path, nil) {
				clienttest.RequireInvalid(t, err, field)
				seen++
			}
			require.Equal(t, 1, seen, path)
		}
	})
	t.Run("a query", func(t *testing.T) {
		asked := ""
		client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
			asked = req.URL.String()
			return clienttest.Answer(req, http.StatusNotFound, "{}"), nil
		}))
		for _, err := range qredo.Feed[json.RawMessage](t.Context(), client, "/feed?since=1", nil) {
			var refusal *qredo.Error
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, "/feed", refusal.Path)
			break
		}
		require.True(t, strings.HasSuffix(asked, "/feed?since=1"), asked)
	})
}

func TestFeedOptionsRefused(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.RefuseAll(t))
	for name, tc := range map[string]struct {
		opt   qredo.FeedOption
		field string
	}{
		"no ping":                    {qredo.WithPing(0), "ping"},
		"no pause":                   {qredo.WithBackoff(0, time.Second), "backoff"},
		"longest below the shortest": {qredo.WithBackoff(time.Second, time.Millisecond), "backoff"},
		"nobody told":                {qredo.WithFeedState(nil), "feed state"},
		"no keys":                    {qredo.WithKnown("7"), "known"},
		"never filled":               {qredo.WithFillEvery(0), "fill every"},
		"a history's beginning":      {qredo.WithSince(qredo.Unix(1_700_000_000)), "since"},
		"wallets":                    {qredo.WithWallets(clienttest.WalletID), "wallets"},
	} {
		t.Run(name, func(t *testing.T) {
			given := 0
			for _, refused := range []func(func(error) bool){
				errorsOf(client.Swaps.Feed(t.Context(), nil, tc.opt)), errorsOf(client.CoreClients.Feed(t.Context(), clienttest.CoreID, tc.opt)),
				errorsOf(client.SigningAgent.Feed(t.Context(), tc.opt)), errorsOf(qredo.Feed[json.RawMessage](t.Context(), client, "/x", nil, tc.opt)),
			} {
				for err := range refused {
					given++
					clienttest.RequireInvalid(t, err, tc.field)
				}
			}
			require.Equal(t, 4, given)
		})
	}
}

// errorsOf are what a feed yields, as errors.
func errorsOf[E any](feed iter.Seq2[E, error]) func(func(error) bool) {
	return func(yield func(error) bool) {
		for _, err := range feed {
			if !yield(err) {
				return
			}
		}
	}
}

// Unless told otherwise the first pause is 250 ms at most, each further one twice the one before at most, and none
// longer than 30 s.
func TestFeedPausesByDefault(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		var dials []time.Time
		client := clienttest.NewQuickClient(t, clienttest.NotingDials(&dials, clienttest.Failing(clienttest.ErrRefused)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		for _, err := range client.Swaps.Feed(ctx) {
			require.Fail(t, "nothing is given while there is no connection", "%v", err)
		}
		longest, most := time.Duration(0), 250*time.Millisecond
		for i := 1; i < len(dials); i++ {
			pause := dials[i].Sub(dials[i-1])
			require.LessOrEqual(t, pause, most, "pause %d", i)
			most, longest = min(2*most, 30*time.Second), max(longest, pause)
		}
		assert.Greater(t, longest, 20*time.Second, "in an hour of them one comes near to 30 s")
		assert.Greater(t, len(dials), 120)
	})
}
