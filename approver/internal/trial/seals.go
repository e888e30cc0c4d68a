package trial

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// Place is where a store keeps what it keeps: programs open it, with their keys, and somebody else can write to it.
type Place interface {
	// Open opens the store with keys, the first of which seals. With unsealed, one without seals is accepted.
	Open(t *testing.T, now func() time.Time, keys [][]byte, unsealed bool) (s approver.Store, end func(), err error)

	// Read returns what is stored about an action: its JSON, and all that stands with it.
	Read(t *testing.T, id qredo.ActionID) Raw
	// Write puts something there, whatever is there now.
	Write(t *testing.T, id qredo.ActionID, r Raw)

	// Lower makes a counter hold nothing, without removing any entry. The last entry has 60 with a sum of 60.
	Lower(t *testing.T, counter string)
	// Unmark removes what shows that the store is sealed.
	Unmark(t *testing.T)
	// Move puts the entries of one counter in the place of another's.
	Move(t *testing.T, from, to string)
}

// Raw is a stored decision, and its seal, if that stands apart.
type Raw struct{ Data, Seal []byte }

var (
	oneKey   = []byte("0123456789abcdef")
	otherKey = []byte("fedcba9876543210")

	sealedSpend = approver.Spend{Counter: "c", Amount: 60, Window: time.Hour, MaxAmount: 100}
)

// TestSeals has somebody write to a store who does not have its sealing key. Each call of begin gives another place, with nothing in it.
func TestSeals(t *testing.T, begin func(t *testing.T) Place) {
	for name, test := range map[string]func(t *testing.T, p *sealedPlace){
		"a planted approval":              planted,
		"a record that was moved":         moved,
		"a record that was altered":       altered,
		"a record of before, put back":    putBack,
		"a record of another store":       func(t *testing.T, p *sealedPlace) { ofAnother(t, p, &sealedPlace{Place: begin(t)}) },
		"a spend that was altered":        lowered,
		"a counter in another's place":    counterMoved,
		"a store that was never sealed":   neverSealed,
		"another key":                     rotated,
		"a mark that was removed":         unmarked,
		"a key that is too short":         shortKey,
		"sums of many, one after another": sumsSealed,
	} {
		t.Run(name, func(t *testing.T) { test(t, &sealedPlace{Place: begin(t)}) })
	}
}

// sealedPlace is a place with a key.
type sealedPlace struct{ Place }

// with opens the store, does something, and closes it.
func (p *sealedPlace) with(t *testing.T, do func(s approver.Store), keys ...[]byte) {
	t.Helper()
	s, end, err := p.Open(t, NewClock(Start).Now, keys, false)
	require.NoError(t, err)
	defer end()
	do(s)
}

func (p *sealedPlace) refuses(t *testing.T, keys [][]byte, unsealed bool) error {
	t.Helper()
	s, end, err := p.Open(t, NewClock(Start).Now, keys, unsealed)
	if err == nil {
		end()
	}
	require.Error(t, err, "%T", s)
	return err
}

// refused demands that what stands about an action is no decision.
func (p *sealedPlace) refused(t *testing.T, id qredo.ActionID) {
	t.Helper()
	p.with(t, func(s approver.Store) {
		rec, found, err := s.Lookup(t.Context(), id)
		require.ErrorIs(t, err, approver.ErrUnsealed)
		require.False(t, found)
		require.Empty(t, rec)
		own := record(1)
		own.ActionID, own.Verdict = id, approver.Leave
		rec, err = s.Reserve(t.Context(), own, nil)
		require.ErrorIs(t, err, approver.ErrUnsealed)
		require.Empty(t, rec)
		require.ErrorIs(t, s.Finish(t.Context(), id, approver.OutcomeSent), approver.ErrUnsealed, "it would be sealed by that")
	}, oneKey)
}

// decide stores a decision with a spend.
func (p *sealedPlace) decide(t *testing.T, rec approver.Record, keys ...[]byte) {
	t.Helper()
	p.with(t, func(s approver.Store) {
		_, err := s.Reserve(t.Context(), rec, []approver.Spend{sealedSpend})
		require.NoError(t, err)
		require.Equal(t, len(keys) > 0, s.(interface{ Sealed() bool }).Sealed()) //nolint:forcetypeassert // all stores here have it
	}, keys...)
}

