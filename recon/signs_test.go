package recon_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/recon"
)

// wrongOnly demands that a report finds something in one wallet, and calls the others right.
func wrongOnly(t *testing.T, report *recon.Report, where qredo.WalletID, about string) {
	t.Helper()
	require.False(t, report.OK(), about)
	for w := range report.Wallets() {
		assert.Equal(t, w.WalletID == where, w.Status != recon.StatusOK, "%s: %s: %v", about, w.WalletID, w.Findings)
	}
}

// TestOneWrongSignTurnsNoOther has one entry with the wrong sign, in each form that histories have: it is found, and the rest is read as before.
func TestOneWrongSignTurnsNoOther(t *testing.T) {
	for _, positive := range []bool{false, true} {
		for _, entry := range []int{0, 1, 2} { // a deposit, one, the payment
			for _, others := range []int{1, 5} {
				about := fmt.Sprintf("sent is positive: %v, entry %d, %d deposits elsewhere", positive, entry, others)
				s := newService(service{sentPositive: positive})
				for i := range s.wallets {
					for range others {
						s.made++
						s.book(&s.wallets[i], qredo.EntryDeposit, qredo.TxID(fmt.Sprint("deposit", s.made)), s.chain(), 1000, 0)
					}
				}
				w := &s.wallets[0]
				s.made++
				s.book(w, qredo.EntryDeposit, "deposit", s.chain(), 50, 0)
				s.made++
				s.book(w, qredo.EntryWithdraw, "tx", s.chain(), 9, 1)
				history := s.history[w.ID]
				at := []int{0, len(history) - 2, len(history) - 1}[entry]
				history[at].Amount, history[at].NetAmount = -history[at].Amount, -history[at].NetAmount

				report := prove(t, s)
				wrongOnly(t, report, w.ID, about)
				assert.Equal(t, positive, report.SentPositive, about)
				named := slices.ContainsFunc(report.Findings(), func(f recon.Finding) bool {
					return f.Kind == recon.FoundHistoryOnly && f.History.ChainTxID == history[at].ChainTxID
				})
				assert.True(t, named, "%s: %v", about, report.Findings())
				assert.LessOrEqual(t, len(report.Findings()), 5, "%s: %v", about, report.Findings())
			}
		}
	}
}

// TestEntriesOfNothingAreLookedAt: what says that it moved nothing must not say besides that something was paid, or in another asset.
func TestEntriesOfNothingAreLookedAt(t *testing.T) {
	for kind, change := range map[recon.FindingKind]func(*qredo.LedgerEntry){
		recon.FoundWrongFigures: func(e *qredo.LedgerEntry) { e.NetAmount, e.Fees = 5, 2 },
		recon.FoundForeignAsset: func(e *qredo.LedgerEntry) { e.Asset = "DOGE" },
		"":                      func(*qredo.LedgerEntry) {},
	} {
		s := newService(service{})
		w := &s.wallets[1]
		s.made++
		s.book(w, qredo.EntryDeposit, "deposit", s.chain(), 1000, 0)
		e := qredo.LedgerEntry{TxID: "tx", Type: qredo.EntryTransferOut, Status: qredo.TxApproved, Asset: w.Asset, WalletID: w.ID, Time: qredo.Unix(begin)}
		change(&e)
		s.ledger = append(s.ledger, e)
		report := prove(t, s)
		if kind == "" {
			require.True(t, report.OK(), report.Findings())
			continue
		}
		wrongOnly(t, report, w.ID, string(kind))
		assert.Equal(t, kind, report.Findings()[0].Kind)
	}
}

// Books whose sums agree, and not one entry, are not proved, although the other signs fit better.
func TestSumsThatAgreeProveNothing(t *testing.T) {
	for _, books := range []struct{ ledger, history []qredo.Amount }{
		{[]qredo.Amount{1000, 1000, -2000}, []qredo.Amount{-500, -500, 1000}},
		{[]qredo.Amount{1, 1, -1}, []qredo.Amount{-1, -1, 3}},
	} {
		for _, others := range []int{0, 5} {
			s := newService(service{})
			for i, amount := range books.ledger {
				kind := qredo.EntryDeposit
				if amount < 0 {
					kind = qredo.EntryWithdraw
				}
				s.made++
				s.book(&s.wallets[0], kind, qredo.TxID(fmt.Sprint("tx", s.made)), s.chain(), max(amount, -amount), 0)
				entries := s.history[s.wallets[0].ID]
				entries[len(entries)-1].Amount, entries[len(entries)-1].NetAmount = books.history[i], books.history[i]
			}
			for range others {
				s.made++
				s.book(&s.wallets[1], qredo.EntryDeposit, qredo.TxID(fmt.Sprint("tx", s.made)), s.chain(), 100, 0)
			}
			report := prove(t, s)
			require.False(t, report.OK())
			require.NotEmpty(t, report.Findings())
		}
	}
}
