package faulttest

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
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
	fmt.Println(srv.URL())
	select {}
}

// process is a sandbox in a process of its own, which can be killed.
type process struct {
	cmd *exec.Cmd
	url string
}

func startProcess(t *testing.T, store, listen string) process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childStore+"="+store, childListen+"="+listen)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, "the sandbox did not start")
	return process{cmd: cmd, url: strings.TrimSpace(line)}
}

// kill ends the process without a warning, as kill -9 does.
func (p process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // it was killed, which Wait calls an error
}

func TestExactlyOnceSandboxKilled(t *testing.T) {
	store := t.TempDir()
	child := startProcess(t, store, "127.0.0.1:0")
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

	// Kill it again and again while payments are made, each time after some of them.
	const kills = 20
	var made atomic.Int64
	random := rand.New(rand.NewPCG(seed, seed))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for k := range kills {
			for made.Load() < int64((k+1)*len(list)/(kills+1)) && t.Context().Err() == nil {
				time.Sleep(time.Duration(random.IntN(2_000)) * time.Microsecond) //nolint:forbidigo // a moment by chance
			}
			child.kill()
			child = startProcess(t, store, listen)
		}
	}()
	b.payAll(t, list, &made)
	<-done
	defer child.kill()

	settle(t, people, list)
	b.check(t, people, list)
	assert.Equal(t, int64(len(list)), made.Load())
}

func TestMain(m *testing.M) {
	if os.Getenv(childStore) != "" {
		if err := serveForParent(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}
