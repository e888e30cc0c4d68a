package cli

import (
	"fmt"
	"strings"
)

// progress is a bar on the terminal, or nothing where there is none.
type progress struct {
	app   *app
	shown bool
}

// startProgress begins a bar, if somebody is there to see.
func (e *export) startProgress(total int) *progress {
	bar := &progress{app: e.app}
	bar.at(e.at.Entries, total)
	return bar
}

// at shows how far it is, of how many entries there are by now.
func (p *progress) at(n, total int) {
	if total == 0 || !p.app.terminal.err {
		return
	}
	const width = 30
	done := min(n, total)
	filled := done * width / total
	fmt.Fprintf(p.app.err, "\r[%s%s] %d of %d (%d %%)", strings.Repeat("#", filled), strings.Repeat(".", width-filled), n, total, done*100/total)
	p.shown = true
}

func (p *progress) end() {
	if p.shown {
		fmt.Fprintln(p.app.err)
	}
}
