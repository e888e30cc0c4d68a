package sandbox_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

// A whole story by HTTP, told and judged by Python: its integers have no bounds, and its decimals are exact.
func TestStoryInPython(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3: ", err)
	}
	s, err := sandbox.Start(sandbox.WithUnsigned(), sandbox.WithKey("own", &ownKey().PublicKey))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	out, err := exec.CommandContext(t.Context(), python, "-X", "utf8", "testdata/story.py", s.URL(), "own").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "told\n", string(out))
}
