package feed

import (
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// These tests are inside the package, because how much is remembered cannot be seen from outside.

// many keys are far more than is ever remembered.
const many = 300_000

func TestRecent(t *testing.T) {
	for name, most := range map[string]int{"by default": 0, "fewer": 3, "more": 2 * RecentKeys} {
		t.Run(name, func(t *testing.T) {
			r := Recent[int]{Most: most}
			size := 8192 // as the documentation of FundsService.LedgerAll says
			if most != 0 {
				size = most
			}
			for range 2 {
				for key := range size {
					r.Add(key)
				}
			}
			for key := range size {
				require.True(t, r.Has(key))
				require.False(t, r.Add(key), "known")
			}
			require.True(t, r.Add(size), "new")
			require.False(t, r.Has(0))
			require.True(t, r.Add(0), "the oldest was forgotten for it")
			require.False(t, r.Add(2), "the others were not")
			require.False(t, r.Add(size))
			for key := range many {
				r.Add(-key - 1)
			}
			require.Len(t, r.has, size)
			require.Len(t, r.keys, size)
			for key := many - size; key < many; key++ {
				require.False(t, r.Add(-key-1), "the last are known")
			}
		})
	}
}

var (
	testNow = time.Unix(1700000000, 0)
	later   = testNow.Add(time.Hour)
)

func newOpen(now *time.Time) *Open[string, string] {
	return &Open[string, string]{Now: func() time.Time { return *now }}
}

func TestOpen(t *testing.T) {
	now := testNow
	o := newOpen(&now)
	require.True(t, o.Opened("a", later))
	require.False(t, o.Opened("a", later), "it comes again with each connection")
	require.True(t, o.Ended("a", "approved"), "its end is another event")
	require.False(t, o.Ended("a", "approved"))
	require.False(t, o.Opened("a", later), "a message that was delayed")
	require.True(t, o.Ended("b", "rejected"), "one that ended before it was seen")
	require.False(t, o.Opened("b", later), "is not open any more")

	require.True(t, o.Opened("c", later))
	require.True(t, o.Opened("d", later))
	o.Keep([]string{"d", "e"})
	require.Equal(t, []string{"d"}, slices.Collect(maps.Keys(o.until)), "c has ended")
	require.False(t, o.Opened("c", later), "and stays known")
	require.False(t, o.Opened("d", later))
	require.True(t, o.Opened("e", later))
	require.True(t, o.Ended("c", "expired"), "how it ended is news")
}

// What is open is remembered for as long as it can be, however much it is.
func TestOpenKeepsAllThatIsOpen(t *testing.T) {
	now := testNow
	o := newOpen(&now)
	for i := range 5 * RecentKeys {
		require.True(t, o.Opened(strconv.Itoa(i), later))
	}
	for i := range 5 * RecentKeys {
		require.False(t, o.Opened(strconv.Itoa(i), later))
	}
}

// Many things over hours, each open for some minutes, in several ways to end. Nothing is given twice while it may
// come again.
func TestOpenForgets(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(o *Open[string, string], id string){
		"they are said to end": func(o *Open[string, string], id string) { o.Ended(id, "approved") },
		"they expire":          func(*Open[string, string], string) {},
		"without an expiry":    nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := testNow
			o := newOpen(&now)
			most := 0
			for i := range many {
				id, until := strconv.Itoa(i), now.Add(5*time.Minute)
				if end == nil {
					until = time.Time{}
				}
				if !o.Opened(id, until) || o.Opened(id, until) {
					require.Fail(t, "not once", "%d", i)
				}
				if end != nil {
					end(o, id)
				}
				most = max(most, len(o.until)+len(o.opened.has)+len(o.ended.has))
				if i%100 == 0 {
					now = now.Add(5 * time.Second) // 20 a second: 6,000 can be open
				}
			}
			assert.Less(t, most, 8*RecentKeys)
		})
	}
}

// Each connection reports what is still open.
func TestOpenForgetsWithEachConnection(t *testing.T) {
	t.Parallel()
	now := testNow
	o := newOpen(&now)
	for i := range many {
		id := strconv.Itoa(i)
		o.Opened(id, now.Add(24*time.Hour))
		if i%10_000 == 0 {
			o.Keep([]string{id})
			require.Len(t, o.until, 1)
		}
	}
	assert.LessOrEqual(t, len(o.opened.has), RecentKeys)
}

// change is an event of a list.
type change struct {
	id string
	on bool
}

func listed(id string) change   { return change{id, true} }
func unlisted(id string) change { return change{id, false} }

