package browsertest

import (
	"encoding/json"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// The page reads and writes amounts as the client does, to the last digit.
func TestAmounts(t *testing.T) {
	t.Parallel()
	p := openConsole(t, start(t), "#/world")
	random := rand.New(rand.NewPCG(1, 2))
	type one struct {
		Decimals    int
		Text, Base  string
		Shown, Same string
	}
	var list []one
	scale := int64(1)
	for decimals := range 10 {
		asset := qredo.Asset{Code: "X", Scale: scale}
		for _, base := range []int64{1, 9, scale, scale - 1, scale + 1, 10 * scale, math.MaxInt64, math.MaxInt64 - 1, 1<<53 + 1, random.Int64(), random.Int64N(1 << 40)} {
			if base > 0 {
				list = append(list, one{Decimals: decimals, Text: asset.Format(qredo.Amount(base)), Base: strconv.FormatInt(base, 10)})
			}
		}
		scale *= 10
	}
	got := eval[[]one](p, `import('/console/format.js').then(f => `+quotedJSON(t, list)+`.map(o => ({...o, Shown: f.whole(BigInt(o.Base), o.Decimals), Same: String(f.parseWhole(o.Text, o.Decimals).base)})))`)
	require.Len(t, got, len(list))
	for i, o := range got {
		assert.Equal(t, list[i].Text, o.Shown, "%s with %d decimals", o.Base, o.Decimals)
		assert.Equal(t, list[i].Base, o.Same, "%s with %d decimals", o.Text, o.Decimals)
	}
	wrong := eval[[]bool](p, `import('/console/format.js').then(f => ['1e3', '-1', '1.2.3', ' ', '.', '0x10', '٣', '1_000', '9223372036854775808'].map(t => f.parseWhole(t, 0).base === undefined))`)
	assert.NotContains(t, wrong, false)
}

// Bodies are laid out without a change to what they say.
func TestIndent(t *testing.T) {
	t.Parallel()
	p := openConsole(t, start(t), "#/world")
	for text, want := range map[string]string{
		`{"a":[1.0e2,9007199254740993,{}],"b":"x\"{,}: [","c":[]}`: "{\n  \"a\": [\n    1.0e2,\n    9007199254740993,\n    {}\n  ],\n  \"b\": \"x\\\"{,}: [\",\n  \"c\": []\n}",
		`true`: "true", `{"a":1`: "<none>", `hello`: "<none>",
	} {
		assert.Equal(t, want, eval[string](p, `import('/console/format.js').then(f => f.indent(`+quoted(text)+`) ?? '<none>')`))
	}
	assert.Equal(t, `{"a":9007199254740993,"b":["x",null,true]}`, eval[string](p, `import('/console/format.js').then(f => f.encode({a: 9007199254740993n, b: ['x', null, true], c: undefined}))`))
}

// The page is small enough to be read in an afternoon, and asks nobody else for anything.
func TestPageIsSmall(t *testing.T) {
	t.Parallel()
	var bytes int64
	require.NoError(t, fs.WalkDir(os.DirFS("../internal/console/page"), ".", func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		bytes += info.Size()
		return err
	}))
	t.Logf("the console's page has %d bytes", bytes)
	assert.Less(t, bytes, int64(150_000))
	p := openConsole(t, start(t), "#/world")
	assert.Empty(t, eval[[]string](p, `performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith(location.origin + '/console/'))`))
}

func quotedJSON(t *testing.T, value any) string {
	t.Helper()
	out, err := json.Marshal(value)
	require.NoError(t, err)
	return string(out)
}
