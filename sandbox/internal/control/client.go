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

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/transport"
)

// Client makes control calls.
type Client struct {
	Base string       // the URL below which they are served
	HTTP *http.Client // nil: [Default]
}

// Default is a client that gives up on a call after 30 seconds.
var Default = sync.OnceValue(newDefault)

func newDefault() *http.Client {
	client := transport.DefaultHTTP(nil)
	client.Timeout = 30 * time.Second
	return client
}

// refused is the error of a control call that was not carried out. errors.Is tells its kind, as it does for calls
// of the sandbox's own methods.
type refused struct {
	error
	status int
}

func (r *refused) Is(target error) bool { return (&qredo.Error{StatusCode: r.status}).Is(target) }

// Tell makes a call that has nothing to answer: see [Call.Ask].
func (c Call[S, In, Out]) Tell(ctx context.Context, client Client, in In, ids ...string) error {
	_, err := c.Ask(ctx, client, in, ids...)
	return err
}

// Ask makes a call, with IDs in place of the path's placeholders, and returns what is answered.
func (c Call[S, In, Out]) Ask(ctx context.Context, client Client, in In, ids ...string) (out Out, err error) {
	target := client.Base + c.expand(ids)
	var body io.Reader
	_, none := any(in).(None)
	switch {
	case none:
	case c.method == http.MethodGet:
		query, err := writeQuery(in)
		if err != nil {
			return out, fmt.Errorf("sandbox: %w", err)
		}
		target += "?" + query
	default:
		data, err := json.Marshal(in)
		if err != nil {
			return out, fmt.Errorf("sandbox: %w", err)
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, c.method, target, body)
	if err != nil {
		return out, fmt.Errorf("sandbox: %w", err)
	}
	resp, err := cmp.Or(client.HTTP, Default()).Do(req)
	if err != nil {
		return out, fmt.Errorf("sandbox: %w", err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return out, fmt.Errorf("sandbox: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return out, &refused{fmt.Errorf("sandbox: %s %s: %s: %s", c.method, target, resp.Status, bytes.TrimSpace(data)), resp.StatusCode}
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return out, fmt.Errorf("sandbox: %s %s: the answer: %w", c.method, target, err)
	}
	return out, nil
}

// expand puts IDs into the path as they are, whatever they say: a control call is told what is not right by the
// sandbox, in the same words as in Go.
func (c Call[S, In, Out]) expand(ids []string) string {
	segments := strings.Split(c.path, "/")
	for i, segment := range segments {
		if strings.HasPrefix(segment, "{") {
			segments[i], ids = url.PathEscape(ids[0]), ids[1:]
		}
	}
	return strings.Join(segments, "/")
}
