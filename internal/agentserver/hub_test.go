package agentserver_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/agentserver"
)

var hubTime = time.Unix(1_700_000_000, 0)

// pending is a frame as the service sends it, with blanks that must stay.
func pending(id string, seconds int64) string {
	return fmt.Sprintf(`{"id":"%s", "coreClientID":"c","type":"ApproveTransfer","status":"pending","timestamp":1700000000,"expireTime":%d}`, id, hubTime.Unix()+seconds)
}

// drain returns what a subscriber gets now.
func drain(t *testing.T, s *agentserver.Subscriber) (frames []string) {
	t.Helper()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for {
		frame, err := s.Next(over)
		if err != nil {
			return frames
		}
		frames = append(frames, string(frame))
	}
}

func subscribe(t *testing.T, h *agentserver.Hub) *agentserver.Subscriber {
	t.Helper()
	s, ok := h.Subscribe()
	require.True(t, ok)
	return s
}

func TestHubReplaysWhatIsPending(t *testing.T) {
	now := hubTime
	h := agentserver.NewHub(func() time.Time { return now })
	early := subscribe(t, h)
	sent := []string{pending("a", 60), pending("b", 10), pending("c", 60), pending("d", 60), `{"id": "Action if needed"}`, pending("a", 90), "[1]", strings.Replace(pending("d", 60), "pending", "approved", 1)}
	for _, frame := range sent {
		h.Publish([]byte(frame))
	}
	require.Equal(t, sent, drain(t, early), "all, as they came")
	h.Decided("c")
	h.Decided("unknown")
	require.Equal(t, []string{pending("b", 10), pending("a", 90)}, drain(t, subscribe(t, h)), "what is pending, each once, the oldest first")
	now = now.Add(10 * time.Second)
	require.Equal(t, []string{pending("a", 90)}, drain(t, subscribe(t, h)), "what has expired is not")
	require.Empty(t, drain(t, early))
	h.Reset()
	require.Empty(t, drain(t, subscribe(t, h)))
}

// A subscriber that does not read loses no action that is still pending when it reads again, and holds up nobody.
func TestHubSlowSubscriber(t *testing.T) {
	h := agentserver.NewHub(func() time.Time { return hubTime })
	slow, quick := subscribe(t, h), subscribe(t, h)
	require.Empty(t, drain(t, slow))
	const actions = 3000
	for i := range actions {
		h.Publish([]byte(pending(fmt.Sprint(i), 60)))
		require.Len(t, drain(t, quick), 1)
		if i%2 == 0 {
			h.Decided(agentID(i))
		}
	}
	got := drain(t, slow)
	require.Len(t, got, actions/2)
	for i, frame := range got {
		require.Equal(t, pending(fmt.Sprint(2*i+1), 60), frame)
	}
	// More arrives while it reads what was pending: it makes progress all the same.
	late := subscribe(t, h)
	for i := range 200 {
		_, err := late.Next(t.Context())
		require.NoError(t, err)
		h.Publish([]byte(pending(fmt.Sprint("new", i), 60)))
	}
	require.Len(t, drain(t, late), actions/2)
	slow.Leave()
	h.Publish([]byte("1"))
	require.Zero(t, len(drain(t, slow)), "who has left is given nothing") //nolint:testifylint // it prints what there is
}

func TestHubIsBounded(t *testing.T) {
	h := agentserver.NewHub(func() time.Time { return hubTime })
	for i := range 10_003 {
		h.Publish([]byte(pending(fmt.Sprint(i), 60)))
	}
	frames := drain(t, subscribe(t, h))
	require.Len(t, frames, 10_000)
	require.Equal(t, pending("3", 60), frames[0], "the oldest go")

	h = agentserver.NewHub(func() time.Time { return hubTime })
	long := strings.Replace(pending("%d", 60), "{", `{"more":"`+strings.Repeat("x", 60<<10)+`",`, 1)
	for i := range 300 {
		h.Publish([]byte(strings.Replace(long, "%d", fmt.Sprint(i), 1)))
	}
	bytes := 0
	for _, frame := range drain(t, subscribe(t, h)) {
		bytes += len(frame)
	}
	require.LessOrEqual(t, bytes, 16<<20)
	require.Greater(t, bytes, 15<<20)
	for range 127 {
		subscribe(t, h)
	}
	_, ok := h.Subscribe()
	require.False(t, ok, "as many as there may be")
}

func TestHubWakesSubscribers(t *testing.T) {
	h := agentserver.NewHub(time.Now)
	s := subscribe(t, h)
	got := make(chan string)
	go func() {
		for {
			frame, err := s.Next(t.Context())
			if err != nil {
				close(got)
				return
			}
			got <- string(frame)
		}
	}()
	for i := range 100 {
		h.Publish([]byte(fmt.Sprint(i)))
		require.Equal(t, fmt.Sprint(i), <-got)
	}
}
