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

	Token string // of a sandbox that is not this machine's, if it has one

	// Refused makes the error of a call, by method and URL, that was answered with another status than 200, and reports whether
	// the answer is the sandbox's own: something in front of it may answer anything.
	Refused func(call string, status int, answer []byte) (own bool, err error)
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
	answer, err := client.open(ctx, cmp.Or(client.HTTP, Default()), c.method, path, body, c.writes())
	if err != nil {
		return out, err
	}
	defer answer.Close()
	data, err := io.ReadAll(answer)
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil {
		return out, unclear(c.writes(), fmt.Errorf("sandbox: %s %s: %w: %w", c.method, client.Base+path, qredo.ErrBadAnswer, err))
	}
	return out, nil
}

// writes reports whether the call changes something.
func (c Call[S, In, Out]) writes() bool { return c.method != http.MethodGet && !c.asks }

// Ask is for calls that answer with JSON: it reads that.
func (c Raw[S]) Ask(ctx context.Context, client Client, query string, body io.Reader, out any, ids ...string) error {
	answer, err := c.Open(ctx, client, query, body, ids...)
	if err != nil {
		return err
	}
	defer answer.Close()
	if err := json.NewDecoder(answer).Decode(out); err != nil {
		return unclear(c.writes(), fmt.Errorf("sandbox: %s %s: %w: %w", c.Method, client.Base+expand(c.Path, ids), qredo.ErrBadAnswer, err))
	}
	return nil
}

func (c Raw[S]) writes() bool { return c.Method != http.MethodGet }

// maybeDoneError is a call that changes something, and may have been carried out although nothing says so.
type maybeDoneError struct{ error }

func (e maybeDoneError) Error() string {
	return e.error.Error() + "; it may have been carried out all the same: check before you repeat it"
}

func (e maybeDoneError) Unwrap() error { return e.error }

func (e maybeDoneError) Is(target error) bool { return target == qredo.ErrOutcomeUnknown }

// unclear is the error of a call that was sent, and of which the sandbox has not said that nothing was done.
func unclear(writes bool, err error) error {
	if writes {
		return maybeDoneError{err}
	}
	return err
}

// Open makes a call that is [Raw], with IDs in place of the path's placeholders, and returns what is answered, which
// the caller closes. It may take as long as its context lets it.
func (c Raw[S]) Open(ctx context.Context, client Client, query string, body io.Reader, ids ...string) (io.ReadCloser, error) {
	patient := *cmp.Or(client.HTTP, Default())
	patient.Timeout = 0
	return client.open(ctx, &patient, c.Method, expand(c.Path, ids)+query, body, c.writes())
}

func (client Client) open(ctx context.Context, through *http.Client, method, path string, body io.Reader, writes bool) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, method, client.Base+path, body)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	if client.Token != "" {
		req.Header.Set("Authorization", "Bearer "+client.Token)
	}
	// Where a redirect leads to is another's answer, and it would be asked for by GET.
	straight := *through
	straight.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := straight.Do(req)
	if err != nil {
		return nil, unclear(writes && !transport.NeverSent(err), fmt.Errorf("sandbox: %w", err))
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	const most = 1 << 20 // a refusal is short
	data, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return nil, unclear(writes, fmt.Errorf("sandbox: %s %s: %w: %w", method, client.Base+path, qredo.ErrBadAnswer, err))
	}
	own, err := client.Refused(method+" "+client.Base+path, resp.StatusCode, bytes.TrimSpace(data))
	return nil, unclear(writes && (!own || !isRefusal(resp.StatusCode)), err)
}

// isRefusal reports whether a status says, in the sandbox's own words, that nothing was done.
func isRefusal(status int) bool {
	return status >= 400 && status < 500 && status != http.StatusRequestTimeout
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