// stands demands that a decision and its spend are there.
func (p *sealedPlace) stands(t *testing.T, rec approver.Record, keys ...[]byte) {
	t.Helper()
	p.with(t, func(s approver.Store) {
		found, ok, err := s.Lookup(t.Context(), rec.ActionID)
		require.NoError(t, err)
		require.True(t, ok)
		rec.Seq = found.Seq
		require.Equal(t, rec, found)
		requireUsed(t, s, sealedSpend, 60, 1)
		over := record(99)
		_, err = s.Reserve(t.Context(), over, []approver.Spend{sealedSpend})
		require.ErrorAs(t, err, new(*approver.OverLimitError))
	}, keys...)
}

func planted(t *testing.T, p *sealedPlace) {
	p.with(t, func(approver.Store) {}, oneKey)
	data, err := json.Marshal(record(1))
	require.NoError(t, err)
	for _, raw := range []Raw{{data, nil}, {append(bytes.Clone(data), make([]byte, 16)...), make([]byte, 16)}, {[]byte("{}"), nil}, {[]byte("{}"), []byte{0}}} {
		p.Write(t, "action-1", raw)
		p.refused(t, "action-1")
	}
}

func moved(t *testing.T, p *sealedPlace) {
	p.decide(t, record(1), oneKey)
	p.Write(t, "action-2", p.Read(t, "action-1"))
	p.refused(t, "action-2")
	p.stands(t, record(1), oneKey)
}

func altered(t *testing.T, p *sealedPlace) {
	rec := record(1)
	rec.Verdict = approver.Reject
	p.decide(t, rec, oneKey)
	honest := p.Read(t, "action-1")
	for was, is := range map[string]string{`"reject"`: `"approve"`, `token-1`: `token-2`, `"outcome":""`: `"outcome":"sent"`, `"digest":"d"`: `"digest":"e"`} {
		require.Contains(t, string(honest.Data), was)
		p.Write(t, "action-1", Raw{bytes.Replace(honest.Data, []byte(was), []byte(is), 1), honest.Seal})
		p.refused(t, "action-1")
	}
	p.Write(t, "action-1", honest)
	p.stands(t, rec, oneKey)
}

// A record that is put back is the decision that was made about that action, and nothing else: what became of it may be lost.
func putBack(t *testing.T, p *sealedPlace) {
	p.decide(t, record(1), oneKey)
	before := p.Read(t, "action-1")
	p.with(t, func(s approver.Store) { require.NoError(t, s.Finish(t.Context(), "action-1", approver.OutcomeLeft)) }, oneKey)
	p.Write(t, "action-1", before)
	p.stands(t, record(1), oneKey)
	p.Write(t, "action-3", before)
	p.refused(t, "action-3")
}

func ofAnother(t *testing.T, p, other *sealedPlace) {
	t.Helper()
	p.decide(t, record(1), oneKey)
	other.decide(t, record(1), oneKey)
	p.Write(t, "action-1", other.Read(t, "action-1"))
	p.refused(t, "action-1")
}

func lowered(t *testing.T, p *sealedPlace) {
	p.decide(t, record(1), oneKey)
	p.Lower(t, "c")
	p.countsNothing(t)
}

func (p *sealedPlace) countsNothing(t *testing.T) {
	t.Helper()
	p.with(t, func(s approver.Store) {
		_, err := s.Usage(t.Context(), []approver.Spend{sealedSpend})
		require.ErrorIs(t, err, approver.ErrUnsealed)
		_, err = s.Reserve(t.Context(), record(2), []approver.Spend{sealedSpend})
		require.ErrorIs(t, err, approver.ErrUnsealed)
		_, found, err := s.Lookup(t.Context(), "action-2")
		require.NoError(t, err)
		require.False(t, found)
	}, oneKey)
}

func counterMoved(t *testing.T, p *sealedPlace) {
	p.decide(t, record(1), oneKey)
	p.with(t, func(s approver.Store) {
		small := approver.Spend{Counter: "small", Amount: 1, Window: time.Hour}
		_, err := s.Reserve(t.Context(), record(3), []approver.Spend{small})
		require.NoError(t, err)
	}, oneKey)
	p.Move(t, "small", "c")
	p.countsNothing(t)
}

