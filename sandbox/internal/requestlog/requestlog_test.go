package requestlog_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox/internal/requestlog"
)

func TestRingKeepsTheLast(t *testing.T) {
	r := requestlog.NewRing[string](3, 10)
	add := func(text string) {
		r.Add(func(uint64) (*string, int) { return &text, len(text) })
	}
	kept := func() (texts []string, first uint64) {
		items, first := r.Items()
		for _, item := range items {
			texts = append(texts, *item)
		}
		return texts, first
	}
	for _, text := range []string{"a", "b", "c", "d"} {
		add(text)
	}
	texts, first := kept()
	assert.Equal(t, []string{"b", "c", "d"}, texts)
	assert.EqualValues(t, 2, first)
	assert.Equal(t, "c", *r.Get(3))
	for _, gone := range []uint64{0, 1, 5} {
		assert.Nil(t, r.Get(gone))
	}
	add("12345678")
	texts, _ = kept()
	assert.Equal(t, []string{"c", "d", "12345678"}, texts, "10 bytes")
	add("123456789")
	texts, first = kept()
	assert.Equal(t, []string{"123456789"}, texts)
	assert.EqualValues(t, 6, first)
	add("more than there is room for")
	texts, _ = kept()
	assert.Len(t, texts, 1, "the latest is kept in any case")
	r.Clear()
	add("x")
	texts, first = kept()
	assert.Equal(t, []string{"x"}, texts)
	assert.EqualValues(t, 8, first, "numbers go on")

	var none *requestlog.Ring[string]
	none.Clear()
	items, _ := none.Items()
	assert.Empty(t, items)
	assert.Nil(t, none.Get(1))
}

func TestRingIsSafeForConcurrentUse(t *testing.T) {
	r := requestlog.NewRing[uint64](50, 1<<20)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 1000 {
				n := *r.Add(func(n uint64) (*uint64, int) { return &n, 8 })
				if got := r.Get(n); got != nil {
					assert.Equal(t, n, *got)
				}
				items, first := r.Items()
				for i, item := range items {
					assert.Equal(t, first+uint64(i), *item)
				}
			}
		})
	}
	wg.Wait()
	assert.Equal(t, 50, r.Len())
	assert.EqualValues(t, 4000, r.Last())
}

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	want := requestlog.Record{
		At: time.Unix(7, 0), Clock: time.Unix(5, 0), Took: 3, QAPI: true, Operation: "GET /x", IDs: map[string]string{"tx_id": "t", "company_id": ""},
		Method: "GET", URL: "http://h/x?é", Proto: "HTTP/1.1", Header: http.Header{"A": {"1", ""}, "B": {"ü"}},
		Body: requestlog.KeepBody([]byte("body\x00\xff")), Status: 502, AnswerHeader: []requestlog.Header{{Name: "C", Value: "3"}},
		AnswerBody: requestlog.Body{Bytes: []byte("part"), Size: 70_000}, Answer: requestlog.Replaced, Fault: "html", ResentFrom: 9,
		Handled: &requestlog.Handled{Status: 200, Body: requestlog.Body{Bytes: []byte("{}"), Size: 2}},
	}
	given := want
	p := given.Pack(12)
	want.ID = 12
	assert.Equal(t, &want, p.Record())
	assert.Equal(t, "GET /x", p.Brief().Operation)
	assert.Greater(t, p.Bytes(), 100)
	empty := (&requestlog.Record{}).Pack(1).Record()
	assert.Nil(t, empty.Handled)
	long := strings.Repeat("M", 100_000)
	p = (&requestlog.Record{Method: long}).Pack(1)
	assert.Greater(t, p.Bytes(), len(long), "whoever sends them fills the memory else")
	assert.NotSame(t, unsafe.StringData(long[:3]), unsafe.StringData((&requestlog.Record{Method: long[:3]}).Pack(1).Brief().Method), "the line that it stood in is not kept")
	assert.Empty(t, empty.Body.Bytes)
}

func TestBodiesAreKeptInPart(t *testing.T) {
	long := requestlog.KeepBody([]byte(strings.Repeat("é", 40_000)))
	assert.True(t, long.Cut())
	assert.Len(t, long.Bytes, requestlog.MostBody)
	odd := requestlog.KeepBody([]byte("x" + strings.Repeat("é", 40_000)))
	text, encoding := (&requestlog.Record{}).RedactBody(odd)
	assert.Empty(t, encoding, "it was cut within a character")
	assert.Len(t, text, requestlog.MostBody-1)

	var w requestlog.Writer
	for range 2 {
		out := httptest.NewRecorder()
		w.Begin(out)
		w.Header().Set("X", "1")
		w.WriteHeader(http.StatusTeapot)
		for range 3 {
			_, err := w.Write([]byte(strings.Repeat("a", 30_000)))
			require.NoError(t, err)
		}
		assert.Equal(t, 90_000, out.Body.Len())
		assert.Equal(t, requestlog.Body{Bytes: out.Body.Bytes()[:requestlog.MostBody], Size: 90_000}, w.Record.AnswerBody)
		assert.Equal(t, http.StatusTeapot, w.Record.Status)
		assert.Len(t, w.Record.AnswerHeader, 1)
	}
}

