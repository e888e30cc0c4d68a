package recon_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/recon"
)

var forms = map[string]service{
	"as documented":                 {},
	"oldest first":                  {oldestFirst: true},
	"sent is positive":              {sentPositive: true},
	"deposits without transactions": {noTxID: true},
	"capitals":                      {capitals: true},
	"a ledger without the chain":    {noChain: true},
	"a ledger without wallets":      {noWallet: true},
	"all of it":                     {oldestFirst: true, sentPositive: true, noTxID: true, capitals: true, noWallet: true},
}

func prove(t *testing.T, s *service, opts ...recon.Option) *recon.Report {
	t.Helper()
	books, err := recon.New(s, walletService{s}, opts...)
	require.NoError(t, err)
	report, err := books.Prove(t.Context(), "company", "fund")
	require.NoError(t, err)
	return report
}

func requireOK(t *testing.T, s *service, report *recon.Report, about string) {
	t.Helper()
	require.True(t, report.OK(), "%s: %v", about, report.Findings())
	var balances, totals qredo.Amount
	for i, w := range slices.Collect(report.Wallets()) {
		require.Equal(t, recon.StatusOK, w.Status)
		require.Equal(t, s.wallets[i].Balance, w.Balance, about)
		require.Equal(t, w.Balance, w.Opening+w.Moved, about)
		moved := qredo.Amount(0)
		for _, k := range w.Kinds {
			moved += k.Moved
		}
		require.Equal(t, w.Moved, moved, about)
		balances += w.Balance
	}
	for _, total := range report.Funds[0].Totals {
		totals += total.Balance
	}
	require.Equal(t, balances, totals)
}

// TestHistoriesOfChance proves books of many forms, from the beginning and from report to report.
func TestHistoriesOfChance(t *testing.T) {
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(25) {
				r := rand.New(rand.NewPCG(seed, 3))
				s := newService(form)
				s.wallets[0].Balance, s.wallets[1].Balance = 0, 0
				var earlier *recon.Report
				for period := range 4 {
					for range r.IntN(25) {
						s.move(r)
					}
					about := fmt.Sprintf("seed %d, period %d", seed, period)
					requireOK(t, s, prove(t, s), about)
					if earlier == nil {
						earlier = prove(t, s)
						continue
					}
					next := prove(t, s, recon.WithEarlier(earlier))
					requireOK(t, s, next, about)
					kept, err := json.Marshal(next)
					require.NoError(t, err)
					earlier = &recon.Report{}
					require.NoError(t, json.Unmarshal(kept, earlier))
				}
			}
		})
	}
}

// TestNothingWrongIsMissed changes one thing in one of the books, or a balance: it is found, in the wallet where it is.
func TestNothingWrongIsMissed(t *testing.T) {
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(50) {
				r := rand.New(rand.NewPCG(seed, 4))
				s := newService(form)
				for range 10 + r.IntN(30) {
					s.move(r)
				}
				where := spoil(s, r)
				if where == "" {
					continue
				}
				report := prove(t, s)
				require.False(t, report.OK(), "seed %d, %s", seed, where)
				for w := range report.Wallets() {
					require.Equal(t, w.WalletID == where, w.Status != recon.StatusOK, "seed %d: %s, %s: %v", seed, where, w.WalletID, w.Findings)
				}
			}
		})
	}
}

// spoil makes one thing wrong, and tells in which wallet.
func spoil(s *service, r *rand.Rand) qredo.WalletID {
	w := &s.wallets[r.IntN(3)]
	history := s.history[w.ID]
	if len(history) == 0 {
		return ""
	}
	i := r.IntN(len(history))
	var booked []int
	for i, e := range s.ledger {
		if e.WalletID == w.ID && e.Moved() {
			booked = append(booked, i)
		}
	}
	at := booked[r.IntN(len(booked))]
	e := &s.ledger[at]
	switch r.IntN(10) {
	case 0:
		w.Balance++
	case 1:
		s.history[w.ID] = slices.Delete(history, i, i+1)
		w.Balance -= history[i].Amount // so that the history alone adds up
	case 2:
		s.ledger = slices.Delete(s.ledger, at, at+1)
	case 3:
		e.Amount, e.NetAmount = e.Amount+1, e.NetAmount+1
	case 4:
		e.Type = "gift"
	case 5:
		e.Status = "lost"
	case 6:
		e.Asset = "DOGE"
	case 7:
		history[i].Asset = "DOGE"
	case 8:
		history[i].TxID, history[i].ChainTxID = "another", "ff"
	case 9:
		s.ledger = append(s.ledger, *e) // there twice
	}
	return w.ID
}

