package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

// The service proved agents with a scheme that is not public. The sandbox has one of its own: the proof
// is the client ID, the time, and an HMAC-SHA256 over time, method, URL and body, joined by points.

// NewProofAuth returns the authenticator of a signing agent.
func NewProofAuth(clientID, secret string) (*qredo.ProofAuth, error) {
	return qredo.NewProofAuth(func(method, url string, body []byte, now time.Time) (string, error) {
		return proof(clientID, secret, strconv.FormatInt(now.Unix(), 10), method, url, body), nil
	})
}

func proof(clientID, secret, timestamp, method, url string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + method + url))
	mac.Write(body)
	return clientID + "." + timestamp + "." + hex.EncodeToString(mac.Sum(nil))
}

// ErrProof is the refusal of a signing agent whose proof proves nothing.
var ErrProof = notProved("proof")

// Proved returns the client ID of the signing agent whose proof a request carries, at this time. An agent whose
// secret is empty is none.
func Proved(req Request, now time.Time, secretOf func(clientID string) string) (string, error) {
	given := strings.TrimSpace(req.Header.Get("x-api-zkp"))
	if given == "" {
		return "", errNoCredentials
	}
	parts := strings.Split(given, ".")
	if len(parts) != 3 || stale(parts[1], now) {
		return "", ErrProof
	}
	clientID, timestamp := parts[0], parts[1]
	secret := secretOf(clientID)
	if secret == "" {
		return "", ErrProof
	}
	for _, url := range req.URLs {
		want := proof(clientID, secret, timestamp, req.Method, url, req.Body)
		if hmac.Equal([]byte(want), []byte(given)) {
			return clientID, nil
		}
	}
	return "", ErrProof
}
