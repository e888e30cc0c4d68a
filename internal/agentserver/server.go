package agentserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/backoff"
)

// Options is what a server has besides its configuration.
type Options struct {
	Log            *slog.Logger
	Now            func() time.Time
	Coordinator    approver.Coordinator // of several agents; nil if there is one
	InsecureListen bool                 // listen beyond this machine although callers need not prove who they are
	InsecureFiles  bool                 // take a token's file that others can read or write
	Listener       net.Listener         // instead of the configured address; the server closes it
}

// Server is the local API of one agent.
type Server struct {
	config      Config
	backend     Backend
	coordinator approver.Coordinator
	log         *slog.Logger
	now         func() time.Time
	access
	given net.Listener

	hub      *Hub
	upstream upstream
	metrics  metrics
	store    storeCheck

	running context.Context // of feeds; ends with the server
	end     context.CancelFunc
	feeds   sync.WaitGroup

	registering chan struct{} // holds one while an agent is registered, or looked up
	mu          sync.Mutex
	current     Agent // nil until there is one
	looked      bool  // the store has been read
	agents      chan Agent
}

// New makes a server. What the configuration names, such as certificates, must be there.
func New(c Config, backend Backend, o Options) (*Server, error) {
	access, err := newAccess(&c, o)
	if err != nil {
		return nil, err
	}
	s := &Server{
		config: c, backend: backend, coordinator: o.Coordinator, log: o.Log, now: o.Now, access: access, given: o.Listener,
		hub: NewHub(o.Now), agents: make(chan Agent, 1), registering: make(chan struct{}, 1),
	}
	s.running, s.end = context.WithCancel(context.Background())
	return s, nil
}

// Run serves until ctx ends, and returns nil then. It listens before anything else: the service may be away.
func (s *Server) Run(ctx context.Context) error {
	listener, err := s.listen(ctx)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: s.Handler(), TLSConfig: s.tls, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: callTime + 30*time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), Protocols: new(http.Protocols),
	}
	server.Protocols.SetHTTP1(true) // the feed takes over connections
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var group sync.WaitGroup
	group.Go(func() {
		serve := func() error { return server.Serve(listener) }
		if s.tls != nil {
			serve = func() error { return server.ServeTLS(listener, "", "") }
		}
		if err := serve(); !errors.Is(err, http.ErrServerClosed) {
			fail(err)
		}
	})
	group.Go(func() {
		if err := s.work(ctx); err != nil {
			fail(err)
		}
	})
	s.log.Info("serving", "address", listener.Addr().String(), "tls", s.tls != nil)
	<-ctx.Done()
	s.mu.Lock() // no feed starts after this
	s.end()
	s.mu.Unlock()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(stopping); err != nil {
		s.log.Warn("requests were still in progress at the end", "error", err.Error())
		_ = server.Close()
	}
	s.feeds.Wait()
	group.Wait()
	if why := context.Cause(ctx); !errors.Is(why, context.Canceled) && !errors.Is(why, context.DeadlineExceeded) {
		return why
	}
	return nil
}

func (s *Server) listen(ctx context.Context) (net.Listener, error) {
	if s.given != nil {
		return s.given, nil
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", s.address)
	if err != nil {
		return nil, fmt.Errorf("http.addr: %w", err)
	}
	return listener, nil
}

// work follows the feed of the agent, once there is one, and votes according to its policy.
func (s *Server) work(ctx context.Context) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	var agent Agent
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for agent == nil {
		select {
		case <-ctx.Done():
			return nil
		case agent = <-s.agents:
		case <-again.C:
			s.lookAgain(ctx)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	longest := time.Duration(s.config.Websocket.ReconnectIntervalSec) * time.Second
	group.Go(func() {
		s.upstream.follow(ctx, agent, s.hub, s.log, qredo.WithBackoff(min(250*time.Millisecond, longest), longest))
	})
	err := agent.Decide(ctx, s.decided)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("deciding has ended: %w", err)
	}
	return nil
}

// open opens the stored agent. If that needs the service, and the service is unavailable, it tries again.
func (s *Server) open(ctx context.Context) error {
	for failures := 1; ctx.Err() == nil; failures++ {
		agent, err := s.backend.Open(ctx)
		switch away := (*url.Error)(nil); {
		case err == nil:
			s.use(agent)
			return nil
		case errors.Is(err, ErrNoAgent):
			s.mu.Lock()
			s.looked = true
			s.mu.Unlock()
			s.log.Info("no agent is registered yet: POST " + root + "/register")
			return nil
		case !errors.As(err, &away) && !errors.As(err, new(*qredo.Error)):
			return err
		}
		s.log.Warn("the stored agent cannot be opened yet", "error", err.Error())
		_ = backoff.Wait(ctx, backoff.Range{Min: time.Second, Max: time.Minute}.After(failures)) // the loop checks ctx
	}
	return nil
}

// lookAgain is how often the store is read while there is no agent: another program that shares it may have registered
// one.
const lookAgain = 2 * time.Second

func (s *Server) lookAgain(ctx context.Context) {
	select {
	case s.registering <- struct{}{}:
		defer func() { <-s.registering }()
	default: // one is being registered here
		return
	}
	if s.agent() != nil {
		return
	}
	switch agent, err := s.backend.Open(ctx); {
	case err == nil:
		s.use(agent)
	case !errors.Is(err, ErrNoAgent):
		s.log.Warn("the stored agent cannot be opened yet", "error", err.Error())
	}
}

// use makes the server work for an agent.
func (s *Server) use(agent Agent) {
	s.mu.Lock()
	s.current, s.looked = agent, true
	s.mu.Unlock()
	s.agents <- agent
}

// agent is the agent that the server works for; nil if there is none.
func (s *Server) agent() Agent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

func (s *Server) opened() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.looked
}

// enter starts a feed, unless the server has ended.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running.Err() != nil {
		return false
	}
	s.feeds.Add(1)
	return true
}

// decided is called for each action that the policy has dealt with.
func (s *Server) decided(id qredo.ActionID) { s.hub.Decided(id) }
