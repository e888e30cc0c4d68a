// Package access identifies the sender of a request to one of the APIs: it has the keys, and checks timestamps, signatures
// and proofs. It knows nothing about the request's purpose or the sandbox's state.
package access

import "net/http"

// Request is the authenticated part of a request.
type Request struct {
	Method string
	Header http.Header
	URLs   []string // of which one must have been signed; see [SignedURLs]
	Body   []byte   // exactly as it came
}

// Refusal is why a request is not authenticated.
type Refusal struct {
	Kind   Kind
	Reason string
}

// Kind is the kind of a refusal.
type Kind int

// The kinds of refusals.
const (
	NoCredentials Kind = iota + 1 // it has no credentials
	NotProved                     // its credentials are wrong
	NotAllowed                    // its sender may not do this
)

func (r *Refusal) Error() string { return "access: " + r.Reason }

func notProved(reason string) error { return &Refusal{NotProved, reason} }

// errNoCredentials is the refusal of a request without credentials.
var errNoCredentials = &Refusal{NoCredentials, "empty token"}

// The headers that authenticate a request: to the Partner API, to Qredo API v1, and of a signing agent.
const (
	HeaderKey       = "X-Api-Key"
	HeaderStamp     = "X-Timestamp"
	HeaderNonce     = "X-Nonce"
	HeaderSignature = "X-Sign"

	HeaderHMACKey       = "Qredo-Api-Key"
	HeaderHMACStamp     = "Qredo-Api-Ts"
	HeaderHMACSignature = "Qredo-Api-Sig"

	HeaderProof = "X-Api-Zkp"
)
