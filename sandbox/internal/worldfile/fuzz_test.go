package worldfile_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/visible"
	"github.com/qredo-go/qredo/sandbox/internal/world"
	"github.com/qredo-go/qredo/sandbox/internal/worldfile"
)

func scratch(t *testing.T) *world.World {
	t.Helper()
	w, err := world.New(world.Config{
		Clock:   func() time.Time { return time.Unix(1_700_000_000, 0) },
		Choices: world.Choices{Fees: func(_ qredo.FeeType, _ qredo.AssetCode, net qredo.Amount) qredo.Amount { return net / 1000 }},
		Assets:  []qredo.Asset{{Code: "BTC-TESTNET", Scale: 100_000_000, TestAsset: true}, {Code: "ETH-TESTNET", Scale: 1_000_000_000, TestAsset: true}},
		Changed: func(world.Changes) {},
	})
	require.NoError(t, err)
	return w
}

func makeIt(t *testing.T, file *worldfile.File) (worldfile.Made, []worldfile.Problem) {
	t.Helper()
	made, problems, err := worldfile.Make(file, scratch(t), world.Caller{Account: "default"})
	require.NoError(t, err)
	return made, problems
}

func TestBuiltInWorldsAreRight(t *testing.T) {
	for name, data := range worldfile.BuiltIn() {
		file, problems := worldfile.Read(data)
		require.Empty(t, problems, name)
		assert.Equal(t, name, file.Name.Value)
		assert.NotEmpty(t, file.Description.Value)
		_, problems = makeIt(t, file)
		assert.Empty(t, problems, name)
	}
}

// Whatever a file says, it is read or refused: with places that are in it, in texts that can be shown, and without an end that depends on chance.
func FuzzWorldFile(f *testing.F) {
	for _, data := range worldfile.BuiltIn() {
		f.Add(data)
		f.Add(bytes.ReplaceAll(data, []byte("both"), []byte("either")))
		f.Add(bytes.ReplaceAll(data, []byte("0.1"), []byte("100000000000")))
	}
	if example, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "worlds.md")); err == nil {
		if _, example, found := bytes.Cut(example, []byte("```yaml\n")); found {
			example, _, _ = bytes.Cut(example, []byte("```"))
			f.Add(example)
		}
	}
	for _, text := range []string{"", "a: [", "users: [{email: a@b}]", "payments: [{from: a, to_wallet: b, amount: 1}]", "companies: [{name: a, funds: [{name: b, wallets: [{name: c, asset: BTC-TESTNET, balance: 1}]}]}]", "x: &a [*a]"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, problems := worldfile.Read(data)
		if len(problems) == 0 {
			var made [2]worldfile.Made
			made[0], problems = makeIt(t, file)
			made[1], _ = makeIt(t, file)
			require.Equal(t, made[0], made[1])
		}
		for _, p := range problems {
			require.NotEmpty(t, p.Text)
			require.Equal(t, visible.Text(p.Text), p.Text)
			require.LessOrEqual(t, p.Line, bytes.Count(data, []byte("\n"))+bytes.Count(data, []byte("\r"))+bytes.Count(data, []byte("\u0085"))+bytes.Count(data, []byte("\u2028"))+bytes.Count(data, []byte("\u2029"))+2)
		}
	})
}
