package qredo_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

func TestTimeJSON(t *testing.T) {
	paris := time.FixedZone("CET", 3600)
	for _, tc := range []struct {
		time qredo.Time
		want string
	}{
		{qredo.Unix(1700000000), "1700000000"},
		{qredo.TimeOf(time.Unix(1700000000, 999_999_999)), "1700000000"},
		{qredo.TimeOf(time.Unix(1700000000, 0).In(paris)), "1700000000"},
		{qredo.Unix(-1), "-1"},
		{qredo.Unix(0), "0"},
		{qredo.Time{}, "0"}, // not the year 1
	} {
		got, err := json.Marshal(tc.time)
		require.NoError(t, err)
		require.Equal(t, tc.want, string(got))
	}
}

func TestTimeFromJSON(t *testing.T) {
	for text, want := range map[string]qredo.Time{
		`1700000000`: qredo.Unix(1700000000), `"1700000000"`: qredo.Unix(1700000000), `1.7e9`: qredo.Unix(1700000000),
		`0`: {}, `"0"`: {}, `""`: {}, `null`: {}, `-1`: qredo.Unix(-1),
	} {
		got := qredo.Unix(5)
		require.NoError(t, got.UnmarshalJSON([]byte(text)), text)
		require.Equal(t, want, got, text)
		require.Equal(t, time.UTC, got.Location())
	}
	for _, text := range []string{`1.5`, `"2023-11-14T22:13:20Z"`, `true`, `{}`, `99999999999999999999`} {
		var got qredo.Time
		require.Error(t, got.UnmarshalJSON([]byte(text)), text)
	}
}

// As text, in a query, and as the key of a map, a time is its seconds too.
func TestTimeAsText(t *testing.T) {
	values := url.Values{}
	require.NoError(t, qredo.Unix(7).EncodeValues("since", &values))
	require.NoError(t, qredo.Time{}.EncodeValues("until", &values))
	require.Equal(t, "since=7", values.Encode())

	data, err := json.Marshal(map[qredo.Time]int{qredo.Unix(7): 1})
	require.NoError(t, err)
	require.Equal(t, `{"7":1}`, string(data))
	var back map[qredo.Time]int
	require.NoError(t, json.Unmarshal(data, &back))
	require.Equal(t, map[qredo.Time]int{qredo.Unix(7): 1}, back)
}

// Whatever encodes a time writes its seconds, and none of the encodings of the time within.
func TestTimeInEveryEncoding(t *testing.T) {
	at := qredo.Unix(7)
	for name, encode := range map[string]func() ([]byte, error){
		"JSON": at.MarshalJSON, "text": at.MarshalText, "binary": at.MarshalBinary, "gob": at.GobEncode,
		"text, appended":   func() ([]byte, error) { return at.AppendText(nil) },
		"binary, appended": func() ([]byte, error) { return at.AppendBinary(nil) },
		"XML":              func() ([]byte, error) { return xml.Marshal(at) },
	} {
		data, err := encode()
		require.NoError(t, err, name)
		require.Equal(t, "7", strings.NewReplacer("<Time>", "", "</Time>", "").Replace(string(data)), name)
	}
	var buffer bytes.Buffer
	require.NoError(t, gob.NewEncoder(&buffer).Encode(at))
	var back, binary qredo.Time
	require.NoError(t, gob.NewDecoder(&buffer).Decode(&back))
	require.NoError(t, binary.UnmarshalBinary([]byte("7")))
	require.Equal(t, []qredo.Time{at, at}, []qredo.Time{back, binary})
}

// Any time that is read is the same when it is written and read again.
func FuzzTime(f *testing.F) {
	for _, text := range []string{"0", "1", "-1", `"1644500739"`, `""`, "null", "1.5", "1e9", "9223372036854775807", `"x"`, "-62135596800", "{}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var first, second qredo.Time
		if first.UnmarshalJSON(text) != nil {
			return
		}
		written, err := first.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if err := second.UnmarshalJSON(written); err != nil || !reflect.DeepEqual(first, second) {
			t.Fatalf("%q: %v became %v: %v", text, first, second, err)
		}
	})
}

// same is ==, which is more than [require.Equal] asks.
func same[T comparable](a, b T) bool { return a == b }

