package access

import (
	"encoding/hex"
	"strings"
	"time"

	"github.com/qredo-go/qredo/internal/agentcrypto"
)

// ErrProof is the refusal of a signing agent with a wrong proof.
var ErrProof = notProved("proof")

// maxProof is the longest proof that is read. A real one has fewer than 1,000 digits.
const maxProof = 1 << 14

// Proved returns the client ID, in hexadecimal, of the signing agent whose proof a request carries, at this time. A proof says
// nothing of the request, and may be used again. masterOf returns what the client secret for a client ID was
// issued from, nil if none was.
func Proved(req Request, now time.Time, masterOf func(clientID []byte) *agentcrypto.MasterSecret) (string, error) {
	given := strings.TrimSpace(req.Header.Get("x-api-zkp"))
	switch {
	case given == "":
		return "", errNoCredentials
	case len(given) > maxProof:
		return "", ErrProof
	}
	id, err := agentcrypto.Check(given, now, masterOf)
	if err != nil {
		return "", ErrProof
	}
	return hex.EncodeToString(id), nil
}
