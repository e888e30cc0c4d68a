// Package ci tests the files of this folder, and those that the sandbox's image is built by. There is no container engine in it: the
// Dockerfile is read and checked as BuildKit does, and what it copies is built.
package ci_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/rhysd/actionlint"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const repository = "../.."

// The example's workflow, and this repository's own.
func TestGitHubWorkflows(t *testing.T) {
	lint, err := actionlint.NewLinter(os.Stderr, &actionlint.LinterOptions{Shellcheck: tool("shellcheck")})
	require.NoError(t, err)
	own, err := filepath.Glob(filepath.Join(repository, ".github", "workflows", "*"))
	require.NoError(t, err)
	require.Len(t, own, 3)
	for _, file := range append(own, "github.yml") {
		found, err := lint.LintFile(file, nil)
		require.NoError(t, err)
		assert.Empty(t, found, file)
	}
	// What each may do is said for each job, and no job that runs this repository's programs may write or sign.
	for _, file := range own {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		parsed, faults := actionlint.Parse(text)
		require.Empty(t, faults)
		require.NotNil(t, parsed.Permissions, file)
		for name, job := range parsed.Jobs {
			runs := false
			for _, step := range job.Steps {
				action, ok := step.Exec.(*actionlint.ExecAction)
				runs = runs || ok && strings.HasPrefix(action.Uses.Value, "actions/setup-go@")
			}
			permissions := parsed.Permissions
			if job.Permissions != nil {
				permissions = job.Permissions
			}
			require.Nil(t, permissions.All, "%s, %s: all of them are too many", file, name)
			for scope, permission := range permissions.Scopes {
				assert.False(t, runs && permission.Value.Value != "read", "%s, %s: %s", file, name, scope)
			}
		}
	}
}

// tool is the name of a program where it is installed.
func tool(name string) string {
	if _, err := exec.LookPath(name); err != nil {
		return ""
	}
	return name
}

func dockerfile(t *testing.T, name string) []instructions.Stage {
	t.Helper()
	file, err := os.Open(filepath.Join(repository, name))
	require.NoError(t, err)
	defer file.Close()
	parsed, err := parser.Parse(file)
	require.NoError(t, err)
	assert.Empty(t, parsed.Warnings)
	lint := linter.New(&linter.Config{Warn: func(rule, _, _, msg string, _ []parser.Range) { t.Errorf("%s: %s", rule, msg) }})
	stages, _, err := instructions.Parse(parsed.AST, lint)
	require.NoError(t, err)
	return stages
}

func TestDockerfile(t *testing.T) {
	stages := dockerfile(t, "Dockerfile")
	require.Len(t, stages, 2)
	image := stages[1]
	assert.Equal(t, "scratch", image.BaseName)
	commands := map[string]instructions.Command{}
	for _, c := range image.Commands {
		commands[c.Name()] = c
		_, runs := c.(*instructions.RunCommand)
		assert.False(t, runs, "there is no shell")
	}
	assert.Equal(t, "65532:65532", commands["USER"].(*instructions.UserCommand).User)
	assert.Equal(t, []string{"/data"}, commands["VOLUME"].(*instructions.VolumeCommand).Volumes)
	health := commands["HEALTHCHECK"].(*instructions.HealthCheckCommand).Health
	assert.Equal(t, []string{"CMD", "/qredo", "sandbox", "health"}, health.Test, "without a shell")
	assert.False(t, commands["ENTRYPOINT"].(*instructions.EntrypointCommand).PrependShell)
	assert.False(t, commands["CMD"].(*instructions.CmdCommand).PrependShell)
	assert.Equal(t, []string{"sandbox", "serve", "--listen", "0.0.0.0:8765", "--data", "/data"}, []string(commands["CMD"].(*instructions.CmdCommand).CmdLine))
}

// A release's image is the same, but for where the program comes from, and with its licences.
func TestDockerfileOfReleases(t *testing.T) {
	said := func(name string) (all, copies []string) {
		stages := dockerfile(t, name)
		require.Len(t, stages, 2)
		assert.Equal(t, "scratch", stages[1].BaseName)
		for _, c := range stages[1].Commands {
			text, ok := c.(interface{ String() string })
			require.True(t, ok, c.Name())
			switch c.Name() {
			case "COPY":
				copies = append(copies, text.String())
			case "ARG":
			default:
				all = append(all, text.String())
			}
		}
		return all, copies
	}
	here, copies := said("Dockerfile")
	released, others := said("tools/release/image/Dockerfile")
	assert.Equal(t, here, released)
	require.Len(t, copies, 3)
	assert.Equal(t, []string{copies[0], "COPY ${TARGETARCH}/qredo /qredo", "COPY LICENSE NOTICE /", "COPY --chown=65532:65532 data /data"}, others)
}

// The image is built from what .dockerignore lets through, which includes neither keys nor files that only tests need.
func TestImageIsBuiltOfItsContext(t *testing.T) {
	ignore, err := os.ReadFile(filepath.Join(repository, ".dockerignore"))
	require.NoError(t, err)
	patterns, err := ignorefile.ReadAll(bytes.NewReader(ignore))
	require.NoError(t, err)
	ignored, err := patternmatcher.New(patterns)
	require.NoError(t, err)
	dir := t.TempDir()
	files := 0
	require.NoError(t, filepath.WalkDir(repository, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(repository, path)
		if err != nil {
			return err
		}
		if out, err := ignored.MatchesOrParentMatches(filepath.ToSlash(name)); err != nil || out {
			return err
		}
		files++
		assert.NotRegexp(t, `_test\.go$|\.pem$|\.db$|^\.|testdata|apikey`, name)
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), data, 0o600)
	}))
	assert.Less(t, files, 1500)
	var run string
	for _, c := range dockerfile(t, "Dockerfile")[0].Commands {
		if c, ok := c.(*instructions.RunCommand); ok {
			run = strings.Join(c.CmdLine, " ")
		}
	}
	require.Contains(t, run, "go build")
	build := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(strings.ReplaceAll(run, "/out", dir+"/out"), "GOTOOLCHAIN=local ", "")) //nolint:gosec // our own file
	require.NoError(t, os.Mkdir(filepath.Join(dir, "out"), 0o700))
	build.Dir = dir
	said, err := build.CombinedOutput()
	require.NoError(t, err, string(said))
	version, err := exec.CommandContext(t.Context(), filepath.Join(dir, "out", "qredo"), "version").Output() //nolint:gosec // what was just built
	require.NoError(t, err)
	assert.Contains(t, string(version), "qredo ")
}
