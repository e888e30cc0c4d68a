package bench

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

var (
	storeTransactions = flag.Int64("transactions", 20_000, "how many transactions TestSandboxStore makes")
	storeFolder       = flag.String("store", "", "folder in which TestSandboxStore makes them (default one that is removed)")
)

// vault is a sandbox with funds whose groups are two of three people.
type vault struct {
	*sandbox.Server
	t       *testing.T
	key     string
	company qredo.CompanyID
	wallets []qredo.Wallet
}

const (
	outside = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
	funds   = 50
)

func (v *vault) must(err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
}

func newVault(t *testing.T, dir string) *vault {
	t.Helper()
	v, ctx := &vault{t: t}, t.Context()
	var err error
	v.Server, err = sandbox.Start(sandbox.WithStore(dir), sandbox.WithUnsigned(), sandbox.WithoutConsole())
	v.must(err)
	req := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)
	v.must(v.Auth().Authenticate(req, nil, time.Now()))
	v.key = req.Header.Get("X-Api-Key")
	c := v.Client()
	company, err := c.Companies.Create(ctx, qredo.CompanyRequest{Name: "Vault"})
	v.must(err)
	v.company = company.ID
	group := &qredo.CustodyGroup{Threshold: 2}
	for _, person := range []string{"a@example.com", "b@example.com", "c@example.com"} {
		user, err := v.CreateUser(sandbox.User{Email: person})
		v.must(err)
		v.must(c.TrustedNetwork.Add(ctx, v.company, qredo.TrustedPartyRequest{Address: person}))
		v.must(v.Accept(person, v.company))
		group.Members = append(group.Members, user.ID)
	}
	for i := range funds {
		made, err := c.Funds.Create(ctx, v.company, qredo.FundRequest{
			Name: fmt.Sprint("Fund ", i), CustodyGroupTx: group, CustodyGroupWithdraw: group, Wallets: []qredo.WalletRequest{{Asset: asset}, {Asset: asset}},
		})
		v.must(err)
		v.must(c.Funds.AddToWhitelist(ctx, v.company, made.ID, qredo.WhitelistEntry{Asset: asset, Address: outside}))
		fund, err := c.Funds.Get(ctx, v.company, made.ID)
		v.must(err)
		for _, w := range fund.Wallets {
			_, err := v.Deposit(string(w.ID), 1e13)
			v.must(err)
			v.wallets = append(v.wallets, w)
		}
	}
	return v
}

// make makes one transaction: of 20, 6 are deposits, 8 are transfers and 3 withdrawals that two approve, and 3 expire.
func (v *vault) make(n int64) error {
	from, to := v.wallets[n%int64(len(v.wallets))], v.wallets[(n*7+1)%int64(len(v.wallets))]
	if n%20 < 6 {
		_, err := v.Deposit(string(to.ID), qredo.Amount(100_000+n))
		return err
	}
	kind, whither, life := "transfer", fmt.Sprintf(`"counterparty_wallet_address":%q`, to.ID), 24*time.Hour
	switch {
	case n%20 >= 17:
		life = 10 * time.Minute
	case n%20 >= 14:
		kind, whither = "withdraw", fmt.Sprintf(`"address":%q`, outside)
	}
	body := fmt.Sprintf(`{"wallet_id":%q,%s,"reference":"invoice %d","partner_txID":"b7a1f0c2-5d3e-4f6a-9c8b-%012d","expires":%d,"send":{"symbol":%q,"amount":%d}}`,
		from.ID, whither, n, n, v.Now().Add(life).Unix(), asset, 1000+n%5000)
	req := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/api/v1/p/company/"+string(v.company)+"/"+kind, strings.NewReader(body))
	req.Header.Set("X-API-KEY", v.key)
	w := httptest.NewRecorder()
	v.ServeHTTP(w, req)
	_, rest, found := strings.Cut(w.Body.String(), `"tx_id":"`)
	if !found {
		return fmt.Errorf("%d %s", w.Code, w.Body)
	}
	if n%20 >= 17 {
		return nil
	}
	id, _, _ := strings.Cut(rest, `"`)
	if err := v.Approve("a@example.com", id); err != nil {
		return err
	}
	return v.Approve("b@example.com", id)
}

// TestSandboxStore makes many transactions in a store by 64 writers, and tells what it takes to open it: time, heap and disk, which must be
// within bounds that hold for a million.
func TestSandboxStore(t *testing.T) {
	dir, total := *storeFolder, *storeTransactions
	if dir == "" {
		dir = t.TempDir()
	}
	v := newVault(t, dir)
	var next, largest atomic.Int64
	began := time.Now()
	ctx, done := context.WithCancel(t.Context())
	var watch, writers sync.WaitGroup
	watch.Go(func() {
		for ctx.Err() == nil {
			largest.Store(max(largest.Load(), folderSize(dir)))
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond):
			}
		}
	})
	for range 64 {
		writers.Go(func() {
			for n := next.Add(1); n <= total; n = next.Add(1) {
				if err := v.make(n); err != nil {
					t.Error(n, err)
					return
				}
				if n%5000 == 0 {
					if err := v.Advance(2 * time.Minute); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	writers.Wait()
	done()
	watch.Wait()
	v.must(v.Advance(20 * time.Minute))
	made := time.Since(began)
	state, err := v.State()
	v.must(err)
	v.must(v.Close())
	v.Server = nil
	began = time.Now()
	s, err := sandbox.New(sandbox.WithStore(dir))
	v.must(err)
	start := time.Since(began)
	var after runtime.MemStats
	for range 2 {
		runtime.GC()
	}
	runtime.ReadMemStats(&after)
	again, err := s.State()
	v.must(err)
	if again.Transactions != state.Transactions || fmt.Sprint(again.Totals) != fmt.Sprint(state.Totals) {
		t.Errorf("%d transactions with %v became %d with %v", state.Transactions, state.Totals, again.Transactions, again.Totals)
	}
	const mib = 1 << 20
	disk := folderSize(dir)
	t.Logf("%d transactions in %v (%.0f/s); opened in %v; heap %d MiB (%d B each); disk %d MiB (%d B each), %d MiB at most while they were made",
		total, made.Round(time.Millisecond), float64(total)/made.Seconds(), start.Round(time.Millisecond),
		after.HeapAlloc/mib, after.HeapAlloc/uint64(total), disk/mib, disk/total, largest.Load()/mib)
	v.must(s.Close())
	room := int64(40 * mib) // for what does not grow, a journal that is yet to be folded among it
	if limit := room + 500*total; disk > limit || largest.Load() > limit {
		t.Errorf("%d bytes on the disk, %d at most: more than %d", disk, largest.Load(), limit)
	}
	if limit := room + 600*total; int64(after.HeapAlloc) > limit {
		t.Errorf("a heap of %d bytes: more than %d", after.HeapAlloc, limit)
	}
}

func folderSize(dir string) (bytes int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil { // it is folded meanwhile
				bytes += info.Size()
			}
		}
		return nil
	})
	return bytes
}