// A moment is one value, however a Time of it was made: == compares moments, and a map has one key for each.
func TestTimesOfAMomentAreEqual(t *testing.T) {
	want := qredo.Unix(1700000000)
	paris := time.FixedZone("CET", 3600)
	var fromJSON, fromText, fromBinary, fromGob, scannedInt, scannedText, scannedBytes, scannedTime qredo.Time
	require.NoError(t, json.Unmarshal([]byte(`1700000000`), &fromJSON))
	require.NoError(t, fromText.UnmarshalText([]byte("1700000000")))
	require.NoError(t, fromBinary.UnmarshalBinary([]byte("1700000000")))
	var buffer bytes.Buffer
	require.NoError(t, gob.NewEncoder(&buffer).Encode(qredo.TimeOf(time.Unix(1700000000, 5))))
	require.NoError(t, gob.NewDecoder(&buffer).Decode(&fromGob))
	require.NoError(t, scannedInt.Scan(int64(1700000000)))
	require.NoError(t, scannedText.Scan("1700000000"))
	require.NoError(t, scannedBytes.Scan([]byte("1700000000")))
	require.NoError(t, scannedTime.Scan(time.Unix(1700000000, 999_999_999).In(paris)))
	for name, got := range map[string]qredo.Time{
		"of a time": qredo.TimeOf(time.Unix(1700000000, 0)), "of one with fractions": qredo.TimeOf(time.Unix(1700000000, 999_999_999)),
		"of one elsewhere": qredo.TimeOf(time.Unix(1700000000, 0).In(paris)), "of one in UTC": qredo.TimeOf(time.Unix(1700000000, 0).UTC()),
		"from JSON": fromJSON, "from text": fromText, "from binary": fromBinary, "from gob": fromGob, "scanned": scannedInt,
		"scanned from text": scannedText, "scanned from bytes": scannedBytes, "scanned from a time": scannedTime,
	} {
		require.True(t, same(want, got), "%s: %#v is not %#v", name, got, want)
	}
	for name, got := range map[string]qredo.Time{
		"the zero time": qredo.TimeOf(time.Time{}), "the zero time elsewhere": qredo.TimeOf(time.Time{}.In(paris)),
		"0": qredo.Unix(0), "the first second of 1970": qredo.TimeOf(time.Unix(0, 5)),
	} {
		require.True(t, same(qredo.Time{}, got), "%s: %#v", name, got)
	}
	require.True(t, same(qredo.Unix(-1), qredo.TimeOf(time.Unix(-1, 5e8))))
	require.Zero(t, qredo.TimeOf(time.Now()).Nanosecond())
}

// An expiry with fractions of a second is read back unchanged, so that a program can compare the two.
func TestExpiryReadBackIsTheOneSent(t *testing.T) {
	sent := qredo.TransferRequest{Expires: qredo.TimeOf(time.Date(2030, 1, 2, 3, 4, 5, 678, time.FixedZone("CET", 3600)))}
	data, err := json.Marshal(sent)
	require.NoError(t, err)
	var back qredo.TransferRequest
	require.NoError(t, json.Unmarshal(data, &back))
	require.True(t, same(sent, back), "%+v\n%+v", sent, back)
}

func TestTimeInADatabase(t *testing.T) {
	value := func(at qredo.Time) any {
		v, err := driver.DefaultParameterConverter.ConvertValue(at) // as database/sql converts an argument
		require.NoError(t, err)
		return v
	}
	require.Equal(t, int64(1700000000), value(qredo.Unix(1700000000)))
	require.Equal(t, int64(-1), value(qredo.Unix(-1)))
	require.Nil(t, value(qredo.Time{}))

	db := sql.OpenDB(echo{})
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	for _, at := range []qredo.Time{qredo.Unix(1700000000), qredo.Unix(-1), {}} {
		back := qredo.Unix(5)
		require.NoError(t, db.QueryRowContext(t.Context(), "", at).Scan(&back))
		require.True(t, same(at, back), "%v became %v", at, back)
		var null sql.Null[qredo.Time]
		require.NoError(t, db.QueryRowContext(t.Context(), "", at).Scan(&null))
		require.Equal(t, sql.Null[qredo.Time]{V: at, Valid: at != qredo.Time{}}, null)
	}
	for _, column := range []any{1.5, true, "soon", "1.5", []byte("2030-01-01"), uint64(5)} {
		back := qredo.Unix(5)
		require.Error(t, back.Scan(column), "%v", column)
		require.Equal(t, qredo.Unix(5), back, "what cannot be read changes nothing")
	}
}

func TestTimeInALog(t *testing.T) {
	var buffer bytes.Buffer
	slog.New(slog.NewTextHandler(&buffer, nil)).Info("x", "expires", qredo.Unix(1700000000), "created", qredo.Time{})
	require.Contains(t, buffer.String(), `expires=2023-11-14T22:13:20Z created=""`)
	buffer.Reset()
	slog.New(slog.NewJSONHandler(&buffer, nil)).Info("x", "expires", qredo.TimeOf(time.Unix(1700000000, 5)))
	require.Contains(t, buffer.String(), `"expires":"2023-11-14T22:13:20Z"`)
}

// echo is a database whose every query has its one argument for an answer.
type echo struct{}

func (e echo) Connect(context.Context) (driver.Conn, error) { return e, nil }
func (e echo) Driver() driver.Driver                        { return nil }
func (e echo) Prepare(string) (driver.Stmt, error)          { return nil, errors.ErrUnsupported }
func (e echo) Begin() (driver.Tx, error)                    { return nil, errors.ErrUnsupported }
func (e echo) Close() error                                 { return nil }

func (e echo) QueryContext(_ context.Context, _ string, args []driver.NamedValue) (driver.Rows, error) {
	return &echoed{value: args[0].Value}, nil
}

// echoed is the one row of an answer.
type echoed struct {
	value driver.Value
	given bool
}

func (*echoed) Columns() []string { return []string{"value"} }
func (*echoed) Close() error      { return nil }

func (r *echoed) Next(row []driver.Value) error {
	if r.given {
		return io.EOF
	}
	row[0], r.given = r.value, true
	return nil
}
