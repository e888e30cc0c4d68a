package export_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/export"
	"github.com/qredo-go/qredo/internal/backoff"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/sandbox"
)

// deposits are a ledger that does not move, with one entry that waits at its head.
func deposits(n int) *ledger {
	l := &ledger{}
	l.send()
	for range n {
		l.clock++
		l.deposit(0)
	}
	return l
}

// interrupt exports until the given number of requests was answered.
func interrupt(t *testing.T, l *ledger, path string, after int, opts ...export.Option) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l.asked = 0
	l.before = func() {
		if l.asked > after {
			cancel()
		}
	}
	_, err := newExport(t, l, append(opts, export.WithPage(10))...).ToFile(ctx, path)
	require.ErrorIs(t, err, context.Canceled)
	l.before, l.asked = nil, 0
}

// TestGoesOnWhereItWas has a pending entry at the head of the ledger: the entries behind it are not read again.
func TestGoesOnWhereItWas(t *testing.T) {
	l, path := deposits(200), filepath.Join(t.TempDir(), "out.csv")
	interrupt(t, l, path, 17)
	l.deposit(0)
	done, err := newExport(t, l, export.WithPage(10)).ToFile(t.Context(), path)
	require.NoError(t, err)
	require.Equal(t, export.Result{Entries: 202, Resumed: 136}, done)
	require.Less(t, l.asked, 14)
	made, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, oneGo(t, l.entries, export.CSV), string(made))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
}

// TestGoesBackToWhatChanged has an entry arrive late, among older ones: what is before it is not read again.
func TestGoesBackToWhatChanged(t *testing.T) {
	l, path := deposits(200), filepath.Join(t.TempDir(), "out.jsonl")
	interrupt(t, l, path, 20, export.WithFormat(export.JSONLines))
	l.deposit(80) // between the 120th and the 121st
	done, err := newExport(t, l, export.WithPage(10), export.WithFormat(export.JSONLines)).ToFile(t.Context(), path)
	require.NoError(t, err)
	require.Equal(t, 202, done.Entries)
	require.Greater(t, done.Resumed, 100)
	made, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, oneGo(t, l.entries, export.JSONLines), string(made))
}

// TestAFileThatWasChangedIsBegunAnew has another byte in what was written, and no other size.
func TestAFileThatWasChangedIsBegunAnew(t *testing.T) {
	l, path := deposits(200), filepath.Join(t.TempDir(), "out.csv")
	interrupt(t, l, path, 17)
	part, err := os.ReadFile(path + ".part")
	require.NoError(t, err)
	part[len(part)/2] ^= 1
	require.NoError(t, os.WriteFile(path+".part", part, 0o600))
	done, err := newExport(t, l, export.WithPage(10)).ToFile(t.Context(), path)
	require.NoError(t, err)
	require.Equal(t, export.Result{Entries: 201}, done)
	made, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, oneGo(t, l.entries, export.CSV), string(made))
}

func TestFilesInTheWay(t *testing.T) {
	l, path := deposits(50), filepath.Join(t.TempDir(), "out.csv")
	interrupt(t, l, path, 5)
	part, err := os.ReadFile(path + ".part")
	require.NoError(t, err)
	berlin := time.FixedZone("CET", 3600)
	for name, other := range map[string]func() (*export.Ledger, error){
		"format": func() (*export.Ledger, error) {
			return export.New(l, l, selection, export.WithFormat(export.JSONLines))
		},
		"zone": func() (*export.Ledger, error) { return export.New(l, l, selection, export.WithZone(berlin)) },
		"asset": func() (*export.Ledger, error) {
			other := selection
			other.Asset = "ETH"
			return export.New(l, l, other)
		},
	} {
		x, err := other()
		require.NoError(t, err)
		_, err = x.ToFile(t.Context(), path)
		require.ErrorIs(t, err, export.ErrOther, name)
	}
	state, err := os.ReadFile(path + ".part.json")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path+".part.json", []byte(strings.Replace(string(state), `"entries":`, `"entries":1`, 1)), 0o600))
	_, err = newExport(t, l).ToFile(t.Context(), path)
	require.ErrorIs(t, err, export.ErrDamaged)
	kept, err := os.ReadFile(path + ".part")
	require.NoError(t, err)
	require.Equal(t, part, kept)
	require.NoError(t, os.Remove(path+".part.json"))

	l.before = func() { // another program, while this one is at it
		l.before = nil
		_, err := newExport(t, l).ToFile(t.Context(), path)
		require.ErrorIs(t, err, export.ErrInUse)
	}
	_, err = newExport(t, l).ToFile(t.Context(), path)
	require.NoError(t, err)
	_, err = newExport(t, l).ToFile(t.Context(), path)
	require.ErrorIs(t, err, fs.ErrExist)
	_, err = newExport(t, l, export.WithReplace()).ToFile(t.Context(), path)
	require.NoError(t, err)
}

