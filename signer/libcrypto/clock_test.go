package libcrypto

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// clock gives timers that end when a test says so.
type clock chan chan time.Time

func (c clock) option() Option {
	return func(cfg *config) error {
		cfg.timer = func(time.Duration) timer {
			ends := make(chan time.Time, 1)
			select {
			case c <- ends:
			default: // more than a test looks at
			}
			return timer{ends, func() bool { return true }}
		}
		return nil
	}
}

func newClock() clock { return make(clock, 100) }

// forget drops the timers that there were so far.
func (c clock) forget() {
	for len(c) > 0 {
		<-c
	}
}

// expire lets a deadline pass, given its next timers.
func (c clock) expire() {
	for range steps {
		(<-c) <- time.Time{}
	}
}

// TestStoppedProgram: what lasts as long as no timer ran, because the whole program was stopped, is one step of a deadline.
func TestStoppedProgram(t *testing.T) {
	clock, from := newClock(), make(chan int)
	cfg, err := memoryConfig([]Option{clock.option()})
	require.NoError(t, err)
	got := make(chan error)
	go func() {
		_, err := await(t.Context(), cfg, from, nil)
		got <- err
	}()
	(<-clock) <- time.Time{}
	select {
	case from <- 1:
	case err := <-got:
		require.NoError(t, err)
	}
	require.NoError(t, <-got)
}
