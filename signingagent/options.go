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

// WithPIN sets the PIN that the agent registers, or has registered, with: 0 to 9999. It is not stored anywhere, so you must
// give it to each program that opens the agent; with a wrong one the service refuses everything that the agent asks for
// ([qredo.ErrUnauthorized]). The old program accepted more digits, of which the last four counted. Default: 0, which means
// none.
func WithPIN(pin int) Option {
	return func(s *settings) error {
		s.pin = pin
		if pin < 0 || pin > 9999 {
			return &qredo.ValidationError{Field: "PIN", Rule: "must be 0 to 9999"} // and it is not repeated
		}
		return nil
	}
}

// WithClient sets a client that signs with RSA, with the API key that registered the agent. Policies read an action's details
// through it, because the agent's own calls do not return them. The agent's own client copies its other settings: base URL,
// HTTP client, logger, clock. [Register] uses its own client for this. Default: the agent can approve everything or nothing:
// see [Agent.NewApprover].
func WithClient(rsa *qredo.Client) Option {
	return func(s *settings) error {
		s.rsa = rsa
		if rsa == nil {
			return &qredo.ValidationError{Field: "client", Rule: "must not be nil"}
		}
		return nil
	}
}

// WithClientOptions changes the agent's own client. Without [WithClient] you must set the service's base URL here, with
// [qredo.WithBaseURL].
func WithClientOptions(opts ...qredo.Option) Option {
	return func(s *settings) error {
		s.client = append(s.client, opts...)
		return nil
	}
}
