package qredo_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// Pending actions of a core client come first, then new ones, until the loop or ctx ends.
func ExampleCoreClientsService_Feed() {
	acme := startAcme() // a sandbox
	defer acme.Close()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	client, robot := acme.Client(), acme.hireRobot() // a core client with a transfer that waits for it

	for pending, err := range client.CoreClients.Feed(ctx, robot) {
		check(err) // a program would log it: the feed goes on
		action, err := client.CoreClients.GetAction(ctx, robot, pending.ID)
		check(err)
		fmt.Println(action.Type, action.Details.Amount, action.Details.Asset)
		stop() // one is enough here
	}
	// Output: ApproveTransfer 1001000 BTC
}

// An exchange receives the movements of the dedicated wallets that are connected to it.
func ExampleWalletsService_Feed() {
	acme := startAcme() // a sandbox
	defer acme.Close()
	ctx, client := context.Background(), acme.Client()
	wallet, address := acme.connectWallet() // a dedicated wallet that is connected to a core client of this account

	deposit := qredo.WithFeedState(func(s qredo.FeedState) {
		if s.Status == qredo.FeedConnected {
			_, err := acme.Deposit(address, 40_000_000)
			check(err)
		}
	})
	for moved, err := range client.Wallets.Feed(ctx, deposit) {
		check(err)
		fmt.Println(moved.WalletID == wallet, moved.Amount, moved.Asset) // what leaves would be negative
		break
	}
	// Output: true 40000000 BTC
}

// The feed begins with what happened before: to the wallets that are named, from a moment on.
func ExampleWithSince() {
	acme := startAcme() // a sandbox with a wallet that had a deposit
	defer acme.Close()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()

	anHourAgo := qredo.TimeOf(time.Now().Add(-time.Hour))
	for moved, err := range acme.Client().Wallets.Feed(ctx, qredo.WithSince(anHourAgo), qredo.WithWallets(acme.hot)) {
		check(err)
		fmt.Println(moved.Amount, moved.Asset)
		stop() // one is enough here
	}
	// Output: 150000000 BTC
}

// A program that was not running continues from what it has stored: here in a map, in a real program in the database,
// together with the results of the events.
func ExampleWithKnown() {
	acme := startAcme() // a sandbox with a wallet that had a deposit
	defer acme.Close()
	kept, last := map[string]bool{}, qredo.TimeOf(time.Now().Add(-time.Hour))
	for _, run := range []string{"first run:", "second run:"} {
		ctx, stop := context.WithCancel(context.Background())
		since := qredo.TimeOf(last.Add(-5 * time.Minute)) // a history may show late what has happened before
		stopAtEnd := qredo.WithFeedState(func(s qredo.FeedState) {
			if s.Status == qredo.FeedCaughtUp {
				stop()
			}
		})
		known := qredo.WithKnown(slices.Collect(maps.Keys(kept))...)
		for moved, err := range acme.Client().Wallets.Feed(ctx, qredo.WithWallets(acme.hot), qredo.WithSince(since), known, stopAtEnd) {
			check(err)
			fmt.Println(run, moved.Amount, moved.Asset)
			kept[moved.Key()], last = true, moved.Time
		}
		_, err := acme.Deposit(string(acme.hot), 7)
		check(err)
	}
	// Output:
	// first run: 150000000 BTC
	// second run: 7 BTC
}

// The quotes that are listed come first.
func ExampleSwapsService_Feed() {
	acme := startAcme() // a sandbox
	defer acme.Close()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	client := acme.Client()
	offer, err := client.Swaps.Make(ctx, acme.company, qredo.SwapRequest{
		SendWalletID: acme.hot, ReceiveWalletID: acme.ether, Reference: "quote 5", AddToLiquidityHub: true,
		Expires: qredo.TimeOf(time.Now().Add(time.Hour)),
		Send:    qredo.AssetAmount{Asset: "BTC", Amount: 10_000_000}, Receive: qredo.AssetAmount{Asset: "ETH", Amount: 2_000_000_000},
	})
	check(err)
	check(acme.Approve("alice@example.com", string(offer.TxID)))

	for quote, err := range client.Swaps.Feed(ctx) {
		check(err)
		fmt.Println(quote.TxID == offer.TxID, quote.Status)
		stop() // one is enough here
	}
	// Output: true taker_pending
}

// A program watches how its feed stands.
func ExampleWithFeedState() {
	acme := startAcme() // a sandbox
	defer acme.Close()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	client, robot := acme.Client(), acme.hireRobot() // a core client with a transfer that waits for it

	watch := qredo.WithFeedState(func(s qredo.FeedState) {
		fmt.Println(s.Status)
		if s.Status == qredo.FeedCaughtUp {
			stop()
		}
	})
	for pending, err := range client.CoreClients.Feed(ctx, robot, watch) {
		check(err)
		fmt.Println(pending.Type)
	}
	// Output:
	// connected
	// ApproveTransfer
	// caught up
}

// A feed reconnects for ever unless it is told when to give up. It retries often at first, then less often.
func ExampleWithGiveUp() {
	srv, err := sandbox.Start()
	check(err)
	client := srv.Client()
	check(srv.Close()) // nothing answers from now on
	giveUp, backoff := qredo.WithGiveUp(20*time.Millisecond), qredo.WithBackoff(time.Millisecond, 10*time.Millisecond)
	for _, err := range client.Swaps.Feed(context.Background(), giveUp, backoff) {
		fmt.Println("ended:", strings.Contains(err.Error(), "not connected for 20ms"))
	}
	// Output: ended: true
}
