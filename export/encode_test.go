package export

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// TestEachFieldIsWrittenAsByEncodingJSON has entries with one field set, so that a new one is missed at once, and with all of them.
func TestEachFieldIsWrittenAsByEncodingJSON(t *testing.T) {
	same := func(e qredo.LedgerEntry) {
		want, err := json.Marshal(e)
		require.NoError(t, err)
		got, err := appendJSON(nil, &e)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
	}
	var all qredo.LedgerEntry
	same(all)
	for i := range reflect.TypeFor[qredo.LedgerEntry]().NumField() {
		var one qredo.LedgerEntry
		for _, e := range []reflect.Value{reflect.ValueOf(&one).Elem(), reflect.ValueOf(&all).Elem()} {
			switch f := e.Field(i); f.Kind() {
			case reflect.String:
				f.SetString(e.Type().Field(i).Name)
			case reflect.Int64:
				f.SetInt(-int64(i) - 1)
			default:
				f.Set(reflect.ValueOf(qredo.Unix(int64(i))))
			}
		}
		same(one)
	}
	same(all)
}

// FuzzTexts holds texts of all kinds against encoding/json and encoding/csv.
func FuzzTexts(f *testing.F) {
	for _, text := range []string{"", " a", "a,b", `a"b""`, "a\r\nb", `\.`, "\u00a0x", "<", ">", "&", "\u2028", "\xff\xfe", "\x7f", "é", "\\", "\x00"} {
		f.Add(text, "x")
		f.Add("x", text)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		e := qredo.LedgerEntry{TxID: qredo.TxID(a), Reference: b, WalletID: qredo.WalletID(b)}
		want, err := json.Marshal(e)
		require.NoError(t, err)
		got, err := appendJSON(nil, &e)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))

		var out bytes.Buffer
		w := csv.NewWriter(&out)
		require.NoError(t, w.Write([]string{a, b, a}))
		w.Flush()
		r := rows{cells: []string{a, b, a}}
		r.line()
		require.Equal(t, out.String(), string(r.data))
	})
}
