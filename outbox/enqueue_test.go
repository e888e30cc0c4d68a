package outbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/internal/storetest"
)

func TestEnqueue(t *testing.T) {
	inBubble(t, []reply{noMoney}, approved, false, func(t *testing.T, b *bench) {
		first := b.enqueue(t, "key", transfer(5))
		assert.Equal(t, outbox.StatePending, first.State)
		assert.Len(t, first.PartnerTxID, 32)
		assert.Equal(t, first.PartnerTxID, first.Request.(outbox.Transfer).PartnerTxID)
		assert.Equal(t, first, b.enqueue(t, "key", transfer(5)))

		for name, other := range map[string]outbox.Request{
			"another amount":  transfer(6),
			"another company": outbox.Transfer{CompanyID: "other", TransferRequest: transfer(5).TransferRequest},
			"another kind": outbox.Withdrawal{CompanyID: "acme", WithdrawalRequest: qredo.WithdrawalRequest{
				WalletID: "from", Address: "to", Expires: transfer(5).Expires, Send: transfer(5).Send,
			}},
		} {
			_, err := b.box.Enqueue(t.Context(), "key", other)
			var typed *outbox.KeyConflictError
			require.ErrorAs(t, err, &typed, name)
			assert.Equal(t, first, typed.Stored)
			assert.Contains(t, err.Error(), "key")
			e := b.enqueue(t, "key of "+name, other)
			assert.NotEqual(t, first.PartnerTxID, e.PartnerTxID)
		}
		assert.NotEqual(t, first.PartnerTxID, b.enqueue(t, "key 2", transfer(5)).PartnerTxID)

		// A program that starts again works out the expiry anew, and may find that the first is over.
		<-time.After(2 * time.Hour)
		assert.Equal(t, first, b.enqueue(t, "key", transfer(5)))
		assert.Equal(t, first, b.enqueue(t, "key", transferAt(5, first.Created.Add(time.Hour))))
		_, err := b.box.Enqueue(t.Context(), "key", transferAt(6, first.Created.Add(time.Hour)))
		var conflict *outbox.KeyConflictError
		require.ErrorAs(t, err, &conflict)
		_, err = b.box.Enqueue(t.Context(), "unknown key", transferAt(5, first.Created.Add(time.Hour)))
		requireInvalid(t, err, "expires")

		// The same after it has ended.
		stop := b.run(t)
		over := b.until(t, "key", ended)
		stop()
		assert.Less(t, over.Misses, 100, "the pauses grow, though it was never sent")
		assert.Equal(t, over, b.enqueue(t, "key", transfer(5)))
	})
}

func transferAt(amount qredo.Amount, expires time.Time) outbox.Transfer {
	r := transfer(amount)
	r.Expires = qredo.TimeOf(expires)
	return r
}

func requireInvalid(t *testing.T, err error, field string) {
	t.Helper()
	var invalid *qredo.ValidationError
	require.ErrorAs(t, err, &invalid)
	assert.Equal(t, field, invalid.Field)
}

func TestAStoreThatIsLostIsNoDanger(t *testing.T) {
	var ids []qredo.PartnerTxID
	for range 2 {
		inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
			ids = append(ids, b.enqueue(t, "key", transferAt(5, time.Now().Add(time.Duration(len(ids)+1)*time.Hour))).PartnerTxID)
		})
	}
	assert.Equal(t, ids[0], ids[1])
	inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
		assert.NotEqual(t, ids[0], b.enqueue(t, "key", transfer(6)).PartnerTxID, "another payment")
	})
}

// TestPartnerTxIDsStay: another version of this package, or of Go, makes the same ones, or it would pay again what an earlier
// one has paid.
func TestPartnerTxIDsStay(t *testing.T) {
	inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
		whole := outbox.Transfer{CompanyID: "acme", TransferRequest: qredo.TransferRequest{
			WalletID: "w", Counterparty: "c", Reference: `<r> & "q"`, BenefitOf: "b", AccountNo: "a", AuthorizeID: "i",
			Expires: transfer(5).Expires, Send: transfer(5).Send,
		}}
		withdrawal := outbox.Withdrawal{CompanyID: "acme", WithdrawalRequest: qredo.WithdrawalRequest{
			WalletID: "w", Address: "x", Reference: "r", BenefitOf: "b", AccountNo: "a", Expires: transfer(5).Expires, Send: transfer(5).Send,
		}}
		sweep := outbox.Sweep{CoreClientID: "core", SweepRequest: qredo.SweepRequest{
			WalletID: "w", RecipientWalletID: "x", Reference: "r", Expires: transfer(5).Expires, Send: transfer(5).Send,
		}}
		newRune := transfer(5)
		newRune.Reference = "\U0001FAE9 \u0378 é" // of Unicode 16, of none, and of all
		for _, test := range []struct {
			key     string
			request outbox.Request
			want    qredo.PartnerTxID
		}{
			{"transfer", transfer(5), "6GLSTJRLPDAPSBBAARDZN2DCYTFOUPWL"},
			{"whole", whole, "3VRUNKYNZLKV5DPC2N376PJCSKO7P2NF"},
			{"withdrawal", withdrawal, "BGAA4PUIMGYSDYX3N33VQSVLQEKEASEG"},
			{"sweep", sweep, "FN6N4HN3I6EVEW6USSNVMWIEDZ26V5OZ"},
			{"\U0001FAE9", newRune, "QXVCVTTOGFIAWB4YLUWQPZOPHGGJI2XP"},
		} {
			assert.Equal(t, test.want, b.enqueue(t, test.key, test.request).PartnerTxID, test.key)
		}
	})
}

