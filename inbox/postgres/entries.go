package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/inbox/internal/exact"
	"github.com/qredo-go/qredo/internal/pgstore"
)

// columns are the columns of an entry.
const columns = `e.id, e.alias, e.source, e.state, e.attempts, e.due, e.error, e.updated, e.version, e.movement::text`

// stored is an entry as it is read. All fields are nil if there is none.
type stored struct {
	id, alias, source, state, text, movement *string
	attempts, version                        *int64
	due, updated                             *time.Time
}

// scanWith scans a row that ends with columns.
func scanWith(r pgstore.Rows, before ...any) (x stored, err error) {
	err = r.Scan(append(before, &x.id, &x.alias, &x.source, &x.state, &x.attempts, &x.due, &x.text, &x.updated, &x.version, &x.movement)...)
	return x, err
}

// scanEntry scans a row of columns.
func scanEntry(r pgstore.Rows) (e inbox.Entry, err error) {
	x, err := scanWith(r)
	if err != nil {
		return e, err
	}
	return x.entry()
}

func (x stored) entry() (e inbox.Entry, err error) {
	e = inbox.Entry{ID: *x.id, Source: *x.source, State: inbox.State(*x.state), Attempts: int(*x.attempts), Error: *x.text, Updated: x.updated.UTC()}
	if x.alias != nil {
		e.Alias = *x.alias
	}
	if x.due != nil {
		e.Due = x.due.UTC()
	}
	if e.Movement, err = movement(*x.movement); err != nil {
		return e, fmt.Errorf("inbox: the entry %s: %w", e.ID, err)
	}
	return e, nil
}

func movement(data string) (m inbox.Movement, err error) {
	if err = json.Unmarshal([]byte(data), &m); err != nil {
		err = fmt.Errorf("what is stored is not a movement of this version: %w", err)
	}
	return m, err
}

// row is an entry to be written, as part of a batch. Version is that of the row it replaces, or 0.
type row struct {
	ID       string          `json:"id"`
	Alias    string          `json:"alias,omitzero"`
	Source   string          `json:"source"`
	Wallet   qredo.WalletID  `json:"wallet"`
	Asset    qredo.AssetCode `json:"asset"`
	Amount   int64           `json:"amount"`
	Moved    bool            `json:"moved"`
	Time     time.Time       `json:"time"`
	State    inbox.State     `json:"state"`
	Attempts int             `json:"attempts"`
	Due      *time.Time      `json:"due,omitzero"`
	Error    string          `json:"error"`
	Updated  time.Time       `json:"updated"`
	Version  int64           `json:"version"`
	Movement string          `json:"movement"`
}

// rowOf returns the row of an entry.
func rowOf(e inbox.Entry, version int64) (row, error) {
	if err := storable(e.ID, e.Alias, string(e.Movement.Wallet), string(e.Movement.Asset)); err != nil {
		return row{}, err
	}
	data, err := exact.JSON(e.Movement)
	if err != nil {
		return row{}, err
	}
	r := row{
		ID: e.ID, Alias: e.Alias, Source: e.Source, Wallet: e.Movement.Wallet, Asset: e.Movement.Asset, Amount: int64(e.Movement.Amount),
		Moved: e.Movement.Moved, Time: e.Movement.Time, State: e.State, Attempts: e.Attempts, Error: e.Error, Updated: e.Updated,
		Version: version, Movement: string(data),
	}
	if !e.Due.IsZero() {
		r.Due = &e.Due
	}
	return r, nil
}

// storable refuses texts that PostgreSQL cannot store.
func storable(texts ...string) error {
	for _, text := range texts {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return fmt.Errorf("inbox: %.40q cannot be stored in PostgreSQL: it is not UTF-8, or has a NUL", text)
		}
	}
	return nil
}

// micro is a time in PostgreSQL's precision.
func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// Get returns the entry with the given ID.
func (s *Store[Tx]) Get(ctx context.Context, id string) (inbox.Entry, error) {
	found, err := collect(ctx, s.db, scanEntry, `SELECT `+columns+` FROM {entries} e WHERE e.id = $1`, id)
	if err == nil && len(found) == 0 {
		err = inbox.ErrNotFound
	}
	if err != nil {
		return inbox.Entry{}, err
	}
	return found[0], nil
}

// Update stores a change of an entry.
func (s *Store[Tx]) Update(ctx context.Context, id string, seen inbox.State, now time.Time, change inbox.Change) (inbox.Entry, error) {
	to := change.Apply(inbox.Entry{}, now)
	var due *time.Time
	if !to.Due.IsZero() {
		due = &to.Due
	}
	for range tries {
		changed, err := collect(ctx, s.db, scanEntry, `
			UPDATE {entries} e SET state = $3, attempts = $4::bigint, due = $5::timestamptz, error = $6, updated = $7::timestamptz, version = version + 1
			WHERE id = $1 AND state = $2 RETURNING `+columns,
			id, string(seen), string(to.State), int64(to.Attempts), due, to.Error, to.Updated)
		if err != nil {
			return inbox.Entry{}, err
		}
		if len(changed) > 0 {
			return changed[0], nil
		}
		states, err := collect(ctx, s.db, pgstore.Column[string], `SELECT state FROM {entries} WHERE id = $1`, id)
		switch {
		case err != nil:
			return inbox.Entry{}, err
		case len(states) == 0:
			return inbox.Entry{}, inbox.ErrNotFound
		case states[0] == string(seen): // it has become so in the meantime
		case seen == inbox.StateReady:
			return inbox.Entry{}, inbox.ErrNotReady
		default:
			return inbox.Entry{}, &inbox.StateError{ID: id, State: inbox.State(states[0])}
		}
	}
	return inbox.Entry{}, errChanging
}

