package model

import (
	"flag"
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the tables of docs/scale.md")

const page = "../../docs/scale.md"

var places = regexp.MustCompile(`(?s)(<!-- model: (\w+) -->\n).*?(<!-- end -->\n)`)

// The tables of the page are what the model says: go test ./model -update writes them.
func TestPage(t *testing.T) {
	data, err := os.ReadFile(page)
	require.NoError(t, err)
	tables := Tables()
	var named []string
	want := places.ReplaceAllStringFunc(string(data), func(place string) string {
		parts := places.FindStringSubmatch(place)
		named = append(named, parts[2])
		return parts[1] + tables[parts[2]] + parts[3]
	})
	assert.ElementsMatch(t, slices.Collect(maps.Keys(tables)), named, "tables, and their places in the page")
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(want), 0o644))
		return
	}
	assert.Equal(t, want, string(data), "go test ./model -update writes them")
}

// Two looks in the first two seconds, one a second until eight; then ever fewer, and one in two minutes at last.
func TestLooks(t *testing.T) {
	for after, want := range map[time.Duration]float64{
		0: 1, time.Second: 1, 2 * time.Second: 2, 8 * time.Second: 8, 9 * time.Second: 9, 24 * time.Hour: 760,
	} {
		assert.InDelta(t, want, Looks(after), 6, "%s", after)
		if after < 10*time.Second {
			assert.InDelta(t, want, Looks(after), 1e-9, "%s", after)
		}
	}
}

// What breaks first is what has the least left, and more of it carries more.
func TestFirst(t *testing.T) {
	p := Usual()
	p.Replicas, p.Workers = 1, 2
	assert.Equal(t, "number of workers", p.Solve().First())
	p.Workers = 512
	signing := p.Solve()
	assert.Equal(t, Processors, signing.First())
	assert.InEpsilon(t, float64(p.Cores)/p.stations()[0].demand, signing.PerSecond, 0.01)
	p.Replicas, p.Cores, p.Workers, p.Database.Cores, p.Service.Latency = 4, 16, 128, 1, 20*time.Millisecond
	assert.Equal(t, DatabaseCPU, p.Solve().First())
	p.Service.Limit = 100
	limited := p.Solve()
	assert.Equal(t, RateLimit, limited.First())
	assert.InEpsilon(t, 100/(1+p.Looks)*(1-p.Retries), limited.PerSecond, 0.01)
	p.Service.Limit, p.Hot = 0, 1
	assert.Equal(t, HotRow, p.Solve().First())
	assert.Greater(t, p.Solve().Waiting, time.Duration(0))
	wait, share := p.Solve().Wait(p.Solve().PerSecond)
	assert.Equal(t, time.Duration(1<<63-1), wait)
	assert.InDelta(t, 1, share, 0)
}

// Nothing is used by more than all of it, and shares are what is demanded of it.
func TestShares(t *testing.T) {
	for _, p := range []Plan{Usual(), {Costs: Measured, Replicas: 3, Workers: 100, Cores: 1, Looks: 30, Database: Database{1, 1}, Service: Service{Latency: time.Second, Limit: 500, Servers: 40}}} {
		r := p.Solve()
		assert.NotEmpty(t, r.Busy)
		for _, u := range r.Busy {
			assert.LessOrEqual(t, u.Share, 1.0001, u.Name)
			assert.GreaterOrEqual(t, u.Waiting, time.Duration(0))
		}
	}
}
