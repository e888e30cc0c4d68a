// Package core is how the packages of this module that are built on a qredo.Client reach what it does not
// export. Package qredo sets the functions when it is loaded; clients and options are passed as any, since
// this package cannot import qredo.
package core

import (
	"bytes"
	"context"
)

// FromEnv reads a value from the variable name, or from the file that name_FILE names.
var FromEnv func(name string) (string, error)

// Request is one call of an operation.
type Request struct {
	Endpoint string   // as the service's documents write it: "GET /funds/{fund_id}"
	IDs      []string // what replaces the placeholders, in order
	Query    any      // a struct for go-querystring, or nil
	Body     any
	// Repeatable is a request that changes nothing more when it is sent again. GET is in any case.
	Repeatable bool
}

// Call makes a request of a *qredo.Client as its own methods do, and reads the answer into out, a pointer to
// a struct. opts is a []qredo.CallOption.
var Call func(ctx context.Context, client any, r Request, out, opts any) error

// Poll calls look at the interval that call options, a []qredo.CallOption, give the Wait methods, until it
// has nothing to say of how something still is.
var Poll func(ctx context.Context, opts any, look func() (still string, err error)) error

// Message is what a feed gives: a message as it came, or what filling a gap has found.
type Message struct {
	Raw   []byte
	Found any
}

// UnmarshalJSON keeps a message as it came.
func (m *Message) UnmarshalJSON(data []byte) error {
	m.Raw = bytes.Clone(data)
	return nil
}

// Feed runs a WebSocket feed of a *qredo.Client, with the guarantees of its own feeds but one: that each
// event is given once is for yield to see to. options is a []qredo.FeedOption. fill is called after each
// connection, and returns what may have been missed until then.
var Feed func(ctx context.Context, client any, path string, options any, fill func(context.Context) ([]Message, error), yield func(Message, error) bool)
