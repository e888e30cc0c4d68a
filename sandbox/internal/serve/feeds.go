package serve

import (
	"context"
	"crypto/fips140"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// Feed returns the messages that its client has not been given. It keeps its place between calls.
type Feed func(v *world.View) []any

// LogFeed gives what is noted from now on in one of the logs of the key's account.
func LogFeed[N any](log func(world.Log) []N, message func(*world.View, N) any) OpenFeed {
	return func(r *Request, v *world.View) (Feed, error) {
		account := r.Account()
		next := len(log(v.Log(account)))
		return func(v *world.View) []any {
			notices := log(v.Log(account))
			notices = notices[min(next, len(notices)):]
			next += len(notices)
			messages := make([]any, len(notices))
			for i, n := range notices {
				messages[i] = message(v, n)
			}
			return messages
		}, nil
	}
}

// Feeds are the feeds that are connected, and what is done to them.
type Feeds struct {
	mu      sync.Mutex
	changed map[string]chan struct{} // by account: closed when there is more to tell
	open    map[*gatedConn]bool
	last    uint64 // ID of a connection
	notify  func() // is told when a feed comes or goes, or something is done to one
	closed  bool
	done    sync.WaitGroup

	delay     time.Duration
	duplicate bool
}

// NewFeeds makes feeds of which none is connected. It calls notify when one comes or goes, or something is done to one.
func NewFeeds(notify func()) *Feeds {
	return &Feeds{notify: notify, changed: map[string]chan struct{}{}, open: map[*gatedConn]bool{}}
}

// Tell wakes the feeds of accounts.
func (f *Feeds) Tell(accounts map[string]bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for account := range accounts {
		if changed := f.changed[account]; changed != nil {
			close(changed)
			delete(f.changed, account)
		}
	}
}

// next returns what is closed when there is more to tell to an account, and how messages are sent.
func (f *Feeds) next(account string) (changed <-chan struct{}, delay time.Duration, copies int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.changed[account] == nil {
		f.changed[account] = make(chan struct{})
	}
	if copies = 1; f.duplicate {
		copies = 2
	}
	return f.changed[account], f.delay, copies
}

func (f *Feeds) leave(conn *gatedConn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, conn)
	f.done.Done()
	f.notify()
}

// each does something to every open connection and returns how many there are.
func (f *Feeds) each(do func(*gatedConn)) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	for conn := range f.open {
		do(conn)
	}
	if len(f.open) > 0 {
		f.notify()
	}
	return len(f.open)
}

// Close ends all feeds and waits for them.
func (f *Feeds) Close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.each(func(conn *gatedConn) { _ = conn.Close() })
	f.done.Wait()
}

// Serve upgrades a request that has been authenticated and gives it a feed's messages. It calls opened once the client is
// connected. What about says of the connection is told of it.
func (f *Feeds) Serve(w http.ResponseWriter, r *http.Request, from *world.World, req *Request, open OpenFeed, about FeedInfo, opened func()) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		WriteFault(w, &Fault{http.StatusUpgradeRequired, "", "this is a WebSocket"})
		return
	}
	// The place in the log is taken before the client can know that it is connected: what it does then is
	// told by the feed.
	var messages Feed
	var epoch int
	var account string
	err := from.View(func(v *world.View) (err error) {
		epoch, account = v.Epoch, req.told(v)
		messages, err = open(req, v)
		return err
	})
	if err != nil {
		WriteFault(w, err)
		return
	}
	about.Account, about.Since = account, from.Now()
	gate := &gate{ResponseWriter: w, feeds: f, about: about}
	// Requests are signed, so that a page of another origin gets nowhere.
	var ws *websocket.Conn
	fips140.WithoutEnforcement(func() { // the handshake needs SHA-1, and keeps nothing secret with it
		ws, err = websocket.Accept(gate, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	})
	if gate.joined {
		defer f.leave(gate.conn)
	}
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = ws.CloseNow() }()
	if !gate.joined {
		return // all are being closed
	}
	opened()
	f.notify()
	ctx := ws.CloseRead(context.WithoutCancel(r.Context()))
	for {
		changed, delay, copies := f.next(account)
		var batch []any
		var now int
		err := from.View(func(v *world.View) error {
			now, batch = v.Epoch, messages(v)
			return nil
		})
		// A reset has ended the log that its place is in.
		if err != nil || now != epoch || send(ctx, ws, batch, delay, copies, func(message []byte) { f.sent(gate.conn, message, from.Now()) }) != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

func send(ctx context.Context, ws *websocket.Conn, batch []any, delay time.Duration, copies int, sent func(message []byte)) error {
	for _, message := range batch {
		data, err := json.Marshal(message)
		if err != nil {
			return err
		}
		if delay > 0 {
			timer := time.NewTimer(delay)
			select {
			case <-ctx.Done():
				timer.Stop()
				return ctx.Err()
			case <-timer.C:
			}
		}
		for range copies {
			if err := ws.Write(ctx, websocket.MessageText, data); err != nil {
				return err
			}
			sent(data)
		}
	}
	return nil
}
