package main

import (
	"errors"
	"fmt"
	"go/types"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/exp/apidiff"
	"golang.org/x/tools/go/packages"
)

// load returns the packages of a module that others can import. A folder without a module has none.
func load(dir string) (map[string]*types.Package, error) {
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	found, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedDeps | packages.NeedSyntax | packages.NeedTypesInfo,
		Dir:  dir,
		Env:  append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64"), // the same of both
	}, "./...")
	if err != nil {
		return nil, err
	}
	all := map[string]*types.Package{}
	for _, p := range found {
		if len(p.Errors) > 0 {
			return nil, fmt.Errorf("%s: %w", p.PkgPath, p.Errors[0])
		}
		if p.Name != "main" && !slices.Contains(strings.Split(p.PkgPath, "/"), "internal") && p.Types.Scope().Len() > 0 {
			all[p.PkgPath] = p.Types
		}
	}
	return all, nil
}

// report returns how the packages of a module have changed, as lines, and the names of what breaks programs.
func report(was, is map[string]*types.Package) (found, breaks []string) {
	root := commonRoot(was, is)
	for _, at := range slices.Sorted(maps.Keys(union(was, is))) {
		name := short(at, root)
		switch before, now := was[at], is[at]; {
		case now == nil:
			found = append(found, name, "  breaking    the package: removed")
			breaks = append(breaks, name)
		case before == nil:
			found = append(found, name, "  compatible  the package: added")
		default:
			changes := apidiff.Changes(before, now).Changes
			if len(changes) > 0 {
				found = append(found, name)
			}
			for _, c := range changes {
				kind := "breaking  "
				if c.Compatible {
					kind = "compatible"
				} else if what := name + "." + subject(c.Message); !slices.Contains(breaks, what) {
					breaks = append(breaks, what)
				}
				found = append(found, "  "+kind+"  "+c.Message)
			}
		}
	}
	return found, breaks
}

// subject is what a message of apidiff is about: Client.Do for "(*Client).Do: removed".
func subject(message string) string {
	name, _, _ := strings.Cut(message, ": ")
	name, _, _ = strings.Cut(name, ", ") // a part of it, such as its method set
	return strings.NewReplacer("(*", "", ")", "").Replace(name)
}

// commonRoot is the shortest path, which that of a module is.
func commonRoot(all ...map[string]*types.Package) (root string) {
	for _, some := range all {
		for at := range some {
			if root == "" || len(at) < len(root) {
				root = at
			}
		}
	}
	return root
}

// short is how CHANGELOG.md calls a package: by its path in the module, or the module's last part.
func short(at, root string) string {
	if rest, ok := strings.CutPrefix(at, root+"/"); ok {
		return rest
	}
	return path.Base(at)
}

func union(a, b map[string]*types.Package) map[string]*types.Package {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]*types.Package{}
	}
	maps.Copy(all, b)
	return all
}
