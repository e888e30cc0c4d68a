// Package core is how the packages of this module that are built on a qredo.Client reach what it does not
// export. Package qredo sets the functions when it is loaded; clients and options are passed as any, since
// this package cannot import qredo.
package core

import (
	"bytes"
	"context"
	"time"
)

// PollInterval tells how long call options, a []qredo.CallOption, let the Wait methods pause.
var PollInterval func(opts any) time.Duration

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
