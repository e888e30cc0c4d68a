package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The files of a clone are those of the commit, whatever git is set to for its user: line ends, filters, hooks, signed tags.
func TestSettingsOfGitChangeNoFile(t *testing.T) {
	home, repository := t.TempDir(), filepath.Join(t.TempDir(), "a repository")
	hook := filepath.Join(home, "template", "hooks", "post-checkout")
	settings := "[core]\n\tautocrlf = true\n\teol = crlf\n\tattributesFile = " + filepath.Join(home, "attributes") + "\n\thooksPath = " + filepath.Dir(hook) +
		"\n[init]\n\ttemplateDir = " + filepath.Join(home, "template") + "\n[filter \"shout\"]\n\tsmudge = tr a-z A-Z\n\tclean = cat\n" +
		"[tag]\n\tgpgSign = true\n[gpg]\n\tprogram = false\n[log]\n\tshowSignature = true\n"
	for name, text := range map[string]string{
		filepath.Join(home, ".gitconfig"): settings, filepath.Join(home, "attributes"): "* filter=shout\n", hook: "#!/bin/sh\necho hook >>file.txt\n",
		filepath.Join(repository, "file.txt"): "one\ntwo\n",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o700); err != nil { //nolint:gosec // one is a hook
			t.Fatal(err)
		}
	}
	e, err := newEnvironment(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	plain := e.with(environment{"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.DevNull})
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "file"}} {
		if _, err := plain.output(t.Context(), repository, "git", args...); err != nil {
			t.Fatal(err)
		}
	}
	commit, err := plain.text(t.Context(), repository, "git", "rev-parse", "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	r := &release{environment: e.with(environment{"HOME": home}), repository: repository, version: "0.2.0", commit: commit}
	s := stage{release: r, dir: filepath.Join(t.TempDir(), "a stage")}
	s.environment = r.with(s.own("UTC"))
	if err := os.MkdirAll(s.environment["HOME"], 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.checkOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(s.clone(), "file.txt"))
	if err != nil || string(text) != "one\ntwo\n" {
		t.Errorf("the file has %q, %v", text, err)
	}
	if said, err := s.text(t.Context(), s.clone(), "git", "describe", "--tags"); err != nil || said != "v0.2.0" {
		t.Errorf("the clone is %q, %v", said, err)
	}
}

// What -out names is removed first, so it must be a release, or nothing.
func TestFolderThatIsReplaced(t *testing.T) {
	repository := t.TempDir()
	for name, file := range map[string]string{"docs": "README.md", "dist": "SHA256SUMS"} {
		if err := os.Mkdir(filepath.Join(repository, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(repository, name, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for out, want := range map[string]string{
		"dist": "", "new": "", "dist/below": "", ".": "below the repository", "": "below the repository", "dist/..": "below the repository", "..": "below the repository",
		"/": "below the repository", "docs": "is no release", "docs/README.md": "not a directory",
	} {
		err := replaceable(repository, out)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", out, err, want)
		}
	}
}
