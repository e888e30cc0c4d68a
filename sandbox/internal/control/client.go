package control

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/qredo-go/qredo/internal/transport"
)

// Client makes control calls.
type Client struct {
	Base string       // the URL below which they are served
	HTTP *http.Client // nil: [Default]

	Token string // of a sandbox that is not this machine's, if it has one

	// Refused makes the error of a call, by method and URL, that was answered with another status than 200.
	Refused func(call string, status int, answer []byte) error
}

// Default is a client that gives up on a call after 30 seconds.
var Default = sync.OnceValue(newDefault)

func newDefault() *http.Client {
	client := transport.DefaultHTTP(nil)
	client.Timeout = 30 * time.Second
	return client
}

// Tell makes a call that has nothing to answer: see [Call.Ask].
func (c Call[S, In, Out]) Tell(ctx context.Context, client Client, in In, ids ...string) error {
	_, err := c.Ask(ctx, client, in, ids...)
	return err
}

// Ask makes a call, with IDs in place of the path's placeholders, and returns what is answered.
func (c Call[S, In, Out]) Ask(ctx context.Context, client Client, in In, ids ...string) (out Out, err error) {
	path := expand(c.path, ids)
	var body io.Reader
	switch _, none := any(in).(None); {
	case none:
	case c.method == http.MethodGet:
		query, err := writeQuery(in)
		if err != nil {
			return out, fmt.Errorf("sandbox: %w", err)
		}
		path += "?" + query
	default:
		data, err := json.Marshal(in)
		if err != nil {
			return out, fmt.Errorf("sandbox: %w", err)
		}
		body = bytes.NewReader(data)
	}
	answer, err := client.open(ctx, cmp.Or(client.HTTP, Default()), c.method, path, body)
	if err != nil {
		return out, err
	}
	defer answer.Close()
	data, err := io.ReadAll(answer)
	if err != nil {
		return out, fmt.Errorf("sandbox: %w", err)
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return out, fmt.Errorf("sandbox: %s %s: the answer: %w", c.method, client.Base+path, err)
	}
	return out, nil
}

// Open makes a call that is [Raw], with IDs in place of the path's placeholders, and returns what is answered, which
// the caller closes. It may take as long as its context lets it.
func (c Raw[S]) Open(ctx context.Context, client Client, query string, body io.Reader, ids ...string) (io.ReadCloser, error) {
	patient := *cmp.Or(client.HTTP, Default())
	patient.Timeout = 0
	return client.open(ctx, &patient, c.Method, expand(c.Path, ids)+query, body)
}

func (client Client) open(ctx context.Context, through *http.Client, method, path string, body io.Reader) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, client.Base+path, body)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	if client.Token != "" {
		req.Header.Set("Authorization", "Bearer "+client.Token)
	}
	resp, err := through.Do(req)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	const most = 1 << 20 // a refusal is short
	data, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	return nil, client.Refused(method+" "+client.Base+path, resp.StatusCode, bytes.TrimSpace(data))
}

// expand puts IDs into a path as they are, whatever they say: a control call is told what is not right by the
// sandbox, in the same words as in Go.
func expand(path string, ids []string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if strings.HasPrefix(segment, "{") {
			segments[i], ids = url.PathEscape(ids[0]), ids[1:]
		}
	}
	return strings.Join(segments, "/")
}
