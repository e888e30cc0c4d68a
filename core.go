package qredo

import (
	"context"
	"time"

	"github.com/qredo-go/qredo/internal/core"
)

func init() {
	core.PollInterval = func(opts any) time.Duration { return newCallOptions(opts.([]CallOption)).pollInterval }
	core.Feed = func(ctx context.Context, client any, path string, options any, fill func(context.Context) ([]core.Message, error), yield func(core.Message, error) bool) {
		known, err := newFeedOptions(options.([]FeedOption))
		if err != nil {
			yield(core.Message{}, err)
			return
		}
		f := feed[core.Message]{
			client: client.(*Client), path: path, feedOptions: known, fill: fill,
			fresh: func(core.Message) bool { return true },
		}
		f.run(ctx, yield)
	}
}
