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

// Time is a point in time, to the second: on the wire it is the number of seconds since 1 January 1970 UTC. The zero Time means
// "not given" and is 0 on the wire.
//
// A Time made by [TimeOf] or [Unix], or read from JSON, text, gob or a database, has whole seconds and is in UTC. So two equal
// times are equal by ==, can be used as map keys, and survive being sent and read back. A Time built directly, as Time{t}, may
// not be like that: use TimeOf.
type Time struct{ time.Time }

// TimeOf returns t as a Time, in UTC and without fractions of a second. The first second of 1970, which is 0 on the wire,
// becomes the zero Time, as does the zero [time.Time].
func TimeOf(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Unix(t.Unix())
}

// Unix returns the Time that is the given number of seconds after 1 January 1970 UTC.
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

// UnmarshalJSON reads a number of seconds, or a string that contains one. Zero, null and the empty string give the zero Time.
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

// The embedded type has more encodings, which would otherwise be used: make all of them write seconds.

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

// EncodeValues writes the seconds into a query. go-querystring calls it.
func (t Time) EncodeValues(key string, values *url.Values) error {
	if !t.IsZero() {
		values.Set(key, strconv.FormatInt(t.seconds(), 10))
	}
	return nil
}

// Value returns the seconds for a database column of 64-bit integers: BIGINT in PostgreSQL, INTEGER in SQLite. The zero Time is
// NULL.
func (t Time) Value() (driver.Value, error) {
	if t.seconds() == 0 {
		return nil, nil //nolint:nilnil // NULL
	}
	return t.seconds(), nil
}

// Scan reads what Value returns. From a timestamp column, such as TIMESTAMPTZ, it reads the time and drops fractions of a
// second.
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

// LogValue returns the time as RFC 3339, or an empty string if it is not given, for log/slog.
func (t Time) LogValue() slog.Value {
	if t.IsZero() {
		return slog.StringValue("")
	}
	return slog.StringValue(t.UTC().Format(time.RFC3339))
}
