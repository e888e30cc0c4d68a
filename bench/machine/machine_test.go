package machine_test

import (
	"crypto/sha256"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/bench/machine"
)

// work uses so much of a processor.
func work(d time.Duration) {
	for from := machine.Self(); machine.Self()-from < d; {
		_ = sha256.Sum256(make([]byte, 1<<20))
	}
}

func TestDisk(t *testing.T) {
	d, err := machine.DiskOf(t.TempDir())
	require.NoError(t, err)
	assert.Positive(t, d.Median)
	assert.GreaterOrEqual(t, d.P99, d.Median)
	assert.NotEmpty(t, d.String())
	_, err = machine.DiskOf("/nowhere")
	assert.Error(t, err)
}

// What this program uses is its own, and not others'.
func TestWatch(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the load of other systems is not known")
	}
	watch := machine.Begin()
	before := machine.Self()
	work(300 * time.Millisecond)
	assert.GreaterOrEqual(t, machine.Self()-before, 300*time.Millisecond)
	noise := watch.End()
	assert.NotEqual(t, "unknown", noise.LoadBefore)
	assert.LessOrEqual(t, noise.Others, 1.05)
	assert.LessOrEqual(t, noise.Others+noise.Steal, 1.05)
}

// The family of a process is its parent, which this program is, and what that has started.
func TestFamily(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	cmd := exec.Command("sleep", "60")
	require.NoError(t, cmd.Start())
	defer func() {
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
	}()
	before := machine.Family(cmd.Process.Pid)
	work(100 * time.Millisecond)
	assert.InDelta(t, 0.1, (machine.Family(cmd.Process.Pid) - before).Seconds(), 0.05)
	assert.InDelta(t, machine.Self().Seconds(), machine.Family(cmd.Process.Pid).Seconds(), 0.1)
	assert.Zero(t, machine.Family(1<<30))
}
