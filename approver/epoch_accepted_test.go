package approver_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// A loss was accepted: the store had come to decision 4. One that is put back to decision 2 after that is another loss; and so it is for a log that
// begins with a store of 4.
func TestALossAfterOneThatWasAcceptedIsNoticed(t *testing.T) {
	for name, accept := range map[string]bool{"accepted": true, "a new log": false} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			path := filepath.Join(t.TempDir(), "store")
			backups := map[int][]byte{}
			for n := 1; n <= 6; n++ {
				store := openStore(t, path, d.clock.Now)
				_, err := store.Reserve(t.Context(), approver.Record{ActionID: qredo.ActionID(fmt.Sprint("action-", n)), Token: fmt.Sprint(n)}, nil)
				require.NoError(t, err)
				require.NoError(t, store.Close())
				backups[n], err = os.ReadFile(path)
				require.NoError(t, err)
			}
			put := func(n int) {
				require.NoError(t, os.WriteFile(path, backups[n], 0o600))
				d.store = openStore(t, path, d.clock.Now)
			}
			run := func() error { return d.start(rulesAt(t, rulesFile("true"), d.clock.Now))() }
			closeStore := func() { require.NoError(t, d.store.(*approver.FileStore).Close()) }
			want := int64(4)
			if accept {
				put(6)
				require.NoError(t, run())
				closeStore()
				put(4)
				require.ErrorAs(t, run(), new(*approver.LostError))
				log, err := approver.OpenAuditLog(d.logPath, approver.WithClock(d.clock.Now))
				require.NoError(t, err)
				lost, err := approver.AcceptLoss(t.Context(), log, d.store, "Bob: the disk broke")
				require.NoError(t, err)
				assert.True(t, lost)
				require.NoError(t, log.Close())
			} else {
				put(4)
			}
			require.NoError(t, run())
			closeStore()
			entries := d.written()
			assert.Equal(t, want, entries[len(entries)-1].StoreSeq)

			put(2)
			defer closeStore()
			var loss *approver.LostError
			require.ErrorAs(t, run(), &loss)
			assert.Equal(t, approver.LostError{Before: d.store.Epoch(), Now: d.store.Epoch(), Known: 4, Last: 2}, *loss)
		})
	}
}