func TestSecretsAreShortened(t *testing.T) {
	named := base64.RawURLEncoding.EncodeToString([]byte(`{"key_id":"0123456789abcdef","key":"f00dfeedf00dfeed","sandbox":true}`))
	assert.Equal(t, "…cdef", requestlog.ShortKey(named))
	assert.Equal(t, "…WXYZ", requestlog.ShortKey("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	assert.Equal(t, "…", requestlog.ShortKey("short"))
	assert.Empty(t, requestlog.ShortKey(""))

	const secret, signature = "c2VjcmV0c2VjcmV0c2VjcmV0", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo"
	r := &requestlog.Record{
		URL: "http://h/x?q=1&api_key=" + secret + "&token=&u=" + signature,
		Header: http.Header{
			"X-Api-Key": {named}, "X-Sign": {signature}, "X-Api-Zkp": {secret}, "Authorization": {"Bearer " + secret}, "Cookie": {"a=" + secret},
			"X-My-Secret": {secret}, "X-Timestamp": {"1795891527"}, "Accept": {"application/json"}, "X-Copy": {"key " + named},
			"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
		},
	}
	shown := map[string]string{}
	for _, h := range r.RedactHeaders() {
		shown[h.Name] = h.Value
	}
	assert.Equal(t, map[string]string{
		"X-Api-Key": "…cdef", "X-Sign": "QUJDREVG…YWVo", "X-Api-Zkp": "c2VjcmV0…cmV0", "Authorization": "…cmV0", "Cookie": "…cmV0", "X-My-Secret": "…cmV0",
		"X-Timestamp": "1795891527", "Accept": "application/json", "X-Copy": "key …fQ", "Sec-Websocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	}, strip(shown, named))
	assert.Equal(t, "http://h/x?q=1&api_key=…cmV0&token=&u=…YWVo", r.RedactURL())

	for body, want := range map[string]string{
		`{"clientSecret": "` + strings.Repeat("ab", 40) + `", "id":"x"}`:     `{"clientSecret": "…abab", "id":"x"}`,
		`{"signatures":["` + secret + `","` + signature + `"],"n":["keep"]}`: `{"signatures":["…cmV0","…YWVo"],"n":["keep"]}`,
		`{"API_KEY":"` + strings.Repeat("k", 40):                             `{"API_KEY":"…kkkk`,
		`{"idDocSignatureHex":"` + strings.Repeat(`\"`, 20) + `a"}`:          `{"idDocSignatureHex":"…"}`,
		`{"reference":"` + named + `"}`:                                      `{"reference":"` + "…" + named[len(named)-4:] + `"}`,
		`{"secret":7,"name":"secret"}`:                                       `{"secret":7,"name":"secret"}`,
		"plain":                                                              "plain",
	} {
		text, encoding := r.RedactBody(requestlog.KeepBody([]byte(body)))
		assert.Empty(t, encoding)
		assert.Equal(t, want, text)
	}
	text, encoding := r.RedactBody(requestlog.KeepBody([]byte("\xff\x00" + secret)))
	assert.Equal(t, "base64", encoding)
	raw, err := base64.StdEncoding.DecodeString(text)
	require.NoError(t, err)
	assert.NotContains(t, string(raw), secret)

	r.Body = requestlog.KeepBody([]byte(`{"clientSecret":"` + secret + `","name":"Acme"}`))
	assert.True(t, r.Mentions("acme"))
	assert.False(t, r.Mentions(strings.ToLower(secret)), "a search must not find out what is not shown")
	assert.False(t, r.Mentions(strings.ToLower(signature)))
}

// strip gives the copy of a key its expected form, whatever its end is.
func strip(shown map[string]string, named string) map[string]string {
	if shown["X-Copy"] == "key …"+named[len(named)-4:] {
		shown["X-Copy"] = "key …fQ"
	}
	return shown
}

func TestFactsAreReadFromBodies(t *testing.T) {
	r := &requestlog.Record{Body: requestlog.KeepBody([]byte(`{"PARTNER_TXID":"p-1"}`)), AnswerBody: requestlog.KeepBody([]byte(`{"tx_id":"t","status":"existing"}`))}
	assert.Equal(t, requestlog.Facts{PartnerTxID: "p-1", TxID: "t", Status: "existing"}, r.Facts())
	r.Handled = &requestlog.Handled{Body: requestlog.KeepBody([]byte(`{"detail":{"reason":"no such wallet"},"status":7}`))}
	assert.Equal(t, requestlog.Facts{PartnerTxID: "p-1", Reason: "no such wallet"}, r.Facts())
	for _, body := range []string{"", "[]", "{", `{"partner_txID":{}}`, "\xff"} {
		r := &requestlog.Record{Body: requestlog.KeepBody([]byte(body)), AnswerBody: requestlog.KeepBody([]byte(body))}
		assert.Equal(t, requestlog.Facts{}, r.Facts(), body)
	}
}
