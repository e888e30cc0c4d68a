package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// holding counts ledger requests. One of them it holds for ever, or lets something happen before.
type holding struct {
	next  http.Handler
	asked atomic.Int64  // ledger requests so far
	at    atomic.Int64  // the request to hold; none if 0
	held  chan struct{} // told when it is held
	first func()        // what happens instead of holding it
}

// start counts from 0.
func (h *holding) start(at int64) {
	h.asked.Store(0)
	h.at.Store(at)
}

func (h *holding) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/ledger") && h.asked.Add(1) == h.at.Load() {
		if h.first == nil {
			h.held <- struct{}{}
			<-r.Context().Done()
			return
		}
		h.first()
	}
	h.next.ServeHTTP(w, r)
}

// exporting is a service whose ledger is exported.
type exporting struct {
	*service
	*holding
	t       *testing.T
	address string
	dir     string
}

// inBothOrders runs a test with a service for each order that a ledger can have.
func inBothOrders(t *testing.T, test func(t *testing.T, x exporting)) {
	for name, order := range map[string]sandbox.LedgerOrder{"newest first": sandbox.NewestFirst, "oldest first": sandbox.OldestFirst} {
		t.Run(name, func(t *testing.T) {
			x := exporting{holding: &holding{held: make(chan struct{}, 1)}, t: t, dir: t.TempDir()}
			x.service = serve(t, func(next http.Handler) http.Handler { x.next = next; return x.holding }, sandbox.WithLedgerOrder(order))
			x.address = treasuryAddress(t, x.service)
			require.NoError(t, x.sandbox.Advance(time.Minute)) // so that times tell which end the ledger begins with
			test(t, x)
		})
	}
}

func (x exporting) deposits(from, to int) {
	x.t.Helper()
	for n := from; n <= to; n++ {
		_, err := x.sandbox.Deposit(x.address, amount(n))
		require.NoError(x.t, err)
	}
}

func (x exporting) approve(tx string, people ...string) {
	x.t.Helper()
	for _, who := range people {
		require.NoError(x.t, x.sandbox.Approve(who+"@example.com", tx))
	}
}

// export exports to a file and returns what the command says.
func (x exporting) export(file string, page int) string {
	x.t.Helper()
	said, err := qredoCommand(x.t, x.environ(), "ledger", "export", string(x.Fund), "--out", filepath.Join(x.dir, file), "--page", strconv.Itoa(page), "--force").CombinedOutput()
	require.NoError(x.t, err, string(said))
	return string(said)
}

// transferOut asks for a transfer between two wallets of the fund.
func (x exporting) transferOut(amount qredo.Amount) string {
	x.t.Helper()
	sent, err := x.client.Transfers.Create(x.t.Context(), x.Company, qredo.TransferRequest{
		WalletID: x.Treasury, Counterparty: string(x.Trading), Expires: qredo.TimeOf(x.sandbox.Now().Add(time.Hour)),
		Send: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: amount},
	})
	require.NoError(x.t, err)
	return string(sent.TxID)
}

// kill exports to a file and kills that with kill -9 at its nth request for entries.
func (x exporting) kill(file string, page int, at int64) {
	x.t.Helper()
	x.start(at)
	cmd := qredoCommand(x.t, x.environ(), "ledger", "export", string(x.Fund), "--out", filepath.Join(x.dir, file), "--page", strconv.Itoa(page))
	require.NoError(x.t, cmd.Start())
	<-x.held
	require.NoError(x.t, cmd.Process.Kill())
	require.Error(x.t, cmd.Wait(), "it was killed")
	require.NoFileExists(x.t, filepath.Join(x.dir, file), "the file is there when it is complete, not before")
	x.start(0)
}

func (x exporting) read(file string) string { return read(x.t, filepath.Join(x.dir, file)) }

