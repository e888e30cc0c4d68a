package qredotest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/qredo-go/qredo"
)

// Answer answers a request as the service, or something on the way to it, would. It is an [http.RoundTripper], for your test's
// client, and an [http.Handler], for its server; and its method RoundTrip is a responder for jarcoal/httpmock:
//
//	httpmock.RegisterResponder("GET", url, qredotest.Refusal(404, "no such fund").RoundTrip)
type Answer func(*http.Request) (*http.Response, error)

// RoundTrip answers a client's request.
func (a Answer) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	return a(req)
}

// ServeHTTP answers a server's request. If there is no answer, or its end is missing, it breaks the connection.
func (a Answer) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	resp, err := a(req)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer resp.Body.Close()
	for key, values := range resp.Header {
		w.Header()[key] = values
	}
	if resp.ContentLength >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(resp.ContentLength, 10))
	}
	w.WriteHeader(resp.StatusCode)
	_, err = io.Copy(w, resp.Body)
	if err == nil {
		return
	}
	_ = http.NewResponseController(w).Flush() // only this reaches the client
	panic(http.ErrAbortHandler)
}

// Reply answers with a status and a JSON body. A string, a []byte or a [json.RawMessage] is sent as it is. It panics if the
// body cannot be written as JSON. [Fixture.With] writes values of the SDK in the service's format.
func Reply(status int, body any) Answer {
	return newAnswer(status, "application/json; charset=utf-8", encode(body))
}

func encode(body any) []byte {
	switch b := body.(type) {
	case string:
		return []byte(b)
	case []byte:
		return b
	case json.RawMessage:
		return b
	}
	data, err := json.Marshal(body)
	if err != nil {
		panic("qredotest: the answer's body: " + err.Error())
	}
	return data
}

func newAnswer(status int, kind string, body []byte, header ...string) Answer {
	return func(req *http.Request) (*http.Response, error) {
		resp := &http.Response{
			Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: req,
		}
		for i := 0; i < len(header); i += 2 {
			resp.Header.Set(header[i], header[i+1])
		}
		return resp, nil
	}
}

// OK answers as the service does if there is nothing to report except success.
func OK() Answer { return Reply(http.StatusOK, `{"code":200,"msg":"OK"}`) }

// Refusal answers with a failure in the service's own words. For a status below 500, other than 409, the client believes that
// nothing was done. reason is optional: it becomes the Reason of the [qredo.Error].
func Refusal(status int, msg string, reason ...string) Answer {
	return newAnswer(status, "application/json; charset=utf-8", refusal(status, msg, reason))
}

func refusal(status int, msg string, reason []string) []byte {
	type detail struct {
		Reason string `json:"reason"`
	}
	words := struct {
		Code   int     `json:"code"`
		Msg    string  `json:"msg"`
		Detail *detail `json:"detail,omitempty"`
	}{Code: status, Msg: msg}
	if len(reason) > 0 {
		words.Detail = &detail{strings.Join(reason, "; ")}
	}
	return encode(words)
}

// RateLimited answers with status 429 in the service's words, and asks the client to wait for the time after, in whole seconds;
// with zero it does not say how long. The client pauses for that long, up to the limit in its [qredo.RetryPolicy], and then
// asks again: see [InTurn].
func RateLimited(after time.Duration) Answer {
	const status = http.StatusTooManyRequests
	body := refusal(status, "too many requests", nil)
	if after <= 0 {
		return newAnswer(status, "application/json; charset=utf-8", body)
	}
	seconds := (after + time.Second - 1) / time.Second
	return newAnswer(status, "application/json; charset=utf-8", body, "Retry-After", strconv.FormatInt(int64(seconds), 10))
}

// ProxyPage answers with an HTML page, like a proxy, with a status such as 502 or 503. It does not show whether the service has
// received the request, so the outcome of a write is unknown.
func ProxyPage(status int) Answer {
	text := fmt.Sprintf("%d %s", status, http.StatusText(status))
	page := "<html>\r\n<head><title>" + text + "</title></head>\r\n<body>\r\n<center><h1>" + text + "</h1></center>\r\n</body>\r\n</html>\r\n"
	return newAnswer(status, "text/html", []byte(page))
}