// TestBooksThatMove lets things happen while the books are read, for a while: all is well in the end.
func TestBooksThatMove(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 5))
		s := newService(service{oldestFirst: seed%2 == 0})
		for range 30 {
			s.move(r)
		}
		left := r.IntN(12)
		s.live = func() {
			if s.asked < left {
				s.move(r)
			}
		}
		report := prove(t, s)
		require.True(t, report.OK(), "seed %d: %v", seed, report.Findings())
	}
	s := newService(service{})
	s.live = func() {
		s.book(&s.wallets[0], qredo.EntryDeposit, qredo.TxID(fmt.Sprint("deposit", s.asked)), fmt.Sprint(s.asked), 5, 0)
	}
	report := prove(t, s)
	w := report.Funds[0].Wallets[0]
	require.Equal(t, recon.StatusMoving, w.Status)
	require.Equal(t, recon.FoundMoving, w.Findings[len(w.Findings)-1].Kind)
}

// TestABalanceThatMovesIsReadAgain has a deposit come before each answer until the balance was looked at once more: it is in the report.
func TestABalanceThatMovesIsReadAgain(t *testing.T) {
	asked := 0
	for at := 0; at == 0 || at < asked; at++ { // the last answer is after it
		s := newService(service{})
		s.wallets = s.wallets[:1]
		s.book(&s.wallets[0], qredo.EntryDeposit, "deposit1", "aa", 100, 0)
		s.book(&s.wallets[0], qredo.EntryWithdraw, "t", "ab", 5, 1)
		s.live = func() {
			if s.asked == at {
				s.book(&s.wallets[0], qredo.EntryDeposit, "deposit2", "ac", 7, 0)
			}
		}
		report := prove(t, s)
		require.True(t, report.OK(), "%d: %v", at, report.Findings())
		require.Equal(t, s.wallets[0].Balance, report.Funds[0].Wallets[0].Balance, at)
		if at == 0 { // nothing has come
			asked = s.asked
		}
	}
}

func TestWhatWaitsIsToldApart(t *testing.T) {
	s := newService(service{})
	s.book(&s.wallets[0], qredo.EntryDeposit, "deposit1", "aa", 1000, 0)
	fees := map[qredo.EntryType]qredo.Amount{qredo.EntryWithdraw: 2}
	for kind, status := range map[qredo.EntryType]qredo.TxStatus{qredo.EntryWithdraw: qredo.TxPending, qredo.EntrySwapIn: qredo.TxTakerPending} {
		s.ledger = append(s.ledger, qredo.LedgerEntry{
			TxID: "t", Type: kind, Status: status, Asset: "BTC", Amount: 11, NetAmount: 11 - fees[kind], Fees: fees[kind], WalletID: "wallet0",
		})
	}
	w := prove(t, s).Funds[0].Wallets[0]
	require.Equal(t, []qredo.Amount{1000, 1000, 11, 11}, []qredo.Amount{w.Balance, w.Expected, w.WaitingOut, w.WaitingIn})
}

func TestSumsBeyond64Bits(t *testing.T) {
	s := newService(service{})
	const most = qredo.Amount(1<<63 - 1)
	s.book(&s.wallets[0], qredo.EntryDeposit, "deposit1", "aa", most, 0)
	s.book(&s.wallets[0], qredo.EntrySwapIn, "t2", "ab", 5, 0)
	s.book(&s.wallets[0], qredo.EntryWithdraw, "t", "ac", 5, 0)
	requireOK(t, s, prove(t, s), "it comes back")
	s.book(&s.wallets[0], qredo.EntryDeposit, "deposit3", "ad", 1, 0)
	w := prove(t, s).Funds[0].Wallets[0]
	require.True(t, slices.ContainsFunc(w.Findings, func(f recon.Finding) bool { return f.Kind == recon.FoundOverflow }), "%v", w.Findings)
}

// TestLateAndSameSecond has movements in the very second of a report, and one that a history shows later.
func TestLateAndSameSecond(t *testing.T) {
	s := newService(service{})
	w := &s.wallets[0]
	s.clock = 1000
	s.book(w, qredo.EntryDeposit, "deposit1", "aa", 10, 0)
	earlier := prove(t, s)
	s.book(w, qredo.EntryDeposit, "deposit2", "ab", 20, 0)
	s.clock = 900
	s.book(w, qredo.EntryDeposit, "deposit3", "ac", 30, 0)
	next := prove(t, s, recon.WithEarlier(earlier))
	requireOK(t, s, next, "")
	require.Equal(t, 2, next.Funds[0].Wallets[0].Entries)

	s.wallets = s.wallets[1:]
	gone := prove(t, s, recon.WithEarlier(next))
	require.Contains(t, gone.Findings(), recon.Finding{Kind: recon.FoundWalletGone, WalletID: "wallet0", Amount: 60})
}

