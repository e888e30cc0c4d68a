// Package access tells who makes a request to one of the APIs: it has the keys, and checks stamps, signatures and
// proofs. It knows neither what is asked for nor what there is in the sandbox.
package access

import "net/http"

// Request is what of a request its sender vouches for.
type Request struct {
	Method string
	Header http.Header
	URLs   []string // of which one must have been signed; see [SignedURLs]
	Body   []byte   // exactly as it came
}

// Refusal is why a request is not let in.
type Refusal struct {
	Kind   Kind
	Reason string
}

// Kind is how far a request came that was refused.
type Kind int

// The kinds of refusals.
const (
	NoCredentials Kind = iota + 1 // it names nobody
	NotProved                     // it does not prove to come from whom it names
	NotAllowed                    // whom it comes from may not do this
)

func (r *Refusal) Error() string { return "access: " + r.Reason }

func notProved(reason string) error { return &Refusal{NotProved, reason} }

// errNoCredentials is the refusal of a request that names nobody.
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
