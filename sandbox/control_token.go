package sandbox

import (
	"strings"

	"github.com/qredo-go/qredo/sandbox/internal/control"
)

// shortestToken is the minimum length of a control token: nobody can guess 20 random characters.
const shortestToken = 20

// WithControlToken also accepts control calls from other machines, and under any host name, if they carry this token:
// "Authorization: Bearer TOKEN", as [Control] sends with its Token. Anyone who has it can approve anything, and anyone who can
// read the traffic has it: use [WithTLS] outside a private network. It must have at least 20 characters, all of them allowed in
// such a header. Default: control calls are accepted only from programs on this machine, which never need a token.
func WithControlToken(token string) Option {
	return func(s *Sandbox) error {
		const may = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="
		if len(token) < shortestToken || strings.Trim(token, may) != "" {
			return invalid("control token", "must have %d characters or more, of letters, digits and -._~+/=", shortestToken)
		}
		s.gate, s.controlToken = control.NewGate(token), token
		return nil
	}
}
