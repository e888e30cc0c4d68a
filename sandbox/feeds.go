package sandbox

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/qredo-go/qredo"
)

// accountLog is what an account's feeds tell, in order. A feed is a place in it: it needs no queue, and
// one that is slow costs no memory.
type accountLog struct {
	moves  []entry
	quotes []quoteNotice
	web3   []web3Notice
}

// quoteNotice is a change of a quote on the liquidity hub.
type quoteNotice struct {
	tx     *transaction
	status qredo.TxStatus
}

func (st *state) log(account string) *accountLog {
	if st.logs[account] == nil {
		st.logs[account] = &accountLog{}
	}
	return st.logs[account]
}

// logged is an account's log for reading.
func (st *state) logged(account string) accountLog {
	if log := st.logs[account]; log != nil {
		return *log
	}
	return accountLog{}
}

// feed returns the messages that its client has not been given. It keeps its place between calls.
type feed func(r *request) []any

// actionFeed gives all pending actions first, and then each new one.
func actionFeed(_ *request, client *coreClient) (feed, error) {
	id, next := client.ID, -1
	return func(r *request) []any {
		c := r.st.coreClients[id]
		if c == nil {
			return nil // reset since
		}
		actions := c.actions
		if next < 0 {
			actions = r.st.openActions(string(id))
		} else {
			actions = actions[min(next, len(actions)):]
		}
		next = len(c.actions)
		messages := make([]any, 0, len(actions))
		for _, action := range actions {
			if wired := r.wireAction(action); wired.Status == qredo.ApprovalPending {
				messages = append(messages, wired)
			}
		}
		return messages
	}, nil
}

// openActions are what an approver has yet to decide, oldest first.
func (st *state) openActions(member string) []qredo.ActionID {
	return slices.SortedFunc(maps.Keys(st.open[member]), func(a, b qredo.ActionID) int {
		return cmp.Compare(st.actions[a].order, st.actions[b].order)
	})
}

// logFeed gives what is noted from now on in one of the logs of the key's account.
func logFeed[N any](log func(accountLog) []N, message func(N) any) openFeed {
	return func(r *request) (feed, error) {
		account := r.key.Account
		next := len(log(r.st.logged(account)))
		return func(r *request) []any {
			notices := log(r.st.logged(account))
			notices = notices[min(next, len(notices)):]
			next += len(notices)
			messages := make([]any, len(notices))
			for i, n := range notices {
				messages[i] = message(n)
			}
			return messages
		}, nil
	}
}

// walletFeed gives what moves in the dedicated wallets that are connected to core clients of the key's account,
// whoever owns them.
var walletFeed = logFeed(func(l accountLog) []entry { return l.moves }, func(e entry) any {
	h := wireHistory(e)
	return qredo.WalletEvent{
		Status: qredo.TxApproved, WalletID: h.WalletID, TxID: h.TxID, ChainTxID: h.ChainTxID, Asset: h.Asset,
		Amount: h.Amount, Fees: h.Fees, NetAmount: h.NetAmount, Sweep: e.tx.Kind == kindSweep, Time: h.Time,
	}
})

// hubFeed gives what changes on the liquidity hub.
var hubFeed = logFeed(func(l accountLog) []quoteNotice { return l.quotes }, func(n quoteNotice) any {
	return qredo.SwapEvent{TxID: n.tx.ID, Status: n.status}
})

// feeds are the feeds that are connected, and what is done to them.
type feeds struct {
	mu      sync.Mutex
	changed chan struct{} // closed when something happens
	open    map[*gatedConn]bool
	closed  bool
	done    sync.WaitGroup

	delay     time.Duration
	duplicate bool
}

func newFeeds() *feeds {
	return &feeds{changed: make(chan struct{}), open: map[*gatedConn]bool{}}
}

// tell wakes all feeds.
func (f *feeds) tell() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *feeds) next() (changed <-chan struct{}, delay time.Duration, copies int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.duplicate {
		return f.changed, f.delay, 2
	}
	return f.changed, f.delay, 1
}

func (f *feeds) leave(conn *gatedConn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, conn)
	f.done.Done()
}

// each does something to every open connection and returns how many there are.
func (f *feeds) each(do func(*gatedConn)) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	for conn := range f.open {
		do(conn)
	}
	return len(f.open)
}

// close ends all feeds and waits for them.
func (f *feeds) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.each(func(conn *gatedConn) { _ = conn.Close() })
	f.done.Wait()
}

// serveFeed upgrades a request that has been authenticated and gives it a feed's messages.
func (s *Sandbox) serveFeed(w http.ResponseWriter, r *http.Request, req *request, open openFeed) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		writeFault(w, &fault{http.StatusUpgradeRequired, "", "this is a WebSocket"})
		return
	}
	// The place in the log is taken before the client can know that it is connected: what it does then is
	// told by the feed.
	var messages feed
	var opened *state
	err := s.view(func(st *state, now time.Time) (err error) {
		req.st, req.now, opened = st, now, st
		messages, err = open(req)
		return err
	})
	if err != nil {
		writeFault(w, err)
		return
	}
	gate := &gate{ResponseWriter: w, feeds: s.feeds}
	// Requests are signed, so that a page of another origin gets nowhere.
	ws, err := websocket.Accept(gate, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if gate.joined {
		defer s.feeds.leave(gate.conn)
	}
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = ws.CloseNow() }()
	if !gate.joined {
		return // all are being closed
	}
	ctx := ws.CloseRead(context.WithoutCancel(r.Context()))
	for {
		changed, delay, copies := s.feeds.next()
		var batch []any
		err := s.view(func(st *state, now time.Time) error {
			req.st, req.now = st, now
			batch = messages(req)
			return nil
		})
		// A reset has ended the log that its place is in.
		if err != nil || req.st != opened || send(ctx, ws, batch, delay, copies) != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

func send(ctx context.Context, ws *websocket.Conn, batch []any, delay time.Duration, copies int) error {
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
		}
	}
	return nil
}

// DropFeeds cuts all feed connections and returns how many there were.
func (s *Sandbox) DropFeeds() int { return s.feeds.each(func(c *gatedConn) { _ = c.Close() }) }

// FreezeFeeds lets no more bytes through the feed connections that there are, and leaves them open: what
// a network does that loses a connection without a word. It returns how many there were. Connections made
// later are not frozen.
func (s *Sandbox) FreezeFeeds() int { return s.feeds.each((*gatedConn).freeze) }

// DelayFeeds lets each feed message wait for so long before it is sent.
func (s *Sandbox) DelayFeeds(by time.Duration) {
	s.feeds.mu.Lock()
	defer s.feeds.mu.Unlock()
	s.feeds.delay = by
}

// DuplicateFeeds sends each feed message twice, or no longer.
func (s *Sandbox) DuplicateFeeds(on bool) {
	s.feeds.mu.Lock()
	defer s.feeds.mu.Unlock()
	s.feeds.duplicate = on
}
