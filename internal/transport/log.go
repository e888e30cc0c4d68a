package transport

import (
	"log/slog"
	"time"
)

// logLink logs each attempt. It sees the request before authentication, and logs neither headers nor bodies, so no secret
// can get into the log.
type logLink struct {
	log  *slog.Logger
	next Link
}

func (l logLink) Send(req *Request) Result {
	start := time.Now()
	res := l.next.Send(req)
	ctx := req.HTTP.Context()
	if !l.log.Enabled(ctx, slog.LevelWarn) {
		return res
	}
	attrs := []slog.Attr{
		slog.String("operation", req.Operation), slog.String("method", req.HTTP.Method), slog.String("path", req.Path), slog.Duration("took", time.Since(start)),
	}
	level := slog.LevelDebug
	if !res.OK {
		level = slog.LevelWarn
	}
	if res.Answer != nil {
		attrs = append(attrs, slog.Int("status", res.Answer.StatusCode))
	}
	if res.Err != nil {
		attrs = append(attrs, slog.String("error", res.Err.Error()))
	}
	l.log.LogAttrs(ctx, level, "qredo call", attrs...)
	return res
}
