package approver_test

import (
	"testing"

	"github.com/qredo-go/qredo/approver/internal/trial"
)

// TestMain lets the test program be an approver, which other tests kill.
func TestMain(m *testing.M) {
	if trial.RunChild() {
		return
	}
	m.Run()
}
