package inbox

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/clienttest"
)

// away is a store that cannot be reached.
type away struct{ Records }

func (away) Lease(context.Context, string, string, time.Duration) (Source, error) {
	return Source{}, errors.New("away")
}

// A lease that cannot be renewed is left before another program can have it.
func TestALeaseThatCannotBeRenewedIsLeft(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		f := &follower{running: &running{settings: &settings{records: away{}, lease: time.Minute}}}
		ctx, lose := context.WithCancelCause(t.Context())
		began := time.Now()
		f.renew(ctx, 1, lose)
		require.ErrorIs(t, context.Cause(ctx), ErrLeaseLost)
		assert.Less(t, time.Since(began), time.Minute)
	})
}

// A wallet's turn ends between a look at the store and the question whether the wallet is free: what the look has found is not
// what the turn has left, so that there is another one.
func TestWhatIsReadWhileItsTurnEndsIsReadAgain(t *testing.T) {
	h := newHandover(nil, "source")
	h.turns["wallet"] = &turn{ended: true}
	assert.False(t, h.free("wallet", Entry{}))
	assert.True(t, h.stale)
}
