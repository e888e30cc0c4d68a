// Package spec holds the service's wire format as an OpenAPI document, and holds requests and answers
// against it. Only tests import it, so that users of the module compile none of this.
package spec

import (
	"cmp"
	"context"
	_ "embed"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

//go:embed partner-api-v1.yaml
var partnerSource []byte

//go:embed qredo-api-v1.yaml
var qredoSource []byte

// API is one of the service's two APIs.
type API struct {
	basePath string
	feeds    []string // the WebSockets that the document does not have
	document func() *openapi3.T
	router   func() routers.Router
}

// The service's APIs.
var (
	Partner = newAPI(partnerSource, "/api/v1/p", "GET /coreclient/{client_id}/feed", "GET /liquidityhub/feed", "GET /wallets/feed")
	Qredo   = newAPI(qredoSource, "/qapi/v1")
)

// Operation is one operation of the document.
type Operation struct {
	Method, Path string // the path with its placeholders, below the base path
	ID           string
}

// String gives method and path.
func (o Operation) String() string { return o.Method + " " + o.Path }

// newAPI panics if the document is wrong, when it is first needed: no test could go on.
func newAPI(source []byte, basePath string, feeds ...string) *API {
	a := &API{basePath: basePath, feeds: feeds}
	a.document = sync.OnceValue(func() *openapi3.T {
		doc, err := openapi3.NewLoader().LoadFromData(source)
		if err == nil {
			err = doc.Validate(context.Background())
		}
		if err != nil {
			panic("spec: " + err.Error())
		}
		return doc
	})
	a.router = sync.OnceValue(func() routers.Router { // finds operations by path, whatever the host
		doc := *a.document()
		doc.Servers = openapi3.Servers{{URL: basePath}}
		r, err := gorillamux.NewRouter(&doc)
		if err != nil {
			panic("spec: " + err.Error())
		}
		return r
	})
	return a
}

// Operations lists the document's operations by path and method.
func (a *API) Operations() []Operation {
	var list []Operation
	for path, item := range a.document().Paths.Map() {
		for method, op := range item.Operations() {
			list = append(list, Operation{Method: method, Path: path, ID: op.OperationID})
		}
	}
	slices.SortFunc(list, func(a, b Operation) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
	return list
}

// Client returns an HTTP client that checks everything that passes through it. The test fails at its end
// if something was not as the document says.
func (a *API) Client(t testing.TB) *http.Client {
	checker := a.New()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		for _, violation := range checker.Violations() {
			t.Errorf("against the specification: %s", violation)
		}
	})
	return &http.Client{Transport: checker.Transport(transport)}
}
