package qredo

import (
	"context"

	"github.com/qredo-go/qredo/internal/core"
)

func init() {
	core.FromEnv = fromEnv
	core.Call = func(ctx context.Context, client any, r core.Request, out, opts any) error {
		op := api(r.Endpoint, r.IDs...).where(r.Query).with(r.Body)
		op.repeatable = op.repeatable || r.Repeatable
		return client.(*Client).run(ctx, op, out, opts.([]CallOption))
	}
	core.Poll = func(ctx context.Context, opts any, look func() (string, error)) error {
		return poll(ctx, opts.([]CallOption), look)
	}
	core.Feed = func(ctx context.Context, client any, path string, options any, fill func(context.Context) ([]core.Message, error), yield func(core.Message, error) bool) {
		events(ctx, client.(*Client), path, nil, options.([]FeedOption), func(f *feed[core.Message]) {
			f.fill, f.fresh = fill, func(core.Message) bool { return true }
		})(yield)
	}
}
