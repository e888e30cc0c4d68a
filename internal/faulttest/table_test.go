package faulttest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/internal/faultproxy"
)

// The columns of the table.
var columns = []string{"read", "write", "transaction", "vote", "feed"}

// TestTableOfFaults makes a call of each kind with each fault in the way of its first request, over each protocol that
// has the fault, and prints what the client said and what was true. Faults that break a promise of their protocol are
// included, and marked: about those a client may be wrong.
func TestTableOfFaults(t *testing.T) {
	table := faultTable{}
	for _, name := range []string{"HTTP1", "HTTP2"} {
		layer := map[string]faultproxy.Layer{"HTTP1": faultproxy.HTTP1, "HTTP2": faultproxy.HTTP2}[name]
		config := protocols[name]
		faults := slices.DeleteFunc(sample(everything()), func(f faultproxy.Fault) bool { return f.At&layer == 0 })
		table.fill(t, config, faults)
	}
	table.handshakes(t)
	table.feeds(t)
	table.print(t)
}

// sample is all faults at full size, else one of each kind.
func sample(all []faultproxy.Fault) []faultproxy.Fault {
	if *full {
		return all
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(all), func(f faultproxy.Fault) bool {
		again := seen[f.Kind]
		seen[f.Kind] = true
		return again
	})
}

// cell is what happened to the calls of a kind with the faults of a kind.
type cell struct {
	said  map[string]int // with what really happened
	wrong []string
	lie   bool
}

// faultTable has a row for each kind of fault, with a cell for each kind of call.
type faultTable map[string]map[string]*cell

func (ft faultTable) add(fault faultproxy.Fault, column, said, wrong string) {
	row := ft[fault.Kind]
	if row == nil {
		row = map[string]*cell{}
		ft[fault.Kind] = row
	}
	c := row[column]
	if c == nil {
		c = &cell{said: map[string]int{}}
		row[column] = c
	}
	c.said[said]++
	if wrong != "" && fault.Lies == "" {
		c.wrong = append(c.wrong, wrong)
	}
	c.lie = c.lie || fault.Lies != ""
}

// fill makes the calls of a protocol. Each kind of call has the same ones for each fault, in turn.
func (ft faultTable) fill(t *testing.T, config faultproxy.Config, faults []faultproxy.Fault) {
	t.Helper()
	var mu sync.Mutex
	of := map[string]faultproxy.Fault{} // the call's, until its first request has come
	config.Plan = func(r faultproxy.Request) faultproxy.Fault {
		mu.Lock()
		defer mu.Unlock()
		call := r.Header.Get(callHeader)
		fault := of[call]
		delete(of, call)
		return fault
	}
	p := openProxied(t, config)
	readings, things := readingsOf(t, p.world)
	p.world.Send(t, 1000)
	warm(t, p, readings, things)

	run := func(column string, n int, fault faultproxy.Fault) {
		call := fmt.Sprintf("%s %d", column, n)
		ctx, cancel := context.WithTimeout(t.Context(), callTime)
		defer cancel()
		do := prepared(t, p.world, column, n, readings, things)
		// Connections of its own: a fault of one call does not end another's connection.
		client := throughProxy(t, p.Proxy, p.world.Srv, p.world.Srv.Auth(), hurried())
		mu.Lock()
		of[call] = fault
		mu.Unlock()
		wrongThing, err := do(ctx, client, qredo.WithHeader(callHeader, call))
		p.Settle()
		mu.Lock()
		defer mu.Unlock()
		name := column
		switch column {
		case "write":
			name = writes[n%len(writes)].name
		case "vote":
			name = votes[n%len(votes)].name
		}
		v := p.judge(call, name, err)
		switch {
		case column == "read" && wrongThing != "":
			ft.add(fault, column, "WRONG THING", fault.Name+": "+wrongThing)
		case column == "read" && err != nil:
			ft.add(fault, column, "error", "")
		case column == "read":
			ft.add(fault, column, "right", "")
		default:
			truth := map[bool]string{true: "made", false: "not made"}[v.made]
			if v.requests > 1 && column != "transaction" {
				truth = "made TWICE"
			}
			wrong := v.wrong()
			if wrong == "" && v.requests > 1 && column != "transaction" {
				wrong = "sent again though it was carried out"
			}
			if wrong != "" {
				wrong = fmt.Sprintf("%s: %s", wrong, v)
			}
			ft.add(fault, column, fmt.Sprintf("%s/%s", v.said, truth), wrong)
		}
	}
	each(len(faults), func(n int) {
		for i, column := range columns[:4] {
			if *full || i == n%4 { // a part of the table does for a quick look
				run(column, n, faults[n])
			}
		}
	})
}