func TestWhatFailsAtOnceLeavesNothing(t *testing.T) {
	l, path := deposits(5), filepath.Join(t.TempDir(), "out.csv")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newExport(t, l).ToFile(ctx, path)
	require.ErrorIs(t, err, context.Canceled)
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestNewRefuses(t *testing.T) {
	l := deposits(1)
	for name, c := range map[string]struct {
		funds  export.Funds
		assets export.Assets
		with   export.Selection
		opt    export.Option
	}{
		"funds":     {nil, l, selection, export.WithReplace()},
		"assets":    {l, nil, selection, export.WithReplace()},
		"selection": {l, l, export.Selection{Company: "c"}, export.WithReplace()},
		"direction": {l, l, export.Selection{Company: "c", Fund: "f", Direction: "up"}, export.WithReplace()},
		"format":    {l, l, selection, export.WithFormat("xml")},
		"page":      {l, l, selection, export.WithPage(0)},
		"zone":      {l, l, selection, export.WithZone(nil)},
		"progress":  {l, l, selection, export.WithProgress(nil)},
	} {
		_, err := export.New(c.funds, c.assets, c.with, c.opt)
		var invalid *qredo.ValidationError
		require.ErrorAs(t, err, &invalid, name)
		require.Equal(t, name, invalid.Field)
	}
}

// FuzzCheckpoint puts anything into a checkpoint, even with a valid seal: the file is right, or nothing is changed.
func FuzzCheckpoint(f *testing.F) {
	l := deposits(30)
	dir := f.TempDir()
	ctx, cancel := context.WithCancel(f.Context())
	l.before = func() {
		if l.asked > 5 {
			cancel()
		}
	}
	first, err := export.New(l, l, selection, export.WithPage(7))
	require.NoError(f, err)
	_, err = first.ToFile(ctx, filepath.Join(dir, "seed"))
	require.ErrorIs(f, err, context.Canceled)
	l.before = nil
	part, err := os.ReadFile(filepath.Join(dir, "seed.part"))
	require.NoError(f, err)
	state, err := os.ReadFile(filepath.Join(dir, "seed.part.json"))
	require.NoError(f, err)
	f.Add(state, false)
	_, inner, _ := strings.Cut(string(state), `"checkpoint":`)
	f.Add([]byte(strings.TrimSuffix(inner, "}")), true)
	f.Fuzz(func(t *testing.T, data []byte, seal bool) {
		if seal {
			data = export.Seal(data)
		}
		path := filepath.Join(t.TempDir(), "out")
		require.NoError(t, os.WriteFile(path+".part", part, 0o600))
		require.NoError(t, os.WriteFile(path+".part.json", data, 0o600))
		_, err := newExport(t, l, export.WithPage(7)).ToFile(t.Context(), path)
		if err != nil {
			require.True(t, errors.Is(err, export.ErrDamaged) || errors.Is(err, export.ErrOther), "%v", err)
			kept, err := os.ReadFile(path + ".part")
			require.NoError(t, err)
			require.Equal(t, part, kept)
			return
		}
		made, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, oneGo(t, l.entries, export.CSV), string(made))
	})
}

// programPath, in the environment, makes a test a program that exports to that file.
const programPath = "EXPORT_TEST_PROGRAM"

// TestKilledAtAnyMoment kills programs that export a ledger, while it lives.
func TestKilledAtAnyMoment(t *testing.T) {
	if path := os.Getenv(programPath); path != "" {
		auth, err := qredo.AuthFromEnv()
		require.NoError(t, err)
		client, err := qredo.NewClient(auth, qredo.WithBaseURL(os.Getenv("EXPORT_TEST_URL")))
		require.NoError(t, err)
		with := export.Selection{Server: "s", Company: qredo.CompanyID(os.Getenv("EXPORT_TEST_COMPANY")), Fund: qredo.FundID(os.Getenv("EXPORT_TEST_FUND"))}
		x, err := export.New(client.Funds, client.Assets, with, export.WithPage(20), export.WithCheckpoints(0))
		require.NoError(t, err)
		_, err = x.ToFile(t.Context(), path)
		require.NoError(t, err)
		return
	}
	keys := t.TempDir()
	w := clienttest.NewWorld(t, sandbox.WithKeyDir(keys))
	for n := range 600 {
		w.Deposit(t, w.BTC, qredo.Amount(n+1))
	}
	path := filepath.Join(t.TempDir(), "out.csv")
	environ := append(os.Environ(), "QREDO_API_KEY_FILE="+filepath.Join(keys, "apikey"), "QREDO_PRIVATE_KEY_FILE="+filepath.Join(keys, "private.pem"), programPath+"="+path, "EXPORT_TEST_URL="+w.Srv.BaseURL(), "EXPORT_TEST_COMPANY="+string(w.Company), "EXPORT_TEST_FUND="+string(w.Fund))
	resumed := 0
	for n := range 8 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledAtAnyMoment$")
		cmd.Env = environ
		require.NoError(t, cmd.Start())
		before, _ := os.ReadFile(path + ".part.json")
		for begun := false; !begun; { // it has written a checkpoint, or is done
			require.NoError(t, backoff.Wait(t.Context(), time.Millisecond))
			now, err := os.ReadFile(path + ".part.json")
			_, done := os.Stat(path)
			begun = done == nil || err == nil && string(now) != string(before)
		}
		require.NoError(t, backoff.Wait(t.Context(), time.Duration(n*9)*time.Millisecond))
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()
		if _, err := os.Stat(path); err == nil { // it was faster
			require.NoError(t, os.Remove(path))
		}
		if _, err := os.Stat(path + ".part.json"); err == nil {
			resumed++
		}
		w.Deposit(t, w.BTC, 1)
	}
	require.Greater(t, resumed, 2)
	with := export.Selection{Server: "s", Company: w.Company, Fund: w.Fund}
	x, err := export.New(w.Client.Funds, w.Client.Assets, with)
	require.NoError(t, err)
	_, err = x.ToFile(t.Context(), path)
	require.NoError(t, err)
	made, err := os.ReadFile(path)
	require.NoError(t, err)
	var whole strings.Builder
	_, err = x.To(t.Context(), &whole)
	require.NoError(t, err)
	require.Equal(t, whole.String(), string(made))
}
