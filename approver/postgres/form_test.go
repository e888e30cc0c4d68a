package postgres_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/approver/internal/trial"
	"github.com/qredo-go/qredo/approver/postgres"
	"github.com/qredo-go/qredo/internal/durable/durabletest"
	"github.com/qredo-go/qredo/internal/pgtest"
)

// testForm fails when this version writes another form, or cannot read the one that it wrote.
func testForm(t *testing.T, database string) {
	clock := trial.NewClock(trial.Start)
	s := open(t, database, postgres.WithClock(clock.Now))
	trial.Fill(t, s)
	tables := []string{"qredo_approver", "qredo_approver_decision", "qredo_approver_spent", "qredo_approver_claim"}
	durabletest.Is(t, strings.ReplaceAll(pgtest.Dump(t, database, tables...), s.Epoch(), "THE EPOCH"), "approver-schema2.sql")
	for _, table := range tables {
		exec(t, database, `DELETE FROM `+table)
	}
	pgtest.Load(t, database, "approver-schema2.sql")
	s = open(t, database, postgres.WithClock(clock.Now))
	require.Equal(t, "THE EPOCH", s.Epoch())
	trial.CheckFilled(t, s)
}
