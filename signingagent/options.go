package signingagent

import (
	"github.com/qredo-go/qredo"
)

// Option changes how an agent is registered or opened.
type Option func(*settings) error

type settings struct {
	pin    int
	rsa    *qredo.Client
	client []qredo.Option
}

func newSettings(opts []Option) (s settings, err error) {
	for _, opt := range opts {
		if opt == nil {
			return s, &qredo.ValidationError{Field: "option", Rule: "must not be nil"}
		}
		if err := opt(&s); err != nil {
			return s, err
		}
	}
	return s, nil
}

// WithPIN gives the PIN that the agent registers, or has registered, with: 0 to 9999. It is stored nowhere, so each program that opens
// the agent must be given it; with another one the service refuses all that the agent asks for ([qredo.ErrUnauthorized]). The old
// program took more digits, of which the last four counted. Default: 0, which is none.
func WithPIN(pin int) Option {
	return func(s *settings) error {
		s.pin = pin
		if pin < 0 || pin > 9999 {
			return &qredo.ValidationError{Field: "PIN", Rule: "must be 0 to 9999"} // and is not repeated
		}
		return nil
	}
}

// WithClient gives a client that signs with RSA, of the API key that has registered the agent. Through it policies read what an action
// would let happen, which the agent's own calls do not tell. The agent's own client is like it in all else: base URL, HTTP
// client, logger, clock. Unless given, the agent can approve all or nothing: see [Agent.NewApprover]. [Register] takes its own client for it.
func WithClient(rsa *qredo.Client) Option {
	return func(s *settings) error {
		s.rsa = rsa
		if rsa == nil {
			return &qredo.ValidationError{Field: "client", Rule: "must not be nil"}
		}
		return nil
	}
}

// WithClientOptions changes the agent's own client. Without [WithClient] it must be told the service's base URL by
// [qredo.WithBaseURL].
func WithClientOptions(opts ...qredo.Option) Option {
	return func(s *settings) error {
		s.client = append(s.client, opts...)
		return nil
	}
}
