package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// environment is all that programs see which are run here: settings of whoever runs this change nothing, except where modules come from.
type environment map[string]string

// fetching are the settings of the go command that say where modules come from, and how they are checked.
var fetching = []string{"GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOPROXY", "GOPRIVATE", "GOINSECURE", "GOAUTH", "GOVCS", "GOMODCACHE", "GOCACHE"}

func newEnvironment(ctx context.Context) (environment, error) {
	all := append([]string{"env", "-json"}, fetching...)
	out, err := exec.CommandContext(ctx, "go", all...).Output() //nolint:gosec // the arguments are those above
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	e := environment{}
	if err := json.Unmarshal(out, &e); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	for _, name := range []string{
		"PATH", "HOME", "TMPDIR", "USERPROFILE", "SYSTEMROOT", "TEMP", "TMP", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
		"SSL_CERT_FILE", "SSL_CERT_DIR",
	} {
		if value, ok := os.LookupEnv(name); ok {
			e[name] = value
		}
	}
	maps.Copy(e, environment{
		"GOENV": "off", "GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": runtime.Version(), "CGO_ENABLED": "0", "GOTELEMETRY": "off",
		"LC_ALL": "C", "TZ": "UTC",
	})
	return e, nil
}

// with is the environment with other settings besides.
func (e environment) with(other environment) environment {
	e = maps.Clone(e)
	maps.Copy(e, other)
	return e
}

// on is the environment for a platform, such as linux/amd64. None: this machine's.
func (e environment) on(platform string) environment {
	if platform == "" {
		return e
	}
	goos, goarch, _ := strings.Cut(platform, "/")
	return e.with(environment{"GOOS": goos, "GOARCH": goarch})
}

// output runs a program and returns what it prints.
func (e environment) output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // go, git, and what they have made
	var out, said bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &said
	for _, key := range slices.Sorted(maps.Keys(e)) {
		cmd.Env = append(cmd.Env, key+"="+e[key])
	}
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, said.String())
	}
	return out.String(), nil
}

// text is what output returns, without the ends of the lines around it.
func (e environment) text(ctx context.Context, dir, name string, args ...string) (string, error) {
	out, err := e.output(ctx, dir, name, args...)
	return strings.TrimSpace(out), err
}
