package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) configList() *cobra.Command {
	return a.command(command{
		use: "list", short: "List the profiles",
		long: `Lists the profiles in the configuration file, where each sends requests, and which one is in use: the one that
--profile or QREDO_PROFILE names. Default: the file's choice. "qredo config show --profile NAME" shows a profile in full.`,
		example: "qredo config list",
		run:     func(context.Context, []string) error { return a.listProfiles() },
	})
}

// profileLine is one profile in the list.
type profileLine struct {
	Profile string `json:"profile"`
	InUse   bool   `json:"in_use"`
	Service string `json:"service"` // a base URL, or an environment
	Company string `json:"company"`
}

func (a *app) listProfiles() error {
	file, err := a.configFile()
	if err != nil {
		return err
	}
	var lines []profileLine
	for _, name := range slices.Sorted(maps.Keys(file.Profiles)) {
		values := file.Profiles[name]
		lines = append(lines, profileLine{
			name, name == a.settings.profile, withoutPassword(cmp.Or(values[keyBaseURL.name], values[keyEnvironment.name])), values[keyCompany.name],
		})
	}
	return a.list(found(lines, nil))
}

// configFile reads the configuration file. The result is empty if there is none.
func (a *app) configFile() (config, error) {
	path := a.configPath()
	if path == "" {
		return config{}, nil
	}
	file, err := readConfig(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return config{}, usagef("configuration: %v", err)
	}
	return file, nil
}

// withoutPassword is a URL that is safe to show. A text that does not parse may still be meant as a URL: then everything
// before the last @ is hidden if it could be a user and a password.
func withoutPassword(text string) string {
	if u, err := url.Parse(text); err == nil && u.User != nil && u.Host != "" && !strings.Contains(u.Host+u.Path, "@") {
		return u.Redacted()
	}
	at := strings.LastIndex(text, "@")
	if at < 0 {
		return text
	}
	scheme, _, slashes := strings.Cut(text[:at], "//")
	switch {
	case slashes:
		return scheme + "//(not shown)" + text[at:]
	case strings.Contains(scheme, ":"):
		return "(not shown)" + text[at:]
	}
	return text
}

// hasProfile refuses the name of an unknown profile.
func (c *config) hasProfile(name string) error {
	if _, found := c.Profiles[name]; found {
		return nil
	}
	names := slices.Sorted(maps.Keys(c.Profiles))
	if len(names) == 0 {
		return usagef("there is no profile %q; the file has none", name)
	}
	return usagef("there is no profile %q; the profiles are: %s", name, strings.Join(names, ", "))
}

func useProfile(c *config, _ string, args []string) error {
	if err := c.hasProfile(args[0]); err != nil {
		return err
	}
	c.Profile = args[0]
	return nil
}

func (a *app) configDelete() *cobra.Command {
	return a.configWriter(command{
		use: "delete PROFILE", short: "Remove a profile",
		long: `Removes a profile from the configuration file, but not the files that it names. If it is the one in use, no profile is
used until you choose one with "qredo config use": until then settings come from flags and the environment only.`,
		example: "qredo config delete demo",
	}, func(c *config, _ string, args []string) error {
		if err := c.hasProfile(args[0]); err != nil {
			return err
		}
		delete(c.Profiles, args[0])
		if c.Profile == args[0] {
			c.Profile = ""
			fmt.Fprintf(a.err, "%s was the profile in use: no profile is in use now, and settings come from flags and the environment only; choose one with qredo config use\n", plain(args[0]))
		}
		if a.env("QREDO_PROFILE") == args[0] {
			fmt.Fprintln(a.err, "QREDO_PROFILE still names it: commands will fail until you change that")
		}
		return nil
	})
}
