package serve_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// userFeed gives the e-mails of users who were made since.
func userFeed(_ *serve.Request, v *world.View) (serve.Feed, error) {
	next := len(v.Users())
	return func(v *world.View) []any {
		var messages []any
		for _, u := range v.Users()[min(next, len(v.Users())):] {
			messages = append(messages, u.Email)
		}
		next = len(v.Users())
		return messages
	}, nil
}

// newFeed makes a world that tells feeds of changes, and connects one.
func newFeed(t *testing.T) (*world.World, *serve.Feeds, func() (string, error)) {
	t.Helper()
	feeds := serve.NewFeeds(func() {})
	w, err := world.New(world.Config{Clock: time.Now, Changed: func(world.Changes) { feeds.Tell(map[string]bool{"": true}) }})
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		feeds.Serve(out, r, w, &serve.Request{}, userFeed, serve.FeedInfo{}, func() {})
	}))
	t.Cleanup(server.Close)
	t.Cleanup(feeds.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	conn, resp, err := clienttest.DialWebSocket(ctx, server.URL, nil)
	require.NoError(t, err)
	if resp.Body != nil {
		t.Cleanup(func() { _ = resp.Body.Close() })
	}
	return w, feeds, func() (string, error) {
		_, data, err := conn.Read(ctx)
		return string(data), err
	}
}

func createUser(t *testing.T, w *world.World, email string) {
	t.Helper()
	require.NoError(t, w.Update(func(u *world.Update) error {
		_, err := u.CreateUser(world.Person{Email: email})
		return err
	}))
}

func TestFeedTellsWhatHappensFromItsPlaceOn(t *testing.T) {
	w, feeds, read := newFeed(t)
	createUser(t, w, "alice@example.com")
	got, err := read()
	require.NoError(t, err)
	assert.Equal(t, `"alice@example.com"`, got)
	feeds.Duplicate(true)
	createUser(t, w, "bob@example.com")
	for range 2 {
		got, err = read()
		require.NoError(t, err)
		assert.Equal(t, `"bob@example.com"`, got)
	}
	assert.Equal(t, 1, feeds.Drop())
	_, err = read()
	require.Error(t, err)
}

// A feed whose log is gone must end: its place would be one in another log.
func TestFeedEndsWithItsLog(t *testing.T) {
	w, _, read := newFeed(t)
	createUser(t, w, "alice@example.com")
	_, err := read()
	require.NoError(t, err)
	require.NoError(t, w.Reset())
	createUser(t, w, "bob@example.com")
	createUser(t, w, "carol@example.com")
	got, err := read()
	require.Error(t, err, "%s", got)
	require.NotErrorIs(t, err, context.DeadlineExceeded)
}

func TestFeedIsAWebSocket(t *testing.T) {
	w := httptest.NewRecorder()
	serve.NewFeeds(func() {}).Serve(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/feed", nil), newWorld(t), &serve.Request{}, userFeed, serve.FeedInfo{}, func() {})
	assert.Equal(t, http.StatusUpgradeRequired, w.Code)
}
