package browsertest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The world is kept as a snapshot and returned to, exported and imported, and reset by a typed word.
func TestWorld(t *testing.T) {
	t.Parallel()
	srv := start(t)
	w := furnish(t, srv)
	p := openConsole(t, srv, "#/world")
	p.fill("#snapshot", "before-payout")
	p.click("button", "Take a snapshot")
	p.sees("The current state is saved as before-payout.")
	w.withdraw(1000, "after")
	p.click("button", "Return to it")
	p.click("button", "Return?")
	p.sees("Everything is back as it was at before-payout.")
	state, err := srv.State()
	require.NoError(t, err)
	assert.Equal(t, 1, state.Transactions)

	var kept strings.Builder
	require.NoError(t, srv.Export(&kept))
	p.click("button", "Reset")
	p.sees("Type the word reset")
	p.fill("#reset", "reset")
	p.click("button", "Reset")
	p.sees("The sandbox is empty.")
	state, err = srv.State()
	require.NoError(t, err)
	assert.Empty(t, state.Companies)

	file := filepath.Join(t.TempDir(), "kept.world")
	require.NoError(t, os.WriteFile(file, []byte(kept.String()), 0o600))
	do(p, chromedp.SetUploadFiles("#import", []string{file}))
	p.click("button", "Import")
	p.click("button", "Import?")
	p.sees("The sandbox now holds the state from kept.world.")
	p.goTo("#/money")
	p.sees("Acme Exchange")

	// A world that comes with the sandbox, and one that was written by hand, with a mistake and without.
	p.goTo("#/world")
	p.click("li button", "Start with it")
	p.click("button", "Start?")
	p.sees("The sandbox now holds demo.")
	state, err = srv.State()
	require.NoError(t, err)
	assert.Len(t, state.Companies, 2)
	for _, one := range [][2]string{
		{"companies: 5\n", "1:12: companies must be a list"},
		{"name: mine\nusers:\n  - email: dora@example.com\n", "The sandbox now holds the state from mine.yaml."},
	} {
		mine := filepath.Join(t.TempDir(), "mine.yaml")
		require.NoError(t, os.WriteFile(mine, []byte(one[0]), 0o600))
		do(p, chromedp.SetUploadFiles("#import", []string{mine}))
		p.click("button", "Import")
		p.click("button", "Import?")
		p.sees(one[1])
	}
}
