package sandbox

import (
	"strings"

	"github.com/qredo-go/qredo/sandbox/internal/control"
)

// shortestToken is what a control token has at least: 20 characters that are drawn at random are more than anybody tries.
const shortestToken = 20

// WithControlToken also takes control calls from other machines, and under any host name, from whoever sends this token:
// "Authorization: Bearer TOKEN", as [Control] does with its Token. Who has it can approve anything, and who can read what is sent
// has it: use [WithTLS] where that is not a network of one's own. It has 20 characters or more, of those that such a header may
// have. Default: control calls are taken from this machine's programs only, which need no token in any case.
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
