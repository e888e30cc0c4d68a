package main

import (
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/mod/semver"
)

var (
	section = regexp.MustCompile(`(?m)^## \[([^\]]+)\]`)
	part    = regexp.MustCompile(`(?m)^### +(.+)$`)
	quoted  = regexp.MustCompile("`([^`\n]+)`")
)

// next returns the name and the text of the section for the version that comes after one: the first of the changelog, if it is later.
func next(changelog, last string) (name, text string) {
	heads := section.FindAllStringSubmatchIndex(changelog, 2)
	if len(heads) == 0 {
		return "", ""
	}
	name = changelog[heads[0][2]:heads[0][3]]
	if semver.IsValid("v"+name) && semver.Compare("v"+name, last) <= 0 {
		return "", ""
	}
	end := len(changelog)
	if len(heads) > 1 {
		end = heads[1][0]
	}
	return name, changelog[heads[0][1]:end]
}

// breaking returns what a section names as breaking: what is in backquotes in its part "Breaking" or "Breaking changes".
func breaking(text string) map[string]bool {
	names := map[string]bool{}
	heads := part.FindAllStringSubmatchIndex(text, -1)
	for i, head := range heads {
		if title := strings.TrimSpace(text[head[2]:head[3]]); title != "Breaking" && title != "Breaking changes" {
			continue
		}
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		for _, name := range quoted.FindAllStringSubmatch(text[head[1]:end], -1) {
			names[name[1]] = true
		}
	}
	return names
}

// allowed returns a function that says why a breaking change must not be, or nil.
func allowed(changelog, last string) func(name string) error {
	version, text := next(changelog, last)
	named := breaking(text)
	return func(name string) error {
		switch {
		case semver.Major(last) != "v0":
			return fmt.Errorf("%s: this breaks programs, which may not happen after %s without a new module path", name, last)
		case version == "":
			return fmt.Errorf("%s: this breaks programs, and CHANGELOG.md has no section for the version after %s", name, last)
		case semver.IsValid("v"+version) && semver.MajorMinor("v"+version) == semver.MajorMinor(last):
			return fmt.Errorf("%s: this breaks programs, which a patch version may not: make %s a minor version", name, version)
		case !named[name]:
			return fmt.Errorf("%s: this breaks programs: name it in CHANGELOG.md, in section %s under \"### Breaking\", as `%s`", name, version, name)
		}
		return nil
	}
}
