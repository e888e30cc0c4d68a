package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

// Remote returns an Operator for an outbox in another program, which serves its [Handler] at the given address. It returns the
// errors of an Outbox; if client gets no answer, it returns client's error, and the request may or may not have been carried
// out. It cannot prune.
//
// The address is that of the list, such as "https://payments.internal/outbox/".
func Remote(client *http.Client, address string) Operator {
	return remote{client, strings.TrimSuffix(address, "/") + "/"}
}

type remote struct {
	client  *http.Client
	address string
}

// answerLimit limits how much of a response is read, in bytes.
const answerLimit = 256 << 20

// call sends a GET request, or a form if there is one, and decodes the response.
func (r remote) call(ctx context.Context, path string, form url.Values, into any) error {
	method, body := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, r.address+path, body)
	if err != nil {
		return err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := r.client.Do(req)
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, answerLimit))
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	if res.StatusCode == http.StatusOK {
		return json.Unmarshal(data, into)
	}
	var refused refusal
	switch err := json.Unmarshal(data, &refused); {
	case err != nil || refused.Error == "":
		return r.foreign(res.Status)
	case refused.Code == "invalid":
		return &qredo.ValidationError{Field: refused.Field, Rule: refused.Rule}
	case refusals[refused.Code] != nil:
		return refusals[refused.Code]
	}
	return errors.New("outbox: " + refused.Error)
}

// foreign is the error for a response that does not come from an outbox.
func (r remote) foreign(how string) error {
	return fmt.Errorf("outbox: %s answers %s, so it is not an outbox", r.address, how)
}

// remoteEntry is an entry, which may be unreadable.
type remoteEntry struct{ Entry }

func (e *remoteEntry) UnmarshalJSON(data []byte) error {
	err := e.Entry.UnmarshalJSON(data)
	if err != nil && e.State == StateHeld && e.Unknown {
		return nil
	}
	return err
}

func (r remote) Get(ctx context.Context, key string) (Entry, error) {
	var e remoteEntry
	err := r.call(ctx, "entry.json?"+url.Values{"key": {key}}.Encode(), nil, &e)
	return e.Entry, err
}

func (r remote) Page(ctx context.Context, f Filter, after Entry, limit int) ([]Entry, error) {
	l := listing{Unknown: f.Unknown, ByChange: f.ByChange(), filter: f}
	var page []Entry
	for len(page) < limit {
		l.limit = min(limit-len(page), mostListed)
		last := &after
		if after.Key == "" {
			last = nil
		}
		var answer struct {
			Entries []remoteEntry `json:"entries"`
			Next    string        `json:"next"`
		}
		if err := r.call(ctx, "list.json"+l.query(last), nil, &answer); err != nil {
			return nil, err
		}
		if answer.Entries == nil { // otherwise it would seem that nothing waits
			return nil, r.foreign("without a list")
		}
		for _, e := range answer.Entries {
			page = append(page, e.Entry)
			after = e.Entry
		}
		if answer.Next == "" {
			break
		}
	}
	return page, nil
}

func (r remote) List(ctx context.Context, f Filter) iter.Seq2[Entry, error] {
	return listed(ctx, f, r.Page)
}

func (r remote) Watch(ctx context.Context, key string) iter.Seq2[Entry, error] {
	return watched(ctx, key, time.Second, new(signal), r.Get)
}

func (r remote) Stats(ctx context.Context) (s Stats, err error) {
	err = r.call(ctx, "stats.json", nil, &s)
	if err == nil && s.States == nil {
		err = r.foreign("without counts")
	}
	return s, err
}

func (r remote) Resolve(ctx context.Context, key string, id qredo.TxID, note string) (Entry, error) {
	form := url.Values{"key": {key}, "note": {note}, "claim": {"none"}}
	if id != "" {
		form.Set("claim", "made")
		form.Set("tx_id", string(id))
	}
	return r.decide(ctx, "resolve.json", form)
}

func (r remote) Retry(ctx context.Context, key, note string) (Entry, error) {
	return r.decide(ctx, "retry.json", url.Values{"key": {key}, "note": {note}})
}

func (r remote) decide(ctx context.Context, path string, form url.Values) (Entry, error) {
	var e remoteEntry
	err := r.call(ctx, path, form, &e)
	return e.Entry, err
}

// errNoPruning is returned if another program has the outbox open.
var errNoPruning = errors.New("outbox: what has ended is removed by the program that has the outbox, or when it has ended")

func (r remote) Prune(context.Context, time.Time, ...PruneOption) (int, error) {
	return 0, errNoPruning
}
