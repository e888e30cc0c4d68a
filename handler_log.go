package qredo

import (
	"log/slog"
	"time"
)

// logHandler logs each attempt. It sees the request before it is authenticated, and logs no header and
// no body, so that no secret can get into the log.
type logHandler struct {
	log  *slog.Logger
	next handler
}

func (h logHandler) handle(x *exchange) (*Response, error) {
	start := time.Now()
	resp, err := h.next.handle(x)
	if !h.log.Enabled(x.req.Context(), slog.LevelWarn) {
		return resp, err
	}
	attrs := []slog.Attr{
		slog.String("method", x.req.Method), slog.String("path", x.path), slog.Duration("took", time.Since(start)),
	}
	level := slog.LevelDebug
	if resp != nil {
		attrs = append(attrs, slog.Int("status", resp.StatusCode))
		if resp.StatusCode < 200 || resp.StatusCode > 299 {
			level = slog.LevelWarn
		}
	}
	if err != nil {
		attrs, level = append(attrs, slog.String("error", err.Error())), slog.LevelWarn
	}
	h.log.LogAttrs(x.req.Context(), level, "qredo call", attrs...)
	return resp, err
}
