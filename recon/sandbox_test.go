package recon_test

import (
	"bytes"
	"encoding/csv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/export"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/recon"
	"github.com/qredo-go/qredo/sandbox"
)

// TestSandboxesOfChance proves and exports what happens by chance in a sandbox, in either order of its ledger, while answers are lost.
func TestSandboxesOfChance(t *testing.T) {
	for name, order := range map[string]sandbox.LedgerOrder{"newest first": sandbox.NewestFirst, "oldest first": sandbox.OldestFirst} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 1))
			w := clienttest.NewWorld(t, sandbox.WithLedgerOrder(order))
			books := func(opts ...recon.Option) *recon.Report {
				b, err := recon.New(w.Client.Funds, w.Client.Wallets, opts...)
				require.NoError(t, err)
				report, err := b.Prove(t.Context(), w.Company, w.Fund)
				require.NoError(t, err)
				require.True(t, report.OK(), "%v", report.Findings())
				return report
			}
			ledger, err := export.New(w.Client.Funds, w.Client.Assets, export.Selection{Company: w.Company, Fund: w.Fund}, export.WithPage(7))
			require.NoError(t, err)
			path := filepath.Join(t.TempDir(), "ledger.csv")
			var earlier *recon.Report
			for range 4 {
				for range 12 {
					switch r.IntN(5) {
					case 0, 1:
						w.Deposit(t, w.BTC, qredo.Amount(1+r.IntN(5)))
					case 2:
						w.Send(t, qredo.Amount(1000+r.IntN(5)))
					case 3:
						tx := w.Send(t, qredo.Amount(1000+r.IntN(5)))
						if r.IntN(3) == 0 {
							require.NoError(t, w.Srv.RejectOnChain(string(tx)))
						} else {
							w.Approve(t, tx)
						}
					case 4:
						require.NoError(t, w.Srv.Advance(time.Duration(r.IntN(1200))*time.Second))
					}
				}
				require.NoError(t, w.Srv.SetFaults(1, sandbox.FaultRule{Kind: sandbox.FaultDropAnswer, Rate: 0.3, Times: 3}, sandbox.FaultRule{Kind: sandbox.FaultCutBody, Rate: 0.3, Times: 3}))
				whole := books()
				if earlier == nil {
					earlier = whole
				}
				earlier = books(recon.WithEarlier(earlier))
				require.NoError(t, w.Srv.SetFaults(1))
				for i, wallet := range earlier.Funds[0].Wallets {
					require.Equal(t, wallet.Expected, whole.Funds[0].Wallets[i].Balance)
				}
			}
			_, err = ledger.ToFile(t.Context(), path)
			require.NoError(t, err)
			made, err := os.ReadFile(path)
			require.NoError(t, err)
			rows, err := csv.NewReader(bytes.NewReader(made)).ReadAll()
			require.NoError(t, err)
			changes, last := map[string]qredo.Amount{}, ""
			column := func(name string) int { return slices.Index(rows[0], name) }
			for _, row := range rows[1:] {
				change, err := strconv.ParseInt(row[column("change")], 10, 64)
				require.NoError(t, err)
				changes[row[column("walletID")]] += qredo.Amount(change)
				require.GreaterOrEqual(t, row[column("timestamp")], last, "oldest first")
				last = row[column("timestamp")]
			}
			for wallet := range earlier.Wallets() {
				require.Equal(t, wallet.Balance, changes[string(wallet.WalletID)], "the changes of a wallet add up to its balance")
			}
		})
	}
}
