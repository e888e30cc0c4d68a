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

// Each connection tells what is still open.
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

func TestListed(t *testing.T) {
	var l Listed[string, change]
	add := func(id string, on bool) bool {
		if on {
			return l.Added(id, change{id, on})
		}
		return l.Left(id, change{id, on})
	}
	require.True(t, add("a", true))
	require.False(t, add("a", true))
	require.True(t, add("a", false))
	require.False(t, add("a", false))
	require.False(t, add("a", true), "a message that was delayed")
	require.True(t, add("b", false), "one that was never seen on it")
	for _, id := range []string{"d", "f", "c"} {
		require.True(t, add(id, true))
	}
	require.Equal(t, []string{"c", "f"}, l.Missing([]string{"d", "e"}), "in order")
	require.False(t, add("d", true))
	require.True(t, add("e", true))
	require.True(t, add("c", false))
	require.True(t, add("f", false))
	require.Empty(t, l.Missing([]string{"d", "e"}), "nothing happened since")
}

// Many come and go, whether their end is told or found out.
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
			for _, gone := range l.Missing(nil) {
				l.Left(gone, change{gone, false})
			}
			require.Empty(t, l.on)
		}
		most = max(most, len(l.on)+len(l.recent.has))
	}
	assert.LessOrEqual(t, most, RecentKeys+5_000)
}

func TestCursor(t *testing.T) {
	var c Cursor[string]
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
}

// Many entries, ten a second.
func TestCursorForgets(t *testing.T) {
	t.Parallel()
	var c Cursor[int]
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
