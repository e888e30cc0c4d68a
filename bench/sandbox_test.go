package bench

import (
	"bufio"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

const asset = qredo.AssetCode("BTC-TESTNET")

// bank is a sandbox with a fund of two wallets, whose one approver is a person.
type bank struct {
	srv      *sandbox.Server
	client   *qredo.Client
	company  qredo.CompanyID
	fund     qredo.FundID
	from, to qredo.Wallet
	apiKey   string
}

func openBank(b *testing.B, opts ...sandbox.Option) *bank {
	b.Helper()
	ctx := b.Context()
	srv, err := sandbox.Start(opts...)
	check(b, err)
	b.Cleanup(func() { _ = srv.Close() })
	client := srv.Client()
	company, err := client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Bank"})
	check(b, err)
	_, err = srv.CreateUser(sandbox.User{Email: "a@example.com"})
	check(b, err)
	check(b, client.TrustedNetwork.Add(ctx, company.ID, qredo.TrustedPartyRequest{Address: "a@example.com"}))
	check(b, srv.Accept("a@example.com", company.ID))
	parties, err := client.TrustedNetwork.List(ctx, company.ID)
	check(b, err)
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{parties[0].ID}}
	made, err := client.Funds.Create(ctx, company.ID, qredo.FundRequest{
		Name: "Fund", CustodyGroupTx: group, CustodyGroupWithdraw: group, Wallets: []qredo.WalletRequest{{Asset: asset}, {Asset: asset}},
	})
	check(b, err)
	fund, err := client.Funds.Get(ctx, company.ID, made.ID)
	check(b, err)
	_, err = srv.Deposit(fund.Wallets[0].Address, 1e15)
	check(b, err)
	req, err := http.NewRequest(http.MethodGet, srv.URL(), nil)
	check(b, err)
	check(b, srv.Auth().Authenticate(req, nil, time.Now()))
	return &bank{
		srv: srv, client: client, company: company.ID, fund: made.ID, from: fund.Wallets[0], to: fund.Wallets[1],
		apiKey: req.Header.Get("X-Api-Key"),
	}
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// request is a signed request as it goes over the wire. It is made once and sent often: what is measured
// is the sandbox, and a signature costs twenty times what its verification does.
func (k *bank) request(b *testing.B, method, path, body string) []byte {
	b.Helper()
	req, err := http.NewRequest(method, k.srv.BaseURL()+path, strings.NewReader(body))
	check(b, err)
	check(b, k.srv.Auth().Authenticate(req, []byte(body), time.Now()))
	var text strings.Builder
	check(b, req.Write(&text))
	return []byte(text.String())
}

func (k *bank) transferBody(n int64) string {
	return fmt.Sprintf(`{"wallet_id":%q,"counterparty_wallet_address":%q,"partner_txID":"t-%d","expires":%d,"send":{"symbol":%q,"amount":1000}}`,
		k.from.ID, k.to.ID, n, time.Now().Add(24*time.Hour).Unix(), asset)
}

// connection sends requests and reads the answers with as little of its own as can be.
type connection struct {
	net.Conn
	in *bufio.Reader
}

func dial(b *testing.B, url string) connection {
	b.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	check(b, err)
	return connection{conn, bufio.NewReader(conn)}
}

func (c connection) send(request []byte) error {
	if _, err := c.Write(request); err != nil {
		return err
	}
	status, err := c.in.ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.Contains(status, " 200 ") {
		return fmt.Errorf("answer: %s", status)
	}
	length := 0
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if name, value, ok := strings.Cut(string(line), ":"); ok && strings.EqualFold(name, "Content-Length") {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return err
			}
		}
	}
	_, err = c.in.Discard(length)
	return err
}

