package export

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// TestAWriteThatFailsStaysWhereItWas has a file that takes nothing: a checkpoint must not tell of more than it has.
func TestAWriteThatFailsStaysWhereItWas(t *testing.T) {
	file, err := os.Open(os.DevNull)
	require.NoError(t, err)
	x := &run{Ledger: &Ledger{now: time.Now}, rows: rows{format: JSONLines}, file: file}
	require.Error(t, x.write([]qredo.LedgerEntry{{TxID: "t", Status: qredo.TxPending}}))
	require.Equal(t, place{}, x.place)
	require.NoError(t, file.Close())
}
