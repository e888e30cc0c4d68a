package approver_test

import (
	"flag"
	"testing"

	"github.com/qredo-go/qredo/approver/internal/trial"
)

var killSeed = flag.Uint64("kill-seed", 4, "what chance is drawn from when approvers are killed")

// TestKilledApproverForgetsNothing kills an approver with a [approver.FileStore] again and again.
func TestKilledApproverForgetsNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for some seconds")
	}
	trial.Kill{Replicas: 1, Actions: 500, Kills: 20, Seed: *killSeed}.Run(t)
}
