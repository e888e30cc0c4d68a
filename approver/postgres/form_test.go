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

// testForm fails when this version writes another form, or cannot read its own or an earlier one.
func testForm(t *testing.T, database string) {
	const now = "approver-schema3.sql"
	clock := trial.NewClock(trial.Start)
	s := open(t, database, postgres.WithClock(clock.Now))
	trial.Fill(t, s)
	tables := []string{"qredo_approver", "qredo_approver_decision", "qredo_approver_spent", "qredo_approver_claim"}
	dump := func() string {
		return strings.ReplaceAll(pgtest.Dump(t, database, tables...), s.Epoch(), "THE EPOCH")
	}
	durabletest.Is(t, dump(), now)
	for _, form := range []string{now, "approver-schema2.sql"} {
		for _, table := range tables {
			exec(t, database, `DELETE FROM `+table)
			if form != now {
				exec(t, database, `ALTER TABLE `+table+` DROP COLUMN IF EXISTS seal`)
			}
		}
		pgtest.Load(t, database, form)
		s = open(t, database, postgres.WithClock(clock.Now))
		require.Equal(t, "THE EPOCH", s.Epoch())
		trial.CheckFilled(t, s)
		durabletest.Is(t, dump(), now)
	}
}
