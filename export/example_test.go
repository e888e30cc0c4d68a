package export_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/export"
)

// The ledger of a fund becomes a file for accountants. Called again after an error or a crash, this goes on where it was.
func ExampleLedger_ToFile() {
	ctx := context.Background()
	service := &ledger{entries: []qredo.LedgerEntry{ // a client's Funds and Assets, in a program
		{TxID: "t", Type: qredo.EntryTransferOut, Status: qredo.TxApproved, Asset: "BTC", Amount: 801, NetAmount: 800, Fees: 1, Time: qredo.Unix(1_600_000_000)},
	}}
	dir, err := os.MkdirTemp("", "books")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "ledger.csv")

	what := export.Selection{Server: "https://api-v2.qredo.network", Company: "2Ky9Pf34qY6Nb3wWD25RQ4F5ZR3", Fund: "2qa7yEeeby3abP3E2Zs8IQ9Y7aJ"}
	books, err := export.New(service, service, what, export.WithZone(time.FixedZone("CET", 3600)))
	if err != nil {
		log.Fatal(err)
	}
	done, err := books.ToFile(ctx, path)
	if err != nil {
		log.Fatal(err)
	}
	written, err := os.ReadFile(path)
	fmt.Println(done.Entries, err)
	fmt.Print(string(written))
	// Output:
	// 1 <nil>
	// TxID,type,status,asset,amount,amountDecimal,netAmount,netAmountDecimal,fees,feesDecimal,change,changeDecimal,fundID,walletID,address,counterpartyID,counterpartyName,reference,benefitOf,accountNo,chainTxID,timestamp,expireTime,timestampLocal,expireTimeLocal
	// t,transferOut,approved,BTC,801,0.00000801,800,0.000008,1,0.00000001,-801,-0.00000801,,,,,,,,,,2020-09-13T12:26:40Z,,2020-09-13T13:26:40+01:00,
}

// JSON lines are read back by the SDK's own types.
func ExampleLedger_To() {
	service := &ledger{entries: []qredo.LedgerEntry{
		{Type: qredo.EntryDeposit, Asset: "BTC", Amount: 1000, NetAmount: 1000, ChainTxID: "4a5e", Time: qredo.Unix(1_600_000_000)},
	}} // a client's Funds and Assets, in a program
	ledger, err := export.New(service, service, export.Selection{Company: "2Ky9Pf34qY6Nb3wWD25RQ4F5ZR3", Fund: "2qa7yEeeby3abP3E2Zs8IQ9Y7aJ"}, export.WithFormat(export.JSONLines))
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := ledger.To(context.Background(), os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"TxID":"","type":"deposit","status":"","asset":"BTC","amount":1000,"netAmount":1000,"fees":0,"fundID":"","address":"","counterpartyID":"","counterpartyName":"","reference":"","benefitOf":"","accountNo":"","chainTxID":"4a5e","timestamp":1600000000,"expireTime":0}
}