// Lost has a answer the request, and then loses the answer: the service has done what it was asked, but the client cannot know.
func Lost(a Answer) Answer {
	return func(req *http.Request) (*http.Response, error) {
		resp, err := a(req)
		if err != nil {
			return nil, err
		}
		_, _ = io.Copy(io.Discard, resp.Body) // the body may be cut as well
		_ = resp.Body.Close()
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}
	}
}

// Unreachable gives no answer: the connection is refused, so the request was not sent.
func Unreachable() Answer {
	return func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	}
}

// Silent gives no answer until the request's context ends. A client without a deadline, or a timeout in its [http.Client],
// waits forever.
func Silent() Answer {
	return func(req *http.Request) (*http.Response, error) {
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
}

// Cut sends the given number of bytes of an answer's body, then breaks the connection.
func Cut(a Answer, bytes int64) Answer {
	return func(req *http.Request) (*http.Response, error) {
		resp, err := a(req)
		if err != nil {
			return nil, err
		}
		whole := resp.Body
		resp.ContentLength = max(resp.ContentLength, bytes+1)
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(whole, bytes), broken{}), whole}
		return resp, nil
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// InTurn answers the first request with the first of the answers, the second with the second, and so on; the last one answers
// all further requests. It panics if there are no answers.
func InTurn(answers ...Answer) Answer {
	if len(answers) == 0 {
		panic("qredotest: InTurn needs an answer")
	}
	var mu sync.Mutex
	next := 0
	return func(req *http.Request) (*http.Response, error) {
		mu.Lock()
		a := answers[next]
		next = min(next+1, len(answers)-1)
		mu.Unlock()
		return a(req)
	}
}

// Answer answers with the fixture. For a feed's fixture it answers with the message, which is of no use to a client, because a
// feed is a WebSocket. For feeds use [Each] or the sandbox.
func (f Fixture) Answer() Answer { return Reply(f.Status, f.Response) }

// With answers with a value in the format of the fixture's operation: if the client returns a list, inside the object that the
// service puts around it. It panics if the value has another type than [Fixture.Value], because that is a mistake in the test.
func (f Fixture) With(value any) Answer {
	if have, want := fmt.Sprintf("%T", value), fmt.Sprintf("%T", f.Value); have != want {
		panic(fmt.Sprintf("qredotest: %s returns %s, not %s", f.Call, want, have))
	}
	if f.Value == nil {
		return OK()
	}
	return Reply(f.Status, f.wrap(encodeWhole(value)))
}

// encodeWhole encodes a value as the service does: with its secret, which is made up, and without the PartnerTxID that
// the client adds from the request.
func encodeWhole(value any) []byte {
	switch v := value.(type) {
	case *qredo.AgentRegistration:
		data, err := v.MarshalJSONWithSecret()
		if err != nil {
			panic("qredotest: " + err.Error())
		}
		return data
	case *qredo.Submission:
		plain := *v
		plain.PartnerTxID = ""
		value = plain
	case *qredo.SwapSubmission:
		plain := *v
		plain.PartnerTxID = ""
		value = plain
	}
	data, err := json.Marshal(value)
	if err != nil {
		panic("qredotest: the answer's body: " + err.Error())
	}
	return data
}

// wrap puts the client's value where the fixture's answer has it.
func (f Fixture) wrap(value []byte) []byte {
	key := f.part()
	if key == "" {
		return value
	}
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(f.Response, &whole); err != nil {
		panic("qredotest: " + f.Call + ": " + err.Error())
	}
	whole[key] = value
	var list []json.RawMessage
	if json.Unmarshal(value, &list) == nil {
		for _, count := range []string{"total_count", "count", "total"} {
			if _, ok := whole[count]; ok {
				whole[count] = []byte(strconv.Itoa(len(list)))
			}
		}
	}
	return encode(whole)
}

// part is the key of the answer whose value the client returns; "" if it returns the whole answer. It is found by
// comparison with the client's value, encoded as JSON.
func (f Fixture) part() string {
	var whole map[string]json.RawMessage
	if json.Unmarshal(f.Response, &whole) != nil || sameJSON(f.Response, encodeWhole(f.Value)) {
		return ""
	}
	for key, value := range whole {
		if sameJSON(value, encodeWhole(f.Value)) {
			return key
		}
	}
	return ""
}
