package spec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// Checker holds requests and answers against an API's document.
type Checker struct {
	api        *API
	mu         sync.Mutex
	called     map[Operation]int
	violations []string
}

// New returns a checker that has seen nothing yet.
func (a *API) New() *Checker { return &Checker{api: a, called: map[Operation]int{}} }

// Violations lists what was not as the document says.
func (c *Checker) Violations() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.violations)
}

// Called tells how often each operation was called with success.
func (c *Checker) Called() map[Operation]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.called)
}

func (c *Checker) violation(req *http.Request, status int, format string, args ...any) {
	// The query and the host are left out, as they change from run to run.
	text := fmt.Sprintf("%s %s answered %d: %s", req.Method, req.URL.Path, status, fmt.Sprintf(format, args...))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.violations = append(c.violations, text)
}

// Transport sends requests through next and checks them and their answers. What is not below the base
// path, such as the sandbox's control calls, passes unchecked.
//
// A request that the document does not allow is a violation unless it is refused with a 4xx: tests may
// well send what is wrong. An answer is checked always.
func (c *Checker) Transport(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if !strings.HasPrefix(req.URL.Path, c.api.basePath+"/") {
			return next.RoundTrip(req)
		}
		sent, body, err := copyRequest(req)
		if err != nil {
			return nil, err
		}
		resp, err := next.RoundTrip(sent)
		if err != nil {
			return resp, err
		}
		c.check(req, body, resp)
		return resp, nil
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// copyRequest reads a request's body, and returns it with a request that still has it.
func copyRequest(req *http.Request) (*http.Request, []byte, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, nil, nil
	}
	body, err := io.ReadAll(req.Body)
	if err = errors.Join(err, req.Body.Close()); err != nil {
		return nil, nil, err
	}
	sent := req.Clone(req.Context())
	sent.Body = io.NopCloser(bytes.NewReader(body))
	return sent, body, nil
}

// check compares one exchange with the document. The response's body stays readable.
func (c *Checker) check(req *http.Request, body []byte, resp *http.Response) {
	checked := req.Clone(req.Context())
	checked.Body, checked.GetBody, checked.ContentLength = http.NoBody, nil, int64(len(body))
	if len(body) > 0 {
		checked.Body = io.NopCloser(bytes.NewReader(body))
	}
	route, params, err := c.api.router().FindRoute(checked)
	if err != nil {
		c.checkUnknown(req, resp)
		return
	}
	input := &openapi3filter.RequestValidationInput{
		Request: checked, PathParams: params, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc:                hasHeader,
			RejectWhenRequestBodyNotSpecified: true,
			SkipSettingDefaults:               true,
		},
	}
	if problem := requestProblem(input); problem != nil && (resp.StatusCode < 400 || resp.StatusCode >= 500) {
		c.violation(req, resp.StatusCode, "the request: %v", problem)
	}
	if resp.StatusCode < 400 {
		c.mu.Lock()
		c.called[Operation{route.Method, route.Path, route.Operation.OperationID}]++
		c.mu.Unlock()
		if route.Operation.Responses.Status(resp.StatusCode) == nil {
			c.violation(req, resp.StatusCode, "the document has no such status of success")
			return
		}
	}
	c.checkAnswer(req, input, resp)
}

func requestProblem(input *openapi3filter.RequestValidationInput) error {
	for name := range input.Request.URL.Query() {
		if known := input.Route.Operation.Parameters.GetByInAndName(openapi3.ParameterInQuery, name); known == nil {
			return fmt.Errorf("the query has %q, which is unknown", name)
		}
	}
	return openapi3filter.ValidateRequest(input.Request.Context(), input)
}

// hasHeader only checks that the authentication headers are present: verifying them is the server's part.
func hasHeader(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	if name := in.SecurityScheme.Name; in.RequestValidationInput.Request.Header.Get(name) == "" {
		return fmt.Errorf("the header %s is missing", name)
	}
	return nil
}

// checkUnknown is for requests that are not operations: feeds, and those that must fail.
func (c *Checker) checkUnknown(req *http.Request, resp *http.Response) {
	if resp.StatusCode >= 400 {
		c.checkAnswer(req, &openapi3filter.RequestValidationInput{Request: req, Route: c.api.failureRoute()}, resp)
		return
	}
	if resp.StatusCode != http.StatusSwitchingProtocols || !c.api.isFeed(strings.TrimPrefix(req.URL.Path, c.api.basePath)) {
		c.violation(req, resp.StatusCode, "the document has no such operation")
	}
}

func (a *API) isFeed(path string) bool {
	segments := strings.Split(path, "/")
	return slices.ContainsFunc(a.feeds, func(feed string) bool {
		_, pattern, _ := strings.Cut(feed, " ")
		return slices.EqualFunc(strings.Split(pattern, "/"), segments, func(p, s string) bool {
			return p == s || strings.HasPrefix(p, "{") && s != ""
		})
	})
}

// failureRoute stands for an operation that only returns failures.
func (a *API) failureRoute() *routers.Route {
	responses := openapi3.NewResponses(openapi3.WithName("default", a.document().Components.Responses["Failure"].Value))
	return &routers.Route{Spec: a.document(), Operation: &openapi3.Operation{Responses: responses}}
}

// checkAnswer compares a body with what the document has for its status.
func (c *Checker) checkAnswer(req *http.Request, input *openapi3filter.RequestValidationInput, resp *http.Response) {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return // what follows is not a body
	}
	data, err := io.ReadAll(resp.Body)
	rest := io.Reader(bytes.NewReader(data))
	if err != nil {
		rest = io.MultiReader(rest, failing{err})
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{rest, resp.Body}
	if err != nil {
		return // a truncated body has no schema
	}
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if resp.StatusCode >= 500 && mediaType != "application/json" {
		return // a proxy's page
	}
	answer := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: resp.StatusCode, Header: resp.Header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	if err := openapi3filter.ValidateResponse(req.Context(), answer.SetBodyBytes(data)); err != nil {
		c.violation(req, resp.StatusCode, "the answer: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
