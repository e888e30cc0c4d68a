package bench

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// BenchmarkSandboxFeeds is what a change costs that 5,000 feeds which are connected have nothing to do with: they are another
// account's.
func BenchmarkSandboxFeeds(b *testing.B) {
	const feeds = 5000
	srv, err := sandbox.Start(sandbox.WithAccountKey("other", "other", &key.PublicKey))
	check(b, err)
	defer srv.Close()
	auth, err := qredo.NewRSAAuth("other", key)
	check(b, err)
	target := srv.BaseURL() + "/wallets/feed"
	feedURL := "ws" + strings.TrimPrefix(target, "http")
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, feedURL, nil)
	check(b, err)
	check(b, auth.Authenticate(req, nil, time.Now()))
	for range feeds {
		conn, _, err := websocket.Dial(b.Context(), feedURL, &websocket.DialOptions{HTTPHeader: req.Header})
		check(b, err)
		defer func() { _ = conn.CloseNow() }()
	}
	user := 0
	for b.Loop() {
		user++
		_, err := srv.CreateUser(sandbox.User{Email: strings.Repeat("a", user%50+1) + time.Now().Format("150405.000000000") + "@example.com"})
		check(b, err)
	}
}
