package qredotest

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qredotest/internal/wirefile"
)

//go:embed fixtures/*.json
var fixtureFiles embed.FS

// Fixture is an operation as it is on the wire: a request and the service's answer to it, byte for byte except for white space.
// The client makes exactly this request, and makes Value from the answer: this package's tests check that, and check both
// against the service's description.
type Fixture struct {
	Operation string          // as the service's documents write it: "GET /company/{company_id}/fund/{fund_id}"
	Call      string          // the client's method: "Funds.Get"
	Method    string          // "GET"
	Path      string          // below the base URL, with identifiers: "/company/1va2cJ2pqdLSFAN5t1knBrnuMvw/fund/2qa7…"
	Query     string          // encoded, without the question mark; empty if there is none
	Request   json.RawMessage // the body; nil if there is none
	Status    int             // of the answer; 101 for a feed
	Response  json.RawMessage // the answer's body; for a feed, one message
	Value     any             // what the client's method returns; for a feed, its event; nil if it returns only an error
}

// Fixtures returns a fixture for each operation of the Partner API and for each feed, in the order of their calls. Those of
// Qredo API v1 are in package qapitest.
func Fixtures() []Fixture {
	files := partnerFiles()
	all := make([]Fixture, len(files))
	for i, file := range files {
		all[i] = newFixture(file)
	}
	return all
}

// FixtureOf returns the fixture of an operation, such as "GET /company/{company_id}/fund/{fund_id}", or of a call, such as
// "Funds.Get". It panics if there is none, because that is a mistake in the test. Each call returns a new value, which you may
// change.
func FixtureOf(operation string) Fixture {
	files := partnerFiles()
	for _, file := range files {
		if file.Operation == operation || file.Call(partnerCalls.names()) == operation {
			return newFixture(file)
		}
	}
	panic("qredotest: there is no fixture of " + operation + nearest(operation, files))
}

// ValueOf returns what the client makes of the answer in a fixture, as a T:
//
//	fund := qredotest.ValueOf[*qredo.Fund]("Funds.Get")
//
// It panics if there is no such fixture, or its value is not a T, because that is a mistake in the test.
func ValueOf[T any](operation string) T {
	f := FixtureOf(operation)
	value, ok := f.Value.(T)
	if !ok {
		panic(fmt.Sprintf("qredotest: %s returns %T, not %T", f.Call, f.Value, value))
	}
	return value
}

// RequestOf returns the body that a fixture sends as a T:
//
//	req := qredotest.RequestOf[qredo.TransferRequest]("Transfers.Create")
//
// It expires an hour after [FixtureTime]. It panics like [ValueOf].
func RequestOf[T any](operation string) T {
	f := FixtureOf(operation)
	if f.Request == nil {
		panic("qredotest: " + f.Call + " sends no body")
	}
	return body[T](f)
}

// body decodes the body that a fixture sends.
func body[T any](f Fixture) T {
	var v T
	if err := qredo.Unmarshal(f.Request, &v); err != nil {
		panic("qredotest: " + f.Call + ": " + err.Error())
	}
	return v
}

var partnerFiles = sync.OnceValue(func() []wirefile.File { return wirefile.Read(fixtureFiles, "fixtures") })

func newFixture(file wirefile.File) Fixture {
	f := Fixture{
		Operation: file.Operation, Call: file.Call(partnerCalls.names()), Method: file.Method(), Path: file.Path, Query: file.Query,
		Request: slices.Clone(file.Request), Status: file.Status, Response: slices.Clone(file.Response),
	}
	var err error
	if f.Value, err = f.value(); err != nil {
		panic("qredotest: " + file.Name + ": " + err.Error())
	}
	return f
}

// value is the client's value for the answer.
func (f Fixture) value() (any, error) {
	if event := partnerEvents[f.Call]; event != nil {
		return event(f.Response)
	}
	client, err := newClient(f.Answer())
	if err != nil {
		return nil, err
	}
	return partnerCalls[f.Call](context.Background(), client, f)
}

// nearest names the operations that somebody may have meant.
func nearest(operation string, files []wirefile.File) string {
	_, path, isOperation := strings.Cut(operation, " ")
	service, _, _ := strings.Cut(operation, ".")
	var near []string
	for _, file := range files {
		call := file.Call(partnerCalls.names())
		if isOperation && strings.HasSuffix(file.Operation, " "+path) {
			near = append(near, file.Operation)
		} else if !isOperation && strings.HasPrefix(call, service+".") {
			near = append(near, call)
		}
	}
	if len(near) == 0 {
		return ": Fixtures lists all"
	}
	return ": there is " + strings.Join(near, ", ")
}
