package outbox_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/outbox"
)

func TestRecords(t *testing.T) {
	inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
		e := b.enqueue(t, "key", transfer(5000))
		records, keyed := outbox.NewRecords(nil), outbox.NewRecords([]byte("secret"))
		data, sum, err := records.Encode(e)
		require.NoError(t, err)
		require.Len(t, sum, outbox.SumSize)
		got, err := records.Decode("key", data, sum)
		require.NoError(t, err)
		assert.Equal(t, e, got)

		for i := range data { // any bit
			changed := bytes.Clone(data)
			changed[i] ^= 1
			_, err := records.Decode("key", changed, sum)
			require.Error(t, err, string(changed))
		}
		_, err = records.Decode("other", data, sum)
		require.ErrorContains(t, err, "was changed")
		_, err = keyed.Decode("key", data, sum)
		require.ErrorContains(t, err, "another sealing key")
		_, err = records.Decode("key", data, nil)
		require.Error(t, err)

		// Somebody who can make sums: the payment is held against the PartnerTxID.
		for was, is := range map[string]string{`"amount":5000`: `"amount":7000`, `"counterparty_wallet_address":"to"`: `"counterparty_wallet_address":"me"`, `"key":"key"`: `"key":"kez"`} {
			require.Contains(t, string(data), was)
			var forged outbox.Entry
			require.NoError(t, json.Unmarshal(bytes.Replace(data, []byte(was), []byte(is), 1), &forged))
			data, sum, err := records.Encode(forged)
			require.NoError(t, err)
			_, err = records.Decode(forged.Key, data, sum)
			require.ErrorContains(t, err, "is not the payment that was enqueued")
		}
		_, sum, err = records.Encode(outbox.Entry{Key: "key"})
		require.NoError(t, err)
		_, err = records.Decode("key", []byte(`{"key":"key","request":{}}`), sum)
		require.Error(t, err)
	})
}

// A PartnerTxID of the caller's is kept as it is, and says nothing about the payment.
// Whoever has the key can make an entry that is taken for one of the outbox.
func TestTheSealingKeyIsNotPrinted(t *testing.T) {
	key := bytes.Repeat([]byte("sealing"), 5)
	for how, text := range clienttest.DeepPrintings(t, outbox.NewRecords(key)) {
		for _, secret := range []string{"sealing", hex.EncodeToString(key[:7]), strings.Trim(fmt.Sprint(key[:7]), "[]")} {
			require.NotContains(t, text, secret, how)
		}
	}
}

func TestAPartnerTxIDOfTheCallers(t *testing.T) {
	inBubble(t, []reply{works}, approved, true, func(t *testing.T, b *bench) {
		request := transfer(5)
		request.PartnerTxID = "mine-17"
		e := b.enqueue(t, "key", request)
		assert.Equal(t, "mine-17", string(e.PartnerTxID))
		b.until(t, "key", ended)
		assert.Equal(t, "mine-17", b.sent()[0].partner)
		assert.Equal(t, e.Key, b.enqueue(t, "key", request).Key)

		_, err := b.box.Enqueue(t.Context(), "other key", request)
		require.ErrorIs(t, err, outbox.ErrPartnerTxIDTaken)
		request.PartnerTxID = "mine-18"
		_, err = b.box.Enqueue(t.Context(), "key", request)
		var conflict *outbox.KeyConflictError
		require.ErrorAs(t, err, &conflict)
	})
}