func TestEnqueueRefusesWhatCannotBeRight(t *testing.T) {
	inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
		withID := transfer(5)
		withID.PartnerTxID = " "
		withNUL := transfer(5)
		withNUL.Reference = "a\x00b"
		noOwner := transfer(5)
		noOwner.CompanyID = ""
		for name, test := range map[string]struct {
			key     string
			request outbox.Request
			field   string
		}{
			"no key":          {"", transfer(5), "key"},
			"a long key":      {strings.Repeat("k", 501), transfer(5), "key"},
			"a key of bytes":  {"\xff", transfer(5), "key"},
			"a key with zero": {"a\x00b", transfer(5), "key"},
			"no request":      {"key", nil, "request"},
			"a blank ID":      {"key", withID, "partner_txID"},
			"no company":      {"key", noOwner, "company_id"},
			"a text with NUL": {"key", withNUL, "request"},
			"no amount":       {"key", transfer(0), "send.amount"},
			"no address":      {"key", outbox.Withdrawal{CompanyID: "acme"}, "address"},
			"no recipient":    {"key", outbox.Sweep{CoreClientID: "core"}, "recipient_wallet_id"},
			"no core client":  {"key", outbox.Sweep{}, "core_client_id"},
		} {
			_, err := b.box.Enqueue(t.Context(), test.key, test.request)
			requireInvalid(t, err, test.field)
			_, err = b.box.Get(t.Context(), "key")
			require.ErrorIs(t, err, outbox.ErrNotFound, name)
		}
	})
}

// Not every store can keep a NUL, and none must fail to keep the transaction for one in an answer.
func TestNothingWithNULIsStored(t *testing.T) {
	withNUL := reply{handles: true, status: 200, body: `{"tx_id":"{tx}\u0000","status":"new\u0000"}`}
	inBubble(t, []reply{withNUL}, approved, false, func(t *testing.T, b *bench) {
		request := transfer(5)
		request.Reference = `\u0000` // as text, which is not a NUL
		b.enqueue(t, "key", request)
		stop := b.run(t)
		over := b.until(t, "key", ended)
		stop()
		assert.Equal(t, "tx-"+string(over.PartnerTxID), string(over.TxID))
		for _, step := range over.Steps {
			assert.NotContains(t, step.Note, "\x00")
		}
	})
}

// A request may have expired and be known, and whether it is known cannot be said while the store is away.
func TestEnqueueTellsOfAStoreThatIsAway(t *testing.T) {
	client, err := qredo.NewClient(freeAuth{}, qredo.WithBaseURL("http://127.0.0.1:1"))
	require.NoError(t, err)
	box, err := outbox.New(client, awayStore{})
	require.NoError(t, err)
	_, err = box.Enqueue(t.Context(), "key", transferAt(5, time.Now().Add(-time.Hour)))
	require.ErrorIs(t, err, errAway)
	require.NotErrorAs(t, err, new(*qredo.ValidationError))
}

var errAway = errors.New("the store is away")

type awayStore struct{ outbox.Store }

func (awayStore) Get(context.Context, string) (outbox.Entry, error) { return outbox.Entry{}, errAway }

// freeAuth lets requests go as they are.
type freeAuth struct{}

func (freeAuth) Authenticate(*http.Request, []byte, time.Time) error { return nil }

// TestTheJSONOfEntries holds what people query in a database to its names.
func TestTheJSONOfEntries(t *testing.T) {
	e := storetest.Entry("key")
	e.Request = outbox.Sweep{CoreClientID: "core", SweepRequest: qredo.SweepRequest{WalletID: "from", PartnerTxID: e.PartnerTxID}}
	data, err := json.Marshal(e)
	require.NoError(t, err)
	assert.Contains(t, string(data), `"partner_tx_id":"partner-key"`)
	assert.Contains(t, string(data), `"request":{"sweep":{"core_client_id":"core",`)
	_, err = json.Marshal(outbox.Entry{})
	require.NoError(t, err)
	require.ErrorContains(t, json.Unmarshal([]byte(`{"key":"k","request":{"gift":{}}}`), &e), `"k" has no request of a known kind`)
}