// spread sends b.N requests over so many connections at once.
func spread(b *testing.B, url string, clients int, next func(i int64) []byte) {
	b.Helper()
	var (
		wg    sync.WaitGroup
		count atomic.Int64
	)
	conns := make([]connection, clients)
	for i := range conns {
		conns[i] = dial(b, url)
		defer conns[i].Close()
	}
	b.ResetTimer()
	for _, conn := range conns {
		wg.Go(func() {
			for i := count.Add(1); i <= int64(b.N); i = count.Add(1) {
				if err := conn.send(next(i)); err != nil && err != io.EOF {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

var clientCounts = []int{1, 8, 64}

func BenchmarkSandboxReads(b *testing.B) {
	k := openBank(b)
	get := k.request(b, http.MethodGet, "/wallet/"+string(k.from.ID), "")
	for _, clients := range clientCounts {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			spread(b, k.srv.URL(), clients, func(int64) []byte { return get })
		})
	}
	b.Run("verifications", func(b *testing.B) {
		digest := sha256.Sum256(nil)
		signature, err := key.Sign(nil, digest[:], crypto.SHA256)
		check(b, err)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
					b.Error(err)
				}
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
	})
}

func BenchmarkSandboxTransfers(b *testing.B) {
	for _, durable := range []bool{false, true} {
		name := "memory"
		opts := []sandbox.Option{sandbox.WithUnsigned()}
		if durable {
			name = "durable"
			opts = append(opts, sandbox.WithStore(b.TempDir()))
		}
		k := openBank(b, opts...)
		var made atomic.Int64
		for _, clients := range clientCounts {
			b.Run(fmt.Sprintf("%s/clients=%d", name, clients), func(b *testing.B) {
				spread(b, k.srv.URL(), clients, func(int64) []byte { return k.unsigned(made.Add(1)) })
			})
		}
	}
}

// unsigned is a request for a transfer that carries the API key alone: each is another, and signing them
// would be what is measured.
func (k *bank) unsigned(n int64) []byte {
	body := k.transferBody(n)
	return fmt.Appendf(nil, "POST /api/v1/p/company/%s/transfer HTTP/1.1\r\nHost: %s\r\nX-API-KEY: %s\r\nContent-Length: %d\r\n\r\n%s",
		k.company, strings.TrimPrefix(k.srv.URL(), "http://"), k.apiKey, len(body), body)
}

var grownTo = flag.Int64("grown", 1_000_000, "how many transactions BenchmarkSandboxGrowth measures with")

// BenchmarkSandboxGrowth measures a request when a sandbox has few transactions and when it has many, by turns:
// reads of a wallet, of a ledger's page and of a transaction, and a transfer. All transactions wait.
func BenchmarkSandboxGrowth(b *testing.B) {
	grown := []*grownBank{growBank(b, 1_000), growBank(b, *grownTo)}
	for _, g := range grown { // now: the sandbox closes connections that rest
		g.conn = dial(b, g.srv.URL())
		defer g.conn.Close()
	}
	for range 10 {
		for _, name := range []string{"wallet", "ledger", "tx", "transfer"} {
			for _, g := range grown {
				b.Run(fmt.Sprintf("%s/transactions=%d", name, g.size), func(b *testing.B) {
					for b.Loop() {
						request := g.requests[name]
						if name == "transfer" {
							request = g.unsigned(g.made.Add(1))
						}
						check(b, g.conn.send(request))
					}
					b.ReportMetric(g.each, "B/transaction")
				})
			}
		}
	}
}

// grownBank is a bank with so many transactions.
type grownBank struct {
	*bank
	size     int64
	conn     connection
	made     atomic.Int64
	requests map[string][]byte
	each     float64 // bytes of heap for a transaction
}

func growBank(b *testing.B, size int64) *grownBank {
	b.Helper()
	g := &grownBank{bank: openBank(b, sandbox.WithUnsigned()), size: size}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var filling sync.WaitGroup
	for range 8 {
		conn := dial(b, g.srv.URL())
		filling.Go(func() {
			defer conn.Close()
			for n := g.made.Add(1); n <= size; n = g.made.Add(1) {
				if err := conn.send(g.unsigned(n)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	filling.Wait()
	runtime.GC()
	runtime.ReadMemStats(&after)
	g.each = float64(int64(after.HeapAlloc)-int64(before.HeapAlloc)) / float64(size)
	page, err := g.client.Funds.ListLedger(b.Context(), g.company, g.fund, qredo.LedgerOptions{Direction: qredo.DirectionOut, Offset: int(size / 2), Limit: 1})
	check(b, err)
	g.requests = map[string][]byte{
		"wallet": g.request(b, http.MethodGet, "/wallet/"+string(g.from.ID), ""),
		"ledger": g.request(b, http.MethodGet, fmt.Sprintf("/company/%s/fund/%s/ledger?limit=100&offset=%d", g.company, g.fund, size/2), ""),
		"tx":     g.request(b, http.MethodGet, fmt.Sprintf("/company/%s/transfer/%s", g.company, page.Entries[0].TxID), ""),
	}
	return g
}
