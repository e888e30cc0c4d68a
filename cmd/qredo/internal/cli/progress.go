package cli

import (
	"fmt"
	"strings"

	"github.com/qredo-go/qredo/export"
)

// progress is a progress bar on the terminal, or nothing without one.
type progress struct {
	app   *app
	shown bool
	told  bool // the user was told that an earlier run continues
}

// show shows the progress of an export, out of the entries that exist by now.
func (p *progress) show(at export.Progress) {
	if at.Resumed > 0 && !p.told {
		p.end()
		fmt.Fprintf(p.app.err, "continuing after %d entries\n", at.Resumed)
		p.told = true
	}
	if at.Back > 0 {
		p.end()
		fmt.Fprintf(p.app.err, "the ledger changed in the part that was read already: going back from %d to %d entries\n", at.Entries+at.Back, at.Entries)
	}
	if at.Total == 0 || !p.app.terminal.err {
		return
	}
	const width = 30
	filled := at.Entries * width / at.Total
	fmt.Fprintf(p.app.err, "\r[%s%s] %d of %d (%d %%)", strings.Repeat("#", filled), strings.Repeat(".", width-filled), at.Entries, at.Total, at.Entries*100/at.Total)
	p.shown = true
}

// end ends the bar's line.
func (p *progress) end() {
	if p.shown {
		fmt.Fprintln(p.app.err)
	}
	p.shown = false
}
