package signingagent_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/signingagent"
)

// Each action comes once, although the old program sends it again after each of its connections and of ours.
func TestClientFeedGivesEachActionOnce(t *testing.T) {
	for _, release := range []string{december, august} {
		t.Run(release, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			t.Cleanup(func() { goleak.VerifyNone(t, before) })
			old := newOldProgram(t, release)
			old.name = "agent"
			client := old.serve(t)
			f := clienttest.Follow(t, client.Feed)
			f.Reaches(t, qredo.FeedConnected)
			old.tell("a")
			old.tell("b")
			require.EqualValues(t, "a", f.Next(t).ID)
			require.Equal(t, qredo.Action{
				ID: "b", CoreClientID: oldID, Type: qredo.ActionTransfer, Status: qredo.ApprovalPending, Created: qredo.Unix(1700000000), Expires: qredo.Unix(4000000000),
			}, f.Next(t))
			old.tell("a") // the agent's own connection was lost
			old.drop("OPEN")
			f.Reaches(t, qredo.FeedLost)
			f.Reaches(t, qredo.FeedConnected)
			old.raw("what is no action")
			require.ErrorIs(t, f.Failure(t), qredo.ErrBadAnswer)
			old.tell("a", "approved")
			require.Equal(t, qredo.ApprovalApproved, f.Next(t).Status, "another status is another event")
			old.tell("a")
			old.raw(`{"id": "Action if needed"}`)
			require.EqualValues(t, "Action if needed", f.Next(t).ID)
			old.tell("c")
			require.EqualValues(t, "c", f.Next(t).ID)
			f.RequireQuiet(t)
			old.drop("CLOSED")
		})
	}
}

// A feed that goes on where an earlier one has ended gives nothing that that one gave.
func TestClientFeedGoesOn(t *testing.T) {
	old := newOldProgram(t, august)
	old.name = "agent"
	old.tell("a")
	old.tell("b")
	client := old.serve(t)
	f := clienttest.Follow(t, client.Feed, qredo.WithKnown("a:pending", "x:approved"))
	require.EqualValues(t, "b", f.Next(t).ID)
	old.tell("a")
	old.tell("c")
	require.EqualValues(t, "c", f.Next(t).ID)
	f.RequireQuiet(t)

	for _, key := range []string{"a", ":pending", "a:"} {
		clienttest.RequireInvalid(t, clienttest.Drain(client.Feed(t.Context(), qredo.WithKnown(key))), "known")
	}
	clienttest.RequireInvalid(t, clienttest.Drain(client.Feed(t.Context(), qredo.WithPing(0))), "ping")
}

// Whether something may be missing is reported: it depends on what the agent sends again.
func TestClientFeedTellsOfGaps(t *testing.T) {
	for name, tc := range map[string]struct {
		release string
		auto    bool
		gap     bool
	}{
		"N22": {november, false, true}, "A22": {december, false, true},
		"A23": {august, false, false}, "A23 that approves by itself": {august, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			old := newOldProgram(t, tc.release)
			old.name, old.auto = "agent", tc.auto
			old.tell("before")
			f := clienttest.Follow(t, old.serve(t).Feed)
			if tc.gap {
				require.ErrorIs(t, f.Reaches(t, qredo.FeedBehind).Err, signingagent.ErrFeedGap)
			} else {
				require.EqualValues(t, "before", f.Next(t).ID)
				f.Reaches(t, qredo.FeedCaughtUp)
			}
			f.Stop()
			for len(f.States) > 0 {
				require.False(t, tc.gap && (<-f.States).Status == qredo.FeedCaughtUp)
			}
		})
	}
}

// An agent that has lost the service closes the feed and answers upgrades with an empty success. This is reported as a
// state for as long as it lasts, not as an error: when the agent is restarted, the feed goes on.
func TestClientFeedOfAnAgentThatIsNotConnected(t *testing.T) {
	old := newOldProgram(t, august)
	old.name, old.state = "agent", "CLOSED"
	f := clienttest.Follow(t, old.serve(t).Feed, qredo.WithFillEvery(20*time.Millisecond))
	require.ErrorIs(t, f.Reaches(t, qredo.FeedLost).Err, signingagent.ErrNotConnected)
	behind := f.Reaches(t, qredo.FeedBehind).Err
	require.ErrorIs(t, behind, signingagent.ErrNotConnected)
	require.ErrorContains(t, behind, "CLOSED")
	old.tell("a")
	old.set(func() { old.state = "OPEN" })
	require.EqualValues(t, "a", f.Next(t).ID)
	f.Reaches(t, qredo.FeedCaughtUp)
	old.drop("CLOSED")
	f.Reaches(t, qredo.FeedLost)
	require.ErrorIs(t, f.Reaches(t, qredo.FeedBehind).Err, signingagent.ErrNotConnected)
	f.RequireQuiet(t)
}