// requireWhole demands that a file is the same as one made in one go, oldest first, with each entry once.
func (x exporting) requireWhole(file string) {
	x.t.Helper()
	x.export("whole"+filepath.Ext(file), 1000)
	text := x.read(file)
	require.Equal(x.t, x.read("whole"+filepath.Ext(file)), text)
	printed, err := qredoCommand(x.t, x.environ(), "ledger", "export", string(x.Fund), "--page", "3", "--format", strings.TrimPrefix(filepath.Ext(file), ".")).Output()
	require.NoError(x.t, err)
	require.Equal(x.t, text, string(printed))
	seen, latest := map[string]bool{}, ""
	for _, entry := range entriesIn(x.t, text) {
		id := entry["TxID"] + " " + entry["type"]
		if entry["TxID"] == "" {
			id = entry["chainTxID"]
		}
		require.False(x.t, seen[id], "%s is there twice", id)
		seen[id] = true
		require.GreaterOrEqual(x.t, entry["timestamp"], latest, "oldest first")
		latest = entry["timestamp"]
	}
	page, err := x.client.Funds.ListLedger(x.t.Context(), x.Company, x.Fund, qredo.LedgerOptions{Limit: 1})
	require.NoError(x.t, err)
	require.Len(x.t, seen, page.Total)
}

// entriesIn reads what was exported, as CSV or JSON lines.
func entriesIn(t *testing.T, text string) (entries []map[string]string) {
	t.Helper()
	if !strings.HasPrefix(text, "{") {
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		require.NoError(t, err)
		for _, row := range rows[1:] {
			entry := map[string]string{}
			for i, cell := range row {
				entry[rows[0][i]] = cell
			}
			entries = append(entries, entry)
		}
		return entries
	}
	for line := range strings.Lines(text) {
		values := map[string]any{}
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.UseNumber()
		require.NoError(t, decoder.Decode(&values))
		entry := map[string]string{}
		for key, value := range values {
			entry[key] = fmt.Sprint(value)
		}
		entry["tx_id"], entry["chain_tx_id"], entry["time"] = entry["TxID"], entry["chainTxID"], entry["timestamp"] // as the header of CSV has it
		entries = append(entries, entry)
	}
	return entries
}

// TestExportKilled kills an export with kill -9 again and again, at pages of its way, while new entries arrive, and
// lets it go on: the file is that of an export made in one go.
func TestExportKilled(t *testing.T) {
	inBothOrders(t, func(t *testing.T, x exporting) {
		x.approve(string(x.PendingTransfer), "alice")
		x.approve(string(x.PendingWithdrawal), "alice", "bob")
		x.deposits(1, 140)
		for _, format := range []string{"csv", "jsonl"} {
			out := "out." + format
			for i, at := range []int64{4, 5, 13} { // two requests ask for the order, the others for pages
				x.kill(out, 7, at)
				tear(t, filepath.Join(x.dir, out+".part"))
				x.deposits(1000+i, 1000+i)
			}
			x.start(0)
			assert.Contains(t, x.export(out, 7), "continuing after ") // how far, package export tests: checkpoints are a second apart
			x.requireWhole(out)
		}
		leftOver, err := filepath.Glob(filepath.Join(x.dir, "*.part*"))
		require.NoError(t, err)
		assert.Empty(t, leftOver)
	})
}

// TestExportChanged lets the ledger change between a kill and the next run: what was waiting is read again, and
// where what is in the file is not what the ledger has, it begins anew.
func TestExportChanged(t *testing.T) {
	inBothOrders(t, func(t *testing.T, x exporting) {
		x.deposits(1, 20)
		x.kill("out.csv", 4, 8)
		x.approve(string(x.PendingTransfer), "alice")
		x.export("out.csv", 4)
		x.requireWhole("out.csv")
		assert.Contains(t, x.read("out.csv"), string(x.PendingTransfer)+",transferOut,approved")
		assert.NotContains(t, x.read("out.csv"), string(x.PendingTransfer)+",transferOut,pending")

		x.approve(string(x.PendingWithdrawal), "alice", "bob")
		x.kill("again.csv", 4, 8)
		part := filepath.Join(x.dir, "again.csv.part")
		text := read(t, part)
		require.NoError(t, os.WriteFile(part, []byte(strings.Replace(text, "BTC-TESTNET", "DOG-TESTNET", 1)), 0o600))
		assert.NotContains(t, x.export("again.csv", 4), "continuing", "the file is not what the checkpoint tells of")
		x.requireWhole("again.csv")
	})
}