// warm makes calls with nothing in their way, so that there are answers to give a second time.
func warm(t *testing.T, p *proxied, readings []reading, things [][2]string) {
	t.Helper()
	for _, column := range columns[:4] {
		for n := range 12 {
			do := prepared(t, p.world, column, 10_000+n, readings, things)
			_, _ = do(t.Context(), p.client, qredo.WithHeader(callHeader, "")) // on a busy machine one may take too long
		}
	}
}

// prepared is the nth call of a column. It returns what was wrong with the result, if anything.
func prepared(t *testing.T, w *clienttest.World, column string, n int, readings []reading, things [][2]string) func(context.Context, clients, qredo.CallOption) (string, error) {
	t.Helper()
	var do func(context.Context, clients, qredo.CallOption) error
	switch column {
	case "read":
		kind, which := n%len(readings), n/len(readings)%2
		return func(ctx context.Context, client clients, call qredo.CallOption) (string, error) {
			id, err := readings[kind].of(ctx, w, client.Client, things[kind], which, call)
			if err == nil && id != things[kind][which] {
				return fmt.Sprintf("%s gave %q", readings[kind].name, id), nil
			}
			return "", err
		}
	case "write":
		do = writes[n%len(writes)].prepare(t, w, n)
	case "vote":
		do = votes[n%len(votes)].prepare(t, w, n)
	default:
		payment := proxiedPayment{name: "table", n: n, kind: kindsOfPayment[n%len(kindsOfPayment)]}
		do = func(ctx context.Context, client clients, call qredo.CallOption) error {
			_, err := payment.send(ctx, w, client.Client, call)
			return err
		}
	}
	return func(ctx context.Context, client clients, call qredo.CallOption) (string, error) {
		return "", do(ctx, client, call)
	}
}

// handshakes adds the faults of connections before a byte is read, and of TLS. The first connection of a client has them.
func (ft faultTable) handshakes(t *testing.T) {
	t.Helper()
	ofTLS, err := faultproxy.OfTLS()
	require.NoError(t, err)
	var mu sync.Mutex
	var fault faultproxy.Fault // of the next connection
	p := openProxied(t, faultproxy.Config{HTTP2: true, Connections: func(faultproxy.Connection) (f faultproxy.Fault) {
		mu.Lock()
		defer mu.Unlock()
		f, fault = fault, f
		return f
	}})
	readings, things := readingsOf(t, p.world)
	for i, f := range append(slices.Clone(faultproxy.AtOnce), ofTLS...) {
		for n, column := range columns[:4] {
			if !*full && i%4 != n {
				continue
			}
			do := prepared(t, p.world, column, 4*i+n, readings, things)
			client := throughProxy(t, p.Proxy, p.world.Srv, p.world.Srv.Auth(), hurried())
			mu.Lock()
			fault = f
			mu.Unlock()
			call := fmt.Sprint(column, i)
			_, err := do(t.Context(), client, qredo.WithHeader(callHeader, call))
			p.Settle()
			v := p.judge(call, column, err)
			if column == "read" {
				ft.add(f, column, map[bool]string{true: "right", false: "error"}[err == nil], "")
				continue
			}
			ft.add(f, column, fmt.Sprintf("%s/%s", v.said, map[bool]string{true: "made", false: "not made"}[v.made]), v.wrong())
		}
	}
}

// feedTime is how long an event may take to be told, whatever is done to the first connection of a feed.
const feedTime = time.Minute

// unnoticed are the faults that pings cannot tell from a service that has nothing to say. The table prints what becomes of
// them within a short time; nothing is asked of it.
var unnoticed = []string{"pings answered, no data", "message without end, slowly"}

