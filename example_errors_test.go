package qredo_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// What the service said when it refused.
func ExampleError() {
	acme := startAcme() // a sandbox
	defer acme.Close()

	_, err := acme.Client().Wallets.Get(context.Background(), "unknown")
	var answer *qredo.Error
	if errors.As(err, &answer) {
		fmt.Println(answer.Method, answer.Path, answer.StatusCode, answer.Reason)
	}
	// Output: GET /wallet/unknown 404 no such wallet
}

// The kinds of refusals are told apart with errors.Is.
func ExampleError_Is() {
	acme := startAcme() // a sandbox with the company Acme
	defer acme.Close()

	err := acme.Client().TrustedNetwork.Add(context.Background(), acme.company, qredo.TrustedPartyRequest{Address: "bob@example.com"})
	switch {
	case errors.Is(err, qredo.ErrNotFound):
		fmt.Println("Bob has no account yet")
	case errors.Is(err, qredo.ErrUnauthorized):
		fmt.Println("the key or the signature is wrong")
	default:
		check(err)
	}
	// Output: Bob has no account yet
}

// What cannot be right is not sent.
func ExampleValidationError() {
	acme := startAcme() // a sandbox
	defer acme.Close()

	request := acme.transfer(0, "payout-1")
	_, err := acme.Client().Transfers.Create(context.Background(), acme.company, request)
	var refused *qredo.ValidationError
	if errors.As(err, &refused) {
		fmt.Println(refused.Field, "-", refused.Rule)
	}
	// Output: send.amount - must be more than zero base units, is 0
}

// A transaction that was rejected has moved nothing.
func ExampleTxError() {
	acme := startAcme() // a sandbox
	defer acme.Close()
	ctx, client := context.Background(), acme.Client()

	sent, err := client.Transfers.Create(ctx, acme.company, acme.transfer(40_000_000, "payout-1"))
	check(err)
	check(acme.Reject("alice@example.com", string(sent.TxID))) // as Alice does in the app

	_, err = client.Transfers.Wait(ctx, acme.company, sent.TxID)
	var ended *qredo.TxError
	if errors.As(err, &ended) {
		fmt.Println(ended.Status)
	}
	// Output: custody_rejected
}

// Every answer is lost, so that nobody knows whether the transfer was made: the same PartnerTxID finds out.
func ExampleUnknownOutcomeError() {
	acme := startAcme() // a sandbox
	defer acme.Close()
	ctx, client := context.Background(), acme.Client(qredo.WithRetry(qredo.RetryPolicy{MinBackoff: time.Millisecond}))
	check(acme.SetFaults(1, sandbox.FaultRule{Kind: sandbox.FaultDropAnswer, Rate: 1}))

	request := acme.transfer(40_000_000, "payout-1")
	_, err := client.Transfers.Create(ctx, acme.company, request)
	var unknown *qredo.UnknownOutcomeError
	fmt.Println(errors.As(err, &unknown))

	check(acme.SetFaults(1)) // the network is back
	request.PartnerTxID = unknown.PartnerTxID
	sent, err := client.Transfers.Create(ctx, acme.company, request)
	check(err)
	fmt.Println(sent.Status)
	// Output:
	// true
	// existing
}
