package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/qredo-go/qredo/internal/durable"
)

// config is the configuration file. It names files that hold keys, and holds none.
type config struct {
	Profile  string                       `yaml:"profile,omitempty"`
	Profiles map[string]map[string]string `yaml:"profiles"`
}

// configPath is where the configuration file is, or would be.
func (a *app) configPath() string {
	if path := cmp.Or(a.global.config, a.env("QREDO_CONFIG")); path != "" {
		return path
	}
	dir := a.env("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(a.env("HOME"), ".config")
	}
	return filepath.Join(dir, "qredo", "config.yaml")
}

func readConfig(path string) (config, error) {
	c := config{}
	data, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil && len(bytes.TrimSpace(data)) > 0 {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	for name, values := range c.Profiles {
		for key := range values {
			switch known := settingByName(key); {
			case known == nil:
				return c, fmt.Errorf("%s: profile %s has %s, which is no setting", path, name, key)
			case known.secret:
				return c, fmt.Errorf("%s: profile %s has %s: secrets do not belong in this file; keep it in a file of its own and name that as %s_file", path, name, key, key)
			}
		}
	}
	return c, nil
}

func expandHome(path string, env func(string) string) string {
	if rest, found := strings.CutPrefix(path, "~/"); found {
		return filepath.Join(env("HOME"), rest)
	}
	return path
}

func (a *app) configCommands() *cobra.Command {
	return group("config", "Profiles in the configuration file",
		`Profiles hold settings that would otherwise be given as flags or in the environment. The file names files
that hold keys; it never holds a key. See "qredo help configuration".`, `
		qredo config set base_url http://127.0.0.1:8765/api/v1/p --profile demo
		qredo config use demo
		qredo config show`,
		a.command(command{
			use: "path", short: "Print where the configuration file is",
			long:    "Prints the path of the configuration file, whether it exists or not.",
			example: "qredo config path",
			run: func(context.Context, []string) error {
				fmt.Fprintln(a.out, a.configPath())
				return nil
			},
		}),
		a.command(command{
			use: "show", short: "Print the settings in force and where each comes from",
			long: `Prints each setting that has a value, and whether that comes from a flag, the environment or a profile. Of
secrets it tells only that they are set.`,
			example: "qredo config show\nqredo config show --profile demo --output json",
			run:     func(context.Context, []string) error { return a.showConfig() },
		}),
		a.configWriter(command{
			use: "set KEY VALUE", short: "Write a setting to a profile",
			long: `Writes a setting to the profile that --profile names (else the one in use, else "default"), which is made if
need be. Files are written with their full path and must exist. Keys and secrets themselves are refused.`,
			example: "qredo config set base_url http://127.0.0.1:8765/api/v1/p --profile demo\nqredo config set api_key_file ./apikey --profile demo",
		}, setConfig),
		a.configWriter(command{
			use: "unset KEY", short: "Remove a setting from a profile",
			long:    "Removes a setting from the profile that --profile names, else from the one in use.",
			example: "qredo config unset company --profile demo",
		}, func(c *config, profile string, args []string) error {
			delete(c.Profiles[profile], args[0])
			return nil
		}),
		a.configWriter(command{
			use: "use PROFILE", short: "Choose the profile that is used unless --profile says otherwise",
			long:    "Writes to the file which profile is used where neither --profile nor QREDO_PROFILE names one.",
			example: "qredo config use demo",
		}, func(c *config, _ string, args []string) error {
			if c.Profiles[args[0]] == nil {
				return usagef("there is no profile %q, there are: %s", args[0], strings.Join(slices.Sorted(maps.Keys(c.Profiles)), ", "))
			}
			c.Profile = args[0]
			return nil
		}),
	)
}

// configWriter makes a command that changes the file. It does not need the profile to exist.
func (a *app) configWriter(c command, change func(c *config, profile string, args []string) error) *cobra.Command {
	cmd := a.command(c)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		a.started = true
		path := a.configPath()
		file, err := readConfig(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return usagef("configuration: %v", err)
		}
		profile := cmp.Or(a.global.profile, a.env("QREDO_PROFILE"), file.Profile, "default")
		if err := change(&file, profile, args); err != nil {
			return err
		}
		data, err := yaml.Marshal(file)
		if err != nil {
			return err
		}
		if err := durable.MkdirAll(filepath.Dir(path)); err != nil {
			return err
		}
		return durable.Replace(path, data)
	}
	return cmd
}

func setConfig(c *config, profile string, args []string) error {
	name, value := args[0], args[1]
	key := settingByName(name)
	switch {
	case key == nil:
		var names []string
		for _, k := range settingKeys {
			if !k.secret {
				names = append(names, k.name)
			}
		}
		return usagef("%q is no setting, there are: %s", name, strings.Join(names, ", "))
	case key.secret:
		return usagef("%s is a secret and is not written to the configuration: keep it in a file of its own and set %s_file", name, name)
	case strings.HasSuffix(name, "_file"):
		path, err := filepath.Abs(value)
		if err != nil {
			return err
		}
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			return usagef("%s must name a file that exists", name)
		}
		value = path
	case key.values != nil:
		if err := oneOf(name, value, key.values...); err != nil {
			return err
		}
	}
	if c.Profiles == nil { // a new file, or one with nothing below "profiles:"
		c.Profiles = map[string]map[string]string{}
	}
	if c.Profiles[profile] == nil {
		c.Profiles[profile] = map[string]string{}
	}
	c.Profiles[profile][name] = value
	if c.Profile == "" {
		c.Profile = profile
	}
	return nil
}

func (a *app) showConfig() error {
	type line struct{ Setting, Value, Source string }
	var lines []line
	for _, k := range settingKeys {
		set := a.settings.get(k)
		if set.value == "" {
			continue
		}
		if k.secret {
			set.value = "(secret, not shown)"
		}
		lines = append(lines, line{k.name, set.value, set.source})
	}
	return a.list(found(lines, nil), "Setting", "Value", "Source")
}