// It is reported for as long as it lasts.
func TestClientFeedTellsOfItAgain(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		for _, body := range []string{"", "{\"Code\":200,\"Msg\":\"OK\"}\n"} {
			told := 0
			feed := through(t, clienttest.AnswerWith(200, body)).Feed(t.Context(), qredo.WithGiveUp(10*time.Minute), qredo.WithFeedState(func(s qredo.FeedState) {
				if errors.Is(s.Err, signingagent.ErrNotConnected) {
					told++
				}
			}))
			err := clienttest.Drain(feed)
			require.ErrorIs(t, err, signingagent.ErrNotConnected)
			require.ErrorContains(t, err, "not connected for 10m0s")
			assert.InDelta(t, 10, told, 4)
		}
	})
}

// A feed that is refused, or a response that is not a feed, is reported as an error.
func TestClientFeedThatIsRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		is     error
	}{
		"no token":       {401, said(401, "token"), qredo.ErrUnauthorized},
		"another path":   {404, "404 page not found", qredo.ErrNotFound},
		"another origin": {403, "Forbidden", qredo.ErrForbidden},
		"a page":         {200, "<html>welcome</html>", qredo.ErrBadAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			f := clienttest.Follow(t, through(t, clienttest.AnswerWith(tc.status, tc.body)).Feed)
			for {
				err := f.Failure(t)
				require.ErrorAs(t, err, new(*signingagent.AgentError))
				if errors.Is(err, tc.is) {
					break
				}
			}
			f.Stop()
		})
	}
}

// With a client of the service nothing is missed, whatever the agent does.
func TestClientFeedAsksTheService(t *testing.T) {
	old := newOldProgram(t, december)
	old.name = "agent"
	var mu sync.Mutex
	pending := []string{pendingFrame("a"), pendingFrame("old", "expired")}
	service := clienttest.NewQuickClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
		assert.True(t, strings.HasSuffix(req.URL.Path, "/coreclient/"+oldID+"/actions"), "%s", req.URL)
		mu.Lock()
		defer mu.Unlock()
		return clienttest.Answer(req, 200, fmt.Sprintf(`{"actions":[%s]}`, strings.Join(pending, ","))), nil
	}))
	f := clienttest.Follow(t, old.serve(t, signingagent.WithServiceClient(service)).Feed, qredo.WithFillEvery(20*time.Millisecond))
	require.EqualValues(t, "a", f.Next(t).ID)
	f.Reaches(t, qredo.FeedCaughtUp)
	old.tell("a")
	mu.Lock()
	pending = append(pending, pendingFrame("b"))
	mu.Unlock()
	old.drop("CLOSED")
	require.EqualValues(t, "b", f.Next(t).ID, "although the agent is not connected")
	require.ErrorIs(t, f.Reaches(t, qredo.FeedBehind).Err, signingagent.ErrNotConnected)
	f.RequireQuiet(t)
}

// The old program answers no ping. Its own show that the connection lives, and only when they stop it is lost.
func TestClientFeedLivesByTheAgentsPings(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		old := newOldProgram(t, august)
		old.name = "agent"
		relay := clienttest.NewRelay(t)
		server := &http.Server{Handler: old, ReadHeaderTimeout: time.Minute}
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = server.Serve(relay)
		}()
		transport := &http.Transport{DialContext: relay.Dial}
		t.Cleanup(func() {
			transport.CloseIdleConnections()
			_ = server.Close()
			<-served
		})
		client := through(t, transport)
		start := time.Now()
		var lost []time.Duration
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
		defer cancel()
		time.AfterFunc(time.Hour, func() { close(old.silent) })
		for _, err := range client.Feed(ctx, qredo.WithFeedState(func(s qredo.FeedState) {
			if s.Status == qredo.FeedLost {
				lost = append(lost, time.Since(start))
				cancel()
			}
		})) {
			require.NoError(t, err)
		}
		require.Len(t, lost, 1)
		assert.Greater(t, lost[0], time.Hour, "it lived while it pinged")
		assert.LessOrEqual(t, lost[0], time.Hour+time.Minute, "and was lost within two periods")
		old.drop("CLOSED")
	})
}
