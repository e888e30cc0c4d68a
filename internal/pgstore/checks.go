package pgstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Rows is what drivers return for a statement.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
}

// Query runs one statement, and has read read its rows.
type Query func(ctx context.Context, statement string, args []any, read func(Rows) error) error

// Collect returns what a statement returns, each row as scan reads it.
func Collect[T any](ctx context.Context, query Query, scan func(Rows) (T, error), statement string, args ...any) (list []T, err error) {
	err = query(ctx, statement, args, func(r Rows) error {
		list = nil // it may be tried again
		for r.Next() {
			one, err := scan(r)
			if err != nil {
				return err
			}
			list = append(list, one)
		}
		return r.Err()
	})
	return list, err
}

// Column reads rows of one column.
func Column[T any](r Rows) (v T, err error) {
	err = r.Scan(&v)
	return v, err
}

// CheckDurable refuses a server that may lose what it has acknowledged, and a database that cannot keep every text.
func CheckDurable(ctx context.Context, query Query) error {
	settings, err := Collect(ctx, query, func(r Rows) (v [3]string, err error) { return v, r.Scan(&v[0], &v[1], &v[2]) },
		`SELECT current_setting('synchronous_commit'), current_setting('fsync'), current_setting('server_encoding')`)
	if err != nil {
		return err
	}
	commit, fsync, encoding := settings[0][0], settings[0][1], settings[0][2]
	switch {
	case commit == "off" || fsync == "off":
		return fmt.Errorf("the database has synchronous_commit %s and fsync %s: what is stored might be lost", commit, fsync)
	case encoding != "UTF8":
		return fmt.Errorf("the database has the encoding %s, in which not every text can be stored: create one with UTF8", encoding)
	}
	return nil
}

// Schema returns the first schema of the search path, in which tables are made. Statements name it, so that no table of the
// same name elsewhere is taken for one of them.
func Schema(ctx context.Context, query Query) (string, error) {
	found, err := Collect(ctx, query, Column[*string], `SELECT current_schema()::text`)
	if err != nil {
		return "", err
	}
	if found[0] == nil {
		return "", errors.New("no schema of the search path exists: create one, or set search_path")
	}
	return *found[0], nil
}

// Quoted is a table with its schema as statements name it. The table's name needs no quotes.
func Quoted(schema, table string) string {
	return `"` + strings.ReplaceAll(schema, `"`, `""`) + `".` + table
}

// CheckTables refuses tables with which somebody else, or something in the database, could change what is stored, and says what
// could happen then. It returns how many of the tables and sequences there are.
func CheckTables(ctx context.Context, query Query, schema string, tables, sequences []string, danger string) (int, error) {
	wrong, err := Collect(ctx, query, func(r Rows) (v [2]*string, err error) { return v, r.Scan(&v[0], &v[1]) }, `
		SELECT c.relname::text, CASE
			WHEN NOT (c.relowner = me.oid OR NOT me.rolsuper AND pg_catalog.pg_has_role(c.relowner, 'MEMBER'))
				THEN 'belongs to ' || pg_catalog.pg_get_userbyid(c.relowner) || ', not to ' || current_user || ' or a role that it is a member of'
			WHEN c.relkind <> CASE WHEN c.relname::text = ANY (string_to_array($3::text, ',')) THEN 'S'::"char" ELSE 'r'::"char" END
				THEN 'is no ordinary table, or no sequence'
			WHEN c.relpersistence <> 'p' THEN 'is temporary or UNLOGGED: a crash would empty it'
			WHEN c.relrowsecurity THEN 'has row-level security'
			WHEN EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
				THEN 'has the trigger ' || (SELECT min(t.tgname::text) FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
			WHEN EXISTS (SELECT FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid)
				THEN 'has the rule ' || (SELECT min(w.rulename::text) FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid)
			WHEN EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE c.oid IN (i.inhparent, i.inhrelid)) THEN 'inherits, or is inherited from'
			END
		FROM pg_catalog.pg_class c, pg_catalog.pg_roles me
		WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1) AND me.rolname = current_user
			AND c.relname::text = ANY (string_to_array($2::text, ',') || string_to_array($3::text, ','))`,
		schema, strings.Join(tables, ","), strings.Join(sequences, ","))
	if err != nil {
		return 0, err
	}
	for _, table := range wrong {
		if table[1] != nil {
			return 0, fmt.Errorf("%s in schema %s %s: %s", *table[0], schema, *table[1], danger)
		}
	}
	return len(wrong), nil
}
