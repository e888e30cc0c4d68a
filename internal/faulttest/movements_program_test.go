package faulttest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
)

// movementsConfig, in the environment, names the file with the orders for a program that runs an inbox.
const movementsConfig = "FAULTTEST_MOVEMENTS_PROGRAM"

// movementOrders are for a program that books movements.
type movementOrders struct {
	BaseURL    string          `json:"base_url"`
	PrivateKey string          `json:"private_key"` // a file
	APIKey     string          `json:"api_key"`
	Company    qredo.CompanyID `json:"company"`
	Funds      []qredo.FundID  `json:"funds"` // none: those of the company
	From       time.Time       `json:"from"`  // zero: the start
	Database   string          `json:"database"`
	Folder     string          `json:"folder"` // of a file store, and of the books next to it
}

// client is the program's client, which does not try long, so that the inbox has work.
func (o movementOrders) client(t *testing.T) *qredo.Client {
	t.Helper()
	twice := hurry
	twice.MaxAttempts = 2
	return clientOf(t, o.PrivateKey, o.APIKey, o.BaseURL, qredo.WithHTTPClient(&http.Client{Timeout: 2 * attemptTime}), qredo.WithRetry(twice))
}

func (o movementOrders) options() []inbox.Option {
	opts := []inbox.Option{
		inbox.WithPolling(5*time.Millisecond, 100*time.Millisecond), inbox.WithBackoff(2*time.Millisecond, 200*time.Millisecond), inbox.WithLease(time.Second), inbox.From(o.From),
	}
	if len(o.Funds) > 0 {
		return append(opts, inbox.WithFunds(o.Company, o.Funds...))
	}
	return append(opts, inbox.WithCompany(o.Company))
}

func (o movementOrders) inbox() string { return filepath.Join(o.Folder, "inbox.db") }
func (o movementOrders) books() string { return filepath.Join(o.Folder, "books") }

// bookInFile is the program that is killed. It books movements in a file, each before the inbox knows that it was handed over.
func bookInFile(t *testing.T, path string) {
	t.Helper()
	var o movementOrders
	read(t, path, &o)
	store, err := inbox.OpenStore(o.inbox())
	require.NoError(t, err)
	books, err := os.OpenFile(o.books(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	in, err := inbox.New(o.client(t), store, o.options()...)
	require.NoError(t, err)
	var mu sync.Mutex
	require.NoError(t, in.Run(t.Context(), func(_ context.Context, _ inbox.NoTx, m inbox.Movement) error {
		mu.Lock()
		defer mu.Unlock()
		if _, err := fmt.Fprintln(books, m.Key, m.Wallet, int64(m.Amount)); err != nil {
			return err
		}
		return books.Sync()
	}))
}
