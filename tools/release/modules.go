package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const own = "github.com/qredo-go/qredo"

// module is a dependency: its licences, and what it is in.
type module struct {
	Path, Version string
	dirs          map[string]bool // with packages that are used
	root          string
	in            map[string]bool // "command", "otelqredo", packages of ours, or, of what does not ship, modules of ours
	licences      []string
	unknown       []string
	files         []string // of licences and notices
}

func (m *module) String() string { return strings.TrimSpace(m.Path + " " + m.Version) }

// modules are dependencies by name and version.
type modules map[string]*module

func (ms modules) sorted() []*module {
	var all []*module
	for _, m := range ms {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *module) int { return strings.Compare(a.String(), b.String()) })
	return all
}

func (ms modules) add(p *goPackage, in string) {
	if p.Module == nil || p.Module.Path == own || strings.HasPrefix(p.Module.Path, own+"/") {
		return
	}
	key := p.Module.Path + " " + p.Module.Version
	m := ms[key]
	if m == nil {
		m = &module{Path: p.Module.Path, Version: p.Module.Version, root: p.Module.Dir, dirs: map[string]bool{}, in: map[string]bool{}}
		ms[key] = m
	}
	m.dirs[p.Dir] = true
	m.in[in] = true
}

// goPackage is what the go command says of a package.
type goPackage struct {
	ImportPath, Dir, Name string
	Standard              bool
	Deps                  []string
	Module                *struct{ Path, Version, Dir string }
}

func (e environment) packages(ctx context.Context, dir string, platform string, patterns ...string) (map[string]*goPackage, error) {
	out, err := e.on(platform).output(ctx, dir, "go", append([]string{"list", "-deps", "-json=ImportPath,Dir,Name,Standard,Deps,Module"}, patterns...)...)
	if err != nil {
		return nil, err
	}
	all := map[string]*goPackage{}
	for d := json.NewDecoder(strings.NewReader(out)); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all[p.ImportPath] = &p
	}
}

// importable tells what those who import this module can import.
func importable(p *goPackage) bool {
	if p.Name == "main" || p.Module == nil || p.Module.Path != own {
		return false
	}
	return !slices.ContainsFunc(strings.Split(p.ImportPath, "/"), func(s string) bool { return s == "internal" || s == "examples" || s == "cmd" })
}

// shipped finds what the command is linked with on any of the platforms, and what importers get with each package.
func (e environment) shipped(ctx context.Context, repository string, on []string) (modules, error) {
	found := modules{}
	for _, platform := range on {
		all, err := e.packages(ctx, repository, platform, "./...")
		if err != nil {
			return nil, err
		}
		for _, p := range all {
			in := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, own), "/")
			switch {
			case p.ImportPath == own:
				in = "qredo"
			case p.ImportPath == own+"/cmd/qredo":
				in = "command"
			}
			if in != "command" && !importable(p) {
				continue
			}
			for _, dep := range p.Deps {
				found.add(all[dep], in)
			}
		}
		otel, err := e.packages(ctx, filepath.Join(repository, "otelqredo"), platform, "./...")
		if err != nil {
			return nil, err
		}
		for _, p := range otel {
			found.add(p, "otelqredo")
		}
	}
	goroot, err := e.output(ctx, repository, "go", "env", "GOROOT", "GOVERSION")
	if err != nil {
		return nil, err
	}
	root, version, _ := strings.Cut(strings.TrimSpace(goroot), "\n")
	found["std"] = &module{Path: "std", Version: version, root: root, dirs: map[string]bool{root: true}, in: map[string]bool{"command": true}}
	return found, found.read()
}

// others finds what is only for tests, tools and examples: of every module of this repository, without what ships.
func (e environment) others(ctx context.Context, repository string, ship modules) (modules, error) {
	found := modules{}
	err := filepath.WalkDir(repository, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == ".git") {
			return filepath.SkipDir
		}
		if entry.Name() != "go.mod" {
			return nil
		}
		dir := filepath.Dir(path)
		all, err := e.packages(ctx, dir, "", "-test", "./...", "tool")
		if err != nil {
			return err
		}
		name, err := filepath.Rel(repository, dir)
		for _, p := range all {
			if p.Module == nil || ship[p.Module.Path+" "+p.Module.Version] == nil {
				found.add(p, filepath.ToSlash(name))
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, found.read()
}

var (
	licenceFile   = regexp.MustCompile(`(?i)^([a-z0-9]+[._-])*(licen[sc]es?|copying|unlicense|notice)([._-].*)?$`)
	noticeFile    = regexp.MustCompile(`(?i)^notice([._-].*)?$`)
	licenceFolder = regexp.MustCompile(`(?i)^licen[sc]es$`) // https://reuse.software
	sourceFile    = regexp.MustCompile(`(?i)\.(go|tmpl|sh|json|ya?ml|xml|proto|py)$`)
)

// read reads the licences in each module's folder, and in those of packages that are used.
func (ms modules) read() error {
	for _, m := range ms {
		folders := map[string]bool{m.root: true}
		for dir := range m.dirs {
			for ; strings.HasPrefix(dir, m.root) && len(dir) > len(m.root); dir = filepath.Dir(dir) {
				folders[dir] = true
			}
		}
		for folder := range folders {
			entries, err := os.ReadDir(folder)
			if err != nil {
				return fmt.Errorf("%s: %w", m, err)
			}
			for _, entry := range entries {
				if entry.IsDir() && folder == m.root && licenceFolder.MatchString(entry.Name()) {
					inside, err := os.ReadDir(filepath.Join(folder, entry.Name()))
					if err != nil {
						return fmt.Errorf("%s: %w", m, err)
					}
					for _, file := range inside {
						if !file.IsDir() && !sourceFile.MatchString(file.Name()) {
							m.files = append(m.files, filepath.Join(folder, entry.Name(), file.Name()))
						}
					}
				}
				if !entry.IsDir() && licenceFile.MatchString(entry.Name()) && !sourceFile.MatchString(entry.Name()) {
					m.files = append(m.files, filepath.Join(folder, entry.Name()))
				}
			}
		}
		slices.Sort(m.files)
		if err := m.classify(); err != nil {
			return err
		}
	}
	return nil
}

func (m *module) classify() error {
	for _, file := range m.files {
		if noticeFile.MatchString(filepath.Base(file)) {
			continue // it names people and programs; it is no licence
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		ids, unknown := classify(string(text))
		m.licences = append(m.licences, ids...)
		if unknown != "" {
			m.unknown = append(m.unknown, fmt.Sprintf("%s: %q", strings.TrimPrefix(file, m.root+string(filepath.Separator)), unknown))
		}
	}
	slices.Sort(m.licences)
	m.licences = slices.Compact(m.licences)
	if len(m.licences)+len(m.unknown) == 0 {
		m.unknown = []string{"it has no file with a licence"}
	}
	return nil
}
