package cli

import (
	"context"
	"fmt"
	"iter"
	"strings"
)

// printFeed prints a feed's events, a line each. It stops after count of them unless that is zero.
func printFeed[E any](ctx context.Context, a *app, feed iter.Seq2[E, error], count int, columns string) error {
	shown := columnsOf(columns)
	return eachOf(ctx, feed, count, func(event E) error { return a.feedLine(event, shown) })
}

// eachOf calls do with each of a feed's events. It stops after count of them unless that is zero.
func eachOf[E any](ctx context.Context, feed iter.Seq2[E, error], count int, do func(E) error) error {
	seen := 0
	for event, err := range feed {
		if err == nil {
			err = do(event)
		}
		if err != nil {
			return err
		}
		if seen++; seen == count {
			return nil
		}
	}
	if count > 0 {
		return fmt.Errorf("the feed ended after %d of %d: %w", seen, count, ctx.Err())
	}
	return nil
}

// feedLine prints a feed's event at once: columns cannot be aligned before the last one has come.
func (a *app) feedLine(event any, columns []column) error {
	if a.json() {
		return a.jsonLine(event)
	}
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = a.paint(a.cell(event, c.name).text)
	}
	fmt.Fprintln(a.out, strings.TrimRight(strings.Join(cells, "  "), " "))
	return a.out.Flush()
}
