package sandbox

import (
	"net/url"

	"github.com/qredo-go/qredo/sandbox/internal/access"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
)

// SignedRequest is a request to the Partner API as a program sent it: what [Sandbox.Explain] looks at.
type SignedRequest struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"` // full, with its query
	Headers map[string]string `json:"headers"`
	Body    []byte            `json:"body"` // base64 in JSON
}

// Difference is a part of a signed request that is not as it must be.
type Difference struct {
	Part   string `json:"part"`   // "stamp", "url", "body", "key", "signature" or "layout"
	Found  string `json:"found"`  // what is wrong with it
	Remedy string `json:"remedy"` // what to do about it
}

// Explanation says why a request's signature is refused.
type Explanation struct {
	Valid       bool         `json:"valid"`       // nothing is wrong with it
	Differences []Difference `json:"differences"` // empty as well if it could not be found out
}

// maxExplained is how many bytes of a body are looked at: trying forms of it takes time.
const maxExplained = 64 << 10

// Explain tells which part of what a request's signature covers differs from what was sent: the stamp, the
// URL or the body; or that it is the key or the form of the signature. It tries what programs are known
// to get wrong, with the public key that is registered for the API key. It changes nothing, and uses up no
// nonce.
func (s *Sandbox) Explain(req SignedRequest) (Explanation, error) {
	if len(req.Body) > maxExplained {
		return Explanation{}, serve.BadRequest("a body of more than %d bytes is not looked at", maxExplained)
	}
	base := s.baseOf(req.URL)
	found, valid := s.keys.Explain(access.Sent(req), base, access.SignedURLs(req.URL, base, s.publicURLs), s.clock())
	answer := Explanation{Valid: valid}
	for _, d := range found {
		answer.Differences = append(answer.Differences, Difference(d))
	}
	return answer, nil
}

// baseOf is the base path that a URL was asked below.
func (s *Sandbox) baseOf(asked string) string {
	u, err := url.Parse(asked)
	if err != nil {
		return ""
	}
	_, base, _ := s.apiOf(u.EscapedPath())
	return base
}
