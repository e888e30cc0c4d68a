package inbox

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/backoff"
	"github.com/qredo-go/qredo/internal/clienttest"
)

type fake struct {
	mu       sync.Mutex
	ledger   func(fund string, offset, limit int) any // qredo.LedgerPage or error status int
	history  func(wallet string, since int64) any
	fund     func(fund string) any
	wallet   func(w string) any
	requests map[string]int
}

func (f *fake) RoundTrip(req *http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.requests == nil {
		f.requests = map[string]int{}
	}
	parts := strings.Split(req.URL.Path, "/")
	q := req.URL.Query()
	var out any = 404
	switch last := parts[len(parts)-1]; {
	case last == "ledger":
		f.requests["ledger"]++
		o, _ := strconv.Atoi(q.Get("offset"))
		l, _ := strconv.Atoi(q.Get("limit"))
		out = f.ledger(parts[len(parts)-2], o, l)
	case last == "history":
		f.requests["history"]++
		s, _ := strconv.ParseInt(q.Get("since"), 10, 64)
		out = f.history(parts[len(parts)-2], s)
	case parts[len(parts)-2] == "fund":
		f.requests["fund"]++
		if f.fund != nil {
			out = f.fund(last)
		}
	case parts[len(parts)-2] == "wallet":
		f.requests["wallet"]++
		if f.wallet != nil {
			out = f.wallet(last)
		}
	}
	if status, ok := out.(int); ok {
		r := clienttest.Answer(req, status, `{"code":404,"msg":"no"}`)
		r.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
		return r, nil
	}
	body, err := json.Marshal(out)
	r := clienttest.Answer(req, 200, string(body))
	r.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	return r, err
}

func slice(list []qredo.LedgerEntry, offset, limit int) []qredo.LedgerEntry {
	list = list[min(offset, len(list)):]
	return list[:min(limit, len(list))]
}

func newestFirst(asc []qredo.LedgerEntry) []qredo.LedgerEntry {
	var out []qredo.LedgerEntry
	for i := len(asc) - 1; i >= 0; i-- {
		out = append(out, asc[i])
	}
	return out
}

type rig struct {
	*FileStore
	r    *running
	logs *strings.Builder
}

func newRig(t *testing.T, f *fake, from time.Time) *rig {
	t.Helper()
	store, err := OpenStore(filepath.Join(t.TempDir(), "inbox.db"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	_, err = store.Begin(t.Context(), from)
	require.NoError(t, err)
	logs := &strings.Builder{}
	client, err := qredo.NewClient(clienttest.NewAuth(t), qredo.WithBaseURL("http://127.0.0.1:1"), qredo.WithHTTPClient(&http.Client{Transport: f}))
	require.NoError(t, err)
	r := &running{from: from, settings: &settings{
		client: client, records: store, log: slog.New(slog.NewTextHandler(logs, nil)), clock: time.Now, poll: backoff.Range{Min: 1, Max: 1},
	}}
	return &rig{store, r, logs}
}

func (g *rig) fund(t *testing.T, id string) (*fundReader, *Source) {
	s, err := g.Lease(t.Context(), "fund:c:"+id, "me", time.Hour)
	require.NoError(t, err)
	return &fundReader{running: g.r, fundID: fundID{"c", qredo.FundID(id)}}, &s
}

func (g *rig) wallet(t *testing.T, id string) (*walletReader, *Source) {
	s, err := g.Lease(t.Context(), "wallet:"+id, "me", time.Hour)
	require.NoError(t, err)
	return &walletReader{running: g.r, id: qredo.WalletID(id)}, &s
}

func (g *rig) ids(t *testing.T) (ids []string) {
	list, err := g.Page(t.Context(), Filter{}, "", 100000)
	require.NoError(t, err)
	for _, e := range list {
		ids = append(ids, e.ID)
	}
	return ids
}

func dep(chain string, amount int, wallet string, at int64) qredo.LedgerEntry {
	return qredo.LedgerEntry{ChainTxID: chain, Type: qredo.EntryDeposit, Amount: qredo.Amount(amount), NetAmount: qredo.Amount(amount), WalletID: qredo.WalletID(wallet), Time: qredo.Unix(at), Asset: "BTC"}
}
