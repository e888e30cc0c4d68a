package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// stage makes all files of a release once, in a folder of its own.
type stage struct {
	*release
	environment // not the release's: caches, home and time zone are the stage's own

	dir, sbomTool string
	began         time.Time // of what is done next
}

// done says how long something took.
func (s *stage) done(what string) {
	fmt.Fprintf(os.Stdout, "  %4.0f s  %s\n", time.Since(s.began).Seconds(), what)
	s.began = time.Now()
}

// own are the settings that a stage has of its own: no user's and no machine's settings of git, among others.
func (s *stage) own(zone string) environment {
	return environment{"HOME": filepath.Join(s.dir, "home"), "TZ": zone, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.DevNull}
}

func (s *stage) clone() string { return filepath.Join(s.dir, "qredo") }

func (s *stage) make(ctx context.Context) (map[string][]byte, error) {
	if err := os.MkdirAll(s.environment["HOME"], 0o700); err != nil {
		return nil, err
	}
	if err := s.checkOut(ctx); err != nil {
		return nil, err
	}
	s.began = time.Now()
	common, err := s.common(ctx)
	if err != nil {
		return nil, err
	}
	s.done("licences, manual pages, completions")
	files := map[string][]byte{}
	image := slices.Clone(common.legal)
	for _, platform := range s.platforms {
		binary, err := s.build(ctx, platform)
		if err != nil {
			return nil, err
		}
		if err := s.archive(files, platform, binary, common); err != nil {
			return nil, err
		}
		if arch, ok := strings.CutPrefix(platform, "linux/"); ok {
			image = append(image, entry{arch + "/qredo", binary, executable}, entry{name: arch + "/", mode: executable})
		}
		s.done(platform)
		if err := s.sbom(ctx, files, platform, common.ship); err != nil {
			return nil, err
		}
		s.done(platform + ", bill of materials")
	}
	if err := s.sbom(ctx, files, "", common.ship); err != nil {
		return nil, err
	}
	s.done("module, bill of materials")
	if err := s.image(files, image); err != nil {
		return nil, err
	}
	files["licences.csv"] = common.report
	if s.notes != "" {
		files["release-notes.md"] = []byte(s.notes)
	}
	return files, nil
}

// checkOut makes the clone, with the commit's files and the tag.
func (s *stage) checkOut(ctx context.Context) error {
	// The tag is the clone's own, so that programs and bills of materials have the version whether or not it was tagged before.
	// Only the clone is made with the user's settings of git, which say whether a repository of somebody else is trusted. Others could change the
	// files: line ends, filters, hooks.
	if _, err := s.release.output(ctx, s.dir, "git", "clone", "--quiet", "--no-checkout", "--no-tags", "--template=", s.repository, s.clone()); err != nil {
		return err
	}
	for _, step := range [][]string{{"checkout", "--quiet", "--detach", s.commit}, {"tag", "v" + s.version, s.commit}} {
		if _, err := s.output(ctx, s.clone(), "git", step...); err != nil {
			return err
		}
	}
	return nil
}

// build builds the command. Its version, commit and date are in it by the go command itself.
func (s *stage) build(ctx context.Context, platform string) ([]byte, error) {
	file := filepath.Join(s.dir, "bin", strings.ReplaceAll(platform, "/", "_"))
	_, err := s.on(platform).output(ctx, s.clone(), "go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w -buildid=", "-o", file, "./cmd/qredo")
	if err != nil {
		return nil, err
	}
	return os.ReadFile(file)
}

// common is what all archives have.
type common struct {
	legal, docs []entry
	report      []byte
	ship        modules
}

