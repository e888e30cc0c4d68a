package qredo_test

import (
	"context"
	"iter"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// robotFeed is the feed of the world's robot, through a client.
func (w *world) robotFeed(client *qredo.Client) func(context.Context, ...qredo.FeedOption) iter.Seq2[qredo.Action, error] {
	return func(ctx context.Context, opts ...qredo.FeedOption) iter.Seq2[qredo.Action, error] {
		return client.CoreClients.Feed(ctx, w.robot.ID, opts...)
	}
}

// asked makes transfers and returns the IDs of the actions that they ask the robot for.
func (w *world) asked(t *testing.T, transfers int) map[qredo.ActionID]bool {
	t.Helper()
	ids := map[qredo.ActionID]bool{}
	for range transfers {
		ids[w.actionOf(t, w.send(t, 1000))] = true
	}
	return ids
}

func TestActionFeed(t *testing.T) {
	w := newWorld(t)
	before := w.asked(t, 3)
	f := follow(t, w.robotFeed(w.client))
	for range 3 {
		event := f.next(t)
		require.Contains(t, before, event.ID, "what is pending comes first")
		delete(before, event.ID)
		event.ID = ""
		require.Equal(t, qredo.Action{
			CoreClientID: w.robot.ID, Type: qredo.ActionTransfer, Status: qredo.ApprovalPending, Created: event.Created, Expires: event.Expires,
		}, event)
		require.NotZero(t, event.Expires)
	}
	for range 3 {
		id := w.actionOf(t, w.send(t, 1000))
		require.Equal(t, id, f.next(t).ID, "then what is new")
	}
	f.requireQuiet(t)
}

// Whatever is done to the connection, each action comes once.
func TestActionFeedLosesNothing(t *testing.T) {
	for name, disturb := range map[string]func(t *testing.T, srv *sandbox.Server, f *follower[qredo.Action]){
		"nothing":  func(*testing.T, *sandbox.Server, *follower[qredo.Action]) {},
		"repeated": func(_ *testing.T, srv *sandbox.Server, _ *follower[qredo.Action]) { srv.DuplicateFeeds(true) },
		"delayed": func(_ *testing.T, srv *sandbox.Server, _ *follower[qredo.Action]) {
			srv.DelayFeeds(20 * time.Millisecond)
		},
		"dropped": func(_ *testing.T, srv *sandbox.Server, _ *follower[qredo.Action]) { srv.DropFeeds() },
		"frozen":  func(_ *testing.T, srv *sandbox.Server, _ *follower[qredo.Action]) { srv.FreezeFeeds() },
		"dropped and back before": func(t *testing.T, srv *sandbox.Server, f *follower[qredo.Action]) {
			srv.DropFeeds()
			f.reaches(t, qredo.FeedLost)
			f.reaches(t, qredo.FeedCaughtUp)
		},
		"all of it": func(_ *testing.T, srv *sandbox.Server, _ *follower[qredo.Action]) {
			srv.DuplicateFeeds(true)
			srv.DelayFeeds(time.Millisecond)
			srv.FreezeFeeds()
			srv.DropFeeds()
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			f := follow(t, w.robotFeed(w.client), qredo.WithPing(50*time.Millisecond))
			f.reaches(t, qredo.FeedCaughtUp)
			asked := w.asked(t, 3)
			disturb(t, w.srv, f)
			for id := range w.asked(t, 3) {
				asked[id] = true
			}
			require.Len(t, asked, 6)
			for range 6 {
				id := f.next(t).ID
				require.Contains(t, asked, id)
				delete(asked, id)
			}
			last := w.actionOf(t, w.send(t, 1000))
			require.Equal(t, last, f.next(t).ID)
			f.requireQuiet(t)
		})
	}
}

// What happened while the feed could not connect is filled in: what ended meanwhile is not asked for.
func TestActionFeedFillsGaps(t *testing.T) {
	w := newWorld(t)
	client, closed := w.barrier()
	f := follow(t, w.robotFeed(client))
	kept := w.actionOf(t, w.send(t, 1000))
	require.Equal(t, kept, f.next(t).ID)

	closed.Store(true)
	w.srv.DropFeeds()
	f.reaches(t, qredo.FeedLost)
	w.approve(t, w.send(t, 1000))
	missed := w.actionOf(t, w.send(t, 1000))
	require.NoError(t, w.client.CoreClients.Approve(t.Context(), w.robot.ID, kept))
	closed.Store(false)
	require.Equal(t, missed, f.next(t).ID)
	f.reaches(t, qredo.FeedCaughtUp)
	require.Equal(t, w.actionOf(t, w.send(t, 1000)), f.next(t).ID)
	f.requireQuiet(t)
}

