// Typecheck checks that the packages and tests of the folder it runs in have no error on other systems, from the sources alone: typecheck GOOS/GOARCH...
// It compiles nothing, which for three systems and all that is imported would take longer than the rest of the checks.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/tools/go/packages"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "typecheck:", err)
		os.Exit(1)
	}
}

func run(systems []string) error {
	if len(systems) == 0 {
		return errors.New("name systems, such as windows/amd64")
	}
	var found []error
	for _, system := range systems {
		goos, goarch, ok := strings.Cut(system, "/")
		if !ok {
			return fmt.Errorf("%s is not GOOS/GOARCH", system)
		}
		loaded, err := packages.Load(&packages.Config{
			Mode:  packages.LoadAllSyntax,
			Env:   append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0"),
			Tests: true,
		}, "./...")
		if err != nil {
			return fmt.Errorf("%s: %w", system, err)
		}
		packages.Visit(loaded, nil, func(p *packages.Package) {
			for _, e := range p.Errors {
				found = append(found, fmt.Errorf("%s: %w", system, e))
			}
		})
		fmt.Printf("%s: %d packages and tests\n", system, len(loaded))
	}
	return errors.Join(found...)
}
