package cli

import (
	"context"
	"fmt"
	"iter"
	"strings"
)

// printFeed prints what a feed gives, a line each, and ends after count of them if that is not zero.
func printFeed[E any](ctx context.Context, a *app, feed iter.Seq2[E, error], count int, columns string) error {
	shown := columnsOf(columns)
	return eachOf(ctx, feed, count, func(event E) error { return a.feedLine(event, shown) })
}

// eachOf calls do with what a feed gives, and ends after count of them if that is not zero.
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

// feedLine prints an event of a feed at once: columns cannot be aligned before the last has come.
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