func TestFeedStates(t *testing.T) {
	w := newWorld(t)
	w.asked(t, 1)
	f := follow(t, w.robotFeed(w.client))
	var got []qredo.FeedStatus
	take := func(n int) {
		for range n {
			state := receive(t, f.states, "state")
			got = append(got, state.Status)
			require.Equal(t, state.Status == qredo.FeedLost, state.Err != nil)
		}
	}
	take(2)
	w.srv.DropFeeds()
	take(3)
	w.srv.DropFeeds()
	take(3)
	f.stop()
	require.Empty(t, f.states, "an end that was asked for is no loss")
	require.Equal(t, []qredo.FeedStatus{
		qredo.FeedConnected, qredo.FeedCaughtUp, qredo.FeedLost, qredo.FeedConnected, qredo.FeedCaughtUp,
		qredo.FeedLost, qredo.FeedConnected, qredo.FeedCaughtUp,
	}, got)
}

// A connection that is open and dead is noticed within two periods.
func TestHalfOpenConnectionIsNoticed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const period = time.Second
	f := follow(t, w.robotFeed(w.client), qredo.WithPing(period))
	for range 3 {
		f.reaches(t, qredo.FeedCaughtUp)
		frozen := time.Now()
		w.srv.FreezeFeeds()
		lost := f.reaches(t, qredo.FeedLost)
		require.ErrorContains(t, lost.Err, "no answer to a ping")
		assert.Less(t, time.Since(frozen), 2*period)
	}
}

// Two loops over one feed are two feeds.
func TestFeedIsRangedOverTwice(t *testing.T) {
	w := newWorld(t)
	asked := w.asked(t, 1)
	feed := w.client.CoreClients.Feed(within(t, patience), w.robot.ID)
	for range 2 {
		count := 0
		for action, err := range feed {
			require.NoError(t, err)
			require.Contains(t, asked, action.ID)
			count++
			break
		}
		require.Equal(t, 1, count)
	}
}

// However a feed ends, nothing of it goes on.
func TestFeedLeavesNothingBehind(t *testing.T) {
	w := newWorld(t)
	w.asked(t, 3)
	for name, end := range map[string]func(ctx context.Context, cancel func(), programs *qredo.CoreClientsService){
		"break": func(ctx context.Context, _ func(), programs *qredo.CoreClientsService) {
			for _, err := range programs.Feed(ctx, w.robot.ID) {
				require.NoError(t, err)
				break
			}
		},
		"cancel in the loop": func(ctx context.Context, cancel func(), programs *qredo.CoreClientsService) {
			for _, err := range programs.Feed(ctx, w.robot.ID) {
				require.NoError(t, err)
				cancel()
			}
		},
		"break in an error": func(ctx context.Context, _ func(), programs *qredo.CoreClientsService) {
			for _, err := range programs.Feed(ctx, "nobody") {
				require.ErrorIs(t, err, qredo.ErrNotFound)
				break
			}
		},
		"panic": func(ctx context.Context, _ func(), programs *qredo.CoreClientsService) {
			defer func() { require.Equal(t, "the consumer", recover()) }()
			for _, err := range programs.Feed(ctx, w.robot.ID) {
				require.NoError(t, err)
				panic("the consumer")
			}
		},
		"lost connections": func(ctx context.Context, _ func(), programs *qredo.CoreClientsService) {
			lost := 0
			for _, err := range programs.Feed(ctx, w.robot.ID, qredo.WithBackoff(1, 1), qredo.WithFeedState(func(s qredo.FeedState) {
				if s.Status == qredo.FeedCaughtUp && lost < 5 {
					lost++
					w.srv.DropFeeds()
					w.send(t, 1000)
				}
			})) {
				require.NoError(t, err)
				if lost == 5 {
					break
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			before := goleak.IgnoreCurrent()
			transport := &http.Transport{}
			client := w.srv.Client(qredo.WithHTTPClient(&http.Client{Transport: transport}))
			end(ctx, cancel, client.CoreClients)
			transport.CloseIdleConnections()
			goleak.VerifyNone(t, before)
		})
	}
}
