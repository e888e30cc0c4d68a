package world

import (
	"time"
)

// change is an event's effect on the state, which follows from the events alone. The table in stored.go lists them all, and
// each is in the file of what it changes. Applying it uses neither a clock nor randomness, and cannot fail: the command that
// recorded it has checked it.
type change interface {
	apply(st *state, at time.Time)
}

type clockAdvanced struct{ By time.Duration }

func (e clockAdvanced) apply(st *state, _ time.Time) { st.offset += e.By }

// Advance moves the clock forward: everything due by then expires.
func (u *Update) Advance(by time.Duration) error {
	const most = 100 * 365 * 24 * time.Hour // so that no time is beyond what can be written
	if by <= 0 || by > most-u.offset {
		return invalid("the clock can be advanced only, and by 100 years in all")
	}
	u.change(clockAdvanced{By: by})
	u.advanced = true
	return nil
}
