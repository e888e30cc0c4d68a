package recon_test

import (
	"context"
	"fmt"
	"log"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/recon"
)

// Each month's report is where the next one goes on.
func ExampleBooks_Prove() {
	s := newService(service{}) // a client's Funds and Wallets, in a program
	s.book(&s.wallets[0], qredo.EntryDeposit, "deposit1", "4a5e", 5000, 0)
	november, err := recon.New(s, walletService{s})
	if err != nil {
		log.Fatal(err)
	}
	first, err := november.Prove(context.Background(), "2Ky9Pf34qY6Nb3wWD25RQ4F5ZR3", "2qa7yEeeby3abP3E2Zs8IQ9Y7aJ")
	if err != nil {
		log.Fatal(err)
	}

	s.book(&s.wallets[0], qredo.EntryWithdraw, "2MAd7V3DnI8lFPPwtV5ASPZHu8q", "4a5f", 1000, 1)
	s.wallets[1].Balance = 7 // which is in no book
	december, err := recon.New(s, walletService{s}, recon.WithEarlier(first))
	if err != nil {
		log.Fatal(err)
	}
	report, err := december.Prove(context.Background(), "2Ky9Pf34qY6Nb3wWD25RQ4F5ZR3", "2qa7yEeeby3abP3E2Zs8IQ9Y7aJ")
	if err != nil {
		log.Fatal(err)
	}
	for w := range report.Wallets() {
		fmt.Println(w.Name, w.Opening, w.Moved, w.Fees, w.Balance, w.Status)
	}
	for _, f := range report.Findings() {
		fmt.Println(f.WalletID, f.Kind, f.Amount)
	}
	// Output:
	// W0 5000 -1001 1 3999 ok
	// W1 0 0 0 7 fault
	// W2 0 0 0 0 ok
	// wallet1 difference 7
}