// TestExportWhileItMoves lets transactions end and entries arrive while an export is on its way, at each of its last
// requests and at its first: no entry is missing, and none is there twice.
func TestExportWhileItMoves(t *testing.T) {
	inBothOrders(t, func(t *testing.T, x exporting) {
		x.deposits(1, 12)
		for round, before := range []int64{0, 1, 2, 3, 1000} {
			n := 100 * (round + 1)
			tx := x.transferOut(1000)
			x.deposits(n, n+4)
			later := x.transferOut(1000)
			x.deposits(n+5, n+8)
			require.NoError(t, x.sandbox.Advance(time.Minute))
			x.first = func() {
				x.approve(tx, "alice")
				x.deposits(n+50, n+52)
				x.approve(later, "alice")
			}
			x.start(0)
			x.export("dry.csv", 6)
			x.start(max(1, x.asked.Load()-before))
			x.export("out.csv", 6)
			require.GreaterOrEqual(t, x.asked.Load(), x.at.Load())
			x.start(0)
			text := x.read("out.csv")
			x.requireWhole("out.csv")
			for _, id := range []string{tx, later} {
				assert.Equal(t, 1, strings.Count(text, id+",transferOut,"), "%d requests before the last", before)
				assert.Equal(t, 1, strings.Count(text, id+",transferOut,approved"), "%d requests before the last", before)
			}
		}
	})
}

// TestExportFromAServerThatGivesLess lets a server give less at a time than is asked for: an export goes on all
// the same where it was, and does not begin anew.
func TestExportFromAServerThatGivesLess(t *testing.T) {
	for _, order := range []sandbox.LedgerOrder{sandbox.NewestFirst, sandbox.OldestFirst} {
		for most := range 4 {
			t.Run(fmt.Sprintf("%d entries, order %d", most+1, order), func(t *testing.T) {
				x := exporting{holding: &holding{held: make(chan struct{}, 1)}, t: t, dir: t.TempDir()}
				x.service = serve(t, func(next http.Handler) http.Handler {
					x.next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if query := r.URL.Query(); strings.HasSuffix(r.URL.Path, "/ledger") && query.Get("limit") != "" {
							query.Set("limit", strconv.Itoa(most+1))
							r = r.Clone(r.Context())
							r.URL.RawQuery = query.Encode()
						}
						next.ServeHTTP(w, r)
					})
					return x.holding
				}, sandbox.WithUnsigned(), sandbox.WithLedgerOrder(order)) // the query that is signed is another
				x.address = treasuryAddress(t, x.service)
				require.NoError(t, x.sandbox.Advance(time.Minute))
				x.approve(string(x.PendingTransfer), "alice")
				x.approve(string(x.PendingWithdrawal), "alice", "bob")
				x.deposits(1, 12)
				x.kill("out.csv", 10, 9)
				said := x.export("out.csv", 10)
				assert.Contains(t, said, "continuing after")
				assert.NotContains(t, said, "going back")
				x.requireWhole("out.csv")
				assert.Equal(t, 22, strings.Count(x.read("out.csv"), "\n"), "the head, 9 of the demo, and 12")
			})
		}
	}
}

// TestExportOfAnotherSelection goes on with what an export of another selection has left: entries of both would stand in
// one file. It is refused, and what is there stays.
func TestExportOfAnotherSelection(t *testing.T) {
	inBothOrders(t, func(t *testing.T, x exporting) {
		x.deposits(1, 20)
		x.kill("out.csv", 4, 8)
		part := x.read("out.csv.part")
		environ := x.environ()
		for _, args := range [][]string{
			{"--direction", "out"}, {"--asset", "BTC-TESTNET"}, {"--wallet", string(x.Treasury)}, {"--format", "jsonl"},
			{"--base-url", strings.Replace(x.url, "127.0.0.1", "localhost", 1) + "/api/v1/p"},
		} {
			args = append([]string{"ledger", "export", string(x.Fund), "--out", filepath.Join(x.dir, "out.csv")}, args...)
			said, err := qredoCommand(t, environ, args...).CombinedOutput()
			require.Error(t, err, "%v: %s", args, said)
			assert.Contains(t, string(said), "is of another export", args)
			require.Equal(t, part, x.read("out.csv.part"), args)
		}
		assert.Contains(t, x.export("out.csv", 4), "continuing after")
		x.requireWhole("out.csv")
	})
}

// tear adds to a file what a crash may leave at its end.
func tear(t *testing.T, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	_, err = file.WriteString(strings.Repeat("half an entry\n", 5000) + "half an ent")
	require.NoError(t, err)
	require.NoError(t, file.Close())
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}
