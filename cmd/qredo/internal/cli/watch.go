package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

// watch runs a command repeatedly. On a terminal a table is redrawn in place; elsewhere, and in JSON, only changes are
// printed.
type watch struct {
	every time.Duration
	seen  map[string]string // objects by their IDs, as JSON
	begun bool
	drawn int // lines on the screen
}

// addWatch adds the flags of watching to the commands that only read objects.
func (a *app) addWatch(c *cobra.Command) {
	path := strings.TrimPrefix(c.CommandPath(), "qredo ")
	if lists[path].reads || things[path].reads {
		c.Flags().BoolP("watch", "w", false, "repeat until interrupted, and show changes")
		c.Flags().DurationVar(&a.watchEvery, "interval", 2*time.Second, "pause between two runs, for --watch")
	}
	for _, sub := range c.Commands() {
		a.addWatch(sub)
	}
}

// watching runs a command until the context ends, which is not an error. Nor are temporary failures after the first run.
func (a *app) watching(ctx context.Context, run func(context.Context) error) error {
	w := &watch{every: a.watchEvery, seen: map[string]string{}}
	a.watched = w
	for {
		err := w.look(ctx, a, run)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // this is how it ends
		case err != nil && (!w.begun || !passing(err)):
			return err
		case err != nil:
			fmt.Fprintf(a.err, "%s\n", plain(strings.TrimPrefix(err.Error(), "qredo: ")))
		}
		w.begun = w.begun || err == nil
		pause := time.NewTimer(w.every)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
	}
}

// passing reports whether a failure may be temporary.
func passing(err error) bool {
	return errors.Is(err, qredo.ErrServer) || errors.Is(err, qredo.ErrRateLimited) || errors.As(err, new(*url.Error))
}

// look runs the command once, and draws its output.
func (w *watch) look(ctx context.Context, a *app, run func(context.Context) error) error {
	if !w.redraws(a) {
		if err := run(ctx); err != nil {
			return err
		}
		return a.out.Flush()
	}
	var frame bytes.Buffer
	screen := a.out
	a.out = bufio.NewWriter(&frame)
	err := run(ctx)
	_ = a.out.Flush() // a buffer never fails
	a.out = screen
	if err != nil || ctx.Err() != nil {
		return err
	}
	w.draw(a, frame.String())
	return a.out.Flush()
}

// redraws reports whether each run replaces the output of the one before.
func (w *watch) redraws(a *app) bool {
	return w != nil && a.terminal.out && !a.json() && !a.csv() && !a.global.results.quiet
}

// lines reports whether changes are printed as lines.
func (w *watch) lines(a *app) bool { return w != nil && !w.redraws(a) }

func (w *watch) draw(a *app, frame string) {
	if w.drawn > 0 {
		fmt.Fprintf(a.out, "\x1b[%dA\x1b[J", w.drawn)
	}
	lines := strings.Split(strings.TrimSuffix(frame, "\n"), "\n")
	head := a.dim(fmt.Sprintf("%s, every %s; Ctrl-C to stop", a.now().UTC().Format(time.TimeOnly+" MST"), w.every))
	lines = append([]string{head}, lines...)
	w.drawn = 0
	for i, line := range lines {
		rows := 1
		if a.width > 0 {
			rows += max(0, columnsWide(withoutColour(line))-1) / a.width
		}
		if a.height > 0 && w.drawn+rows > a.height-2 {
			fmt.Fprintln(a.out, a.dim(fmt.Sprintf("%d more lines", len(lines)-i)))
			w.drawn++
			break
		}
		fmt.Fprintln(a.out, line)
		w.drawn += rows
	}
}

// withoutColour is a line without colour escapes.
func withoutColour(line string) string {
	var out strings.Builder
	for part := range strings.SplitSeq(line, "\x1b[") {
		if out.Len() > 0 || strings.HasPrefix(line, "\x1b[") {
			if _, rest, found := strings.Cut(part, "m"); found {
				part = rest
			}
		}
		out.WriteString(part)
	}
	return out.String()
}

// changed returns the objects that are new or have changed since the last run, or all if each run is redrawn.
func (w *watch) changed(a *app, items []any) []any {
	if !w.lines(a) {
		return items
	}
	now := map[string]string{}
	var changed []any
	for i, item := range items {
		data, err := encodeJSON(item)
		key := a.keyOf(item, i)
		for n := 2; now[key] != ""; n++ { // both sides of a transfer within a fund have its ID
			key = fmt.Sprint(a.keyOf(item, i), " ", n)
		}
		if now[key] = string(data); err != nil || w.seen[key] != string(data) {
			changed = append(changed, item)
		}
	}
	for key := range w.seen {
		if _, still := now[key]; !still {
			fmt.Fprintln(a.err, plain(key+" is gone"))
		}
	}
	w.seen = now
	return changed
}

// keyOf identifies objects by their IDs, or by their positions.
func (a *app) keyOf(item any, place int) string {
	for _, c := range a.format.shape.columns {
		if _, v, _ := find(reflect.ValueOf(item), c.name); c.id && v.IsValid() && a.raw(v) != "" {
			return a.raw(v)
		}
	}
	return fmt.Sprint("line ", place+1)
}

// tell prints changes, a line each: columns cannot be aligned before the last one has come.
func (w *watch) tell(a *app, items []any) error {
	columns := slices.DeleteFunc(slices.Clone(a.columns()), func(c column) bool {
		return c.rank == wideOnly && a.format.output != outputWide
	})
	for _, item := range items {
		if err := a.feedLine(item, columns); err != nil {
			return err
		}
	}
	return a.out.Flush()
}
