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

// childStore, in the environment, makes this test binary a sandbox that keeps its state in a folder.
const (
	childStore  = "FAULTTEST_SANDBOX_STORE"
	childListen = "FAULTTEST_SANDBOX_LISTEN"
)

// serveForParent runs a sandbox until the process is killed. It tells its address on standard output.
func serveForParent() error {
	srv, err := sandbox.Start(sandbox.WithStore(os.Getenv(childStore)), sandbox.WithListen(os.Getenv(childListen)))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(os.Stdout, srv.URL())
	if err == nil {
		select {}
	}
	return err
}

// process is a sandbox in a process of its own, which can be killed.
type process struct {
	cmd *exec.Cmd
	url string
}

// startProcess starts a sandbox on a folder. It is killed with the test at the latest.
func startProcess(t *testing.T, store, listen string) (process, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childStore+"="+store, childListen+"="+listen)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return process{}, err
	}
	if err := cmd.Start(); err != nil {
		return process{}, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return process{}, fmt.Errorf("the sandbox did not start: %w", err)
	}
	return process{cmd: cmd, url: strings.TrimSpace(line)}, nil
}

// kill ends the process without a warning, as kill -9 does.
func (p process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // it was killed, which Wait calls an error
}

func TestExactlyOnceSandboxKilled(t *testing.T) {
	store := t.TempDir()
	child, err := startProcess(t, store, "127.0.0.1:0")
	require.NoError(t, err)
	listen := strings.TrimPrefix(child.url, "http://")

	key, err := qredo.LoadPrivateKey(filepath.Join(store, "private.pem"))
	require.NoError(t, err)
	apiKey, err := os.ReadFile(filepath.Join(store, "apikey"))
	require.NoError(t, err)
	auth, err := qredo.NewRSAAuth(string(apiKey), key)
	require.NoError(t, err)
	client, err := qredo.NewClient(auth, qredo.WithBaseURL(child.url+"/api/v1/p"), impatient())
	require.NoError(t, err)
	people, err := sandbox.NewControl(child.url)
	require.NoError(t, err)
	b := openBank(t, client, people)
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
			if child, err = startProcess(t, store, listen); err != nil {
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

	settle(t, people, list)
	b.check(t, people, list)
}

func TestMain(m *testing.M) {
	if os.Getenv(childStore) == "" {
		m.Run()
		return
	}
	if err := serveForParent(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