// feeds adds what a feed makes of each fault: whether it reports an earlier action, and one that is made while the first
// connection is open or broken.
func (ft faultTable) feeds(t *testing.T) {
	t.Helper()
	foreign := `{"type":"wallet","id":"x","status":"done"}`
	of := faultproxy.OfSockets(foreign)
	for _, f := range faultproxy.OfConnections() {
		if f.At&faultproxy.WebSocket != 0 {
			of = append(of, f)
		}
	}
	faults := sample(of)
	var mu sync.Mutex
	met := map[string]bool{}
	p := openProxied(t, faultproxy.Config{Plan: func(r faultproxy.Request) faultproxy.Fault {
		mu.Lock()
		defer mu.Unlock()
		var n int
		agent := r.Header.Get("User-Agent") // a feed has no header of its own
		if _, err := fmt.Sscanf(agent, "feed-%d", &n); err != nil || r.Layer != faultproxy.WebSocket || met[agent] {
			return faultproxy.Fault{}
		}
		met[agent] = true
		return faults[n]
	}})
	each(len(faults), func(n int) {
		asked := !slices.Contains(unnoticed, faults[n].Kind)
		within := feedTime
		if !asked {
			within = 2 * time.Second
		}
		said := p.feed(t, n, within)
		mu.Lock()
		defer mu.Unlock()
		wrong := ""
		if asked && !strings.HasPrefix(said, "told once") {
			wrong = faults[n].Name + ": " + said
		}
		ft.add(faults[n], "feed", said, wrong)
	})
}

// feed lets a core client of its own watch a feed whose first connection goes wrong.
func (p *proxied) feed(t *testing.T, n int, within time.Duration) string {
	t.Helper()
	client := throughProxy(t, p.Proxy, p.world.Srv, p.world.Srv.Auth(), hurried(), qredo.WithUserAgent(fmt.Sprint("feed-", n)))
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	first := askedFor(t, p.world, p.world.Send(t, 1000))
	var second qredo.ActionID
	told, errs := map[qredo.ActionID]int{}, 0
	for action, err := range client.CoreClients.Feed(ctx, p.world.Robot.ID, qredo.WithPing(200*time.Millisecond), qredo.WithBackoff(time.Millisecond, 5*time.Millisecond)) {
		if err != nil {
			if errs++; ctx.Err() != nil {
				break
			}
			continue
		}
		if told[action.ID]++; second == "" && told[first] > 0 {
			second = askedFor(t, p.world, p.world.Send(t, 1000))
		}
		if told[second] > 0 {
			break
		}
	}
	switch {
	case told[first] > 1 || told[second] > 1:
		return "told TWICE"
	case told[first] == 0:
		return "told NOTHING"
	case told[second] == 0:
		return "NOT told what came later"
	case errs > 0:
		return "told once, an error besides"
	default:
		return "told once"
	}
}

func (ft faultTable) print(t *testing.T) {
	t.Helper()
	kinds := make([]string, 0, len(ft))
	for kind := range ft {
		kinds = append(kinds, kind)
	}
	slices.SortFunc(kinds, cmp.Compare)
	var b strings.Builder
	fmt.Fprintf(&b, "\n| kind of fault | %s |\n|---|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	wrong := []string{}
	for _, kind := range kinds {
		lie := ""
		cells := make([]string, len(columns))
		for i, column := range columns {
			c := ft[kind][column]
			if c == nil {
				cells[i] = "–"
				continue
			}
			if c.lie {
				lie = " (a lie)"
			}
			parts := make([]string, 0, len(c.said))
			for said, n := range c.said {
				parts = append(parts, fmt.Sprintf("%s %d", said, n))
			}
			slices.Sort(parts)
			cells[i] = strings.Join(parts, ", ")
			for _, w := range c.wrong {
				wrong = append(wrong, column+": "+w)
			}
		}
		fmt.Fprintf(&b, "| %s%s | %s |\n", kind, lie, strings.Join(cells, " | "))
	}
	t.Log(b.String())
	for _, w := range wrong {
		t.Log("wrong: " + w)
	}
	if len(wrong) > 0 { // they are printed above
		t.Errorf("%d times the client said what was not so", len(wrong))
	}
}
