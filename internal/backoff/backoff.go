// Package backoff says how long to pause between attempts, and pauses.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"
)

// Range is the shortest and the longest pause.
type Range struct{ Min, Max time.Duration }

// After returns the pause after a number of failures in a row: Min after the first, doubled after each further one, and
// never more than Max.
func (r Range) After(failures int) time.Duration {
	pause := r.Min
	for n := 1; n < failures && pause < r.Max; n++ {
		if pause > r.Max/2 {
			return r.Max
		}
		pause *= 2
	}
	return min(pause, r.Max)
}

// Below draws a pause at random, more than nothing and d at most, so that those who fail together do not try again
// together.
func Below(d time.Duration) time.Duration {
	return rand.N(d) + 1 //nolint:gosec // jitter protects no secret
}

// UpperHalf draws a pause at random from half of d to d: for who must not try again at once.
func UpperHalf(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1) //nolint:gosec // jitter protects no secret
}

// Wait pauses, unless ctx ends first.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
