package sandbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"net/http"
	"strconv"
	"strings"

	"github.com/qredo-go/qredo/sandbox/internal/access"
	"github.com/qredo-go/qredo/sandbox/internal/requestlog"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
)

// Resend sends a request of the log again, with a new signature and a new stamp. It can only resend a request whose key the
// sandbox can sign with. Everything else stays the same: a write without a PartnerTxID is carried out once more. It returns the
// new request; it is not an error if that was refused.
func (s *Sandbox) Resend(id uint64) (RequestDetail, error) {
	r, err := s.recorded(id)
	if err != nil {
		return RequestDetail{}, err
	}
	sign, why := s.signerOf(r)
	if why != "" {
		return RequestDetail{}, &serve.Fault{Status: http.StatusConflict, Reason: "it cannot be sent again: " + why}
	}
	ctx, cancel := context.WithTimeout(context.Background(), sendPatience)
	defer cancel()
	scheme, rest, _ := strings.Cut(r.URL, "://")
	host, path, _ := strings.Cut(rest, "/")
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, bytes.NewReader(r.Body.Bytes))
	if err != nil {
		return RequestDetail{}, serve.BadRequest("the request: %v", err)
	}
	req.Host, req.RequestURI, req.Proto = host, "/"+path, r.Proto // byte for byte, as it is signed
	if scheme == "https" {
		req.TLS = &tls.ConnectionState{}
	}
	req.Header = r.Header.Clone()
	if err := sign(req.Header, strconv.FormatInt(s.clock().Unix(), 10)); err != nil {
		return RequestDetail{}, serve.BadRequest("the request: %v", err)
	}
	answer := &sentHere{header: http.Header{"Date": {s.clock().UTC().Format(http.TimeFormat)}}}
	s.carryOut(answer, req, r.ID)
	return s.Request(answer.id)
}

// signerOf returns a signer for the key that a request named, or why there is none.
func (s *Sandbox) signerOf(r *requestlog.Record) (sign func(h http.Header, stamp string) error, why string) {
	switch {
	case r.Body.Cut():
		return nil, "its body is not kept completely"
	case r.Status == http.StatusSwitchingProtocols || strings.HasPrefix(r.URL, "ws"):
		return nil, "it is a feed: connect to it with a program"
	case r.Header.Get(access.HeaderProof) != "":
		return nil, "only the signing agent itself can prove who it is"
	case r.QAPI:
		auth := s.keys.HMACAuth(r.Header.Get(access.HeaderHMACKey))
		if auth == nil {
			return nil, "the key that it names is not registered here"
		}
		return func(h http.Header, stamp string) error {
			signature, err := auth.Sign(stamp, r.Method, r.URL, r.Body.Bytes)
			h.Set(access.HeaderHMACStamp, stamp)
			h.Set(access.HeaderHMACSignature, signature)
			return err
		}, ""
	}
	auth := s.keys.RSAAuth(r.Header.Get(access.HeaderKey))
	if auth == nil {
		return nil, "the sandbox does not have the private key of the API key that it names"
	}
	return func(h http.Header, stamp string) error {
		signature, err := auth.Sign(stamp, r.URL, r.Body.Bytes)
		h.Del(access.HeaderNonce)
		h.Set(access.HeaderStamp, stamp)
		h.Set(access.HeaderSignature, signature)
		return err
	}, ""
}
