package qredo_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"reflect"

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
