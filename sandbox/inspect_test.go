package sandbox_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

func TestFaultsAreToldWithTheirHits(t *testing.T) {
	srv := startServer(t)
	control := srv.Control()
	ctx := t.Context()
	none, err := control.Faults(ctx)
	require.NoError(t, err)
	assert.Empty(t, none.Rules)
	require.NotEmpty(t, none.Presets)
	for _, preset := range none.Presets {
		require.NoError(t, control.SetFaults(ctx, 1, preset.Rules...), preset.Name)
		assert.NotEmpty(t, preset.Description)
	}
	rules := []sandbox.FaultRule{
		{Kind: sandbox.FaultDelay, Operation: "GET /assets", Rate: 1, Times: 2, Delay: 5 * time.Millisecond},
		{Kind: sandbox.FaultSkewedDate, Rate: 0.125, Skew: -time.Hour},
	}
	require.NoError(t, control.SetFaults(ctx, 7, rules...))
	for range 3 {
		_, err := srv.Client().Assets.List(ctx)
		require.NoError(t, err)
	}
	got, err := control.Faults(ctx)
	require.NoError(t, err)
	assert.EqualValues(t, 7, got.Seed)
	require.Len(t, got.Rules, 2)
	assert.Equal(t, []any{rules[0], 2, "100 % of GET /assets: delay 5ms, 2 times at most"}, []any{got.Rules[0].Rule, got.Rules[0].Hits, got.Rules[0].Text})
	assert.Equal(t, []any{rules[1], "12.5 % of all requests: skewed_date -1h0m0s"}, []any{got.Rules[1].Rule, got.Rules[1].Text})
	wire, err := json.Marshal(got.Rules[0])
	require.NoError(t, err)
	assert.JSONEq(t, `{"kind":"delay","operation":"GET /assets","rate":1,"times":2,"delay_ms":5,"hits":2,"text":"100 % of GET /assets: delay 5ms, 2 times at most"}`, string(wire))
	here, err := srv.Faults()
	require.NoError(t, err)
	assert.Equal(t, here, got)
}

func TestFeedsAreListedAndMetOneByOne(t *testing.T) {
	f := newFed(t)
	own, strange := f.open("/wallets/feed", "own"), f.open("/wallets/feed", "strange")
	control := controlOf(t, f.Sandbox)
	list := func() []sandbox.FeedConnection {
		got, err := control.Feeds(t.Context())
		require.NoError(t, err)
		return got.Feeds
	}
	feeds := list()
	require.Len(t, feeds, 2)
	for i, account := range []string{"default", "stranger"} {
		assert.Equal(t, []any{account, "open", 0, (*time.Time)(nil), f.Now()}, []any{feeds[i].Account, feeds[i].State, feeds[i].Messages, feeds[i].LastAt, feeds[i].Since})
		assert.True(t, strings.HasPrefix(feeds[i].URL, "ws://") && strings.HasSuffix(feeds[i].URL, "/wallets/feed"), feeds[i].URL)
		assert.NotEmpty(t, feeds[i].Key)
	}
	f.credit(f.told, 8)
	assert.Equal(t, "8", own.next().at("amount"))
	require.Eventually(t, func() bool { return list()[0].Messages == 1 }, 5*time.Second, time.Millisecond)
	assert.Contains(t, list()[0].Last, `"amount":`)
	assert.Zero(t, list()[1].Messages)

	require.NoError(t, control.FreezeFeed(t.Context(), feeds[1].ID))
	assert.Equal(t, "frozen", list()[1].State)
	require.NoError(t, control.DropFeed(t.Context(), feeds[0].ID))
	own.ended()
	require.Eventually(t, func() bool { return len(list()) == 1 }, 5*time.Second, time.Millisecond)
	require.ErrorIs(t, control.DropFeed(t.Context(), feeds[0].ID), qredo.ErrNotFound)
	require.ErrorIs(t, control.FreezeFeed(t.Context(), 4711), qredo.ErrNotFound)
	require.NoError(t, control.DelayFeeds(t.Context(), 30*time.Millisecond))
	require.NoError(t, control.DuplicateFeeds(t.Context(), true))
	got, err := f.Feeds()
	require.NoError(t, err)
	assert.Equal(t, []any{int64(30), true}, []any{got.DelayMilliseconds, got.Duplicate})
	n, err := control.DropFeeds(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	strange.ended()
}

func TestOverview(t *testing.T) {
	dir := t.TempDir()
	srv := startServer(t, sandbox.WithStore(dir), sandbox.WithSeed(1<<60+1))
	got, err := srv.Control().Overview(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []any{qredo.Version, uint64(1<<60 + 1), srv.BaseURL(), srv.QAPIBaseURL(), 0, 0}, []any{got.Version, got.Seed, got.BaseURL, got.QAPIBaseURL, got.Waiting, got.Feeds})
	assert.Nil(t, got.NextExpiry)
	assert.Equal(t, dir, got.Store.Dir)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.NotEmpty(t, entries)
	assert.Positive(t, got.Store.Bytes)
	require.NoError(t, srv.Advance(time.Hour))
	require.NoError(t, srv.SetFaults(1, sandbox.FaultRule{Kind: sandbox.FaultServerError, Rate: 1, Times: 1}))
	_, _ = srv.Client().Assets.List(t.Context())
	got, err = srv.Overview()
	require.NoError(t, err)
	assert.Equal(t, []any{int64(3600), 2, int64(1), sandbox.FaultCount{Rules: 1, Hits: 1}}, []any{got.AdvancedSeconds, got.Requests, got.Refused, got.Faults})
	assert.Equal(t, time.Hour, got.Now.Sub(got.Clock).Round(time.Minute))

	f := newFed(t)
	tx := f.transfer(object{"expires": f.in(time.Minute)}).ok().at("tx_id")
	got, err = f.Overview()
	require.NoError(t, err)
	assert.Nil(t, got.Store)
	assert.Equal(t, 1, got.Waiting)
	assert.Equal(t, sandbox.NextExpiry{At: f.Now().Add(time.Minute).UTC(), TxID: qredo.TxID(tx), Type: "transfer"}, *got.NextExpiry)
}
