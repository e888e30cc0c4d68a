package live_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox/internal/live"
)

func TestWhoIsTooSlowIsLeft(t *testing.T) {
	h := live.NewHub()
	h.Tell("nobody", nil)
	slow, quick := h.Listen(), h.Listen()
	for i := range 1000 {
		h.Tell("n", i)
		assert.Equal(t, live.Message{Kind: "n", Item: i}, <-quick.C)
	}
	heard := 0
	for range slow.C {
		heard++
	}
	assert.Less(t, heard, 1000, "and the others have not waited")
	slow.Leave()
	quick.Leave()
	quick.Leave()
	_, open := <-quick.C
	assert.False(t, open)
	h.Tell("nobody", nil)
	late := h.Listen()
	h.Close()
	_, open = <-late.C
	assert.False(t, open)
	_, open = <-h.Listen().C
	assert.False(t, open, "it is closed")
}

// serve serves a hub, and returns what its stream sends, line by line, and when its handler has ended.
func serve(t *testing.T, h *live.Hub, s live.Stream) (lines func() string, ended chan struct{}) {
	t.Helper()
	ended = make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		h.Serve(w, r, s)
	}))
	t.Cleanup(srv.Close)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, nil)
	require.NoError(t, err)
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	assert.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
	scanner := bufio.NewScanner(resp.Body)
	return func() string {
		require.True(t, scanner.Scan(), "%v", scanner.Err())
		return scanner.Text()
	}, ended
}

func TestStreamsTellAndShowThatTheyLive(t *testing.T) {
	h := live.NewHub()
	line, ended := serve(t, h, live.Stream{Every: time.Hour, Patience: time.Minute, Show: func(m live.Message) any {
		if m.Kind == "other" {
			return nil
		}
		return m.Item
	}})
	for _, want := range []string{": live", ""} {
		assert.Equal(t, want, line())
	}
	h.Tell("other", 1)
	h.Tell("mine", map[string]string{"text": "a\nb<script>"})
	for _, want := range []string{"event: mine", `data: {"text":"a\nb\u003cscript\u003e"}`, ""} {
		assert.Equal(t, want, line(), "one line, whatever it says")
	}
	h.Close()
	<-ended
	line, _ = serve(t, live.NewHub(), live.Stream{Every: time.Millisecond, Patience: time.Minute})
	for _, want := range []string{": live", "", ":", "", ":", ""} {
		assert.Equal(t, want, line())
	}
}

func TestStreamsLeaveWhoDoesNotRead(t *testing.T) {
	h := live.NewHub()
	page := make([]byte, 1<<20)
	for i := range page {
		page[i] = 'x'
	}
	_, ended := serve(t, h, live.Stream{Every: time.Hour, Patience: 50 * time.Millisecond, Show: func(m live.Message) any { return m.Item }})
	for range 64 { // more than the connection takes up
		h.Tell("much", string(page))
	}
	select {
	case <-ended:
	case <-t.Context().Done():
	case <-time.After(10 * time.Second):
		t.Fatal("it still waits")
	}
}
