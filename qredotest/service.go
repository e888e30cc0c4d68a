package qredotest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/path"
)

// Service answers requests by their operation, and records them. Like an [Answer] it is an [http.RoundTripper] and an
// [http.Handler]. It checks no signatures and remembers nothing; use the sandbox for that. A request to an operation that it
// has no answer for fails the test. It is safe for concurrent use.
type Service struct {
	t       TestingT
	base    string
	mu      sync.Mutex
	answers map[string]Answer
	had     []Request
}

// Request is a request that a [Service] has received.
type Request struct {
	Operation string            // "GET /company/{company_id}"; method and path if it has no answer for it
	IDs       map[string]string // the values of the placeholders, by name: "company_id"
	Path      string            // below the base URL
	Query     url.Values
	Header    http.Header
	Body      []byte
}

// NewService returns a service of the Partner API without answers: see [Service.On].
func NewService(t TestingT) *Service { return NewServiceAt(t, "/api/v1/p") }

// NewServiceAt is [NewService] with another base path, which may be empty. For Qredo API v1 use package qapitest.
func NewServiceAt(t TestingT, basePath string) *Service {
	return &Service{t: t, base: strings.TrimRight(basePath, "/"), answers: map[string]Answer{}}
}

// On sets the answer to an operation, such as "POST /company/{company_id}/transfer", replacing any earlier one. Several answers
// are given in turn, as by [InTurn]. It returns the service, so that you can chain calls.
func (s *Service) On(operation string, answers ...Answer) *Service {
	answer := InTurn(answers...)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[operation] = answer
	return s
}

// OnFixtures sets the fixtures as the answers to their operations, except for feeds. They contain particular identifiers, such
// as [CompanyID]: the client refuses an answer about something else than it asked for.
func (s *Service) OnFixtures(fixtures ...Fixture) *Service {
	for _, f := range fixtures {
		if f.Status != http.StatusSwitchingProtocols {
			s.On(f.Operation, f.Answer())
		}
	}
	return s
}

// Client returns a client of the service. By default it does not sign, and its clock stands still at [FixtureTime]; options can
// change that. A wrong option ends the test.
func (s *Service) Client(opts ...qredo.Option) *qredo.Client {
	s.t.Helper()
	client, err := newClient(s, opts...)
	if err != nil {
		s.t.Errorf("qredotest: %v", err)
		s.t.FailNow()
	}
	return client
}

// Requests returns the requests received for an operation, or for all of them if operation is "", in the order in which they
// arrived.
func (s *Service) Requests(operation string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.had), func(r Request) bool { return operation != "" && r.Operation != operation })
}

// RoundTrip answers a client's request.
func (s *Service) RoundTrip(req *http.Request) (*http.Response, error) {
	return s.answer(req).RoundTrip(req)
}

// ServeHTTP answers a server's request.
func (s *Service) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	s.answer(req).ServeHTTP(w, req)
}

// answer records a request and finds its answer.
func (s *Service) answer(req *http.Request) Answer {
	had := Request{Path: strings.TrimPrefix(req.URL.EscapedPath(), s.base), Query: req.URL.Query(), Header: req.Header.Clone()}
	if req.Body != nil {
		var err error
		had.Body, err = io.ReadAll(req.Body)
		if err != nil {
			return func(*http.Request) (*http.Response, error) {
				return nil, fmt.Errorf("qredotest: the request's body: %w", err)
			}
		}
		_ = req.Body.Close()
		req.Body = io.NopCloser(bytes.NewReader(had.Body)) // an answer of the test may read it too
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	had.Operation, had.IDs = s.operation(req.Method, had.Path)
	answer := s.answers[had.Operation]
	s.had = append(s.had, had)
	if answer == nil {
		s.t.Errorf("qredotest: the service was asked for %s, and has no answer for it: set one by Service.On", had.Operation)
		return Refusal(http.StatusBadRequest, "the test has no answer for "+had.Operation)
	}
	return answer
}

// operation finds the operation of a path. A literal path element takes precedence over a placeholder: /company/search is
// not a company.
func (s *Service) operation(method, asked string) (operation string, ids map[string]string) {
	operation = method + " " + asked
	for candidate := range s.answers {
		of, template, _ := strings.Cut(candidate, " ")
		if of != method {
			continue
		}
		found, ok := path.Match(strings.Split(template, "/"), strings.Split(asked, "/"))
		if ok && (ids == nil || len(found) < len(ids)) {
			operation, ids = candidate, found
		}
	}
	return operation, ids
}
