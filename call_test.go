package qredo

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/qredo-go/qredo/internal/feed"
	"github.com/qredo-go/qredo/internal/transport"
	"github.com/qredo-go/qredo/internal/wire"
)

// answers are all types that an answer of the service is read into.
var answers = []func() any{
	func() any { return new(assetList) }, func() any { return new(Fees) },
	func() any { return new(CompanyRef) }, func() any { return new(Company) },
	func() any { return new(companySearchResult) }, func() any { return new(holdings) },
	func() any { return new(trustedPartyList) }, func() any { return new(CreatedFund) },
	func() any { return new(Fund) }, func() any { return new(fundSearchResult) },
	func() any { return new(walletIDs) }, func() any { return new(depositAddresses) },
	func() any { return new(whitelist) }, func() any { return new(LedgerPage) },
	func() any { return new(Wallet) }, func() any { return new(walletHistory) },
	func() any { return new(exchangeList) }, func() any { return new(Submission) },
	func() any { return new(Transaction) }, func() any { return new(SwapSubmission) },
	func() any { return new(liquidityHub) }, func() any { return new(CoreClient) },
	func() any { return new(coreClientList) }, func() any { return new(actionList) },
	func() any { return new(Action) }, func() any { return new(coreClientWallets) },
	func() any { return new(CoreClientSignature) }, func() any { return new(AgentRegistration) },
	func() any { return new(agentFeed) }, func() any { return new(agentMessages) },
}

// Any body is decoded into any type without a panic, and the result survives encoding and decoding.
func FuzzAnswers(f *testing.F) {
	for kind, body := range fixtureBodies(f) {
		f.Add(uint8(kind), body)
	}
	f.Add(uint8(4), []byte(`{"matches":{"company_id":"c"}}`))
	f.Add(uint8(13), []byte(`{"List":[{"TxID":"a,","amount":"9223372036854775808"}],"Total":1e3}`))
	f.Add(uint8(18), []byte(`{"tx_id":"t","tx_status":"approved_transfer","approver_count":1,"status":null}`))
	f.Add(uint8(14), []byte(`{"wallet_id":"w","policy_tx":{"members":{"id":"m","core-client":{"name":"n"}}}}`))
	f.Fuzz(func(t *testing.T, kind uint8, body []byte) {
		create := answers[int(kind)%len(answers)]
		first := create()
		if (operation{}).decode(t.Context(), 200, body, first) != nil {
			return
		}
		if _, secret := first.(*AgentRegistration); secret {
			return // it does not let itself be written
		}
		written, err := json.Marshal(first)
		if err != nil {
			t.Fatalf("%T cannot be written: %v", first, err)
		}
		second := create()
		if err := (operation{}).decode(t.Context(), 200, written, second); err != nil {
			t.Fatalf("%T was written as %s: %v", first, written, err)
		}
		again, err := json.Marshal(second)
		if err != nil || !bytes.Equal(written, again) {
			t.Fatalf("%T became another:\n%s\n%s", first, written, again)
		}
	})
}

// fixtureBodies are the answers of the fixtures.
func fixtureBodies(f *testing.F) [][]byte {
	f.Helper()
	paths, err := filepath.Glob("qredotest/fixtures/*.json")
	if err != nil {
		f.Fatal(err)
	}
	bodies := make([][]byte, 0, len(paths))
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		var fixture struct {
			Response json.RawMessage `json:"response"`
		}
		if json.Unmarshal(data, &fixture) == nil && fixture.Response != nil {
			bodies = append(bodies, fixture.Response)
		}
	}
	return bodies
}

// Any frame of a feed is an event or a problem, and is given once.
func FuzzFeedFrame(f *testing.F) {
	f.Add([]byte(`{"id":"a","coreClientID":"c","type":"ApproveTransfer","status":"pending","timestamp":1,"expireTime":2}`))
	f.Add([]byte(`{"txID":"t,","status":"taker_pending"}`))
	f.Add([]byte(`{"Status":"approved","wallet_id":"w","tx_id":"t","amount":"-5","timestamp":"1644500739"}`))
	f.Add([]byte(`{"id":"a","status":"new kind of status","details":[]}`))
	f.Add([]byte("\x00\xff{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var (
			action Action
			wallet WalletEvent
			swap   SwapEvent
		)
		if wire.UnmarshalAnswer(data, &action) == nil {
			givenOnce(t, freshAction(&feed.Open[ActionID, ApprovalStatus]{Now: time.Now}), action)
		}
		if wire.UnmarshalAnswer(data, &wallet) == nil {
			h := walletHistories{client: &Client{clock: &transport.Clock{Source: time.Now}}, of: map[WalletID]*walletCursor{}}
			givenOnce(t, h.fresh, wallet)
		}
		if wire.UnmarshalAnswer(data, &swap) == nil {
			givenOnce(t, freshSwap(&feed.Listed[TxID, SwapEvent]{}), swap)
		}
	})
}

func givenOnce[E any](t *testing.T, add func(E) bool, event E) {
	t.Helper()
	if !add(event) || add(event) {
		t.Fatalf("%+v is not given once", event)
	}
}
