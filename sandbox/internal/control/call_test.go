package control_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox/internal/control"
)

// diary is what the control calls of these tests are made on.
type diary struct{ said []string }

type remark struct {
	Text   string `json:"text"`
	Number int    `json:"number"`
}

type listing struct {
	Search string `json:"search,omitzero"`
	Reads  bool   `json:"reads,omitzero"`
	Number uint64 `json:"number,omitzero"`
	window
}

type window struct {
	After string `json:"after,omitzero"`
	Limit int    `json:"limit,omitzero"`
}

var errFull = errors.New("the diary is full")

var (
	say = control.Post("/people/{who}/remarks/{when}", func(d *diary, at map[string]string, in remark) (control.OK, error) {
		if in.Text == "too much" {
			return control.Done(errFull)
		}
		d.said = append(d.said, at["who"]+" at "+at["when"]+": "+in.Text)
		return control.Done(nil)
	})
	repeat = control.Post("/repeat", func(_ *diary, _ map[string]string, in remark) (remark, error) { return in, nil }).Exactly()
	read   = control.Get("/remarks", func(d *diary, _ map[string]string, _ control.None) ([]string, error) { return d.said, nil })
	wipe   = control.Post("/clear", func(d *diary, _ map[string]string, _ control.None) (control.OK, error) {
		d.said = nil
		return control.Done(nil)
	})
	list = control.Get("/list/{what}", func(_ *diary, at map[string]string, in listing) (listing, error) {
		in.Search = at["what"] + in.Search
		return in, nil
	})
	unserved = control.Get("/unserved", func(*diary, map[string]string, control.None) (control.OK, error) { return control.Done(nil) })
)

var calls = control.Calls[*diary]{say, repeat, read, wipe, list}

// ask serves a request as a program of this machine makes it.
func (d *diary) ask(method, path, body string) (any, error) {
	r := httptest.NewRequest(method, "http://127.0.0.1:8080/anywhere", strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:40000"
	path, r.URL.RawQuery, _ = strings.Cut(path, "?")
	return calls.Serve(d, httptest.NewRecorder(), r, path)
}

func refusedWith(t *testing.T, err error, status int) {
	t.Helper()
	var refusal *control.Refusal
	require.ErrorAs(t, err, &refusal)
	assert.Equal(t, status, refusal.Status, refusal.Reason)
}

func TestBodies(t *testing.T) {
	d := &diary{}
	const path = "/people/alice/remarks/noon"
	for _, body := range []string{`{"text":"hello","number":5}`, `{"Text":"hello","number":"5","more":1}`} {
		got, err := d.ask("POST", path, body)
		require.NoError(t, err)
		assert.Equal(t, control.OK{Code: 200, Msg: "OK"}, got)
	}
	_, err := d.ask("POST", path, "")
	require.NoError(t, err, "an empty body says nothing")
	assert.Equal(t, []string{"alice at noon: hello", "alice at noon: hello", "alice at noon: "}, d.said)
	for _, body := range []string{"{", "[]", "nonsense", `{"number":1.5}`} {
		_, err := d.ask("POST", path, body)
		refusedWith(t, err, http.StatusBadRequest)
	}
	_, err = d.ask("POST", path, `{"text":"too much"}`)
	require.ErrorIs(t, err, errFull, "the error of what carries it out is its own")
	assert.Len(t, d.said, 3)

	t.Run("exactly", func(t *testing.T) {
		got, err := d.ask("POST", "/repeat", `{"text":"hello","number":5}`)
		require.NoError(t, err)
		assert.Equal(t, remark{"hello", 5}, got)
		for _, body := range []string{"", `{"number":"5"}`} {
			_, err := d.ask("POST", "/repeat", body)
			refusedWith(t, err, http.StatusBadRequest)
		}
	})
	t.Run("none", func(t *testing.T) {
		_, err := d.ask("POST", "/clear", "nonsense")
		require.NoError(t, err)
		assert.Empty(t, d.said)
	})
}

func TestQueries(t *testing.T) {
	d := &diary{}
	for query, want := range map[string]listing{
		"":                             {Search: "x"},
		"?limit=20":                    {Search: "x", window: window{Limit: 20}},
		"?number=18446744073709551615": {Search: "x", Number: 1<<64 - 1},
		"?search=%C3%A4+b&reads=true&after=1&limit=0": {Search: "xä b", Reads: true, window: window{After: "1"}},
		"?search=&limit=": {Search: "x"},
	} {
		got, err := d.ask("GET", "/list/x"+query, "")
		require.NoError(t, err, query)
		assert.Equal(t, want, got, query)
	}
	for _, query := range []string{
		"?limit=1&limit=1", "?limit=two", "?limit=1.5", "?reads=perhaps", "?more=1", "?=1", "?Limit=1", "?limit=%zz", "?limit=1;after=2", "?window=1", "?number=-1", "?number=1.5", "?number=x",
	} {
		_, err := d.ask("GET", "/list/x"+query, "")
		refusedWith(t, err, http.StatusBadRequest)
	}
	_, err := d.ask("GET", "/remarks?limit=1", "")
	refusedWith(t, err, http.StatusBadRequest)
}
