package qredo

import (
	"database/sql/driver"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"time"

	"github.com/qredo-go/qredo/internal/wire"
)

// Time is a moment, to the second: on the wire it is the number of seconds since 1 January 1970 UTC.
// The zero Time stands for "not given" and is 0 on the wire.
//
// However a Time is made, by [TimeOf], [Unix], or from JSON, text, gob or a database, it has whole seconds and is in
// UTC: two of the same moment are equal by ==, may be keys of one map, and what is read back is what was sent. One that
// is put together by hand, as Time{t}, need not be: use TimeOf.
type Time struct{ time.Time }

// TimeOf returns t as a Time: its fractions of a second are dropped, and its location is UTC. The first second of 1970,
// which is 0 on the wire, is the zero Time, as is the zero [time.Time].
func TimeOf(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Unix(t.Unix())
}

// Unix returns the Time that lies the given number of seconds after 1 January 1970 UTC.
func Unix(seconds int64) Time {
	if seconds == 0 {
		return Time{}
	}
	return Time{time.Unix(seconds, 0).UTC()}
}

func (t Time) seconds() int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// MarshalJSON writes the seconds as a number.
func (t Time) MarshalJSON() ([]byte, error) {
	return strconv.AppendInt(nil, t.seconds(), 10), nil
}

// UnmarshalJSON reads a number of seconds, or text that holds one. Zero, null and empty text give the
// zero Time.
func (t *Time) UnmarshalJSON(data []byte) error {
	if text := string(data); text == "null" || text == `""` {
		*t = Time{}
		return nil
	}
	seconds, err := wire.ParseInt(data)
	if err != nil {
		return err
	}
	*t = Unix(seconds)
	return nil
}

// MarshalText writes the seconds as decimal text, for use as a map key or in a query.
func (t Time) MarshalText() ([]byte, error) { return t.MarshalJSON() }

// UnmarshalText reads what MarshalText writes.
func (t *Time) UnmarshalText(text []byte) error { return t.UnmarshalJSON(text) }

// The embedded type has more encodings, which would be used in the place of these: all of them have the seconds.

// AppendText appends what MarshalText writes.
func (t Time) AppendText(text []byte) ([]byte, error) {
	return strconv.AppendInt(text, t.seconds(), 10), nil
}

// MarshalBinary writes what MarshalText writes.
func (t Time) MarshalBinary() ([]byte, error) { return t.MarshalText() }

// AppendBinary appends what MarshalBinary writes.
func (t Time) AppendBinary(data []byte) ([]byte, error) { return t.AppendText(data) }

// UnmarshalBinary reads what MarshalBinary writes.
func (t *Time) UnmarshalBinary(data []byte) error { return t.UnmarshalText(data) }

// GobEncode writes what MarshalText writes.
func (t Time) GobEncode() ([]byte, error) { return t.MarshalText() }

// GobDecode reads what GobEncode writes.
func (t *Time) GobDecode(data []byte) error { return t.UnmarshalText(data) }

// EncodeValues writes the seconds into a query. It is called by go-querystring.
func (t Time) EncodeValues(key string, values *url.Values) error {
	if !t.IsZero() {
		values.Set(key, strconv.FormatInt(t.seconds(), 10))
	}
	return nil
}

// Value gives the seconds to a database, for a column of 64-bit whole numbers: BIGINT in PostgreSQL, INTEGER in SQLite.
// The zero Time is NULL.
func (t Time) Value() (driver.Value, error) {
	if t.seconds() == 0 {
		return nil, nil //nolint:nilnil // NULL
	}
	return t.seconds(), nil
}

// Scan reads what Value gives. From a column of times, such as TIMESTAMPTZ, it reads the moment, without fractions.
func (t *Time) Scan(column any) error {
	switch column := column.(type) {
	case nil:
		*t = Time{}
	case int64:
		*t = Unix(column)
	case time.Time:
		*t = TimeOf(column)
	case []byte:
		return t.UnmarshalText(column)
	case string:
		return t.UnmarshalText([]byte(column))
	default:
		return fmt.Errorf("qredo: a time must be a column of whole seconds, is %T", column)
	}
	return nil
}

// LogValue gives the time in the form of RFC 3339, and empty text if it is not given, for log/slog.
func (t Time) LogValue() slog.Value {
	if t.IsZero() {
		return slog.StringValue("")
	}
	return slog.StringValue(t.UTC().Format(time.RFC3339))
}