func TestListed(t *testing.T) {
	var l Listed[string, change]
	add := func(id string) bool { return l.Added(id, listed(id)) }
	leave := func(id string) bool { return l.Left(id, unlisted(id)) }
	compare := func(list ...string) []change { return l.Compare(list, listed, unlisted) }
	require.True(t, add("a"))
	require.False(t, add("a"))
	require.True(t, leave("a"))
	require.False(t, leave("a"))
	require.False(t, add("a"), "a message that was delayed")
	require.True(t, leave("b"), "one that was never seen on it")
	for _, id := range []string{"d", "f", "c"} {
		require.True(t, add(id))
	}
	require.Equal(t, []change{listed("e"), unlisted("c"), unlisted("f")}, compare("d", "e"), "in order")
	require.False(t, add("d"))
	require.False(t, add("e"))
	require.Empty(t, compare("d", "e"), "nothing happened since")
}

// An event that arrives while a list is being read is newer than the list.
func TestListedIsReadWhileItChanges(t *testing.T) {
	var l Listed[string, change]
	require.True(t, l.Added("a", listed("a")))
	l.Read()
	require.True(t, l.Added("b", listed("b")))
	require.True(t, l.Left("c", unlisted("c")))
	require.Equal(t, []change{unlisted("a")}, l.Compare([]string{"c"}, listed, unlisted), "b came after, and c has left")
	l.Read()
	require.Equal(t, []change{unlisted("b")}, l.Compare(nil, listed, unlisted), "the next one tells")
}

// Many come and go, whether their end is reported or found out.
func TestListedForgets(t *testing.T) {
	t.Parallel()
	var l Listed[string, change]
	most := 0
	for i := range many {
		id := strconv.Itoa(i)
		fresh := l.Added(id, change{id, true})
		if i%2 == 0 {
			fresh = l.Left(id, change{id, false}) && fresh
		}
		if !fresh {
			require.Fail(t, "lost", "%d", i)
		}
		if i%10_000 == 0 {
			l.Compare(nil, listed, unlisted)
			require.Empty(t, l.on)
		}
		most = max(most, len(l.on)+len(l.recent.has))
	}
	assert.LessOrEqual(t, most, RecentKeys+5_000)
}

// newCursor is a cursor with a clock that shows the given second.
func newCursor(now int64) *Cursor[string] {
	return &Cursor[string]{Now: func() time.Time { return time.Unix(now, 0) }}
}

func TestCursor(t *testing.T) {
	c := newCursor(5000)
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0) }
	require.Zero(t, c.Since(), "all of it")
	require.True(t, c.Add("a", at(1000)))
	require.False(t, c.Add("a", at(1000)))
	require.True(t, c.Add("b", at(1000)), "in the same second")
	require.True(t, c.Add("late", at(990)), "entries need not come in order")
	require.False(t, c.Add("late", at(990)))
	require.Equal(t, at(700), c.Since(), "with an overlap of five minutes, from the latest and not the last")
	require.True(t, c.Add("c", at(1290)))
	require.False(t, c.Add("b", at(1000)), "within the overlap all is known")
	require.True(t, c.Add("d", at(1301)))
	require.Len(t, c.known, 2, "and what is older is forgotten, since it is not asked for again")
	require.Equal(t, at(1301), c.Latest)
	require.Equal(t, at(1001), c.Since())
	require.True(t, c.Add("future", at(5001)))
	require.Equal(t, at(1001), c.Since(), "a wrong time does not end the reading")
	require.False(t, c.Add("future", at(5001)))
}

// Older entries are not yielded from a history, but are if they are reported as new.
func TestCursorKnowsWhatIsOld(t *testing.T) {
	c := newCursor(5000)
	at := time.Unix(1000, 0)
	c.Pass("old", at)
	require.False(t, c.Add("old", at))
	require.True(t, c.Tell("old", at))
	require.False(t, c.Tell("old", at))
	require.False(t, c.Add("old", at))
	require.True(t, c.Add("new", at))
	require.False(t, c.Tell("new", at))
	c.Pass("new", at)
	require.False(t, c.Tell("new", at), "what was given is not old")
	require.True(t, c.Tell("told", at))
	require.False(t, c.Add("told", at))
}

// Many entries, ten a second.
func TestCursorForgets(t *testing.T) {
	t.Parallel()
	c := Cursor[int]{Now: time.Now}
	most := 0
	for i := range many {
		at := time.Unix(int64(1000+i/10), 0)
		if !c.Add(i, at) || c.Add(i, at) {
			require.Fail(t, "not once", "entry %d", i)
		}
		most = max(most, len(c.known))
	}
	assert.LessOrEqual(t, most, 10*601+1, "those of the last ten minutes")
}
