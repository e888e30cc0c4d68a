package postgres

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/qredo-go/qredo/internal/pgstore"
	"github.com/qredo-go/qredo/outbox"
)

// allStates are the states that an entry can have.
var allStates = []outbox.State{
	outbox.StatePending, outbox.StateSent, outbox.StateHeld,
	outbox.StateDone, outbox.StateFailed, outbox.StateRejected, outbox.StateExpired,
}

// Page returns some of the entries that match a filter.
func (s *Store) Page(ctx context.Context, f outbox.Filter, after outbox.Entry, limit int) ([]outbox.Entry, error) {
	statement, args, err := pageStatement(f, after, limit)
	if err != nil {
		return nil, err
	}
	found, err := collect(ctx, s.db, scanStored, statement, args...)
	if err != nil {
		return nil, err
	}
	page := make([]outbox.Entry, len(found))
	for i, x := range found {
		page[i] = s.entry(x)
	}
	return page, nil
}

// pageStatement returns the statement of a page, and its arguments. Each state is searched on its own, using its index,
// unless all states are wanted in key order, or only the few unknown ones.
func pageStatement(f outbox.Filter, after outbox.Entry, limit int) (statement string, args []any, err error) {
	arg := func(v any, as string) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args)) + "::" + as
	}
	// By state, rows are selected by bounds of whole index entries: with state = ... the planner may choose another
	// index, and then has to search it for the few rows of a rare state.
	order, states := "key", f.States
	where, from, to := "key > "+arg(after.Key, "text"), "(state, key) > (s.state, $1)", "state <= s.state"
	if f.ByChange() {
		since, key := micro(f.UpdatedSince), ""
		if at := micro(after.Updated); !at.Before(since) {
			since, key = at, after.Key
		}
		args = nil
		order = "updated, key"
		first := arg(since, "timestamptz") + ", " + arg(key, "text")
		where, from = "(updated, key) > ("+first+")", "(state, updated, key) > (s.state, "+first+")"
		if !f.UpdatedBefore.IsZero() {
			before := arg(micro(f.UpdatedBefore), "timestamptz")
			where += " AND updated < " + before
			to = "(state, updated) < (s.state, " + before + ")"
		}
		if len(states) == 0 {
			states = allStates
		}
	}
	limited := " LIMIT " + arg(int64(limit), "bigint")
	wanted := ""
	if len(states) > 0 {
		data, err := json.Marshal(states)
		if err != nil {
			return "", nil, err
		}
		wanted = "SELECT DISTINCT json_array_elements_text(" + arg(string(data), "text") + "::json) AS state"
	}
	rows := "SELECT * FROM {entries} WHERE "
	switch {
	case f.Unknown && wanted != "":
		rows += where + " AND unknown AND state IN (" + wanted + ")"
	case f.Unknown:
		rows += where + " AND unknown"
	case wanted != "":
		rows = "SELECT o.* FROM (" + wanted + ") s CROSS JOIN LATERAL (" + rows + from + " AND " + to + " ORDER BY state, " + order + limited + ") o"
	default:
		rows += where
	}
	return "SELECT " + columns + " FROM (" + rows + " ORDER BY " + order + limited + ") o LEFT JOIN {work} w ON w.key = o.key ORDER BY o." +
		strings.ReplaceAll(order, ", ", ", o."), args, nil
}

// Stats counts entries.
func (s *Store) Stats(ctx context.Context) (outbox.Stats, error) {
	stats := outbox.Stats{States: map[outbox.State]int{}}
	type count struct {
		state outbox.State
		n     int64
	}
	counts, err := collect(ctx, s.db, func(r pgstore.Rows) (c count, err error) {
		var state string
		err = r.Scan(&state, &c.n)
		c.state = outbox.State(state)
		return c, err
	}, `SELECT state, count(*) FROM {entries} GROUP BY state UNION ALL SELECT '', count(*) FROM {entries} WHERE unknown`)
	if err != nil {
		return stats, err
	}
	for _, c := range counts {
		if c.state == "" {
			stats.Unknown = int(c.n)
		} else {
			stats.States[c.state] = int(c.n)
		}
	}
	oldest, err := collect(ctx, s.db, pgstore.Column[*time.Time], `
		SELECT least((SELECT min(due) FROM {work} WHERE lane = 0), (SELECT min(due) FROM {work} WHERE lane = 1), (SELECT min(due) FROM {work} WHERE lane = 2))`)
	if err == nil && oldest[0] != nil {
		stats.OldestDue = oldest[0].UTC()
	}
	return stats, err
}
