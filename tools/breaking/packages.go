package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
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
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedTypes | packages.NeedImports | packages.NeedDeps | packages.NeedSyntax | packages.NeedTypesInfo,
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
			if err := elsewhere(p); err != nil {
				return nil, err
			}
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
			changes := slices.Concat(apidiff.Changes(before, now).Changes, unseen(before, now))
			if len(changes) > 0 {
				found = append(found, name)
			}
			for _, c := range changes {
				kind := "breaking  "
				if c.Compatible || at == root && strings.HasPrefix(c.Message, "Version: value changed ") { // it does with each version
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

// elsewhere refuses what a package exports only on other systems, since it is not compared.
func elsewhere(p *packages.Package) error {
	for _, file := range p.IgnoredFiles {
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if parsed.Name.Name != p.Name || !ast.FileExports(parsed) {
			continue
		}
		for _, d := range parsed.Decls {
			for _, name := range declared(d) {
				if !exists(p.Types, name) {
					return fmt.Errorf("%s: %s is exported only on other systems than linux/amd64, and is not compared", file, strings.Join(name, "."))
				}
			}
		}
	}
	return nil
}

// declared are the names of a declaration; that of a method has its type before it.
func declared(d ast.Decl) (names [][]string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return [][]string{{d.Name.Name}}
		}
		receiver := strings.TrimPrefix(types.ExprString(d.Recv.List[0].Type), "*")
		receiver, _, _ = strings.Cut(receiver, "[")
		return [][]string{{receiver, d.Name.Name}}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, []string{spec.Name.Name})
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					names = append(names, []string{name.Name})
				}
			}
		}
	}
	return names
}

func exists(p *types.Package, name []string) bool {
	object := p.Scope().Lookup(name[0])
	if object == nil || len(name) == 1 {
		return object != nil
	}
	member, _, _ := types.LookupFieldOrMethod(object.Type(), true, p, name[1])
	return member != nil
}

// unseen are the changes that apidiff leaves out: of constraints of generic functions, and of tags of fields, which JSON follows.
func unseen(before, now *types.Package) (changes []apidiff.Change) {
	names := func(p *types.Package) string { return p.Path() }
	for _, name := range before.Scope().Names() {
		was, is := before.Scope().Lookup(name), now.Scope().Lookup(name)
		if !was.Exported() || is == nil {
			continue
		}
		if a, ok := was.Type().(*types.Signature); ok {
			if b, ok := is.Type().(*types.Signature); ok {
				from, to := constraints(a, names), constraints(b, names)
				if from != to {
					changes = append(changes, apidiff.Change{Message: fmt.Sprintf("%s: changed from [%s] to [%s]", name, from, to)})
				}
			}
		}
		a, ok := was.Type().Underlying().(*types.Struct)
		b, same := is.Type().Underlying().(*types.Struct)
		if !ok || !same {
			continue
		}
		tags := map[string]string{}
		for i := range b.NumFields() {
			tags[b.Field(i).Name()] = b.Tag(i)
		}
		for i := range a.NumFields() {
			field := a.Field(i)
			if tag, ok := tags[field.Name()]; ok && field.Exported() && tag != a.Tag(i) {
				changes = append(changes, apidiff.Change{Message: fmt.Sprintf("%s.%s: tag changed from %q to %q", name, field.Name(), a.Tag(i), tag)})
			}
		}
	}
	return changes
}

func constraints(s *types.Signature, names types.Qualifier) string {
	var all []string
	for p := range s.TypeParams().TypeParams() {
		all = append(all, types.TypeString(p.Constraint(), names))
	}
	return strings.Join(all, ", ")
}

var promoted = regexp.MustCompile(`^[^ ]*/[^ ]*\.(\w+), method set of \*?(\w+)`)

// subject is what a message of apidiff is about: Client.Do for "(*Client).Do: removed", and also if another package's type that is embedded lost it.
func subject(message string) string {
	if m := promoted.FindStringSubmatch(message); m != nil {
		return m[2] + "." + m[1]
	}
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
