package live

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Stream says how what is told is sent to a client.
type Stream struct {
	Every    time.Duration // a sign of life
	Patience time.Duration // with a client that does not read
	// Show is what is sent of a message, nil if it is not for this client.
	Show func(Message) any
}

// Serve sends what is told as server-sent events, until the client leaves or is too slow.
func (h *Hub) Serve(w http.ResponseWriter, r *http.Request, s Stream) {
	l := h.Listen()
	defer l.Leave()
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Time{}) // the request is over; what is sent goes on
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	write := func(text string) bool {
		_ = conn.SetWriteDeadline(time.Now().Add(s.Patience))
		_, err := w.Write([]byte(text))
		return err == nil
	}
	send := func(text string) bool { return write(text) && conn.Flush() == nil }
	life := time.NewTicker(s.Every)
	defer life.Stop()
	for ok := send(": live\n\n"); ok; {
		select {
		case <-r.Context().Done():
			return
		case <-life.C:
			ok = send(":\n\n")
		case m, open := <-l.C:
			for ; open && ok && m.Kind != ""; m, open = l.next() { // what has come meanwhile is sent with it
				if shown := s.Show(m); shown != nil {
					data, err := json.Marshal(shown)
					ok = err == nil && write(fmt.Sprintf("event: %s\ndata: %s\n\n", m.Kind, data))
				}
			}
			if ok = ok && conn.Flush() == nil; !open {
				return
			}
		}
	}
}
