package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test binary be the command qredo where it is called by that name. Scripts and tests run
// it as a program of its own, and two others beside it.
func TestMain(m *testing.M) {
	testscript.Main(cleaning{m}, map[string]func(){"qredo": main, "payer": payer, "teller": teller, "browse": browse})
}

// cleaning runs the tests and removes what they share.
type cleaning struct{ *testing.M }

func (c cleaning) Run() int {
	defer func() { _ = os.RemoveAll(sharedKeys) }() // it is in the system's folder for such files
	return c.M.Run()
}

// quickExit keeps programs that were built with the race detector from sleeping a second at their end.
const quickExit = "GORACE=atexit_sleep_ms=0"

// qredoCommand is a run of the command with an environment of its own.
func qredoCommand(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	return command(t, env, "qredo", args...)
}

func command(t *testing.T, env []string, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), quickExit}, env...)
	return cmd
}
