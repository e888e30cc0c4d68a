package killtest

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/backoff"
	"github.com/qredo-go/qredo/signingagent"
)

// childEnv holds what a child process is to do.
const childEnv = "QREDO_APPROVER_TRIAL_CHILD"

// child is an approver in a process of its own.
type child struct {
	BaseURL string             `json:"base_url"`
	APIKey  string             `json:"api_key"`
	KeyFile string             `json:"key_file"`
	Core    qredo.CoreClientID `json:"core"`
	Agent   string             `json:"agent,omitzero"` // path of the signing agent's identity, if it is one
	Replica string             `json:"replica"`
	Rules   string             `json:"rules"`
	Log     string             `json:"log"`
	Server  string             `json:"server,omitzero"` // where the store is, or
	File    string             `json:"file,omitzero"`   // path of a store
	Lease   time.Duration      `json:"lease"`
}

// Store is one that replicas share by a server.
type Store interface {
	approver.Store
	approver.Coordinator
}

// Open opens the store in a server, as an approver in a process of its own does.
type Open func(ctx context.Context, server string, lease time.Duration) (Store, error)

// Main is TestMain of a package that runs trials: it lets the test program be an approver, which a trial kills.
func Main(m *testing.M, open Open) {
	config := os.Getenv(childEnv)
	if config == "" {
		m.Run()
		return
	}
	if err := runChild(config, open); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
	}
}

func runChild(config string, open Open) (err error) {
	var c child
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return err
	}
	key, err := qredo.LoadPrivateKey(c.KeyFile)
	if err != nil {
		return err
	}
	auth, err := qredo.NewRSAAuth(c.APIKey, key)
	if err != nil {
		return err
	}
	client, err := qredo.NewClient(auth, qredo.WithBaseURL(c.BaseURL))
	if err != nil {
		return err
	}
	rules, err := approver.LoadRules(c.Rules)
	if err != nil {
		return err
	}
	log, err := approver.OpenAuditLog(c.Log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	opts := []approver.Option{
		approver.WithAuditLog(log), approver.WithReplica(c.Replica), approver.WithBackoff(5*time.Millisecond, 50*time.Millisecond),
		approver.WithFeedOptions(qredo.WithBackoff(10*time.Millisecond, 50*time.Millisecond)),
	}
	// Until it is killed, or its parent is.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	if c.Server != "" {
		store, err := opened(ctx, c, open)
		if err != nil {
			return err
		}
		opts = append(opts, approver.WithStore(store), approver.WithCoordinator(store))
	} else {
		store, err := approver.OpenStore(c.File)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, store.Close()) }()
		opts = append(opts, approver.WithStore(store))
	}
	a, err := newApprover(ctx, c, client, key, rules, opts)
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

func newApprover(ctx context.Context, c child, client *qredo.Client, key *rsa.PrivateKey, rules *approver.Rules, opts []approver.Option) (*approver.Approver, error) {
	if c.Agent == "" {
		return approver.New(client, c.Core, rules, opts...)
	}
	agent, err := signingagent.Open(ctx, identity(c.Agent, key), signingagent.WithClient(client), signingagent.WithPIN(agentPIN))
	if err != nil {
		return nil, err
	}
	return agent.NewApprover(rules, opts...)
}

// agentPIN is the PIN of the signing agent that replicas share.
const agentPIN = 4711

// identity is where the signing agent's identity is kept, sealed by the key that its children have.
func identity(path string, key *rsa.PrivateKey) signingagent.Store {
	return signingagent.NewFileStore(path, signingagent.SignerKey(key))
}

// opened opens the store, also if the server is away for a while.
func opened(ctx context.Context, c child, open Open) (store Store, err error) {
	for range 100 {
		if store, err = open(ctx, c.Server, c.Lease); err == nil || backoff.Wait(ctx, 100*time.Millisecond) != nil {
			break
		}
	}
	return store, err
}
