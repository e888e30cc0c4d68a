package sandbox

import (
	"net/http"
	"net/url"
	"time"

	"github.com/qredo-go/qredo/sandbox/internal/access"
	"github.com/qredo-go/qredo/sandbox/internal/requestlog"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
)

// SignedRequest is a request as a program sent it, for [Sandbox.Explain].
type SignedRequest struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"` // full, with its query
	Headers map[string]string `json:"headers"`
	Body    []byte            `json:"body"` // base64 in JSON
}

// Difference is a part of a signed request that is wrong.
type Difference struct {
	Part   string `json:"part"`   // "stamp", "url", "body", "key", "signature", "layout" or "proof"
	Found  string `json:"found"`  // what is wrong with it
	Remedy string `json:"remedy"` // what to do about it
}

// Explanation says why a request's signature is refused.
type Explanation struct {
	Valid       bool         `json:"valid"`       // nothing is wrong with it
	Differences []Difference `json:"differences"` // also empty if the cause could not be found
	// Verified is the text for which the sandbox verified the signature, and Signed the one that was signed; Signed is empty if
	// it could not be determined. Both are split where they differ.
	Verified []TextRun `json:"verified"`
	Signed   []TextRun `json:"signed"`
}

// TextRun is a part of a text.
type TextRun struct {
	Text    string `json:"text"`
	Differs bool   `json:"differs"`
}

// maxExplained is the longest body, in bytes, that is explained: trying its variants takes time.
const maxExplained = 64 << 10

// Explain says which part of the signed content differs from what was sent (the stamp, the URL or the body), or that the key or
// the form of the signature is wrong. It tries the mistakes that programs are known to make, with the key that is registered
// here. For a request with a signing agent's proof, it says what is wrong with the proof. It changes nothing, and uses up no
// nonce.
func (s *Sandbox) Explain(req SignedRequest) (Explanation, error) {
	if len(req.Body) > maxExplained {
		return Explanation{}, serve.BadRequest("a body of more than %d bytes is not examined", maxExplained)
	}
	return s.explainAt(req, s.clock(), func(text string) string { return text }), nil
}

// explainAt explains a request that arrived at a time by the clock. It passes each text through shown.
func (s *Sandbox) explainAt(req SignedRequest, now time.Time, shown func(string) string) Explanation {
	path, sent := "", access.Sent(req)
	if u, err := url.Parse(req.URL); err == nil {
		path = u.EscapedPath()
	}
	api, base, rest := s.apiOf(path)
	urls := access.SignedURLs(req.URL, base, s.publicURLs)
	var found access.Explained
	switch route, _, _ := api.Match(req.Method, rest); {
	case api.qapi:
		found = s.keys.ExplainHMAC(sent, base, urls, now)
	case route.Agent:
		found = access.ExplainProof(sent, now, s.world.MasterSecret)
	default:
		found = s.keys.Explain(sent, base, urls, now)
	}
	answer := Explanation{Valid: found.Valid, Differences: []Difference{}, Verified: []TextRun{}, Signed: []TextRun{}}
	for _, d := range found.Found {
		answer.Differences = append(answer.Differences, Difference{d.Part, shown(d.Found), shown(d.Remedy)})
	}
	found.Verified, found.Signed = shown(found.Verified), shown(found.Signed)
	verified, signed := []access.Run{{Text: found.Verified}}, []access.Run(nil)
	switch {
	case found.Verified == "":
		verified = nil
	case found.Signed != "":
		verified, signed = access.Compare(found.Verified, found.Signed)
	}
	for _, r := range verified {
		answer.Verified = append(answer.Verified, TextRun(r))
	}
	for _, r := range signed {
		answer.Signed = append(answer.Signed, TextRun(r))
	}
	return answer
}

// explainRecord explains why a logged request was refused; nil if it was not, or if not all of it is kept.
func (s *Sandbox) explainRecord(r *requestlog.Record, reason string) *Explanation {
	status := r.Status
	if r.Handled != nil {
		status = r.Handled.Status
	}
	if status != http.StatusUnauthorized || r.Body.Cut() {
		return nil
	}
	req := SignedRequest{Method: r.Method, URL: r.URL, Body: r.Body.Bytes, Headers: map[string]string{}}
	for name := range r.Header {
		req.Headers[name] = r.Header.Get(name)
	}
	e := s.explainAt(req, r.Clock, r.Redact)
	if e.Valid && reason == "nonce" {
		e.Valid = false
		e.Differences = append(e.Differences, Difference{"stamp", "the nonce was used before with this API key", "send a new nonce with each request, even when you repeat one"})
	}
	return &e
}
