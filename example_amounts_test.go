package qredo_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/qredo-go/qredo"
)

// What people write becomes base units, exactly or not at all.
func ExampleAsset_Parse() {
	btc := qredo.Asset{Code: "BTC", Scale: 100_000_000} // as Assets.Find gives it

	amount, err := btc.Parse("0.4")
	fmt.Println(int64(amount), "satoshi", err)

	_, err = btc.Parse("0.000000001")
	fmt.Println(err)
	// Output:
	// 40000000 satoshi <nil>
	// qredo: amount: 0.000000001 has more than the 8 decimals of BTC
}

func ExampleAsset_Format() {
	btc := qredo.Asset{Code: "BTC", UnitCode: "BTC", Scale: 100_000_000}

	fmt.Println(btc.Format(150_000_000), btc.UnitCode)
	fmt.Println(btc.Format(-1), btc.UnitCode)
	// Output:
	// 1.5 BTC
	// -0.00000001 BTC
}

// The list of assets does not change often: look the asset up once and keep it.
func ExampleAssetsService_Find() {
	acme := startAcme() // a sandbox
	defer acme.Close()
	ctx, client := context.Background(), acme.Client()

	ether, err := client.Assets.Find(ctx, "ETH")
	check(err)
	fmt.Println(ether.Name, "counts", ether.Scale, "to the", ether.UnitCode)

	_, err = client.Assets.Find(ctx, "NONE")
	fmt.Println(errors.Is(err, qredo.ErrNotFound))
	// Output:
	// Ethereum counts 1000000000 to the ETH
	// true
}

// Ask what a transfer costs: the rates are the service's and may change. The fee comes on top of what arrives.
func ExampleAssetsService_GetFees() {
	acme := startAcme() // a sandbox
	defer acme.Close()
	ctx, client := context.Background(), acme.Client()

	fees, err := client.Assets.GetFees(ctx, qredo.FeesRequest{Type: qredo.FeeTransferOut, Asset: "BTC", Amount: 40_000_000})
	check(err)
	fmt.Println(fees.NetAmount, "arrive,", fees.AmountToSend, "leave the wallet")
	// Output: 40000000 arrive, 40040000 leave the wallet
}
