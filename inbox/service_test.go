package inbox_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/internal/demofund"
	"github.com/qredo-go/qredo/sandbox"
)

const btc = qredo.AssetCode("BTC-TESTNET")

const carol = "carol@acme.example"

// service is a sandbox with a fund, from which carol lets go.
type service struct {
	*sandbox.Server
	t       testing.TB
	client  *qredo.Client
	company qredo.CompanyID
	fund    qredo.FundID
	wallets []qredo.WalletID
	group   *qredo.CustodyGroup
}

func newService(t testing.TB, wallets int, opts ...sandbox.Option) *service {
	t.Helper()
	srv, err := sandbox.Start(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, srv.Close()) })
	fund, err := demofund.New(t.Context(), srv, "Acme", []string{carol}, requests(wallets)...)
	require.NoError(t, err)
	s := &service{Server: srv, t: t, client: srv.Client(), company: fund.Company, fund: fund.ID}
	for _, w := range fund.Wallets {
		s.wallets = append(s.wallets, w.ID)
	}
	parties, err := s.client.TrustedNetwork.List(t.Context(), s.company)
	require.NoError(t, err)
	s.group = &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{parties[0].ID}}
	return s
}

func requests(n int) (list []qredo.WalletRequest) {
	for i := range n {
		list = append(list, qredo.WalletRequest{Name: fmt.Sprintf("Wallet %d", i), Asset: btc})
	}
	return list
}

// otherFund makes another fund, with the given number of wallets.
func (s *service) otherFund(wallets int) (qredo.FundID, []qredo.WalletID) {
	s.t.Helper()
	made, err := s.client.Funds.Create(s.t.Context(), s.company, qredo.FundRequest{
		Name: "Other", CustodyGroupTx: s.group, CustodyGroupWithdraw: s.group, Wallets: requests(wallets),
	})
	require.NoError(s.t, err)
	fund, err := s.client.Funds.Get(s.t.Context(), s.company, made.ID)
	require.NoError(s.t, err)
	var ids []qredo.WalletID
	for _, w := range fund.Wallets {
		ids = append(ids, w.ID)
	}
	return made.ID, ids
}

// transfer asks for a transfer between two wallets of the first fund.
func (s *service) transfer(from, to qredo.WalletID, amount qredo.Amount) qredo.TxID {
	s.t.Helper()
	tx, err := s.client.Transfers.Create(s.t.Context(), s.company, qredo.TransferRequest{
		WalletID: from, Counterparty: string(to), Send: qredo.AssetAmount{Asset: btc, Amount: amount},
		Expires: qredo.TimeOf(s.Now().Add(time.Hour)), Reference: "test", BenefitOf: "test", AccountNo: "1", PartnerTxID: qredo.PartnerTxID(rand.Text()),
	})
	require.NoError(s.t, err)
	return tx.TxID
}

func (s *service) approve(tx qredo.TxID) {
	s.t.Helper()
	require.NoError(s.t, s.Approve(carol, string(tx)))
}

func (s *service) deposit(w qredo.WalletID, amount qredo.Amount) sandbox.Deposit {
	s.t.Helper()
	d, err := s.Deposit(string(w), amount)
	require.NoError(s.t, err)
	return d
}

// books are what a handler has booked.
type books struct {
	mu     sync.Mutex
	seen   []inbox.Movement
	fail   func(inbox.Movement) error
	signal chan struct{}
}

func newBooks() *books { return &books{signal: make(chan struct{}, 1)} }

func (b *books) take(_ context.Context, _ inbox.NoTx, m inbox.Movement) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		if err := b.fail(m); err != nil {
			return err
		}
	}
	b.seen = append(b.seen, m)
	select {
	case b.signal <- struct{}{}:
	default:
	}
	return nil
}

// movements returns what was booked.
func (b *books) movements() []inbox.Movement {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]inbox.Movement(nil), b.seen...)
}

func (b *books) amounts(w qredo.WalletID) (amounts []qredo.Amount) {
	for _, m := range b.movements() {
		if m.Wallet == w {
			amounts = append(amounts, m.Amount)
		}
	}
	return amounts
}

// wait waits until the given number of movements is booked.
func (b *books) wait(t testing.TB, n int) []inbox.Movement {
	t.Helper()
	for {
		if got := b.movements(); len(got) >= n {
			require.Len(t, got, n)
			return got
		}
		select {
		case <-b.signal:
		case <-time.After(20 * time.Second):
			require.Len(t, b.movements(), n)
		}
	}
}

// open returns an inbox over a file, which stays the same for the same path.
func open(t testing.TB, client *qredo.Client, path string, opts ...inbox.Option) (*inbox.Inbox[inbox.NoTx], *inbox.FileStore) {
	t.Helper()
	store, err := inbox.OpenStore(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() }) // most are closed already
	opts = append([]inbox.Option{inbox.WithPolling(5*time.Millisecond, 10*time.Millisecond), inbox.WithBackoff(time.Millisecond, 5*time.Millisecond)}, opts...)
	in, err := inbox.New(client, store, opts...)
	require.NoError(t, err)
	return in, store
}

// run runs an inbox until the returned function is called.
func run[Tx any](t testing.TB, in *inbox.Inbox[Tx], handle inbox.Handler[Tx]) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- in.Run(ctx, handle) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-done)
	})
	t.Cleanup(stop)
	return stop
}

// settled returns what Check finds once nothing is ready to be handed over.
func settled[Tx any](t testing.TB, in *inbox.Inbox[Tx]) (report *inbox.Report) {
	t.Helper()
	require.Eventually(t, func() bool {
		var err error
		report, err = in.Check(t.Context())
		return err == nil && !slices.ContainsFunc(report.Balances, func(b inbox.Balance) bool { return b.Ready.Entries > 0 })
	}, 20*time.Second, 5*time.Millisecond)
	return report
}

func file(t testing.TB) string { return filepath.Join(t.TempDir(), "inbox.db") }

var errNo = errors.New("no")
