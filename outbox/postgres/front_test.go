package postgres

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/qredo-go/qredo/outbox"
)

func TestFronts(t *testing.T) {
	const lane = outbox.LaneRetry
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	// look looks at a time, for 10 ms, and sees that nothing is due before another.
	look := func(f *fronts, clock, seen float64) (from time.Time, whole bool) {
		from, whole = f.begin(lane, at(clock), at(clock))
		f.end(lane, at(clock), 10*time.Millisecond, whole, at(seen))
		return from, whole
	}
	for name, test := range map[string]func(t *testing.T, f *fronts){
		"whole looks take a tenth of the time": func(t *testing.T, f *fronts) {
			whole := 0
			for ms := range 1000 {
				if _, w := look(f, float64(ms)/1000, float64(ms)/1000); w {
					whole++
				}
			}
			assert.Equal(t, 10, whole)
		},
		"others begin where the last has ended": func(t *testing.T, f *fronts) {
			look(f, 0, -60)
			from, whole := look(f, 0.01, -50)
			assert.False(t, whole)
			assert.Equal(t, at(-60), from)
			from, _ = look(f, 0.02, -55)
			assert.Equal(t, at(-50), from)
			from, _ = look(f, 0.03, -50)
			assert.Equal(t, at(-50), from, "and never before")
		},
		"what is put there is seen": func(t *testing.T, f *fronts) {
			look(f, 0, 0)
			f.add(lane, at(-10))
			f.add(outbox.LaneNew, at(-20))
			f.add(noLane, at(-20))
			from, _ := look(f, 0.01, 0)
			assert.Equal(t, at(-10), from)
			from, whole := f.begin(lane, at(0.02), at(0.02))
			assert.False(t, whole)
			assert.Equal(t, at(0), from)
			f.add(lane, at(-5)) // after the look has passed it
			f.end(lane, at(0.02), 10*time.Millisecond, whole, at(0.02))
			from, _ = look(f, 0.03, 0)
			assert.Equal(t, at(-5), from)
		},
		"nor do others keep it from them for long that were held up": func(t *testing.T, f *fronts) {
			from, whole := f.begin(lane, at(0), at(0))
			assert.True(t, whole)
			f.end(lane, at(0), time.Hour, whole, from)
			_, whole = look(f, 3600, 3600)
			assert.True(t, whole)
			f.end(lane, at(3600), time.Hour, true, at(3600))
			_, whole = look(f, 3659, 3659)
			assert.False(t, whole)
			_, whole = look(f, 3660, 3660)
			assert.True(t, whole)
		},
		"leases that are over are seen": func(t *testing.T, f *fronts) {
			look(f, 0, 0)
			f.leased(1, lane, at(0.02))
			f.leased(2, lane, at(0.02))
			f.leased(3, lane, at(0.04))
			f.leased(4, outbox.LaneNew, at(0.01))
			f.leased(5, outbox.LaneNew, at(0.06))
			f.leased(6, lane, at(0.03))
			f.over(6)
			f.moved(5, lane)
			f.moved(6, lane)
			for ms := range 80 {
				_, whole := look(f, float64(ms)/1000, 0)
				assert.Equal(t, ms == 20 || ms == 40 || ms == 60, whole, ms)
			}
		},
		"a clock that goes back": func(t *testing.T, f *fronts) {
			look(f, 0, 0)
			from, whole := f.begin(lane, at(0.01), at(-3600))
			assert.True(t, whole)
			assert.Zero(t, from)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fronts{}
			look(f, -3600, -3600)
			test(t, f)
		})
	}
}

func TestTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told told
		times := 0
		for range 100 { // a second
			if told.next() {
				times++
			}
			time.Sleep(10 * time.Millisecond) //nolint:forbidigo // it is synctest's time
		}
		assert.Equal(t, 10, times)
	})
}
