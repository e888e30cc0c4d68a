package sandbox_test

import (
	"context"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

func TestLiveInGo(t *testing.T) {
	for name, live := range map[string]func(*sandbox.Server, context.Context) iter.Seq2[sandbox.LiveMessage, error]{
		"sandbox": func(srv *sandbox.Server, ctx context.Context) iter.Seq2[sandbox.LiveMessage, error] {
			return srv.Live(ctx)
		},
		"control": func(srv *sandbox.Server, ctx context.Context) iter.Seq2[sandbox.LiveMessage, error] {
			return srv.Control().Live(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := startServer(t)
			ctx, cancel := context.WithCancel(t.Context())
			next, stop := iter.Pull2(live(srv, ctx))
			defer stop()
			m, err, _ := next()
			require.NoError(t, err)
			require.Equal(t, sandbox.LiveMessage{Kind: "live"}, m)

			made, err := srv.Client().Companies.Create(t.Context(), qredo.CompanyRequest{Name: "Acme"})
			require.NoError(t, err)
			for range 2 { // in whichever order
				m, err, _ := next()
				require.NoError(t, err)
				switch m.Kind {
				case "request":
					assert.Equal(t, latest(t, srv.Sandbox).RequestRecord, *m.Request)
					assert.Nil(t, m.Event)
				case "change":
					assert.Equal(t, []any{"company_created", made.ID}, []any{m.Event.Type, m.Event.CompanyID})
					assert.Nil(t, m.Request)
				default:
					t.Error(m.Kind)
				}
			}

			var world strings.Builder
			require.NoError(t, srv.Export(&world))
			for _, replace := range []func() error{
				srv.Reset, func() error { return srv.Import(strings.NewReader(world.String())) },
				func() error { _, err := srv.MakeNamedWorld("demo"); return err },
			} {
				require.NoError(t, replace())
				m, err, _ := next()
				require.NoError(t, err)
				assert.Equal(t, sandbox.LiveMessage{Kind: "reset"}, m)
			}
			cancel()
			m, err, _ = next()
			assert.Equal(t, []any{sandbox.LiveMessage{}, context.Canceled}, []any{m, err})
			_, _, more := next()
			assert.False(t, more)

			next, stop = iter.Pull2(live(srv, t.Context()))
			defer stop()
			_, err, _ = next()
			require.NoError(t, err)
			require.NoError(t, srv.Close())
			_, err, _ = next()
			require.ErrorIs(t, err, io.EOF)
			_, _, more = next()
			assert.False(t, more)
		})
	}
}

// What comes after a snapshot was restored is not what came after it the first time, and must not be taken for it: a deposit is known by its chain's ID.
func TestWhatComesAfterARestoreHasIDsOfItsOwn(t *testing.T) {
	srv := startServer(t)
	made, err := srv.MakeNamedWorld("demo")
	require.NoError(t, err)
	var wallet string
	for _, id := range made.Wallets {
		wallet = string(id)
	}
	require.NoError(t, srv.TakeSnapshot("before"))
	seen := map[string]bool{}
	for range 4 {
		for range 3 {
			d, err := srv.Deposit(wallet, 1)
			require.NoError(t, err)
			require.False(t, seen[d.ChainTxID], "it was there before")
			seen[d.ChainTxID] = true
		}
		require.NoError(t, srv.RestoreSnapshot("before"))
	}
	again, err := srv.MakeNamedWorld("demo")
	require.NoError(t, err)
	assert.NotEqual(t, made.Companies, again.Companies)
}
