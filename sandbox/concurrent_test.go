package sandbox_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ask sends a request from any goroutine and returns status and body.
func (s service) ask(method, path, body string) (int, []byte) {
	req := httptest.NewRequest(method, basePath+path, strings.NewReader(body))
	req.Header.Set("X-Api-Key", s.apiKey)
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, req)
	return rec.Code, rec.Body.Bytes()
}

// TestConcurrentUseConservesMoney lets goroutines send money in circles while others read, people vote, time
// passes and companies are made. The race detector watches; the books must balance at every look.
func TestConcurrentUseConservesMoney(t *testing.T) {
	const senders, rounds = 8, 150
	w := withFunds(t)
	wallets := []string{w.treasury, w.trading}
	for range 4 {
		wallets = append(wallets, w.newWallet(w.company, w.fund, object{"asset": btc}))
	}
	const each = 1_000_000
	for _, id := range wallets[1:] {
		w.credit(id, each)
	}
	deposited := int64(len(wallets) * each)

	var senderGroup, readerGroup sync.WaitGroup
	stop := make(chan struct{})
	for n := range senders {
		senderGroup.Go(func() {
			random := rand.New(rand.NewPCG(uint64(n), 1))
			for i := range rounds {
				from := random.IntN(len(wallets))
				to := (from + 1 + random.IntN(len(wallets)-1)) % len(wallets)
				body := fmt.Sprintf(`{"wallet_id":%q,"counterparty_wallet_address":%q,"partner_txID":"%d-%d","expires":%d,"send":{"symbol":%q,"amount":%d}}`,
					wallets[from], wallets[to], n, i, startOfTime.Unix()+3600, btc, 1+random.IntN(400_000))
				status, answer := w.ask("POST", w.inCompany("/transfer"), body)
				if status == http.StatusBadRequest {
					continue // not enough there, just now
				}
				var sent struct {
					TxID string `json:"tx_id"`
				}
				if err := json.Unmarshal(answer, &sent); status != http.StatusOK || err != nil {
					t.Errorf("%d %s: %v", status, answer, err)
					return
				}
				switch i % 4 {
				case 0:
					assert.NoError(t, w.Reject(alice, sent.TxID))
					assert.NoError(t, w.Reject(bob, sent.TxID))
				case 1: // left to expire
				default:
					assert.NoError(t, w.Approve(alice, sent.TxID))
				}
				w.clock.forward(time.Millisecond)
			}
		})
	}
	for n := range 3 {
		readerGroup.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				for _, path := range []string{"/wallet/" + wallets[i%len(wallets)], w.inFund("/ledger?limit=20"), w.inCompany("/holding"), "/wallet/" + w.treasury + "/history"} {
					status, answer := w.ask("GET", path, "")
					assert.Equal(t, http.StatusOK, status, "%s", answer)
				}
				if state, err := w.State(); assert.NoError(t, err) {
					total := state.Totals[btc]
					assert.Equal(t, total.Deposited, total.Balances+total.Withdrawn+total.Fees)
					assert.EqualValues(t, deposited, total.Deposited)
				}
				if _, err := w.Pending(alice); err != nil {
					t.Error(err)
				}
				if i < 20 {
					status, answer := w.ask("POST", "/company", fmt.Sprintf(`{"name":"Reader","ref":"%d-%d"}`, n, i))
					assert.Equal(t, http.StatusOK, status, "%s", answer)
				}
			}
		})
	}
	senderGroup.Wait()
	close(stop)
	readerGroup.Wait()

	require.NoError(t, w.Advance(2*time.Hour))
	var sum int64
	for _, id := range wallets {
		assert.Zero(t, w.held(id))
		assert.GreaterOrEqual(t, w.balance(id), int64(0))
		sum += w.balance(id)
	}
	state, err := w.State()
	require.NoError(t, err)
	assert.Equal(t, deposited, sum+int64(state.Totals[btc].Fees))
	assert.Positive(t, state.Totals[btc].Fees, "something was sent")
}
