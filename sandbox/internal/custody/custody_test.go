package custody_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

func TestPolicyCheck(t *testing.T) {
	tests := map[string]struct {
		threshold int
		members   []string
		err       string
	}{
		"one of one":     {1, []string{"a"}, ""},
		"one of three":   {1, []string{"a", "b", "c"}, ""},
		"all of three":   {3, []string{"a", "b", "c"}, ""},
		"four of three":  {4, []string{"a", "b", "c"}, "threshold 4 is over the number of members, 3"},
		"one of none":    {1, nil, "over the number of members, 0"},
		"none of none":   {0, nil, "at least 1"},
		"none of one":    {0, []string{"a"}, "at least 1"},
		"fewer than no":  {-1, []string{"a"}, "at least 1"},
		"a member twice": {1, []string{"a", "b", "a"}, "member a is named twice"},
		"twice the same": {2, []string{"a", "a"}, "twice"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := custody.Policy{Threshold: test.threshold, Members: test.members}.Check()
			if test.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.err)
			}
		})
	}
}

var expiry = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// play lets members vote in order: "+a" approves, "-a" rejects. It returns how the round stands after each.
func play(r *custody.Round, votes ...string) []custody.Outcome {
	var outcomes []custody.Outcome
	for _, vote := range votes {
		choice := custody.Approve
		if vote[0] == '-' {
			choice = custody.Reject
		}
		outcomes = append(outcomes, r.After(vote[1:], choice))
		r.Record(vote[1:], choice, expiry)
	}
	return outcomes
}

func TestRound(t *testing.T) {
	const p, a, r = custody.Pending, custody.Approved, custody.Rejected
	tests := map[string]struct {
		threshold int
		members   []string
		required  []string
		votes     []string
		want      []custody.Outcome
	}{
		"one of one approves":           {1, []string{"a"}, nil, []string{"+a"}, []custody.Outcome{a}},
		"one of one rejects":            {1, []string{"a"}, nil, []string{"-a"}, []custody.Outcome{r}},
		"first of two is enough":        {1, []string{"a", "b"}, nil, []string{"+b"}, []custody.Outcome{a}},
		"one of two rejects":            {1, []string{"a", "b"}, nil, []string{"-a", "+b"}, []custody.Outcome{p, a}},
		"both of two reject":            {1, []string{"a", "b"}, nil, []string{"-a", "-b"}, []custody.Outcome{p, r}},
		"two of two":                    {2, []string{"a", "b"}, nil, []string{"+a", "+b"}, []custody.Outcome{p, a}},
		"two of two, one rejects":       {2, []string{"a", "b"}, nil, []string{"+a", "-b"}, []custody.Outcome{p, r}},
		"two of three":                  {2, []string{"a", "b", "c"}, nil, []string{"+a", "-b", "+c"}, []custody.Outcome{p, p, a}},
		"two of three, two reject":      {2, []string{"a", "b", "c"}, nil, []string{"-a", "+b", "-c"}, []custody.Outcome{p, p, r}},
		"the same again is counted one": {2, []string{"a", "b"}, nil, []string{"+a", "+a"}, []custody.Outcome{p, p}},
		"who is not asked counts not":   {1, []string{"a"}, nil, []string{"+x", "-x"}, []custody.Outcome{p, p}},
		"a required one besides":        {1, []string{"a", "b"}, []string{"z"}, []string{"+a", "+z"}, []custody.Outcome{p, a}},
		"enough, but not the required":  {1, []string{"a", "b"}, []string{"z"}, []string{"+a", "+b"}, []custody.Outcome{p, p}},
		"the required one rejects":      {1, []string{"a", "b"}, []string{"z"}, []string{"-z"}, []custody.Outcome{r}},
		"a required member":             {1, []string{"a", "b"}, []string{"a"}, []string{"+b", "+a"}, []custody.Outcome{p, a}},
		"a required member alone":       {1, []string{"a", "b"}, []string{"a"}, []string{"+a"}, []custody.Outcome{a}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			round := custody.NewRound(custody.Policy{Threshold: test.threshold, Members: test.members}, expiry, test.required...)
			assert.Equal(t, test.want, play(&round, test.votes...))
		})
	}
}

// Without a group nobody can approve, not even who is required besides.
func TestRoundOfNobody(t *testing.T) {
	for _, required := range [][]string{nil, {"z"}} {
		round := custody.NewRound(custody.Policy{}, expiry, required...)
		assert.Empty(t, round.Votes)
		assert.Zero(t, round.Threshold)
		assert.Equal(t, custody.Pending, round.Outcome)
		require.ErrorIs(t, round.Check("z", expiry.Add(-1)), custody.ErrNotMember)
		assert.True(t, round.Due(expiry))
	}
}

func TestAfterAndApprovalsOnlyLook(t *testing.T) {
	round := custody.NewRound(custody.Policy{Threshold: 2, Members: []string{"a", "b", "c"}}, expiry)
	round.After("a", custody.Approve)
	assert.Zero(t, round.Approvals(), "After does not record")
	at := expiry.Add(-time.Minute)
	round.Record("b", custody.Approve, at)
	round.Record("c", custody.Reject, at)
	round.Record("x", custody.Approve, at)
	assert.Equal(t, 1, round.Approvals())
	assert.Equal(t, []custody.Vote{
		{Member: "a"}, {Member: "b", Choice: custody.Approve, At: at}, {Member: "c", Choice: custody.Reject, At: at},
	}, round.Votes)
	assert.Equal(t, custody.Pending, round.Outcome, "ending is up to the caller")
}

func TestRoundCheck(t *testing.T) {
	before := expiry.Add(-time.Nanosecond)
	newRound := func() custody.Round {
		r := custody.NewRound(custody.Policy{Threshold: 2, Members: []string{"a", "b"}}, expiry)
		r.Record("a", custody.Approve, before)
		return r
	}
	tests := map[string]struct {
		member  string
		now     time.Time
		outcome custody.Outcome
		want    error
	}{
		"may vote":                      {"b", before, custody.Pending, nil},
		"has voted":                     {"a", before, custody.Pending, custody.ErrVoted},
		"is no member":                  {"x", before, custody.Pending, custody.ErrNotMember},
		"at the moment of expiry":       {"b", expiry, custody.Pending, custody.ErrEnded},
		"after it":                      {"b", expiry.Add(time.Hour), custody.Pending, custody.ErrEnded},
		"was approved":                  {"b", before, custody.Approved, custody.ErrEnded},
		"was rejected":                  {"b", before, custody.Rejected, custody.ErrEnded},
		"has expired":                   {"b", before, custody.Expired, custody.ErrEnded},
		"has voted, and it has expired": {"a", expiry, custody.Pending, custody.ErrEnded},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRound()
			r.Outcome = test.outcome
			assert.Equal(t, test.want, r.Check(test.member, test.now))
		})
	}
}

func TestDue(t *testing.T) {
	r := custody.NewRound(custody.Policy{}, expiry)
	assert.False(t, r.Due(expiry.Add(-time.Nanosecond)))
	assert.True(t, r.Due(expiry), "at the moment of expiry it is over")
	assert.True(t, r.Due(expiry.Add(time.Nanosecond)))
}
