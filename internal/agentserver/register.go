package agentserver

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/pemkey"
)

// The maximum lengths of a registration's values, and of its body, in bytes.
const (
	maxName   = 256
	maxAPIKey = 256
	maxKey    = 16384
	maxBody   = 64 << 10
)

// registerBody is decoded without regard to capitals, as package encoding/json does.
type registerBody struct {
	Name             string `json:"name"`
	APIKey           string `json:"APIKey"`
	Base64PrivateKey string `json:"base64PrivateKey"`
}

type registeredBody struct {
	AgentID qredo.CoreClientID `json:"agentID"`
	FeedURL string             `json:"feedURL"`
}

// hasAgent is what the old program says to a second registration.
const hasAgent = "AgentID already exist. You can not set new one."

// registerWait is how long a registration waits for another one.
const registerWait = 5 * time.Second

var errRegistering = refuse(http.StatusServiceUnavailable, "another registration is in progress: ask for the agent (GET /client) before you try again")

// register registers the agent. It does not wait for the feed.
func (s *Server) register(r *http.Request) (any, error) {
	if s.agent() != nil {
		return nil, ErrHasAgent
	}
	if !s.opened() {
		return nil, errNotOpened
	}
	registration, err := readRegistration(r.Body)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(registerWait)
	defer timer.Stop()
	select { // disconnected callers leave the queue
	case s.registering <- struct{}{}:
		defer func() { <-s.registering }()
	case <-r.Context().Done():
		return nil, errRegistering
	case <-timer.C:
		return nil, errRegistering
	}
	if s.agent() != nil {
		return nil, ErrHasAgent
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), callTime) // it is not abandoned halfway
	defer cancel()
	agent, err := s.backend.Register(ctx, registration)
	if err != nil {
		return nil, err
	}
	s.log.Info("registered", "agent", string(agent.ID()), "name", agent.Name())
	s.use(agent)
	return registeredBody{agent.ID(), s.feedURL()}, nil
}

// readRegistration decodes a request. An empty body is an empty object; anything after the object is ignored.
func readRegistration(from io.Reader) (r Registration, err error) {
	var body registerBody
	err = json.NewDecoder(from).Decode(&body)
	switch tooLarge := (*http.MaxBytesError)(nil); {
	case errors.As(err, &tooLarge):
		return r, refuse(http.StatusRequestEntityTooLarge, "the body is longer than %d bytes", tooLarge.Limit)
	case err != nil && !errors.Is(err, io.EOF):
		return r, refuse(http.StatusBadRequest, "invalid json")
	}
	for _, field := range []struct {
		name  string
		value *string
		most  int
	}{{"name", &body.Name, maxName}, {"APIKey", &body.APIKey, maxAPIKey}, {"base64PrivateKey", &body.Base64PrivateKey, maxKey}} {
		*field.value = strings.TrimSpace(*field.value)
		if *field.value == "" || len(*field.value) > field.most {
			return r, refuse(http.StatusBadRequest, "%s", field.name)
		}
	}
	text, err := base64.StdEncoding.DecodeString(body.Base64PrivateKey)
	if err != nil {
		return r, refuse(http.StatusInternalServerError, "decoding base64 RSA key: %v", err)
	}
	if len(pemkey.Blocks(text)) == 0 {
		return r, refuse(http.StatusBadRequest, "base64PrivateKey")
	}
	key, err := qredo.ParsePrivateKey(text)
	if err != nil {
		return r, refuse(http.StatusInternalServerError, "parse RSA key: %s", strings.TrimPrefix(err.Error(), "qredo: "))
	}
	return Registration{Name: body.Name, APIKey: body.APIKey, Key: key}, nil
}

// serviceText formats a response of the service as the old program did.
func serviceText(base string, e *qredo.Error) string {
	status := fmt.Sprintf("%d %s", e.StatusCode, http.StatusText(e.StatusCode))
	return fmt.Sprintf("%s %s%s Status %d (%s) with body: %s", e.Method, strings.TrimRight(base, "/"), e.Path, e.StatusCode, status, strings.TrimSpace(string(e.Body)))
}
