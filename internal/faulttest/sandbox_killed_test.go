package faulttest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// childStore, in the environment, makes this test binary a sandbox that keeps its state in a folder. With childOrder its ledgers
// have the oldest entries first.
const (
	childStore  = "FAULTTEST_SANDBOX_STORE"
	childListen = "FAULTTEST_SANDBOX_LISTEN"
	childOrder  = "FAULTTEST_SANDBOX_OLDEST_FIRST"
)

// serveForParent runs a sandbox until the process is killed. It tells its address on standard output.
func serveForParent() error {
	order := sandbox.NewestFirst
	if os.Getenv(childOrder) != "" {
		order = sandbox.OldestFirst
	}
	srv, err := sandbox.Start(sandbox.WithStore(os.Getenv(childStore)), sandbox.WithListen(os.Getenv(childListen)), sandbox.WithLedgerOrder(order))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(os.Stdout, srv.URL())
	if err == nil {
		select {}
	}
	return err
}

// process is a sandbox in a process of its own, which can be killed and started again, with its account's client.
type process struct {
	t       *testing.T
	cmd     *exec.Cmd
	env     []string
	store   string // its folder
	url     string
	listen  string
	keyFile string // of the account's key
	apiKey  string
	client  *qredo.Client
	people  *sandbox.Control
}

// startSandbox starts a sandbox on an empty folder, with more in its environment. It is killed with the test at the latest.
func startSandbox(t *testing.T, env ...string) *process {
	t.Helper()
	p := &process{t: t, store: t.TempDir(), env: env, listen: "127.0.0.1:0"}
	require.NoError(t, p.start())
	p.listen = strings.TrimPrefix(p.url, "http://")
	p.keyFile = filepath.Join(p.store, "private.pem")
	apiKey, err := os.ReadFile(filepath.Join(p.store, "apikey"))
	require.NoError(t, err)
	p.apiKey = string(apiKey)
	p.client = clientOf(t, p.keyFile, p.apiKey, p.url+basePath, impatient())
	p.people, err = sandbox.NewControl(p.url)
	require.NoError(t, err)
	return p
}

const basePath = "/api/v1/p"

// start starts the sandbox, again on the same folder and address.
func (p *process) start() error {
	cmd, err := child(p.t, append([]string{childStore + "=" + p.store, childListen + "=" + p.listen}, p.env...))
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the sandbox did not start: %w", err)
	}
	p.cmd, p.url = cmd, strings.TrimSpace(line)
	return nil
}

// kill ends the sandbox without a warning, as kill -9 does.
func (p *process) kill() { kill(p.cmd) }

func TestExactlyOnceSandboxKilled(t *testing.T) {
	child := startSandbox(t)
	b := openBank(t, child.client, child.people)
	const seed = 21
	list := payments(size(20_000, 600), seed)

	// Kill it again and again while payments are made: each time another part of them has been.
	const kills = 20
	part := int64(len(list) / (kills + 1))
	reached := make(chan struct{}, len(list))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range kills {
			<-reached
			child.kill()
			if err := child.start(); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	b.payAll(t, list, func(made int64) {
		if made%part == 0 {
			reached <- struct{}{}
		}
	})
	<-done
	defer child.kill()

	settle(t, child.people, list)
	b.check(t, child.people, list)
}

func TestMain(m *testing.M) {
	if os.Getenv(childOf) != "" {
		go endWithParent()
	}
	if os.Getenv(childStore) == "" {
		m.Run()
		return
	}
	if err := serveForParent(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
