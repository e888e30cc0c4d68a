package pgstore

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCheckTransport(t *testing.T) {
	for _, mode := range []string{"", "prefer", "require"} {
		t.Setenv("PGSSLMODE", mode)
		for database, refused := range map[string]bool{
			"host=db.example.com":                                     true,
			"host=db.example.com dbname=sslmode":                      true,
			"host=192.0.2.1 password='no sslmode in here'":            true,
			"host=localhost,db.example.com":                           true,
			"postgres://db.example.com/bank":                          true,
			"postgres://u:sslmode=disable@db.example.com/bank":        true,
			"postgres://db.example.com/bank?application_name=a":       true,
			"host=db.example.com sslmode=disable":                     false,
			"sslmode=prefer host=db.example.com":                      false,
			"host=db.example.com sslmode = allow":                     false,
			"host=db.example.com sslmode='require'":                   false,
			"postgres://db.example.com/bank?sslmode=disable":          false,
			"postgres://db.example.com/bank?sslmode=verify-full":      false,
			"postgresql://db.example.com:5433/bank?a=b&sslmode=allow": false,

			"host=localhost":                    false,
			"host=127.0.0.1 port=5433":          false,
			"host=/var/run/postgresql":          false,
			"postgres:///bank?host=/tmp":        false,
			"postgres://[::1]:5433/bank":        false,
			"postgres://LOCALHOST,127.0.0.2/db": false,
		} {
			config, err := pgx.ParseConfig(database)
			require.NoError(t, err, database)
			err = checkTransport(database, config)
			assert.Equal(t, refused && mode == "", err != nil, "%s with %q: %v", database, mode, err)
		}
	}
}
