package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// front serves a sandbox as the real service was: without control calls. change may alter its answers.
func front(t *testing.T, srv *sandbox.Server, change func(path string, body []byte) []byte) *httptest.Server {
	t.Helper()
	target, err := url.Parse(srv.URL())
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // what the client has signed
		},
		ModifyResponse: func(resp *http.Response) error {
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				return err
			}
			if change != nil {
				body = change(resp.Request.URL.Path, body)
			}
			resp.Body = io.NopCloser(bytes.NewReader(body))
			resp.ContentLength = int64(len(body))
			resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
			return nil
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/sandbox/") {
			http.NotFound(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

var (
	joinLine    = regexp.MustCompile(`→ (\S+) must accept the request`)
	sendLine    = regexp.MustCompile(`→ send \S+ \S+ \((\d+) \S+\) to (\S+)`)
	approveLine = regexp.MustCompile(`→ (\S+) must approve (\S+) in the app`)
)

// playPeople reads what a run prints, and does what it tells people to do. It returns everything that was printed and the
// first failure.
func playPeople(srv *sandbox.Server, printed io.Reader) (string, error) {
	var all strings.Builder
	var failed error
	lines := bufio.NewScanner(printed)
	for lines.Scan() {
		line := lines.Text()
		all.WriteString(line + "\n")
		var err error
		if m := joinLine.FindStringSubmatch(line); m != nil {
			err = srv.Accept(m[1], "")
		} else if m := sendLine.FindStringSubmatch(line); m != nil {
			var amount int64
			if amount, err = strconv.ParseInt(m[1], 10, 64); err == nil {
				_, err = srv.Deposit(m[2], qredo.Amount(amount))
			}
		} else if m := approveLine.FindStringSubmatch(line); m != nil {
			err = srv.Approve(m[1], m[2])
		}
		if failed == nil {
			failed = err
		}
	}
	return all.String(), failed
}

// runWithPeople runs the program while people do what it prints.
func runWithPeople(ctx context.Context, srv *sandbox.Server, cfg config) (string, error, error) {
	printed, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, cfg, out)
		_ = out.Close()
		ended <- err
	}()
	text, peopleErr := playPeople(srv, printed)
	return text, <-ended, peopleErr
}

// startWithPeople is a sandbox whose people have the app already.
func startWithPeople(t *testing.T) (*sandbox.Server, credentials) {
	t.Helper()
	srv, keys := startWithKey(t)
	for _, email := range defaults().approverEmails() {
		_, err := srv.CreateUser(sandbox.User{Email: email})
		require.NoError(t, err)
	}
	return srv, keys
}

// People who have no account cannot be asked, and the program says so.
func TestNamesWhoHasNoAccount(t *testing.T) {
	srv, keys := startWithKey(t)
	inEnvironment(t, map[string]string{"QREDO_API_KEY": keys.apiKey, "QREDO_PRIVATE_KEY": keys.pem})
	cfg := defaults()
	cfg.baseURL = front(t, srv, nil).URL + "/api/v1/p"
	err := run(inTime(t), cfg, io.Discard)
	require.ErrorIs(t, err, qredo.ErrNotFound)
	require.ErrorContains(t, err, "alice@example.com")
}

func TestRunsWithRealPeople(t *testing.T) {
	srv, keys := startWithPeople(t)
	inEnvironment(t, map[string]string{"QREDO_API_KEY": keys.apiKey, "QREDO_PRIVATE_KEY": keys.pem})
	server := front(t, srv, nil)
	cfg := defaults()
	cfg.baseURL = server.URL + "/api/v1/p"
	text, err, peopleErr := runWithPeople(inTime(t), srv, cfg)
	require.NoError(t, err, text)
	require.NoError(t, peopleErr, text)
	inOrder(t, text, append([]string{"is not a sandbox on this machine: people have to act"}, shown...))
	assert.Len(t, approveLine.FindAllString(text, -1), 3, "one for the transfer, two for the withdrawal")
}

func TestGivesUpWhenNobodyActs(t *testing.T) {
	srv, keys := startWithPeople(t)
	inEnvironment(t, map[string]string{"QREDO_API_KEY": keys.apiKey, "QREDO_PRIVATE_KEY": keys.pem})
	cfg := defaults()
	cfg.baseURL = front(t, srv, nil).URL + "/api/v1/p"
	ctx, cancel := context.WithCancel(inTime(t))
	defer cancel()
	// The run is ended as soon as it has told the last person what to do.
	out := writerFunc(func(p []byte) (int, error) {
		if strings.Contains(string(p), "bob@example.com must accept") {
			cancel()
		}
		return len(p), nil
	})
	err := run(ctx, cfg, out)
	require.ErrorIs(t, err, context.Canceled)
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestNoticesWhatIsWrong has a server lie about what has become of the money. The program must not say that everything is
// well.
func TestNoticesWhatIsWrong(t *testing.T) {
	replace := func(suffix, old, with string) func(string, []byte) []byte {
		return func(path string, body []byte) []byte {
			if strings.HasSuffix(path, suffix) {
				return bytes.ReplaceAll(body, []byte(old), []byte(with))
			}
			return body
		}
	}
	for name, test := range map[string]struct {
		change func(path string, body []byte) []byte
		want   string
	}{
		"an amount in the ledger":    {replace("/ledger", `"amount":25025000`, `"amount":25025001`), "ledger"},
		"a service that takes gross": {replace("/fees", `"netAmount":40000000`, `"netAmount":39960000`), "asked for 40000000"},
		"fees in the ledger":         {replace("/ledger", `"fees":40000,`, `"fees":40001,`), "ledger"},
		"an entry twice":             {replace("/ledger", `"type":"transferIn"`, `"type":"deposit"`), "no step made"},
		"no ledger":                  {replace("/ledger", `"List"`, `"Other"`), "lacks 4 entries"},
		"a movement in a history":    {replace("/history", `"amount":-25025000`, `"amount":-24000000`), "debited"},
		"the end's balance":          {replace("", `"balance":84935000`, `"balance":84935001`), "the steps imply 84935000"},
		"trading's balance":          {replace("", `"balance":40000000`, `"balance":39960000`), "wallet Trading"},
		"a second transaction":       {replace("/transfer", `"status":"existing"`, `"status":"new"`), "second transaction"},
		"a transfer that expired":    {replace("", `"txStatus":"approved"`, `"txStatus":"expired"`), "expired"},
		"a wallet too many":          {replace("", `"name":"Trading"`, `"name":"Trading","x":1},{"wallet_id":"x"`), "3 wallets"},
		"an answer that is no JSON":  {replace("/ledger", `{`, `<`), "ledger"},
	} {
		t.Run(name, func(t *testing.T) {
			srv, keys := startWithPeople(t)
			inEnvironment(t, map[string]string{"QREDO_API_KEY": keys.apiKey, "QREDO_PRIVATE_KEY": keys.pem})
			cfg := defaults()
			cfg.baseURL = front(t, srv, test.change).URL + "/api/v1/p"
			text, err, _ := runWithPeople(inTime(t), srv, cfg)
			require.ErrorContains(t, err, test.want)
			assert.NotContains(t, text, "Done")
		})
	}
}
