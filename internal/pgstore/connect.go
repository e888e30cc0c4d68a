package pgstore

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/qredo-go/qredo/internal/loopback"
)

// Connect returns a pool for a database, named as a URL or by keywords, with this many connections or more, or as many as
// pool_max_conns says. It refuses a connection that might be in plain text though nobody has said that it may. With unprepared,
// no statement is prepared, so that a pooler may be between, unless default_query_exec_mode says otherwise.
func Connect(ctx context.Context, database string, least int32, unprepared bool) (*pgxpool.Pool, error) {
	config, err := pgx.ParseConfig(database)
	if err != nil {
		return nil, unreadable(err)
	}
	if err := checkTransport(database, config); err != nil {
		return nil, err
	}
	_, sized := config.RuntimeParams["pool_max_conns"]
	pooled, err := pgxpool.ParseConfig(database)
	if err != nil {
		return nil, unreadable(err)
	}
	if !sized {
		pooled.MaxConns = max(pooled.MaxConns, least)
	}
	if unprepared && !strings.Contains(database, "default_query_exec_mode") {
		pooled.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	return pgxpool.NewWithConfig(ctx, pooled)
}

// unreadable is an error about a database's name. The driver's text repeats the name, and does not remove every password
// from it.
func unreadable(err error) error {
	if e := (*pgconn.ParseConfigError)(nil); errors.As(err, &e) {
		return errors.New("the database's URL or keywords cannot be parsed (they are not repeated here, because they may contain a password)")
	}
	return err
}

func checkTransport(database string, config *pgx.ConnConfig) error {
	if os.Getenv("PGSSLMODE") != "" || namesTLS(database) {
		return nil
	}
	ways := append([]*pgconn.FallbackConfig{{Host: config.Host, Port: config.Port, TLSConfig: config.TLSConfig}}, config.Fallbacks...)
	for _, way := range ways {
		if network, _ := pgconn.NetworkAddress(way.Host, way.Port); network != "unix" && way.TLSConfig == nil && !loopback.Host(way.Host) {
			return fmt.Errorf("%s is another machine, and the connection to it might be neither encrypted nor authenticated: "+
				"add sslmode=verify-full to the database's URL or keywords, with sslrootcert if the server's authority is one of your own, "+
				"or sslmode=disable if the network is to be trusted", way.Host)
		}
	}
	return nil
}

var sslmodeKeyword = regexp.MustCompile(`(^|[\s'])sslmode\s*=`)

// namesTLS reports whether a URL or keywords specify the TLS mode.
func namesTLS(database string) bool {
	if u, err := url.Parse(database); err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql") {
		return u.Query().Get("sslmode") != ""
	}
	return sslmodeKeyword.MatchString(database)
}
