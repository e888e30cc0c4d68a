package world

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTextIndex(t *testing.T) {
	var x textIndex
	assert.Empty(t, x.find("a"))
	x.set(0, "Acme Exchange", "acme.example")
	x.set(1, "Zürich Bank", "")
	x.set(2, "", "acme.example")
	assert.Equal(t, []int{0, 2}, x.find("ACME"))
	assert.Equal(t, []int{1}, x.find("zÜr"))
	assert.Equal(t, []int{0, 1, 2}, x.find(""))
	assert.Empty(t, x.find("exchangeacme"), "a match does not reach from one part into the next")
	assert.Empty(t, x.find("exchange\xff"), "nor by naming what lies between")
	assert.Empty(t, x.find("\xff"))
	x.set(0, "Renamed")
	assert.Equal(t, []int{2}, x.find("acme"), "the old text is gone")
	assert.Equal(t, []int{0}, x.find("renamed"))
	x.set(3, "bad \xff\xfe bytes")
	assert.Equal(t, []int{3}, x.find("bad ? bytes"))
}

// Whatever is renamed how often, the index finds what looking at each would, and does not grow without end.
func TestTextIndexIsLikeLookingAtEach(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var x textIndex
	texts := map[int]string{}
	for i := range 20_000 {
		owner := random.IntN(300)
		texts[owner] = fmt.Sprintf("name %d of %d", random.IntN(500), owner)
		x.set(owner, texts[owner])
		if i%500 > 0 {
			continue
		}
		for _, wanted := range []string{"7", "name 1", fmt.Sprint(random.IntN(500)), "of 29"} {
			want := []int(nil)
			for owner := range 300 {
				if text, known := texts[owner]; known && strings.Contains(text, wanted) {
					want = append(want, owner)
				}
			}
			require.Equal(t, want, x.find(wanted), "%q after %d", wanted, i)
		}
	}
	assert.Less(t, len(x.buffer), 1<<17)
}
