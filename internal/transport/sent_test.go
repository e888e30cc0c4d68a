package transport_test

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// A request without a body is sent without any sign of one, whatever its method: net/http is told of an encoding so that
// it does not look for a body, and the service must not see that.
func TestRequestsWithoutABodyAreSentPlain(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodDelete, http.MethodHead, http.MethodOptions, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			ours, theirs := net.Pipe()
			t.Cleanup(func() { _ = theirs.Close() })
			head := make(chan string, 1)
			go func() {
				var lines strings.Builder
				for r := bufio.NewReader(theirs); ; {
					line, err := r.ReadString('\n')
					if lines.WriteString(line); err != nil || line == "\r\n" {
						break
					}
				}
				head <- lines.String()
				_, _ = theirs.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
			}()
			transport := &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) { return ours, nil }}
			client := clienttest.NewClient(t, transport, qredo.WithBaseURL("http://localhost/api/v1/p"))
			require.NoError(t, client.Do(t.Context(), method, "/thing", nil, nil, qredo.WithoutRetry()))
			sent := <-head
			assert.Contains(t, sent, method+" /api/v1/p/thing HTTP/1.1\r\n")
			assert.NotContains(t, sent, "Transfer-Encoding")
			if method == http.MethodPost {
				assert.Contains(t, sent, "Content-Length: 0\r\n")
			} else {
				assert.NotContains(t, sent, "Content-Length")
			}
		})
	}
}

// What a call allocates before net/http has it and after, without what reads its answer, is bounded: much more is a mistake.
func TestAllocationsOfACall(t *testing.T) {
	answer := clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
	})
	client := clienttest.NewClient(t, answer)
	var out []byte
	call := func() {
		if err := client.Do(t.Context(), http.MethodGet, "/thing", nil, &out); err != nil {
			t.Fatal(err)
		}
	}
	bare := &http.Client{Transport: answer}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://service.example/thing", nil)
	require.NoError(t, err)
	req.Header = http.Header{"A": {"a"}, "B": {"b"}, "C": {"c"}, "D": {"d"}, "E": {"e"}, "F": {"f"}}
	least := testing.AllocsPerRun(100, func() {
		res, err := bare.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	})
	auth := clienttest.NewAuth(t)
	signed := testing.AllocsPerRun(100, func() {
		if err := auth.Authenticate(req, nil, clienttest.Clock()); err != nil {
			t.Fatal(err)
		}
	})
	got := testing.AllocsPerRun(100, call)
	assert.LessOrEqual(t, got-least-signed, 15.0)
}
