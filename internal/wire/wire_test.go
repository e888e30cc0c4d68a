package wire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/wire"
)

type inner struct {
	A int    `json:"a"`
	B string `json:"b_two"`
}

type base struct {
	BaseID string `json:"base_id"`
	Shadow string `json:"shadow"`
}

type pointed struct {
	Deep int `json:"deep"`
}

// hex reads its own JSON; upper reads its own text.
type hex int

func (h *hex) UnmarshalJSON(data []byte) error {
	var s string
	if err := wire.Unmarshal(data, &s); err != nil {
		return err
	}
	if _, err := fmt.Sscanf(s, "%x", (*int)(h)); err != nil {
		return errors.New("is not hexadecimal")
	}
	return nil
}

type upper string

func (u *upper) UnmarshalText(text []byte) error {
	*u = upper(strings.ToUpper(string(text)))
	return nil
}

type document struct {
	base
	*Pointed
	TxID    string            `json:"tx_id" alias:"id,transaction-id"`
	Amount  int64             `json:"amount"`
	Small   int8              `json:"small"`
	Flag    bool              `json:"flag"`
	Names   []string          `json:"names"`
	Inner   inner             `json:"inner"`
	Pointer *inner            `json:"pointer"`
	List    []inner           `json:"list"`
	Grid    [][]int           `json:"grid"`
	Hex     hex               `json:"hex"`
	Upper   upper             `json:"upper"`
	Hexes   []hex             `json:"hexes"`
	PHex    *hex              `json:"phex"`
	Open    any               `json:"open"`
	Map     map[string]any    `json:"map"`
	Words   map[string]string `json:"words"`
	Raw     json.RawMessage   `json:"raw"`
	Float   float64           `json:"float"`
	Count   uint              `json:"count"`
	Pair    [2]int            `json:"pair"`
	When    time.Time         `json:"when"`
	Shadow  string            `json:"shadow"`
	Number  int               `json:"number" alias:"count_of"`
	Bytes   []byte            `json:"bytes"`
	Untaged string
	Skipped string `json:"-"`
	hidden  string //nolint:unused // no key may reach it
}

// Pointed is embedded by pointer: it is made when a key needs it.
type Pointed = pointed

