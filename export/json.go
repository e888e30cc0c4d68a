package export

import (
	"encoding/json"
	"strconv"

	"github.com/qredo-go/qredo"
)

// appendJSON appends an entry exactly as encoding/json writes it, without looking up its fields each time.
func appendJSON(line []byte, e *qredo.LedgerEntry) ([]byte, error) {
	var err error
	text := func(name, value string) {
		if !plain(value) {
			var quoted []byte
			if quoted, err = json.Marshal(value); err == nil {
				line = append(append(line, name...), quoted...)
			}
			return
		}
		line = append(append(append(append(line, name...), '"'), value...), '"')
	}
	figure := func(name string, value int64) { line = strconv.AppendInt(append(line, name...), value, 10) }
	text(`{"TxID":`, string(e.TxID))
	text(`,"type":`, string(e.Type))
	text(`,"status":`, string(e.Status))
	text(`,"asset":`, string(e.Asset))
	figure(`,"amount":`, int64(e.Amount))
	figure(`,"netAmount":`, int64(e.NetAmount))
	figure(`,"fees":`, int64(e.Fees))
	text(`,"fundID":`, string(e.FundID))
	if e.WalletID != "" {
		text(`,"walletID":`, string(e.WalletID))
	}
	text(`,"address":`, e.Address)
	text(`,"counterpartyID":`, e.CounterpartyID)
	text(`,"counterpartyName":`, e.CounterpartyName)
	text(`,"reference":`, e.Reference)
	text(`,"benefitOf":`, e.BenefitOf)
	text(`,"accountNo":`, e.AccountNo)
	text(`,"chainTxID":`, e.ChainTxID)
	figure(`,"timestamp":`, seconds(e.Time))
	figure(`,"expireTime":`, seconds(e.Expires))
	return append(line, '}'), err
}

// plain reports whether a text needs no escaping in JSON: the others are left to encoding/json.
func plain(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ' || c > '~', c == '"', c == '\\', c == '<', c == '>', c == '&':
			return false
		}
	}
	return true
}

func seconds(t qredo.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
