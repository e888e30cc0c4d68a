package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The files are what the generator makes from the client's source, and there are no others.
func TestFakesAreGenerated(t *testing.T) {
	for _, of := range []struct{ source, path, name, out string }{
		{"../../..", "github.com/qredo-go/qredo", "qredotest", "../.."},
		{"../../../qapi", "github.com/qredo-go/qredo/qapi", "qapitest", "../../qapitest"},
	} {
		files, err := Generate(of.source, of.path, of.name)
		require.NoError(t, err)
		require.Greater(t, len(files), 6)
		for file, want := range files {
			have, err := os.ReadFile(filepath.Join(of.out, file))
			require.NoError(t, err, "go generate ./qredotest/... writes it")
			require.Equal(t, string(want), string(have), "%s is not as the client is now: go generate ./qredotest/...", file)
		}
		there, err := filepath.Glob(filepath.Join(of.out, "fake_*.go"))
		require.NoError(t, err)
		for _, file := range there {
			if base := filepath.Base(file); base != "fake_test.go" {
				assert.Contains(t, files, base, "the file of no service: remove it")
			}
		}
	}
}

func TestGenerateRefuses(t *testing.T) {
	for name, method := range map[string]string{
		"no error":        "func (s *ThingsService) Get(ctx context.Context) int",
		"no name":         "func (s *ThingsService) Get(context.Context) error",
		"not Go":          "func (s *ThingsService",
		"not an iterator": "func (s *ThingsService) All(ctx context.Context) iter.Seq[int]",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "a.go"), []byte("package a\n\n"+method+" { panic(0) }\n"), 0o600))
			_, err := Generate(dir, "example.com/a", "atest")
			require.Error(t, err)
		})
	}
}

func TestGenerateWritesTypes(t *testing.T) {
	dir := t.TempDir()
	source := `package a

func (s *ThingsService) Each(ctx context.Context, by map[Key][]*Thing, opts ...Option) (Thing, bool, error) { panic(0) }
func (s *ThingsService) hidden()                                                                          {}
func (s ThingsService) All(ctx context.Context, a, b qredo.Amount) iter.Seq2[*Thing, error]               { panic(0) }
`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.go"), []byte(source), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a_test.go"), []byte("not read"), 0o600))
	files, err := Generate(dir, "example.com/a", "atest")
	require.NoError(t, err)
	require.Len(t, files, 2)
	text := string(files["fake_things.go"])
	assert.Contains(t, text, "Each(ctx context.Context, by map[a.Key][]*a.Thing, opts ...a.Option) (a.Thing, bool, error)")
	assert.Contains(t, text, "var none0 a.Thing\n\t\tvar none1 bool\n\t\treturn none0, none1, f.log.Unset")
	assert.Contains(t, text, "All(ctx context.Context, a qredo.Amount, b qredo.Amount) iter.Seq2[*a.Thing, error]")
	assert.Contains(t, text, "return qredotest.EachThen[*a.Thing](f.log.Unset(")
	assert.NotContains(t, text, "hidden")
}
