package bench

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/qredo-go/qredo/bench/canned"
)

// childEntries, in the environment, makes this test binary the server, with a ledger of so many entries.
// The server is a process of its own so that what it allocates is not counted with the clients.
const childEntries = "BENCH_SERVER_ENTRIES"

// childWallets, in the environment, has the entries be of many wallets.
const childWallets = "BENCH_SERVER_WALLETS"

func TestMain(m *testing.M) {
	if text := os.Getenv(childBooks); text != "" {
		if err := runBooks(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if text := os.Getenv(childEntries); text != "" {
		if err := serve(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serve runs the server until its standard input ends, which it does with the parent at the latest.
func serve(entries string) error {
	n, err := strconv.Atoi(entries)
	if err != nil {
		return err
	}
	begin := canned.Start
	if os.Getenv(childWallets) != "" {
		begin = canned.StartWallets
	}
	srv, err := begin(n)
	if err != nil {
		return err
	}
	fmt.Println(srv.URL)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// start runs a server in a process of its own and returns its base URL.
func start(b *testing.B, entries int) string {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEntries+"="+strconv.Itoa(entries))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}