func neverSealed(t *testing.T, p *sealedPlace) {
	p.decide(t, record(1))
	p.stands(t, record(1))
	require.ErrorIs(t, p.refuses(t, [][]byte{oneKey}, false), approver.ErrUnsealed)
	p.stands(t, record(1))

	_, end, err := p.Open(t, NewClock(Start).Now, [][]byte{oneKey}, true)
	require.NoError(t, err)
	end()
	p.stands(t, record(1), oneKey)
	require.ErrorContains(t, p.refuses(t, nil, false), "the store is sealed")
	require.ErrorContains(t, p.refuses(t, nil, true), "the store is sealed")

	data, err := json.Marshal(record(2)) // what comes later is not accepted
	require.NoError(t, err)
	p.Write(t, "action-2", Raw{Data: data})
	_, end, err = p.Open(t, NewClock(Start).Now, [][]byte{oneKey}, true)
	require.NoError(t, err)
	end()
	p.refused(t, "action-2")
}

func rotated(t *testing.T, p *sealedPlace) {
	p.decide(t, record(1), oneKey)
	require.ErrorIs(t, p.refuses(t, [][]byte{otherKey}, false), approver.ErrUnsealed)
	require.ErrorIs(t, p.refuses(t, [][]byte{otherKey}, true), approver.ErrUnsealed)
	p.stands(t, record(1), oneKey, otherKey)
	p.stands(t, record(1), otherKey, oneKey)
	p.stands(t, record(1), otherKey)
	require.ErrorIs(t, p.refuses(t, [][]byte{oneKey}, false), approver.ErrUnsealed)

	data, err := json.Marshal(record(2)) // a change of key accepts nothing without a seal
	require.NoError(t, err)
	p.Write(t, "action-2", Raw{Data: data})
	require.ErrorIs(t, p.refuses(t, [][]byte{oneKey, otherKey}, true), approver.ErrUnsealed)
}

// Somebody removes the mark, plants an approval, and waits for people to change the key, or to seal the store with another one.
func unmarked(t *testing.T, p *sealedPlace) {
	p.decide(t, record(1), oneKey)
	p.Unmark(t)
	require.ErrorIs(t, p.refuses(t, [][]byte{oneKey}, false), approver.ErrUnsealed)
	require.ErrorIs(t, p.refuses(t, [][]byte{otherKey}, true), approver.ErrUnsealed, "what another key has sealed is not sealed again")
	require.ErrorIs(t, p.refuses(t, [][]byte{otherKey, oneKey}, true), approver.ErrUnsealed, "who gives the key of before says that the store is sealed")
	_, end, err := p.Open(t, NewClock(Start).Now, [][]byte{oneKey}, true)
	require.NoError(t, err)
	end()
	p.stands(t, record(1), oneKey)

	data, err := json.Marshal(record(2))
	require.NoError(t, err)
	p.Unmark(t)
	p.Write(t, "action-2", Raw{Data: data})
	require.ErrorIs(t, p.refuses(t, [][]byte{otherKey, oneKey}, true), approver.ErrUnsealed)
}

func shortKey(t *testing.T, p *sealedPlace) {
	for _, keys := range [][][]byte{{oneKey[:15]}, {oneKey, otherKey[:15]}, {{}}} {
		invalid := (*qredo.ValidationError)(nil)
		require.ErrorAs(t, p.refuses(t, keys, false), &invalid)
		assert.Equal(t, "sealing key", invalid.Field)
	}
}

func sumsSealed(t *testing.T, p *sealedPlace) {
	clock := NewClock(Start)
	s, end, err := p.Open(t, clock.Now, [][]byte{oneKey}, false)
	require.NoError(t, err)
	defer end()
	spend := approver.Spend{Counter: "c", Amount: 1 << 62, Window: time.Hour}
	for n := range 5 {
		_, err := s.Reserve(t.Context(), record(n), []approver.Spend{spend})
		require.NoError(t, err)
		clock.Forward(20 * time.Minute)
	}
	requireUsed(t, s, spend, 1<<63-1, 2)
	last, err := s.LastSeq(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 5, last)
}
