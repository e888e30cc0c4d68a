package ci_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// TestAsAContainer runs the program as the image does, without a container engine: built as the Dockerfile builds it, in
// a read-only root of its own, as user nobody. Next to it, the test runs the job of examples/ci/gitlab.yml.
func TestAsAContainer(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to become nobody")
	}
	for _, name := range []string{"unshare", "ip", "mount", "openssl"} {
		if tool(name) == "" {
			t.Skipf("needs %s", name)
		}
	}
	if refused, err := exec.CommandContext(t.Context(), "unshare", "-mnp", "true").CombinedOutput(); err != nil {
		t.Skipf("needs to be allowed to make namespaces: %s", refused)
	}
	root, data, job := t.TempDir(), filepath.Join(t.TempDir(), "data"), t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", filepath.Join(root, "qredo"), "./cmd/qredo")
	build.Dir, build.Env = repository, append(os.Environ(), "CGO_ENABLED=0")
	said, err := build.CombinedOutput()
	require.NoError(t, err, string(said))
	require.NoError(t, os.Mkdir(filepath.Join(root, "data"), 0o755))
	require.NoError(t, os.Mkdir(data, 0o700))
	require.NoError(t, os.Chown(data, 65532, 65532))
	for _, dir := range []string{root, filepath.Dir(root)} {
		require.NoError(t, os.Chmod(dir, 0o755))
	}
	before := filepath.Join(job, "before.sh")
	require.NoError(t, os.WriteFile(before, []byte(gitlabJob(t)), 0o600))

	script, err := filepath.Abs("container.sh")
	require.NoError(t, err)
	_, err = os.Stat(script) // go test looks whether it has changed
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "unshare", "-mnpf", "--kill-child", "--mount-proc", "sh", script, root, data, before)
	cmd.Dir, cmd.Env = job, append(os.Environ(), "PATH="+root+string(os.PathListSeparator)+os.Getenv("PATH"))
	said, err = cmd.CombinedOutput()
	require.NoError(t, err, string(said))
	for _, line := range []string{
		"healthy", "tells where it is reached", "nobody", "the root is read-only", "controlled from within", "its data survive",
		"trusted by nobody who was not told", "a job's own key", "not controlled from elsewhere without the token", "controlled from elsewhere with it",
	} {
		assert.Contains(t, strings.Split(string(said), "\n"), line)
	}
}

// gitlabJob is what the job of examples/ci/gitlab.yml does before its tests, except for installing the program.
func gitlabJob(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("gitlab.yml")
	require.NoError(t, err)
	var file struct {
		Test struct {
			Image     string
			Timeout   string
			Variables map[string]string
			Services  []struct {
				Name, Alias string
				Command     []string
			}
			BeforeScript []string `yaml:"before_script"`
			Script       []string
		}
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(data)))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(&file))
	service := file.Test.Services[0]
	require.Equal(t, []string{"sandbox", "serve", "--listen", "0.0.0.0:8765", "--data", "/data", "--tls", "--public-url", "https://qredo:8765"}, service.Command)
	require.Equal(t, "https://"+service.Alias+":8765/api/v1/p", file.Test.Variables["QREDO_BASE_URL"])
	lines := slices.DeleteFunc(file.Test.BeforeScript, func(line string) bool { return strings.HasPrefix(line, "go install ") })
	require.Len(t, lines, len(file.Test.BeforeScript)-1)
	return "export QREDO_CONTROL_TOKEN=known-to-this-job-only-1\n" + strings.Join(lines, "\n") + "\n"
}
