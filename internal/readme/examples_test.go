package readme

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each folder of examples is in their index, once, and the index has no other. Each program's comment begins with its problem, and
// goes on with what is done about it.
func TestExamplesAreListed(t *testing.T) {
	folder := filepath.Join("..", "..", "examples")
	index, err := os.ReadFile(filepath.Join(folder, "README.md"))
	require.NoError(t, err)
	listed := map[string]int{}
	for _, row := range regexp.MustCompile(`(?m)^\| \[(\w+)\]\((\w+)\) \| (\S.*) \| (\S.*) \| .*\|$`).FindAllStringSubmatch(string(index), -1) {
		assert.Equal(t, row[1], row[2])
		listed[row[1]]++
	}
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	there := map[string]int{}
	for _, e := range entries {
		if e.IsDir() {
			there[e.Name()] = 1
		}
	}
	assert.Equal(t, there, listed, "folders in examples, and rows of its README.md")
	for name := range there {
		program, err := os.ReadFile(filepath.Join(folder, name, "main.go"))
		if os.IsNotExist(err) {
			assert.Contains(t, []string{"ci", "shell"}, name, "an example is a program")
			continue
		}
		require.NoError(t, err)
		comment, _, _ := strings.Cut(string(program), "\npackage main\n")
		problem, answer, _ := strings.Cut(comment, "\n//\n")
		assert.True(t, strings.HasPrefix(problem, "// Command "+name+": "), "%s: the comment begins with the problem", name)
		assert.True(t, strings.HasPrefix(answer, "// So "), "%s: what the example does about the problem comes next", name)
	}
}
