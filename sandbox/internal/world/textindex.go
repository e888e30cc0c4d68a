package world

import (
	"bytes"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// textIndex finds those of many short texts that have a text in them, without regard to case. They stand one behind the
// other in one buffer, which is searched at once: that is a hundred times as fast as to look at each.
type textIndex struct {
	buffer []byte
	starts []int       // of the texts in it
	owners []int       // whose each is
	place  map[int]int // of each owner's text among them
	live   int         // bytes of texts that are not out of date
}

// separator is in no text: it is not UTF-8.
const separator = 0xff

// set gives an owner a text, in place of the one before. Its parts are searched each for itself.
func (x *textIndex) set(owner int, parts ...string) {
	if x.place == nil {
		x.place = map[int]int{}
	}
	if old, known := x.place[owner]; known {
		gone := x.text(old)
		for i := range gone {
			gone[i] = separator
		}
		x.live -= len(gone)
	}
	x.place[owner] = len(x.starts)
	x.starts, x.owners = append(x.starts, len(x.buffer)), append(x.owners, owner)
	for _, part := range parts {
		x.buffer = append(append(x.buffer, strings.ToLower(strings.ToValidUTF8(part, "?"))...), separator)
	}
	x.live += len(x.text(len(x.starts) - 1))
	if len(x.buffer) > 2*x.live+1<<16 {
		x.compact()
	}
}

func (x *textIndex) text(place int) []byte {
	end := len(x.buffer)
	if place+1 < len(x.starts) {
		end = x.starts[place+1]
	}
	return x.buffer[x.starts[place]:end]
}

// compact leaves out what is out of date.
func (x *textIndex) compact() {
	old := *x
	*x = textIndex{place: map[int]int{}, live: old.live}
	for place, owner := range old.owners {
		if old.place[owner] == place {
			x.place[owner] = len(x.starts)
			x.starts, x.owners = append(x.starts, len(x.buffer)), append(x.owners, owner)
			x.buffer = append(x.buffer, old.text(place)...)
		}
	}
}

// find returns the owners of texts that have a text in them, in ascending order.
func (x *textIndex) find(text string) []int {
	if !utf8.ValidString(text) {
		return nil
	}
	var found []int
	for wanted, from := []byte(strings.ToLower(text)), 0; from < len(x.buffer); {
		i := bytes.Index(x.buffer[from:], wanted)
		if i < 0 {
			break
		}
		at := from + i
		place := sort.Search(len(x.starts), func(k int) bool { return x.starts[k] > at }) - 1
		if x.place[x.owners[place]] == place {
			found = append(found, x.owners[place])
		}
		from = x.starts[place] + len(x.text(place))
	}
	slices.Sort(found)
	return found
}
