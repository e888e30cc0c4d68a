package world

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// slow is a store whose syncs a test lets go, one at a time.
type slow struct {
	memory
	release chan error
	syncs   int
}

func (s *slow) Sync() error {
	s.syncs++
	return <-s.release
}

// slowLab is a world whose wallet has 1000, kept.
func slowLab(t *testing.T) (*lab, *slow) {
	t.Helper()
	l := newLab(t)
	s := &slow{memory: *l.store, release: make(chan error)}
	l.World.store, l.kept.store = s, s
	return l, s
}

func (l *lab) deposit() error {
	return l.Update(func(u *Update) error {
		_, err := u.Deposit(string(l.from), 1, "")
		return err
	})
}

func (l *lab) balance() (amount qredo.Amount, err error) {
	err = l.View(func(v *View) error {
		amount = v.Balance(v.wallets[l.from])
		return nil
	})
	return amount, err
}

func TestNobodyIsAnsweredBeforeItIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := slowLab(t)
		told := l.changes
		var made atomic.Int64
		seen := []qredo.Amount{}
		for range 10 {
			go func() {
				if assert.NoError(t, l.deposit()) {
					made.Add(1)
				}
			}()
		}
		synctest.Wait()
		go func() {
			amount, err := l.balance()
			assert.NoError(t, err)
			seen = append(seen, amount)
		}()
		synctest.Wait()
		assert.Zero(t, made.Load())
		assert.Empty(t, seen, "who has seen it waits too")
		assert.Equal(t, told, l.changes)

		s.release <- nil
		synctest.Wait()
		assert.Positive(t, made.Load(), "one has begun the sync")
		for made.Load() < 10 {
			s.release <- nil
			synctest.Wait()
		}
		assert.EqualValues(t, 10, made.Load())
		assert.Equal(t, []qredo.Amount{1010}, seen)
		assert.LessOrEqual(t, s.syncs, 2, "those who came meanwhile share the next one")
		amount, err := l.balance()
		require.NoError(t, err)
		assert.EqualValues(t, 1010, amount, "what is kept is not waited for")
	})
}

func TestAfterASyncThatFailedNothingIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := slowLab(t)
		told, failure := l.changes, errors.New("input/output error")
		go func() { s.release <- failure }()
		require.ErrorIs(t, l.deposit(), failure)
		assert.Equal(t, told, l.changes)
		_, err := l.balance()
		require.ErrorIs(t, err, failure)
		require.ErrorIs(t, l.deposit(), failure)
		require.ErrorIs(t, l.Reset(), failure)
		require.ErrorIs(t, l.Healthy(), failure)
		assert.Equal(t, 1, s.syncs, "a system that has said so once does not say it again")
		require.Len(t, s.records, len(l.store.records)+1, "and nothing more is written")
	})
}
