// Package custody decides what a custody group approves: a state machine without I/O, with the clock
// passed in.
package custody

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Policy says who approves: Threshold of the Members.
type Policy struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Threshold int      `json:"threshold"`
	Members   []string `json:"members"`
}

// Check tells what is wrong with a policy.
func (p Policy) Check() error {
	seen := map[string]bool{}
	for _, m := range p.Members {
		if seen[m] {
			return fmt.Errorf("member %s is named twice", m)
		}
		seen[m] = true
	}
	switch {
	case p.Threshold < 1:
		return errors.New("threshold must be at least 1")
	case p.Threshold > len(p.Members):
		return fmt.Errorf("threshold %d is over the number of members, %d", p.Threshold, len(p.Members))
	}
	return nil
}

// Choice is what a member said.
type Choice uint8

// The choices of a member.
const (
	Waiting Choice = iota
	Approve
	Reject
)

// Vote is one member's place in a round.
type Vote struct {
	Member   string
	Required bool // nothing is approved without this member
	Choice   Choice
	At       time.Time
}

// Outcome is how a round stands.
type Outcome uint8

// How a round can stand.
const (
	Pending Outcome = iota
	Approved
	Rejected
	Expired
)

// Round is one question put to the members of a policy. It ends as soon as enough have approved and all
// of the required ones among them, or so many have rejected that this cannot come about any more, or its
// time is over.
type Round struct {
	Threshold int
	Votes     []Vote
	Expires   time.Time
	Outcome   Outcome
}

// NewRound puts a question to a policy's members as they are now, and to others whose approval is
// required besides. A member who is required too has one vote, which counts for both. The zero Policy has
// nobody who could approve: then no one is asked, and the round can but expire.
func NewRound(p Policy, expires time.Time, required ...string) Round {
	if p.Threshold == 0 {
		return Round{Expires: expires}
	}
	r := Round{Threshold: p.Threshold, Expires: expires, Votes: make([]Vote, 0, len(p.Members)+len(required))}
	for _, m := range p.Members {
		r.Votes = append(r.Votes, Vote{Member: m, Required: slices.Contains(required, m)})
	}
	for _, m := range required {
		if !slices.Contains(p.Members, m) {
			r.Votes = append(r.Votes, Vote{Member: m, Required: true})
			r.Threshold++
		}
	}
	return r
}

// The reasons why a vote is refused.
var (
	ErrNotMember = errors.New("is not asked for approval")
	ErrVoted     = errors.New("has decided already")
	ErrEnded     = errors.New("is not pending any more")
)

// Check tells whether a member can vote now.
func (r *Round) Check(member string, now time.Time) error {
	if r.Outcome != Pending || r.Due(now) {
		return ErrEnded
	}
	for _, v := range r.Votes {
		if v.Member != member {
			continue
		}
		if v.Choice != Waiting {
			return ErrVoted
		}
		return nil
	}
	return ErrNotMember
}

// After tells how the round would stand if a member made a choice.
func (r *Round) After(member string, choice Choice) Outcome {
	approved, waiting := 0, 0
	required := true // all required members have approved
	for _, v := range r.Votes {
		if v.Member == member {
			v.Choice = choice
		}
		if v.Required && v.Choice == Reject {
			return Rejected
		}
		required = required && (!v.Required || v.Choice == Approve)
		switch v.Choice {
		case Approve:
			approved++
		case Waiting:
			waiting++
		case Reject:
		}
	}
	switch {
	case approved >= r.Threshold && required:
		return Approved
	case approved+waiting < r.Threshold:
		return Rejected
	}
	return Pending
}

// Record stores a member's choice. The outcome is set by who asked for it, since ending has effects.
func (r *Round) Record(member string, choice Choice, at time.Time) {
	for i := range r.Votes {
		if r.Votes[i].Member == member {
			r.Votes[i].Choice, r.Votes[i].At = choice, at
		}
	}
}

// Approvals counts the members who approved.
func (r *Round) Approvals() int {
	n := 0
	for _, v := range r.Votes {
		if v.Choice == Approve {
			n++
		}
	}
	return n
}

// Due reports whether the round's time is over. At the moment of expiry it is.
func (r *Round) Due(now time.Time) bool { return !now.Before(r.Expires) }
