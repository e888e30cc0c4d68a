package sandbox_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

func TestNewControlRefusesWhatIsNoURL(t *testing.T) {
	for _, bad := range []string{"", "127.0.0.1:80", "/sandbox", "http://", "http://a b", "://"} {
		_, err := sandbox.NewControl(bad)
		require.Error(t, err, bad)
	}
}

func TestControlTellsWhatWentWrong(t *testing.T) {
	srv := httptest.NewServer(nil)
	c, err := sandbox.NewControl(srv.URL)
	require.NoError(t, err)
	_, err = c.State(t.Context())
	require.ErrorContains(t, err, "404")
	require.ErrorContains(t, err, "/sandbox/v1/state")
	srv.Close()
	require.Error(t, c.Reset(t.Context()), "a server that is gone")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, c.Reset(ctx), context.Canceled)
}

func TestControlFeedsAndUsers(t *testing.T) {
	srv, err := sandbox.Start()
	require.NoError(t, err)
	defer srv.Close()
	control := srv.Control()
	control.HTTPClient = nil
	for _, count := range []func() (int, error){
		func() (int, error) { return control.DropFeeds(t.Context()) },
		func() (int, error) { return control.FreezeFeeds(t.Context()) },
	} {
		n, err := count()
		require.NoError(t, err)
		assert.Zero(t, n)
	}
	require.NoError(t, control.DelayFeeds(t.Context(), 5*time.Millisecond))
	require.NoError(t, control.DuplicateFeeds(t.Context(), true))
	require.NoError(t, control.DuplicateFeeds(t.Context(), false))
}

func TestControlTellsTheAssets(t *testing.T) {
	srv, err := sandbox.Start(sandbox.WithTestnetOnly())
	require.NoError(t, err)
	defer srv.Close()
	kept, err := srv.Control().Assets(t.Context())
	require.NoError(t, err)
	offered, err := srv.Client().Assets.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, offered, kept, "as the Partner API has them")
	assert.Equal(t, kept, srv.Assets())
	kept = srv.Assets()
	kept[0].Code = "changed"
	assert.Equal(t, offered, srv.Assets(), "the caller's own list")
}
