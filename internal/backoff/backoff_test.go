package backoff_test

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/backoff"
)

func TestAfter(t *testing.T) {
	for name, test := range map[string]struct {
		pauses backoff.Range
		want   []time.Duration // after no failure, one, two …
	}{
		"doubles up to the longest": {backoff.Range{Min: 100, Max: 500}, []time.Duration{100, 100, 200, 400, 500, 500}},
		"meets the longest":         {backoff.Range{Min: 100, Max: 400}, []time.Duration{100, 100, 200, 400, 400}},
		"always the same":           {backoff.Range{Min: 7, Max: 7}, []time.Duration{7, 7, 7}},
		"shortest over longest":     {backoff.Range{Min: 9, Max: 5}, []time.Duration{5, 5, 5}},
		"none":                      {backoff.Range{}, []time.Duration{0, 0, 0}},
		"near the end of a Duration": {
			backoff.Range{Min: math.MaxInt64/2 + 1, Max: math.MaxInt64}, []time.Duration{math.MaxInt64/2 + 1, math.MaxInt64/2 + 1, math.MaxInt64, math.MaxInt64},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for failures, want := range test.want {
				assert.Equal(t, want, test.pauses.After(failures), "after %d failures", failures)
			}
		})
	}
	assert.Equal(t, time.Hour, backoff.Range{Min: 1, Max: time.Hour}.After(math.MaxInt), "and it ends")
}

func TestJitterStaysInItsRange(t *testing.T) {
	const d = 8
	below, upper := map[time.Duration]bool{}, map[time.Duration]bool{}
	for range 2000 {
		below[backoff.Below(d)] = true
		upper[backoff.UpperHalf(d)] = true
	}
	assert.Equal(t, map[time.Duration]bool{1: true, 2: true, 3: true, 4: true, 5: true, 6: true, 7: true, 8: true}, below)
	assert.Equal(t, map[time.Duration]bool{4: true, 5: true, 6: true, 7: true, 8: true}, upper)
	assert.Zero(t, backoff.UpperHalf(0))
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		require.NoError(t, backoff.Wait(t.Context(), time.Minute))
		assert.Equal(t, time.Minute, time.Since(start))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		require.ErrorIs(t, backoff.Wait(ctx, time.Minute), context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(start))
	})
}