func (s *stage) common(ctx context.Context) (*common, error) {
	ship, err := s.shipped(ctx, s.clone(), platforms)
	if err != nil {
		return nil, err
	}
	if err := ship.check(); err != nil {
		return nil, err
	}
	report, err := ship.report()
	if err != nil {
		return nil, err
	}
	notice, err := ship.notice(s.version)
	if err != nil {
		return nil, err
	}
	licence, err := os.ReadFile(filepath.Join(s.clone(), "LICENSE"))
	if err != nil {
		return nil, err
	}
	readme, err := os.ReadFile(filepath.Join(s.clone(), "README.md"))
	if err != nil {
		return nil, err
	}
	c := &common{report: report, ship: ship, legal: []entry{{"LICENSE", licence, readable}, {"NOTICE", notice, readable}}}
	c.docs, err = s.documents(ctx)
	c.docs = append(c.docs, entry{"README.md", readme, readable})
	return c, err
}

// completions are the files with what a shell completes, by the name of the shell. They are called as the shell looks for them.
var completions = map[string]string{"bash": "qredo.bash", "zsh": "_qredo", "fish": "qredo.fish", "powershell": "qredo.ps1"}

// documents are the manual pages and completions, which the program writes itself. It must know what it is.
func (s *stage) documents(ctx context.Context) ([]entry, error) {
	here := runtime.GOOS + "/" + runtime.GOARCH
	if _, err := s.build(ctx, here); err != nil {
		return nil, err
	}
	qredo := filepath.Join(s.dir, "bin", strings.ReplaceAll(here, "/", "_"))
	said, err := s.output(ctx, s.dir, qredo, "version", "--output", "json")
	if err != nil {
		return nil, err
	}
	var is struct {
		Version, Commit, Date, Go string
		Modified                  bool
	}
	if err := json.Unmarshal([]byte(said), &is); err != nil {
		return nil, err
	}
	if is.Version != s.version || is.Commit != s.commit || is.Go != runtime.Version() || is.Modified || is.Date != s.at.UTC().Format("2006-01-02T15:04:05Z") {
		return nil, fmt.Errorf("the program says it is %s, which is not version %s of commit %s", strings.TrimSpace(said), s.version, s.commit)
	}
	var docs []entry
	for shell, name := range completions {
		script, err := s.output(ctx, s.dir, qredo, "completion", shell)
		if err != nil {
			return nil, err
		}
		docs = append(docs, entry{"completions/" + name, []byte(script), readable})
	}
	pages := filepath.Join(s.dir, "man1")
	if _, err := s.output(ctx, s.dir, qredo, "man", "--dir", pages); err != nil {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(pages, "*.1"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s man --dir wrote no page", qredo)
	}
	for _, name := range names {
		page, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		docs = append(docs, entry{"man/man1/" + filepath.Base(name), page, readable})
	}
	for _, d := range docs {
		if bytes.Contains(d.data, []byte(s.dir)) {
			return nil, fmt.Errorf("%s names the folder that it was made in", d.name)
		}
	}
	return docs, nil
}

// archive packs the program for a platform: in a folder named like the archive.
func (s *stage) archive(files map[string][]byte, platform string, binary []byte, c *common) error {
	name := fmt.Sprintf("qredo_%s_%s", s.version, strings.ReplaceAll(platform, "/", "_"))
	pack, program, end := tarball, "qredo", ".tar.gz"
	if strings.HasPrefix(platform, "windows/") {
		pack, program, end = zipped, "qredo.exe", ".zip"
	}
	entries := []entry{{name + "/" + program, binary, executable}}
	for _, e := range slices.Concat(c.legal, c.docs) {
		e.name = name + "/" + e.name
		entries = append(entries, e)
	}
	data, err := pack(entries, s.at)
	files[name+end] = data
	return err
}

// image packs what an image is built from: the programs for Linux, and a Dockerfile that copies them.
func (s *stage) image(files map[string][]byte, entries []entry) error {
	dockerfile, err := os.ReadFile(filepath.Join(s.clone(), "tools", "release", "image", "Dockerfile"))
	if err != nil {
		return err
	}
	entries = append(entries, entry{"Dockerfile", dockerfile, readable}, entry{name: "data/", mode: executable})
	data, err := tarball(entries, s.at)
	files[fmt.Sprintf("qredo_%s_image.tar.gz", s.version)] = data
	return err
}
