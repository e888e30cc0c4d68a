package qredo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/qredo-go/qredo"
)

// A sum to send, from what somebody has written. Nothing and less is refused.
func ExampleAsset_AssetAmount() {
	btc := qredo.Asset{Code: "BTC", Scale: 100_000_000} // as Assets.Find gives it

	send, err := btc.AssetAmount("0.5")
	check(err)
	fmt.Println(send.Amount, "base units are", send.In(btc))

	_, err = btc.AssetAmount("0")
	fmt.Println(err)
	// Output:
	// 50000000 base units are 0.5 BTC
	// qredo: amount: must be more than zero, is 0
}

func ExampleAsset_ParsePositive() {
	btc := qredo.Asset{Code: "BTC", Scale: 100_000_000}

	amount, err := btc.ParsePositive("0.4")
	fmt.Println(int64(amount), err)

	_, err = btc.ParsePositive("-0.4")
	fmt.Println(err)
	// Output:
	// 40000000 <nil>
	// qredo: amount: must be more than zero, is -0.4
}

// Two times of one moment are equal, and what was sent is what is read back.
func ExampleTimeOf() {
	moment := time.Date(2030, 1, 2, 3, 4, 5, 678_000_000, time.FixedZone("CET", 3600))

	expires := qredo.TimeOf(moment)
	fmt.Println(expires.Format(time.RFC3339), expires == qredo.Unix(moment.Unix()))
	// Output: 2030-01-02T02:04:05Z true
}

// An answer that was kept as it came is read with the client's own tolerance.
func ExampleUnmarshal() {
	acme := startAcme() // a sandbox
	defer acme.Close()
	ctx := context.Background()

	var kept qredo.Response
	_, err := acme.Client().Assets.List(ctx, qredo.WithResponse(&kept))
	check(err)

	var answer struct {
		Assets []struct {
			Code  string `json:"code"`
			Scale int64  `json:"scale"`
		} `json:"assets"`
	}
	check(qredo.Unmarshal(kept.Body, &answer))
	fmt.Println(answer.Assets[0].Code, answer.Assets[0].Scale)
	// Output: BTC 100000000
}

// A submission can be kept as JSON: with its key the same request is sent again.
func ExampleSubmission() {
	kept, err := json.Marshal(qredo.Submission{TxID: "2r5yHUig43kiJfahqSIjOugM1yT", Status: qredo.SubmissionNew, PartnerTxID: "order-1"})
	check(err)
	fmt.Println(string(kept))

	var sent qredo.Submission
	check(json.Unmarshal(kept, &sent))
	fmt.Println(sent.PartnerTxID)
	// Output:
	// {"tx_id":"2r5yHUig43kiJfahqSIjOugM1yT","status":"new","partner_txID":"order-1"}
	// order-1
}

// A signing agent is given its secret once. It is written only where it is meant to be.
func ExampleAgentRegistration_MarshalJSONWithSecret() {
	given := qredo.AgentRegistration{ID: "agent", ClientSecret: "s3cret"} // as CoreClients.Register gives it

	kept, err := given.MarshalJSONWithSecret() // into a file that only the agent can read
	check(err)
	var back qredo.AgentRegistration
	check(json.Unmarshal(kept, &back))
	fmt.Println(string(back.ClientSecret) == "s3cret", back.ClientSecret)
	// Output: true [redacted]
}