// tries limits how many times an operation that others interfere with is tried.
const tries = 12

var errChanging = errors.New("inbox: others change the same entries all the time: try again")

// Page returns some of the entries that a filter selects.
func (s *Store[Tx]) Page(ctx context.Context, f inbox.Filter, after string, limit int) ([]inbox.Entry, error) {
	args := []any{after, int64(max(limit, 0))}
	where := ""
	also := func(condition, value string) {
		args = append(args, value)
		where += " AND " + condition + " = $" + strconv.Itoa(len(args))
	}
	if f.Source != "" {
		also("source", f.Source)
	}
	if f.Wallet != "" {
		also("wallet", string(f.Wallet))
	}
	rows := `SELECT * FROM {entries} WHERE id > $1` + where
	if len(f.States) > 0 {
		// Each state is searched on its own, by bounds of whole index entries: with state = ... the planner may choose
		// another index, and then has to search it for the few rows of a rare state.
		states, err := json.Marshal(f.States)
		if err != nil {
			return nil, err
		}
		args = append(args, string(states))
		rows = `SELECT o.* FROM (SELECT DISTINCT json_array_elements_text($` + strconv.Itoa(len(args)) + `::text::json) COLLATE "C" AS state) w
			CROSS JOIN LATERAL (SELECT * FROM {entries} WHERE (state, id) > (w.state, $1) AND state <= w.state` + where + `
				ORDER BY state, id LIMIT $2::bigint) o`
	}
	return collect(ctx, s.db, scanEntry, `SELECT `+columns+` FROM (`+rows+` ORDER BY id LIMIT $2::bigint) e ORDER BY e.id`, args...)
}

// Next returns entries to hand over. It finds wallets one after the other, each with a lookup in the index.
func (s *Store[Tx]) Next(ctx context.Context, source string, from qredo.WalletID, wallets, each int) ([]inbox.Entry, error) {
	first, _, behind := strings.Cut(string(from), "\x00") // a name with a NUL is no wallet's here, but comes after the name up to the NUL
	return collect(ctx, s.db, scanEntry, nextStatement, source, first, behind, int64(max(wallets, 0)), int64(max(each, 0)))
}

const nextStatement = `
	WITH RECURSIVE w AS (
		(SELECT wallet FROM {entries} WHERE source = $1 AND state = 'ready' AND wallet >= $2 AND (wallet > $2 OR NOT $3::boolean)
			ORDER BY wallet LIMIT 1)
		UNION ALL
		SELECT (SELECT n.wallet FROM {entries} n WHERE n.source = $1 AND n.state = 'ready' AND n.wallet > w.wallet ORDER BY n.wallet LIMIT 1)
		FROM w WHERE w.wallet IS NOT NULL)
	SELECT ` + columns + `
	FROM (SELECT wallet FROM w WHERE wallet IS NOT NULL LIMIT $4::bigint) w
	CROSS JOIN LATERAL (SELECT * FROM {entries} r WHERE r.source = $1 AND r.state = 'ready' AND r.wallet = w.wallet
		ORDER BY r.time, r.id LIMIT $5::bigint) e
	ORDER BY e.wallet, e.time, e.id`

// Waiting returns how many entries of a source are waiting.
func (s *Store[Tx]) Waiting(ctx context.Context, source string) (n int, oldest time.Time, err error) {
	type waiting struct {
		n      int64
		oldest *time.Time
	}
	found, err := collect(ctx, s.db, func(r pgstore.Rows) (w waiting, err error) { return w, r.Scan(&w.n, &w.oldest) },
		`SELECT count(*), min(time) FROM {entries} WHERE source = $1 AND state = 'waiting'`, source)
	if err != nil {
		return 0, time.Time{}, err
	}
	if found[0].oldest != nil {
		oldest = found[0].oldest.UTC()
	}
	return int(found[0].n), oldest, nil
}

// Sums adds up the movements of a source's entries.
func (s *Store[Tx]) Sums(ctx context.Context, source string) (map[qredo.WalletID]inbox.Sum, error) {
	figures := ""
	for _, state := range []inbox.State{inbox.StateDone, inbox.StateReady, inbox.StateAside, inbox.StateSkipped} {
		of := ` FILTER (WHERE state = '` + string(state) + `')`
		figures += `, count(*)` + of + `, least(greatest(coalesce(sum(amount)` + of + `, 0), -9223372036854775808), 9223372036854775807)::bigint`
	}
	sums := map[qredo.WalletID]inbox.Sum{}
	_, err := collect(ctx, s.db, func(r pgstore.Rows) (bool, error) {
		var (
			wallet, asset string
			sum           inbox.Sum
			amounts       [4]int64
		)
		err := r.Scan(&wallet, &asset, &sum.Done.Entries, &amounts[0], &sum.Ready.Entries, &amounts[1], &sum.Aside.Entries, &amounts[2],
			&sum.Skipped.Entries, &amounts[3])
		sum.Asset = qredo.AssetCode(asset)
		for i, f := range []*inbox.Figure{&sum.Done, &sum.Ready, &sum.Aside, &sum.Skipped} {
			f.Amount = qredo.Amount(amounts[i])
		}
		sums[qredo.WalletID(wallet)] = sum
		return true, err
	}, `SELECT wallet, CASE WHEN min(asset) = max(asset) THEN min(asset) ELSE '' END`+figures+` FROM {entries} WHERE source = $1 AND moved GROUP BY wallet`, source)
	return sums, err
}