func TestUnmarshal(t *testing.T) {
	for name, tc := range map[string]struct {
		json string
		want document
	}{
		"empty object":      {`{}`, document{}},
		"null":              {`null`, document{}},
		"snake":             {`{"tx_id":"t"}`, document{TxID: "t"}},
		"camel":             {`{"txID":"t"}`, document{TxID: "t"}},
		"Pascal":            {`{"TxId":"t"}`, document{TxID: "t"}},
		"kebab":             {`{"TX-ID":"t"}`, document{TxID: "t"}},
		"odd":               {`{"__t_x-i_D__":"t"}`, document{TxID: "t"}},
		"alias":             {`{"ID":"t"}`, document{TxID: "t"}},
		"further alias":     {`{"transactionId":"t"}`, document{TxID: "t"}},
		"name before alias": {`{"tx_id":"t","id":"other"}`, document{TxID: "t"}},
		"name after alias":  {`{"id":"other","tx_id":"t"}`, document{TxID: "t"}},
		"untagged":          {`{"untaged":"u"}`, document{Untaged: "u"}},
		"embedded":          {`{"baseID":"b"}`, document{base: base{BaseID: "b"}}},
		"outer field first": {`{"shadow":"s"}`, document{Shadow: "s"}},

		"number as text":      {`{"tx_id":12e3}`, document{TxID: "12e3"}},
		"large ID":            {`{"tx_id":123456789012345678901234567890}`, document{TxID: "123456789012345678901234567890"}},
		"text as number":      {`{"amount":"-12"}`, document{Amount: -12}},
		"whole with point":    {`{"amount":12.00}`, document{Amount: 12}},
		"whole by exponent":   {`{"amount":1.2e1,"small":-10e-1}`, document{Amount: 12, Small: -1}},
		"greatest":            {`{"amount":9223372036854775807,"small":"127"}`, document{Amount: math.MaxInt64, Small: 127}},
		"least":               {`{"amount":"-9223372036854775808","small":-128}`, document{Amount: math.MinInt64, Small: -128}},
		"boolean":             {`{"flag":true}`, document{Flag: true}},
		"text as boolean":     {`{"flag":"True"}`, document{Flag: true}},
		"text as false":       {`{"flag":"false"}`, document{}},
		"list":                {`{"list":[{"a":1},{"b_two":"x"}]}`, document{List: []inner{{A: 1}, {B: "x"}}}},
		"object for a list":   {`{"list":{"a":1}}`, document{List: []inner{{A: 1}}}},
		"text for a list":     {`{"names":"x"}`, document{Names: []string{"x"}}},
		"empty list":          {`{"list":[],"names":[ ]}`, document{List: []inner{}, Names: []string{}}},
		"null for a list":     {`{"list":null}`, document{}},
		"null in a list":      {`{"list":[null,{"a":1}],"names":["x",null]}`, document{List: []inner{{}, {A: 1}}, Names: []string{"x", ""}}},
		"lists in a list":     {`{"grid":[[1,"2"],[],3]}`, document{Grid: [][]int{{1, 2}, {}, {3}}}},
		"nulls":               {`{"tx_id":null,"amount":null,"flag":null,"inner":null,"pointer":null,"hex":null,"upper":null,"open":null}`, document{}},
		"pointer":             {`{"pointer":{"bTwo":"x"}}`, document{Pointer: &inner{B: "x"}}},
		"the same twice":      {`{"amount":7,"Amount":"7.0","inner":{"a":1},"Inner":{"A":1}}`, document{Amount: 7, Inner: inner{A: 1}}},
		"name is zero":        {`{"count_of":5,"number":0}`, document{Number: 0}},
		"name is zero first":  {`{"number":0,"count_of":5}`, document{Number: 0}},
		"null for the name":   {`{"count_of":5,"number":null}`, document{Number: 5}},
		"null twice":          {`{"number":5,"Number":null}`, document{Number: 5}},
		"null, then another":  {`{"tx_id":null,"id":"t"}`, document{TxID: "t"}},
		"empty, then another": {`{"tx_id":"","id":"t"}`, document{TxID: "t"}},
		"another, then empty": {`{"id":"t","tx_id":""}`, document{TxID: "t"}},
		"first of two others": {`{"id":"t","transaction-id":"u"}`, document{TxID: "t"}},
		"bytes":               {`{"bytes":"aGk="}`, document{Bytes: []byte("hi")}},
		"own JSON":            {`{"hex":"ff","hexes":["1","a"],"phex":"10"}`, document{Hex: 255, Hexes: []hex{1, 10}, PHex: new(hex(16))}},
		"one of own JSON":     {`{"hexes":"b"}`, document{Hexes: []hex{11}}},
		"own text":            {`{"upper":"abc"}`, document{Upper: "ABC"}},
		"raw":                 {`{"raw": { "x" : [1 , 2] } }`, document{Raw: json.RawMessage(`{ "x" : [1 , 2] }`)}},
		"open":                {`{"open":[1.10,{"a":"b"}],"map":{"n":9007199254740993}}`, document{Open: []any{json.Number("1.10"), map[string]any{"a": "b"}}, Map: map[string]any{"n": json.Number("9007199254740993")}}},
		"standard kinds":      {`{"words":{"A_b":"c"},"float":1.5,"count":7,"pair":[1,2],"when":"2023-11-14T22:13:20Z"}`, document{Words: map[string]string{"A_b": "c"}, Float: 1.5, Count: 7, Pair: [2]int{1, 2}, When: time.Unix(1700000000, 0).UTC()}},
		"escapes in text":     {`{"tx_id":"a\"b\\c\/d\u00e9\ud83d\ude00\n"}`, document{TxID: "a\"b\\c/dé😀\n"}},
		"text beyond ASCII":   {`{"tx_id":"é₿"}`, document{TxID: "é₿"}},
		"brackets in text":    {`{"x":"}]{[\"","tx_id":"]}"}`, document{TxID: "]}"}},
		"unknown keys":        {`{"x":1,"y":{"tx_id":"n"},"z":[[{"a":"}"}],"\\"],"tx_id":"t"}`, document{TxID: "t"}},
		"unknown long key":    {`{"` + strings.Repeat("x", 500) + `":1,"tx_id":"t"}`, document{TxID: "t"}},
		"skipped field":       {`{"skipped":"x","Skipped":"x","-":"x","hidden":"x"}`, document{}},
		"white space":         {" \r\n\t{ \"amount\" : 1 ,\n\"list\" : [ { \"a\" : 2 } , { } ] , \"flag\" :\ttrue } \n", document{Amount: 1, List: []inner{{A: 2}, {}}, Flag: true}},
		"deep unknown value":  {`{"x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `,"tx_id":"t"}`, document{TxID: "t"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got document
			require.NoError(t, wire.Unmarshal([]byte(tc.json), &got))
			require.Equal(t, tc.want, got)
		})
	}
}

func TestUnmarshalEmbeddedPointer(t *testing.T) {
	var got document
	require.NoError(t, wire.Unmarshal([]byte(`{"amount":1}`), &got))
	require.Nil(t, got.Pointed)
	require.NoError(t, wire.Unmarshal([]byte(`{"deep":3}`), &got))
	require.Equal(t, &Pointed{Deep: 3}, got.Pointed)
}

// Of two fields that are one key, the outer counts, wherever it stands.
func TestUnmarshalOuterFieldFirst(t *testing.T) {
	type embedded struct {
		Inner string `json:"txId"`
	}
	var before struct {
		Outer string `json:"tx_id"`
		embedded
	}
	var after struct {
		embedded
		Outer string `json:"tx_id"`
	}
	for _, v := range []any{&before, &after} {
		require.NoError(t, wire.Unmarshal([]byte(`{"TxID":"t"}`), v))
	}
	require.Equal(t, []string{"t", "", "t", ""}, []string{before.Outer, before.Inner, after.Outer, after.Inner})
}

// A list replaces the previous one, and nothing of its elements is left.
func TestUnmarshalReplacesLists(t *testing.T) {
	got := document{List: []inner{{A: 1, B: "old"}, {A: 2, B: "old"}}}
	require.NoError(t, wire.Unmarshal([]byte(`{"list":[{"a":5}]}`), &got))
	require.Equal(t, []inner{{A: 5}}, got.List)
}

// The keys that are expected next, in the order of the struct, are read as any others, also where some are left out, come
// from a struct that may be bare, or are written with white space.
func TestUnmarshalInAnyOrder(t *testing.T) {
	type whole struct {
		A  string `json:"a"`
		In struct {
			X int    `json:"x_a" alias:"y"`
			Y string `json:"z"`
		} `json:"in" bare:"true"`
		B string `json:"b" alias:"z_z"`
		C int    `json:"c"`
	}
	want := whole{A: "1", B: "4", C: 5}
	want.In.X, want.In.Y = 2, "3"
	for _, body := range []string{
		`{"a":"1","in":{"x_a":2,"z":"3"},"b":"4","c":5}`, `{"c":5,"b":"4","in":{"z":"3","x_a":2},"a":"1"}`, `{"a":"1","x_a":2,"z":"3","b":"4","c":5}`,
		`{"x_a":2,"a":"1","y":2,"b":"4","z":"3","C":5,"c":5}`, `{ "a" : "1" , "y" :2, "z": "3" ,"z_z":"4","\u0063":7,"c" :5}`, `{"a":"1","unknown":{"b":"x"},"b":"4","c":5,"xA":2,"z":"3"}`,
	} {
		var got whole
		require.NoError(t, wire.Unmarshal([]byte(body), &got), body)
		require.Equal(t, want, got, body)
	}
}

// A list is read whole however long it is and whatever follows it, and takes little more memory than it needs.
func TestUnmarshalLongLists(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, 65, 66, 500, 10_000} {
		want := make([]inner, n)
		for i := range want {
			want[i].A = i
		}
		list, err := json.Marshal(want)
		require.NoError(t, err)
		for _, rest := range []string{``, strings.Repeat(" ", 1<<20), `,"words":{"a":"` + strings.Repeat("x", 1<<20) + `"}`} {
			var got document
			require.NoError(t, wire.Unmarshal([]byte(`{"list":`+string(list)+rest+`}`), &got))
			require.Equal(t, want, got.List)
			require.LessOrEqual(t, cap(got.List), max(128, n+n/2))
		}
	}
}

// A document that is not JSON is refused for that reason, wherever the error is, and whatever is wrong before it.
func TestUnmarshalRefusesTheDocumentFirst(t *testing.T) {
	for _, length := range []int{1, 100_000} { // short ones are described in the standard library's words
		long := `{"amount":1.5,"list":[{"a":{}}],"tx_id":"` + strings.Repeat("a", length) + `"`
		err := wire.Unmarshal([]byte(long), new(document))
		require.ErrorContains(t, err, "not JSON at byte "+strconv.Itoa(len(long))+": unexpected end of JSON input")
		require.EqualError(t, wire.Unmarshal([]byte(long+"}"), new(document)), "amount: 1.5 is not a whole number")
	}
	whole := ` {"tx_id":"abcdefghi\u00e9","amount":-12.0e1,"flag":true,"list":[{"a":1},{}],"raw":{"x":[null,false]},"open":{"a":[1,"b"]},"words":{"c":"d"}}`
	require.NoError(t, wire.Unmarshal([]byte(whole), new(document)))
	for cut := range len(whole) {
		require.ErrorContains(t, wire.Unmarshal([]byte(whole[:cut]), new(document)), "not JSON", cut)
		broken := whole[:cut] + "\x01" + whole[cut:]
		require.ErrorContains(t, wire.Unmarshal([]byte(broken), new(document)), "not JSON", cut)
	}
	deep := func(n int) string {
		return `{"d":[{"p":{"r":` + strings.Repeat("[", n-4) + strings.Repeat("]", n-4) + `}}]}`
	}
	require.NoError(t, wire.Unmarshal([]byte(deep(10_000)), new(plain)))
	require.ErrorContains(t, wire.Unmarshal([]byte(deep(10_001)), new(plain)), "exceeded max depth")
}

func TestUnmarshalRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ json, field, says string }{
		"empty":                {``, "", "not JSON"},
		"cut":                  {`{"list":[{"a":1}`, "", "not JSON at byte 16: unexpected end"},
		"no JSON":              {`<html>`, "", "not JSON at byte 1"},
		"more after it":        {`{} x`, "", "not JSON at byte 4"},
		"leading zero":         {`{"amount":01}`, "", "not JSON"},
		"not a number":         {`{"amount":NaN}`, "", "not JSON"},
		"list for an object":   {`[]`, "", "is not an object"},
		"text for an object":   {`{"inner":"x"}`, "inner", "is not an object"},
		"number for an object": {`{"list":[{},7]}`, "list[1]", "is not an object"},
		"text in a list":       {`{"list":"none"}`, "list", "is not an object"},
		"object for text":      {`{"tx_id":{}}`, "tx_id", "is not text"},
		"boolean for text":     {`{"tx_id":false}`, "tx_id", "is not text"},
		"list for text":        {`{"id":[]}`, "id", "is not text"},
		"object in names":      {`{"names":["a",{}]}`, "names[1]", "is not text"},
		"two figures":          {`{"amount":5,"Amount":7}`, "amount", "duplicate key with conflicting values"},
		"a key of open ones":   {`{"open":{"value":"1","data":[1,{"a":2}],"value":"1000"}}`, "open.value", "duplicate key"},
		"a key of a map":       {`{"map":{"value":"1","chain":1,"value":"1000"}}`, "map.value", "duplicate key"},
		"one deep in a map":    {`{"map":{"a":[{"b":{"c":1,"d":{"c":2},"c":2}}]}}`, "map.a.c", "duplicate key"},
		"a word":               {`{"words":{"a":"1","a":"2"}}`, "words.a", "duplicate key"},
		"one deep within":      {`{"open":{"a":[{"b":{"c":1,"d":{"c":1},"c":2}}]}}`, "open.c", "duplicate key"},
		"two objects":          {`{"inner":{"a":1},"inner":{"b_two":"x"}}`, "inner", "duplicate key"},
		"two in a bare one":    {`{"list":[{"a":1,"A":2}]}`, "list[0].a", "duplicate key"},
		"fraction":             {`{"amount":1.5}`, "amount", "1.5 is not a whole number"},
		"fraction as text":     {`{"amount":"0.10"}`, "amount", "0.10 is not a whole number"},
		"tiny fraction":        {`{"amount":1e-400}`, "amount", "not a whole number"},
		"over 64 bits":         {`{"amount":9223372036854775808}`, "amount", "does not fit in 64 bits"},
		"far over 64 bits":     {`{"amount":1e400}`, "amount", "does not fit in 64 bits"},
		"long number":          {`{"amount":` + strings.Repeat("1", 500) + `}`, "amount", strings.Repeat("1", 40) + "… does not fit"},
		"over 8 bits":          {`{"small":128}`, "small", "128 does not fit in 8 bits"},
		"under 8 bits":         {`{"small":"-129"}`, "small", "-129 does not fit in 8 bits"},
		"empty text":           {`{"amount":""}`, "amount", "is not a number"},
		"letters":              {`{"amount":"ten"}`, "amount", "is not a number"},
		"boolean for a number": {`{"amount":true}`, "amount", "is not a number"},
		"object for a number":  {`{"amount":{}}`, "amount", "is not a number"},
		"list for a number":    {`{"amount":[1]}`, "amount", "is not a number"},
		"number for a boolean": {`{"flag":1}`, "flag", "is neither true nor false"},
		"text for a boolean":   {`{"flag":"yes"}`, "flag", "is neither true nor false"},
		"deep":                 {`{"list":[{"a":1},{"a":2},{"a":1.5}]}`, "list[2].a", "1.5 is not a whole number"},
		"deep in lists":        {`{"grid":[[1],[2,"x"]]}`, "grid[1][1]", "is not a number"},
		"in an only element":   {`{"list":{"b_two":[]}}`, "list.b_two", "is not text"},
		"in a pointer":         {`{"pointer":{"a":{}}}`, "pointer.a", "is not a number"},
		"in its own JSON":      {`{"hexes":["1","zz"]}`, "hexes[1]", "is not hexadecimal"},
		"before its own JSON":  {`{"hex":{}}`, "hex", "is not text"},
		"in the standard's":    {`{"float":"x"}`, "float", "json: cannot unmarshal"},
		"below zero":           {`{"count":-1}`, "count", "json: cannot unmarshal"},
		"in its own text":      {`{"upper":5}`, "upper", "json: cannot unmarshal"},
	} {
		t.Run(name, func(t *testing.T) {
			err := wire.Unmarshal([]byte(tc.json), &document{})
			var failure *wire.FieldError
			require.ErrorAs(t, err, &failure)
			require.Equal(t, tc.field, failure.Field)
			require.Contains(t, failure.Problem, tc.says)
			if tc.field == "" {
				require.Equal(t, failure.Problem, err.Error())
			} else {
				require.Equal(t, tc.field+": "+failure.Problem, err.Error())
			}
		})
	}
}

func TestUnmarshalDestinations(t *testing.T) {
	for _, v := range []any{nil, document{}, (*document)(nil), 7} {
		require.ErrorContains(t, wire.Unmarshal([]byte(`{}`), v), "non-nil pointer")
	}
	var text string
	require.NoError(t, wire.Unmarshal([]byte(` "x" `), &text))
	require.Equal(t, "x", text)
	var number int
	require.NoError(t, wire.Unmarshal([]byte(`"7"`), &number))
	require.Equal(t, 7, number)
	var list []inner
	require.NoError(t, wire.Unmarshal([]byte(`{"a":7}`), &list))
	require.Equal(t, []inner{{A: 7}}, list)
	var own hex
	require.NoError(t, wire.Unmarshal([]byte(`"1f"`), &own))
	require.Equal(t, hex(31), own)
	var open any
	require.NoError(t, wire.Unmarshal([]byte(`1.10`), &open))
	require.Equal(t, json.Number("1.10"), open)
}

// What cannot be made is passed over, as no field: a struct that is embedded by a pointer and not exported.
func TestUnmarshalEmbeddedPointerThatCannotBeSet(t *testing.T) {
	var got struct {
		*pointed
		A int `json:"a"`
	}
	require.NoError(t, wire.Unmarshal([]byte(`{"deep":3,"a":1}`), &got))
	require.Nil(t, got.pointed)
	require.Equal(t, 1, got.A)
}

func TestUnmarshalAnswer(t *testing.T) {
	type answer struct {
		ID   string `json:"tx_id" alias:"id" required:"true"`
		Open []int  `json:"open"`
	}
	var got answer
	require.NoError(t, wire.UnmarshalAnswer([]byte(`{"ID":"t","open":null}`), &got))
	require.Equal(t, answer{ID: "t"}, got)
	for body, says := range map[string]string{
		`{"open":[1]}`: "tx_id: is missing", `{"tx_id":""}`: "tx_id: is missing", `null`: "tx_id: is missing", `[]`: "is not an object", ``: "not JSON",
	} {
		require.ErrorContains(t, wire.UnmarshalAnswer([]byte(body), new(answer)), says, body)
	}
	var list struct {
		Items []inner `json:"items"`
	}
	require.NoError(t, wire.UnmarshalAnswer([]byte(`{"items":null}`), &list))
	for _, body := range []string{`{}`, `{"code":200,"msg":"OK"}`, `{"a":1}`, `null`} {
		require.ErrorContains(t, wire.UnmarshalAnswer([]byte(body), &list), "none of the fields", body)
	}
	var own hex
	require.NoError(t, wire.UnmarshalAnswer([]byte(`"1f"`), &own))
}
