package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/visible"
)

func (a *app) listenCommand() *cobra.Command {
	var api string
	var count int
	var quiet bool
	return a.command(command{
		use: "listen URL", short: "Print a feed's raw messages as they arrive",
		long: `Connects to a WebSocket feed and prints its messages as they arrive, a line each, until it is interrupted. It
reconnects if the connection is lost; a message may then come twice. "qredo wallet feed", "qredo hub feed", "qredo agent
feed" and "qredo qapi feed" print each event once.

Give the full URL (wss://…) or the feed's path: /wallets/feed, /liquidityhub/feed, /coreclient/ID/feed, or, with --api
qapi, /transactions/feed.`,
		example: `qredo listen /wallets/feed
			qredo listen wss://api.qredo.network/api/v1/p/coreclient/ID/feed
			qredo listen --api qapi /transactions/feed --count 1`,
		flags: func(f *flagSet) {
			f.StringVar(&api, "api", apiPartner, "partner or qapi")
			f.IntVar(&count, "count", 0, "stop after this many messages; 0 for no limit")
			f.BoolVarP(&quiet, "quiet", "q", false, "do not report when the connection is made or lost")
		},
		check: func() error { return oneOf("api", api, apiPartner, apiQAPI) },
		run: func(ctx context.Context, args []string) error {
			client, path, err := a.feedClient(api, args[0])
			if err != nil {
				return err
			}
			say := qredo.WithFeedState(func(s qredo.FeedState) {
				switch {
				case quiet || s.Status == qredo.FeedCaughtUp:
				case s.Err != nil:
					fmt.Fprintf(a.err, "%s: %s\n", s.Status, plain(s.Err.Error()))
				default:
					fmt.Fprintf(a.err, "%s\n", s.Status)
				}
			})
			messages := qredo.Feed[json.RawMessage](ctx, client, path, nil, say)
			return eachOf(ctx, messages, count, func(message json.RawMessage) error {
				_, _ = a.out.Write(append(visible.JSON(message), '\n'))
				return a.out.Flush()
			})
		},
	})
}

// feedClient returns a client for a feed's URL, and the feed's path below its base URL.
func (a *app) feedClient(api, feed string) (*qredo.Client, string, error) {
	r := requestFlags{api: api}
	base, err := r.base(a)
	path := feed
	if !strings.HasPrefix(feed, "/") {
		u, bad := url.Parse(feed)
		if bad != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			return nil, "", usagef("a feed's URL must be a full URL without a query, or a path")
		}
		switch u.Scheme {
		case "ws", "wss":
			u.Scheme = "http" + strings.TrimPrefix(u.Scheme, "ws")
		case "http", "https":
		default:
			return nil, "", usagef("a feed's URL begins with wss://, not %s://", u.Scheme)
		}
		path = u.EscapedPath()
		base, err = setting{value: u.Scheme + "://" + u.Host, source: "the URL"}, nil
	}
	if err != nil {
		return nil, "", err
	}
	auth, err := r.authenticator(a)
	if err != nil {
		return nil, "", err
	}
	client, err := a.newClient(auth, base)
	return client, path, err
}