// TestACrowdedSecondIsNotBuiltOn has more in one second than a report keeps, and that is the first second of what it would keep.
func TestACrowdedSecondIsNotBuiltOn(t *testing.T) {
	s := newService(service{})
	for range 10_001 {
		s.made++
		s.book(&s.wallets[0], qredo.EntryDeposit, qredo.TxID(fmt.Sprint("deposit", s.made)), s.chain(), 1, 0)
	}
	s.clock += 5 * 60
	s.book(&s.wallets[0], qredo.EntryDeposit, "deposit", "aa", 1, 0)
	earlier := prove(t, s)
	requireOK(t, s, earlier, "")
	requireOK(t, s, prove(t, s, recon.WithEarlier(earlier)), "")
}

// TestAnUnprovedReportIsNotBuiltOn goes on from a report in which a wallet's books do not add up: all of it counts again.
func TestAnUnprovedReportIsNotBuiltOn(t *testing.T) {
	s := newService(service{})
	s.book(&s.wallets[0], qredo.EntryDeposit, "deposit1", "aa", 10, 0)
	s.wallets[0].Balance++
	earlier := prove(t, s)
	require.False(t, earlier.OK())
	require.False(t, prove(t, s, recon.WithEarlier(earlier)).OK())
	s.wallets[0].Balance--
	require.True(t, prove(t, s, recon.WithEarlier(earlier)).OK())
}

func TestEntriesOfNoWallet(t *testing.T) {
	s := newService(service{})
	s.book(&s.wallets[0], qredo.EntryDeposit, "deposit1", "aa", 10, 0)
	s.ledger = append(s.ledger, qredo.LedgerEntry{TxID: "t", WalletID: "elsewhere"})
	findings := prove(t, s).Findings()
	require.Len(t, findings, 1)
	require.Equal(t, recon.Finding{Kind: recon.FoundUncounted, Amount: 1}, findings[0])
}

func TestNewRefuses(t *testing.T) {
	s := newService(service{})
	btc := qredo.AssetAmount{Asset: "BTC", Amount: 1}
	report := &recon.Report{Company: "another"}
	for field, opts := range map[string][]recon.Option{
		"since":   {recon.WithSince(qredo.Time{})},
		"opening": {recon.WithOpening("wallet0", btc)},
		"clock":   {recon.WithClock(nil)},
		"earlier": {recon.WithEarlier(nil)},
	} {
		_, err := recon.New(s, walletService{s}, opts...)
		requireInvalid(t, err, field)
	}
	_, err := recon.New(s, walletService{s}, recon.WithEarlier(report), recon.WithSince(qredo.Unix(1)))
	requireInvalid(t, err, "earlier")
	for field, opts := range map[string][]recon.Option{
		"earlier": {recon.WithEarlier(report)},
		"opening": {recon.WithSince(qredo.Unix(1)), recon.WithOpening("elsewhere", btc)},
	} {
		books, err := recon.New(s, walletService{s}, opts...)
		require.NoError(t, err)
		_, err = books.Prove(t.Context(), "company", "fund")
		requireInvalid(t, err, field)
	}
}

func requireInvalid(t *testing.T, err error, field string) {
	t.Helper()
	var invalid *qredo.ValidationError
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, field, invalid.Field)
}

// TestFindingsSayWhatIsWrong demands words for each kind, and the entry that is meant.
func TestFindingsSayWhatIsWrong(t *testing.T) {
	entry := &qredo.LedgerEntry{Type: qredo.EntryDeposit, ChainTxID: "chain1", Amount: 7, Asset: "DOGE"}
	for _, kind := range []recon.FindingKind{
		recon.FoundDifference, recon.FoundBooksDiffer, recon.FoundLedgerOnly, recon.FoundWrongFigures, recon.FoundForeignAsset, recon.FoundUnknown,
		recon.FoundOverflow, recon.FoundMoving, recon.FoundUncounted, recon.FoundWalletGone,
	} {
		text := recon.Finding{Kind: kind, Amount: 7, Ledger: entry}.String()
		require.Contains(t, text, " ", kind)
	}
	require.Contains(t, recon.Finding{Kind: recon.FoundLedgerOnly, Ledger: entry}.String(), "deposit chain1 of 7")
	require.Contains(t, recon.Finding{Kind: recon.FoundHistoryOnly, History: &qredo.HistoryEntry{TxID: "t", Amount: -7}}.String(), "history entry t of -7")
	data, err := json.Marshal(recon.Finding{Kind: recon.FoundDifference, Amount: 1})
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, []byte(`{"kind":"difference","amount":1}`)), string(data))
}
