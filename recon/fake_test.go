package recon_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/qredo-go/qredo"
)

// service is a service with one fund, whose books are of many forms.
type service struct {
	wallets []qredo.Wallet
	ledger  []qredo.LedgerEntry // oldest first
	history map[qredo.WalletID][]qredo.HistoryEntry

	oldestFirst  bool
	sentPositive bool // as the schema of histories has it
	noTxID       bool // deposits have none in histories
	capitals     bool // IDs on the chain are in capitals in histories
	noChain      bool // the ledger has none, except for deposits
	noWallet     bool // the ledger leaves out whose entry it is

	clock int64
	made  int
	asked int
	live  func() // called before each answer
}

const begin = 1_600_000_000

func (s *service) answer() {
	s.asked++
	if s.live != nil {
		s.live()
	}
}

func (s *service) Get(_ context.Context, _ qredo.CompanyID, id qredo.FundID, _ ...qredo.CallOption) (*qredo.Fund, error) {
	s.answer()
	return &qredo.Fund{ID: id, Name: "Treasury", Wallets: slices.Clone(s.wallets)}, nil
}

func (s *service) entries(o qredo.LedgerOptions) (list []qredo.LedgerEntry) {
	for _, e := range s.ledger {
		if o.WalletID != "" && e.WalletID != o.WalletID {
			continue
		}
		if s.noWallet {
			e.WalletID = ""
		}
		if s.noChain && e.TxID != "" {
			e.ChainTxID = ""
		}
		list = append(list, e)
	}
	if !s.oldestFirst {
		slices.Reverse(list)
	}
	return list
}

func (s *service) ListLedger(_ context.Context, _ qredo.CompanyID, _ qredo.FundID, o qredo.LedgerOptions, _ ...qredo.CallOption) (*qredo.LedgerPage, error) {
	s.answer()
	list := s.entries(o)
	return &qredo.LedgerPage{Entries: list[:min(o.Limit, len(list))], Total: len(list)}, nil
}

func (s *service) LedgerAll(_ context.Context, _ qredo.CompanyID, _ qredo.FundID, o qredo.LedgerOptions, _ ...qredo.CallOption) iter.Seq2[qredo.LedgerEntry, error] {
	return func(yield func(qredo.LedgerEntry, error) bool) {
		s.answer()
		for _, e := range s.entries(o) {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// books are the wallets of the service.
type walletService struct{ *service }

func (s walletService) Get(_ context.Context, id qredo.WalletID, _ ...qredo.CallOption) (*qredo.Wallet, error) {
	s.answer()
	for _, w := range s.wallets {
		if w.ID == id {
			return &w, nil
		}
	}
	return nil, qredo.ErrNotFound
}

func (s walletService) HistoryAll(_ context.Context, id qredo.WalletID, o qredo.HistoryOptions, _ ...qredo.CallOption) iter.Seq2[qredo.HistoryEntry, error] {
	return func(yield func(qredo.HistoryEntry, error) bool) {
		s.answer()
		for _, h := range slices.Clone(s.history[id]) {
			if !h.Time.After(o.Since.Time) && !o.Since.IsZero() {
				continue
			}
			if s.sentPositive {
				h.Amount, h.NetAmount = -h.Amount, -h.NetAmount
			}
			if s.noTxID && strings.HasPrefix(string(h.TxID), "deposit") {
				h.TxID = ""
			}
			if s.capitals {
				h.ChainTxID = strings.ToUpper(h.ChainTxID)
			}
			if !yield(h, nil) {
				return
			}
		}
	}
}

func newService(form service) *service {
	form.history = map[qredo.WalletID][]qredo.HistoryEntry{}
	for i := range 3 {
		form.wallets = append(form.wallets, qredo.Wallet{ID: qredo.WalletID(fmt.Sprint("wallet", i)), Name: fmt.Sprint("W", i), Asset: []qredo.AssetCode{"BTC", "BTC", "ETH"}[i]})
	}
	return &form
}

func (s *service) chain() string { return fmt.Sprintf("%064x", s.made) }

// book puts a movement into both books.
func (s *service) book(w *qredo.Wallet, kind qredo.EntryType, tx qredo.TxID, chain string, net, fees qredo.Amount) {
	at := qredo.Unix(begin + s.clock)
	e := qredo.LedgerEntry{TxID: tx, Type: kind, Status: qredo.TxApproved, Asset: w.Asset, Amount: net + fees, NetAmount: net, Fees: fees, WalletID: w.ID, ChainTxID: chain, Time: at}
	h := qredo.HistoryEntry{WalletID: w.ID, TxID: tx, ChainTxID: chain, Asset: w.Asset, Amount: net, NetAmount: net, Time: at}
	if kind == qredo.EntryDeposit {
		e.TxID, e.Status = "", ""
	} else if !e.IsIncoming() {
		h.Amount, h.NetAmount, h.Fees = -net-fees, -net, -fees
	}
	s.ledger = append(s.ledger, e)
	s.history[w.ID] = append(s.history[w.ID], h)
	w.Balance += h.Amount
}

// move does something, as it may happen at a service.
func (s *service) move(r *rand.Rand) {
	s.clock += int64(r.IntN(3)) * int64(r.IntN(90))
	s.made++
	w, other := &s.wallets[r.IntN(3)], &s.wallets[r.IntN(2)]
	tx := qredo.TxID(fmt.Sprint("tx", s.made))
	switch net := qredo.Amount(1 + r.IntN(5)); r.IntN(7) {
	case 0, 1:
		s.book(w, qredo.EntryDeposit, qredo.TxID(fmt.Sprint("deposit", s.made)), s.chain(), net*1000, 0)
	case 2: // one transaction on the chain pays twice
		for range 2 {
			s.book(w, qredo.EntryDeposit, qredo.TxID(fmt.Sprint("deposit", s.made)), s.chain(), 7, 0)
		}
	case 3:
		if from := &s.wallets[1]; from.Balance > 10 && from != other {
			s.book(from, qredo.EntryTransferOut, tx, s.chain(), net, 1)
			s.book(other, qredo.EntryTransferIn, tx, s.chain(), net, 0)
		}
	case 4:
		if w.Balance > 10 {
			s.book(w, qredo.EntryWithdraw, tx, s.chain(), net, 1)
		}
	case 5: // waits, or came to nothing
		status := []qredo.TxStatus{qredo.TxPending, qredo.TxTakerPending, qredo.TxExpired, qredo.TxChainRejected}[r.IntN(4)]
		s.ledger = append(s.ledger, qredo.LedgerEntry{
			TxID: tx, Type: qredo.EntryTransferOut, Status: status, Asset: w.Asset, Amount: net + 1, NetAmount: net, Fees: 1, WalletID: w.ID, Time: qredo.Unix(begin + s.clock),
		})
	case 6:
		s.book(w, qredo.EntrySwapIn, tx, s.chain(), net, 0)
	}
}
