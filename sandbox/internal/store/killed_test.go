package store_test

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/store"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

var kills = flag.Int("kills", 12, "how often TestKilledWhileFolding kills a program")

// openWorld opens a world on a folder, as the sandbox does, whose journal is folded all the time.
func openWorld(dir string) (*world.World, error) {
	store.FoldAt(4 << 10)
	folder, err := store.Open(dir)
	if err != nil {
		return nil, err
	}
	w, err := world.New(world.Config{
		Clock: time.Now, Seed: 1, Store: folder, Changed: func(world.Changes) {}, Assets: []qredo.Asset{{Code: "BTC", Scale: 1e8}},
		Choices: world.Choices{Fees: func(qredo.FeeType, qredo.AssetCode, qredo.Amount) qredo.Amount { return 0 }},
	})
	if err != nil {
		_ = folder.Close()
	}
	return w, err
}

// writerFolder is set where this program is the one that is killed.
const writerFolder = "QREDO_TEST_WRITER_FOLDER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerFolder); dir != "" {
		writeUntilKilled(dir)
	}
	os.Exit(m.Run()) //nolint:forbidigo // TestMain ends the program
}

// writeUntilKilled has several writers deposit, each to a wallet of its own, and tells of each deposit that was acknowledged.
func writeUntilKilled(dir string) {
	w, err := openWorld(dir)
	if err != nil {
		panic(err)
	}
	var wallets []qredo.WalletID
	_ = w.View(func(v *world.View) error {
		for _, c := range v.Companies() {
			for _, wallet := range c.Funds[0].Wallets {
				wallets = append(wallets, wallet.ID)
			}
		}
		return nil
	})
	var mu sync.Mutex
	tell := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = fmt.Fprintf(os.Stdout, format+"\n", args...)
	}
	tell("writing")
	var writers sync.WaitGroup
	for i, id := range wallets {
		writers.Go(func() {
			for {
				if err := w.Update(func(u *world.Update) error {
					_, err := u.Deposit(string(id), 1, "")
					return err
				}); err != nil {
					tell("refused: %v", err)
					return
				}
				tell("%d", i)
			}
		})
	}
	writers.Wait()
	panic("all writers were refused")
}

const writers = 8

// prepare makes a world with a wallet for each writer.
func prepare(t *testing.T, dir string) {
	t.Helper()
	w, err := openWorld(dir)
	require.NoError(t, err)
	require.NoError(t, w.Update(func(u *world.Update) error {
		_, err := u.CreateCompany("ours", world.Profile{Name: "Acme"})
		return err
	}))
	require.NoError(t, w.Update(func(u *world.Update) error {
		asked := world.NewFund{Name: "Fund"}
		for range writers {
			asked.Wallets = append(asked.Wallets, world.NewWallet{Asset: "BTC"})
		}
		_, err := u.CreateFund(u.Companies()[0], asked)
		return err
	}))
	require.NoError(t, w.Close())
}

// A program is killed at any moment while several write and the journal is folded: what was acknowledged is there, of what was not at most
// what was under way, and it goes on from there.
func TestKilledWhileFolding(t *testing.T) {
	dir := t.TempDir()
	prepare(t, dir)
	acknowledged := make([]int, writers)
	random := rand.New(rand.NewPCG(1, 2))
	total, moments := 0, map[string]int{}
	for n := range *kills {
		program := exec.CommandContext(t.Context(), os.Args[0])
		program.Env = append(os.Environ(), writerFolder+"="+dir)
		out, err := program.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, program.Start())
		lines := bufio.NewScanner(out)
		require.True(t, lines.Scan())
		require.Equal(t, "writing", lines.Text(), "kill %d", n)
		left := 1 + random.IntN(400) // so many are waited for: the kill comes at any moment between two folds
		for lines.Scan() {
			var i int
			_, err := fmt.Sscan(lines.Text(), &i)
			require.NoError(t, err, lines.Text())
			acknowledged[i]++
			total++
			if left--; left == 0 {
				require.NoError(t, program.Process.Kill())
			}
		}
		_, _ = io.Copy(io.Discard, out)
		_ = program.Wait()
		moments[found(t, dir)]++
		w, err := openWorld(dir)
		require.NoError(t, err, "kill %d", n)
		require.NoError(t, w.View(func(v *world.View) error {
			for i, wallet := range v.Companies()[0].Funds[0].Wallets {
				there := int(v.Balance(wallet))
				require.GreaterOrEqual(t, there, acknowledged[i], "kill %d", n)
				require.LessOrEqual(t, there, acknowledged[i]+1, "kill %d: one was under way", n)
				require.Len(t, wallet.History, there)
				acknowledged[i] = there
			}
			return nil
		}))
		require.NoError(t, w.Close())
	}
	t.Logf("%d deposits were acknowledged before %d kills, at which there were %v", total, *kills, moments)
	assert.Positive(t, total)
}

// found tells what is in a folder, apart from the generation.
func found(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var all []string
	for _, entry := range entries {
		name, _, _ := strings.Cut(entry.Name(), "-")
		if entry.Name() != "lock" {
			all = append(all, name)
		}
	}
	return strings.Join(all, " ")
}
