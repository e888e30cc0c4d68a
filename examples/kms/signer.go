package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Signer is a [crypto.Signer] whose key is held by a remote signing service, as those of the cloud
// providers are: it sends digests and gets signatures. It is safe for concurrent use.
//
// The service it speaks to is made up for this example, and simple: GET {url}/keys/{key} answers the
// public key as {"public_key": PKIX in base64}, POST {url}/keys/{key}/sign takes {"digest": base64} and
// answers {"signature": base64}. For a real one, replace the two methods that call it.
type Signer struct {
	url, key string
	http     *http.Client
	timeout  time.Duration // of one signature, with its retries
	attempts int
	pause    time.Duration // before the second attempt; doubled for each further one

	public *rsa.PublicKey
}

// NewSigner returns a signer for a key of the service at a URL. The public key is asked for once, here,
// and kept: [crypto.Signer] cannot say that asking failed.
func NewSigner(ctx context.Context, url, key string, client *http.Client) (*Signer, error) {
	s := &Signer{url: url, key: key, http: client, timeout: 10 * time.Second, attempts: 4, pause: 50 * time.Millisecond}
	var answer struct {
		PublicKey []byte `json:"public_key"`
	}
	if err := s.call(ctx, http.MethodGet, "", nil, &answer); err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKIXPublicKey(answer.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("kms: public key of %s: %w", key, err)
	}
	var ok bool
	if s.public, ok = parsed.(*rsa.PublicKey); !ok {
		return nil, fmt.Errorf("kms: key %s is not RSA", key)
	}
	return s, nil
}

// Public returns the public key.
func (s *Signer) Public() crypto.PublicKey { return s.public }

// Sign asks the service for a signature. The interface of the standard library has no context, so that
// the time it may take is the signer's own. What comes back is verified: a service that signs something
// else, or with another key, is found here and not by a request that is refused.
func (s *Signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts.HashFunc() != crypto.SHA256 || len(digest) != crypto.SHA256.Size() {
		return nil, errors.New("kms: only SHA-256 digests are signed")
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	request := map[string]string{"digest": base64.StdEncoding.EncodeToString(digest)}
	var answer struct {
		Signature []byte `json:"signature"`
	}
	if err := s.call(ctx, http.MethodPost, "/sign", request, &answer); err != nil {
		return nil, err
	}
	if err := rsa.VerifyPKCS1v15(s.public, crypto.SHA256, digest, answer.Signature); err != nil {
		return nil, errors.New("kms: the service's signature does not fit the key")
	}
	return answer.Signature, nil
}

// call makes a request, and retries it if that may help: asking for a signature twice does no harm.
func (s *Signer) call(ctx context.Context, method, path string, body, out any) error {
	pause := s.pause
	for attempt := 1; ; attempt++ {
		again, err := s.try(ctx, method, path, body, out)
		if err == nil {
			return nil
		}
		if !again || attempt == s.attempts {
			return fmt.Errorf("kms: %w", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("kms: %w; the attempt before: %w", ctx.Err(), err)
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// try makes one attempt, and reports whether another may succeed.
func (s *Signer) try(ctx context.Context, method, path string, body, out any) (again bool, err error) {
	var payload []byte
	if body != nil {
		if payload, err = json.Marshal(body); err != nil {
			return false, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+"/keys/"+s.key+path, bytes.NewReader(payload))
	if err != nil {
		return false, err
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return ctx.Err() == nil, err
	}
	defer resp.Body.Close()
	const most = 64 << 10
	data, err := io.ReadAll(io.LimitReader(resp.Body, most))
	switch {
	case err != nil:
		return true, err
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		return true, fmt.Errorf("%s %s: %s", method, path, resp.Status)
	case resp.StatusCode != http.StatusOK:
		return false, fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	return false, json.Unmarshal(data, out)
}
