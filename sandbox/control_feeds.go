package sandbox

import (
	"context"
	"net/http"
	"time"
)

// DropFeeds cuts all feed connections: see [Sandbox.DropFeeds].
func (c *Control) DropFeeds(ctx context.Context) (int, error) { return c.feeds(ctx, "drop") }

// FreezeFeeds lets no more bytes through the feed connections that there are: see [Sandbox.FreezeFeeds].
func (c *Control) FreezeFeeds(ctx context.Context) (int, error) { return c.feeds(ctx, "freeze") }

func (c *Control) feeds(ctx context.Context, verb string) (int, error) {
	var met connections
	err := c.do(ctx, http.MethodPost, nil, &met, "feeds", verb)
	return met.Connections, err
}

// DelayFeeds lets each feed message wait, by whole milliseconds: see [Sandbox.DelayFeeds].
func (c *Control) DelayFeeds(ctx context.Context, by time.Duration) error {
	return c.do(ctx, http.MethodPost, map[string]any{"milliseconds": by.Milliseconds()}, nil, "feeds", "delay")
}

// DuplicateFeeds sends each feed message twice, or no longer: see [Sandbox.DuplicateFeeds].
func (c *Control) DuplicateFeeds(ctx context.Context, on bool) error {
	return c.do(ctx, http.MethodPost, map[string]any{"on": on}, nil, "feeds", "duplicate")
}
