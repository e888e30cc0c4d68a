package agentserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/agentcrypto"
	"github.com/qredo-go/qredo/signingagent"
)

// Signing is the [Backend] whose agents are those of package signingagent.
type Signing struct {
	Config        Config
	Identity      signingagent.Store
	ClientOptions []qredo.Option // of all clients, without a base URL
	RSA           *qredo.Client  // that policies read actions with; nil if the settings name no key

	Policy   approver.Policy // that decides; nil if only people do
	Approver []approver.Option
	Steer    func(context.Context, *approver.Approver) (end func()) // gets the approver before it runs, and end is called when it has run; may be nil
	Shared   func(context.Context) error                            // tells whether what agents share can be reached; nil if they share nothing
}

// Check refuses a configuration that no client can be made of.
func (s *Signing) Check() error {
	base, _, err := feedPlace(s.Config.Websocket.QredoWebsocket)
	if err != nil {
		return err
	}
	none, err := qredo.NewProofAuth(func(string, string, []byte, time.Time) (string, error) { return "", ErrNoAgent })
	if err != nil {
		return err
	}
	for _, place := range [][2]string{{"base.qredoAPI", s.Config.Base.QredoAPI}, {"websocket.qredoWebsocket", base}} {
		if _, err := qredo.NewClient(none, s.at(place[1])...); err != nil {
			return fmt.Errorf("%s: %w", place[0], err)
		}
	}
	return nil
}

// Open returns the agent whose identity is stored.
func (s *Signing) Open(ctx context.Context) (Agent, error) {
	opts := append(s.options(), s.base(s.Config.Base.QredoAPI))
	if s.RSA != nil {
		opts = append(opts, signingagent.WithClient(s.RSA))
	}
	agent, err := signingagent.Open(ctx, s.Identity, opts...)
	if errors.Is(err, signingagent.ErrNoIdentity) {
		return nil, ErrNoAgent
	}
	if err != nil {
		return nil, err
	}
	return s.with(ctx, agent)
}

// Register registers an agent.
func (s *Signing) Register(ctx context.Context, r Registration) (Agent, error) {
	auth, err := qredo.NewRSAAuth(r.APIKey, r.Key)
	if err != nil {
		return nil, err
	}
	client, err := qredo.NewClient(auth, s.at(s.Config.Base.QredoAPI)...)
	if err != nil {
		return nil, err
	}
	if _, err := signingagent.Register(ctx, client, s.Identity, r.Name, s.options()...); err != nil {
		switch {
		case errors.Is(err, agentcrypto.ErrClientSecret):
			err = fmt.Errorf("%w: %w", ErrBadSecret, err)
		case errors.Is(err, signingagent.ErrIdentityExists):
			err = fmt.Errorf("%w: %w", ErrHasAgent, err)
		}
		return nil, err
	}
	return s.Open(ctx) // with the client of the settings, which does not change
}

// with gives an agent its feed, which is not necessarily on the service's host.
func (s *Signing) with(ctx context.Context, agent *signingagent.Agent) (Agent, error) {
	base, path, err := feedPlace(s.Config.Websocket.QredoWebsocket)
	if err != nil {
		return nil, err
	}
	listener, err := signingagent.Open(ctx, s.Identity, append(s.options(), s.base(base))...)
	if err != nil {
		return nil, err
	}
	return &signer{agent, listener.Client(), path, s}, nil
}

func (s *Signing) options() []signingagent.Option {
	return []signingagent.Option{signingagent.WithPIN(int(s.Config.Base.PIN))}
}

func (s *Signing) base(url string) signingagent.Option {
	return signingagent.WithClientOptions(s.at(url)...)
}

func (s *Signing) at(url string) []qredo.Option {
	return append(slices.Clip(s.ClientOptions), qredo.WithBaseURL(url))
}

// CheckStore writes a file next to the identity's, and checks the shared server.
func (s *Signing) CheckStore(ctx context.Context) error {
	path := s.Config.Store.File
	if s.Config.Store.Type == StoreSealed {
		path = s.Config.Store.Sealed.File
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".qredo-can-write-*")
	if err != nil {
		return err
	}
	err = errors.Join(file.Close(), os.Remove(file.Name()))
	if err == nil && s.Shared != nil {
		err = s.Shared(ctx)
	}
	return err
}

// feedPlace splits the URL of a feed into the base URL of a client, and a path.
func feedPlace(feed string) (base, path string, err error) {
	u, err := url.Parse(feed)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "ws" && u.Scheme != "wss" {
		return "", "", errors.New("websocket.qredoWebsocket must be a URL such as wss://example.com/api/v1/p/coreclient/feed")
	}
	return "http" + strings.TrimPrefix(u.Scheme, "ws") + "://" + u.Host, u.RequestURI(), nil
}

// signer is an agent of package signingagent.
type signer struct {
	*signingagent.Agent
	listener *qredo.Client
	feed     string
	backend  *Signing
}

// Approve signs and sends.
func (s *signer) Approve(ctx context.Context, id qredo.ActionID) error {
	err := s.Agent.Approve(ctx, id)
	if errors.Is(err, signingagent.ErrBadMessages) {
		return fmt.Errorf("%w: %w", ErrNoMessages, err)
	}
	return err
}

// Reject rejects.
func (s *signer) Reject(ctx context.Context, id qredo.ActionID) error { return s.Agent.Reject(ctx, id) }

// Frames are the messages of the feed.
func (s *signer) Frames(ctx context.Context, opts ...qredo.FeedOption) iter.Seq2[json.RawMessage, error] {
	return qredo.Feed[json.RawMessage](ctx, s.listener, s.feed, nil, opts...)
}

// Decide runs an approver, if there is a policy. It has a feed connection of its own.
func (s *signer) Decide(ctx context.Context, decided func(qredo.ActionID)) error {
	if s.backend.Policy == nil {
		<-ctx.Done()
		return nil
	}
	observe := approver.WithObserver(func(e approver.Entry) {
		if e.Kind == approver.EntryResult && e.Outcome != approver.OutcomeLeft {
			decided(e.ActionID)
		}
	})
	run, err := s.NewApprover(s.backend.Policy, append(slices.Clip(s.backend.Approver), observe)...)
	if err != nil {
		return err
	}
	if s.backend.Steer != nil {
		defer s.backend.Steer(ctx, run)()
	}
	return run.Run(ctx)
}
