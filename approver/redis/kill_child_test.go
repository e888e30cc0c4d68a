package redis_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/redis"
)

// childEnv holds what a child process is to do.
const childEnv = "QREDO_APPROVER_TRIAL_CHILD"

// child is an approver in a process of its own.
type child struct {
	BaseURL string             `json:"base_url"`
	APIKey  string             `json:"api_key"`
	KeyFile string             `json:"key_file"`
	Core    qredo.CoreClientID `json:"core"`
	Replica string             `json:"replica"`
	Rules   string             `json:"rules"`
	Log     string             `json:"log"`
	Redis   string             `json:"redis,omitzero"` // address of a server, or
	File    string             `json:"file,omitzero"`  // path of a store
	Lease   time.Duration      `json:"lease"`
}

// TestMain lets the test program be an approver, which other tests kill.
func TestMain(m *testing.M) {
	config := os.Getenv(childEnv)
	if config == "" {
		m.Run()
		return
	}
	if err := runChild(config); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
	}
}

func runChild(config string) (err error) {
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
	if c.Redis != "" {
		store, err := redis.New(goredis.NewClient(&goredis.Options{Addr: c.Redis}), "trial", redis.WithLease(c.Lease))
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
	a, err := approver.New(client, c.Core, rules, opts...)
	if err != nil {
		return err
	}
	// Until it is killed, or its parent is.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	return a.Run(ctx)
}
