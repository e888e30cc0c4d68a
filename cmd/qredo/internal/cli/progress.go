package cli

import (
	"context"
	"fmt"
	"strings"
)

// progress is a bar on the terminal, or nothing where there is none.
type progress struct {
	app   *app
	total int
	shown bool
}

// startProgress asks how many entries there are, if somebody is there to see.
func (e *export) startProgress(ctx context.Context, at int) (*progress, error) {
	bar := &progress{app: e.app}
	if !e.app.terminal.err {
		return bar, nil
	}
	options := e.options
	options.Offset, options.Limit = 0, 1
	page, err := e.Funds.Ledger(ctx, e.company, e.fund, options)
	if err != nil {
		return bar, err
	}
	bar.total = page.Total
	bar.at(at)
	return bar, nil
}

func (p *progress) at(n int) {
	if p.total == 0 {
		return
	}
	const width = 30
	done := min(n, p.total)
	filled := done * width / p.total
	fmt.Fprintf(p.app.err, "\r[%s%s] %d of %d (%d %%)", strings.Repeat("#", filled), strings.Repeat(".", width-filled), n, p.total, done*100/p.total)
	p.shown = true
}

func (p *progress) end() {
	if p.shown {
		fmt.Fprintln(p.app.err)
	}
}
