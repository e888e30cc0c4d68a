package access

import (
	"errors"
	"strings"
	"time"

	"github.com/qredo-go/qredo/internal/agentcrypto"
)

// ExplainProof tells why a signing agent's proof is refused. It covers nothing of the request.
func ExplainProof(sent Sent, now time.Time, masterOf func(clientID []byte) *agentcrypto.MasterSecret) Explained {
	differs := func(found, remedy string) Explained { return Explained{Found: []Difference{{"proof", found, remedy}}} }
	given := strings.TrimSpace(sent.header().Get("x-api-zkp"))
	switch {
	case given == "":
		return differs("the header x-api-zkp is not there", "send a proof of the agent's client ID")
	case len(given) > maxProof:
		return differs("it is longer than any proof", "send the proof alone, in hexadecimal")
	}
	switch _, err := agentcrypto.Check(given, now, masterOf); {
	case err == nil:
		return Explained{Valid: true}
	case errors.Is(err, agentcrypto.ErrTime):
		return differs("its time is too far from the service's", "make a proof for each request, by a clock that is right within "+agentcrypto.Tolerance.String())
	case errors.Is(err, agentcrypto.ErrID):
		return differs("no agent has registered with this client ID here", "register the agent with this sandbox: it loses agents when it is reset, or ends without a store")
	case errors.Is(err, agentcrypto.ErrProof):
		return differs("it was made with another client secret, or another PIN, than its client ID was given", "use the client secret and the PIN that this agent registered with")
	default:
		return differs("it is not a proof: "+err.Error(), "send the JSON object with ID, ET, U and V, in hexadecimal")
	}
}
