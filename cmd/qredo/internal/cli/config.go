package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/qredo-go/qredo/internal/durable"
)

// config is the configuration file. It names files that hold keys, but holds no keys.
type config struct {
	Profile  string                       `yaml:"profile,omitempty"`
	Profiles map[string]map[string]string `yaml:"profiles"`
}

// configPath is where the configuration file is, or would be. It is empty if there is no folder for it.
func (a *app) configPath() string {
	if path := cmp.Or(a.global.config, a.env("QREDO_CONFIG")); path != "" {
		return path
	}
	if dir := a.configDir(); dir != "" {
		return filepath.Join(dir, "qredo", "config.yaml")
	}
	return ""
}

// configDir is $XDG_CONFIG_HOME on all systems. Default: what os.UserConfigDir returns. It is empty if that is not a full
// path: a file in the working folder could be anybody's, and it decides where signed requests go.
func (a *app) configDir() string {
	if dir := a.env("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	switch runtime.GOOS {
	case "windows":
		return below(a.env("AppData"))
	case "darwin":
		return below(a.env("HOME"), "Library", "Application Support")
	}
	return below(a.env("HOME"), ".config")
}

// below is a folder below another, or empty if that is not a full path.
func below(dir string, names ...string) string {
	if !filepath.IsAbs(dir) {
		return ""
	}
	return filepath.Join(append([]string{dir}, names...)...)
}

// noConfigDir says how to get a folder for the configuration file.
func noConfigDir() error {
	home := "HOME"
	if runtime.GOOS == "windows" {
		home = "AppData"
	}
	return usagef("there is no folder for the configuration file: set %s or XDG_CONFIG_HOME to a full path, or give --config", home)
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
				return c, fmt.Errorf("%s: profile %s has %s, which is not a setting", path, name, key)
			case known.secret:
				return c, fmt.Errorf("%s: profile %s has %s: secrets do not belong in this file; keep it in a separate file and name that file in %s_file", path, name, key, key)
			}
		}
	}
	return c, nil
}

func expandHome(path string, env func(string) string) string {
	if rest, found := strings.CutPrefix(path, "~/"); found {
		if home := env("HOME"); filepath.IsAbs(home) {
			return filepath.Join(home, rest)
		}
	}
	return path
}

func (a *app) configCommands() *cobra.Command {
	return group("config", "Profiles in the configuration file",
		`Profiles hold settings that would otherwise be given as flags or in the environment. The file names files
that hold keys; it never holds a key. See "qredo help configuration".`, `
		qredo config set base_url http://127.0.0.1:8765/api/v1/p --profile demo
		qredo config list
		qredo config use demo
		qredo config show`,
		a.command(command{
			use: "path", short: "Print where the configuration file is",
			long:    "Prints the path of the configuration file, whether it exists or not.",
			example: "qredo config path",
			run: func(context.Context, []string) error {
				path := a.configPath()
				if path == "" {
					return noConfigDir()
				}
				fmt.Fprintln(a.out, path)
				return nil
			},
		}),
		a.command(command{
			use: "show", short: "Print the settings in force and where each one comes from",
			long: `Prints each setting that has a value, and whether it comes from a flag, the environment or a profile. Secrets are
not shown, only that they are set.`,
			example: "qredo config show\nqredo config show --profile demo --output json",
			run:     func(context.Context, []string) error { return a.showConfig() },
		}),
		a.configWriter(command{
			use: "set KEY VALUE", short: "Write a setting to a profile",
			long: `Writes a setting to the profile that --profile names. Default: the one in use, or "default". The profile is created if
necessary. Files are written with their full path and must exist. Keys and secrets themselves are refused.`,
			example: "qredo config set base_url http://127.0.0.1:8765/api/v1/p --profile demo\nqredo config set api_key_file ./apikey --profile demo",
		}, setConfig),
		a.configWriter(command{
			use: "unset KEY", short: "Remove a setting from a profile",
			long:    "Removes a setting from the profile that --profile names. Default: the one in use.",
			example: "qredo config unset company --profile demo",
		}, func(c *config, profile string, args []string) error {
			delete(c.Profiles[profile], args[0])
			return nil
		}),
		a.configList(),
		a.configWriter(command{
			use: "use PROFILE", short: "Choose the default profile",
			long:    "Writes to the file which profile is used if neither --profile nor QREDO_PROFILE names one.",
			example: "qredo config use demo",
		}, useProfile),
		a.configDelete(),
	)
}

// configWriter makes a command that changes the file. The profile need not exist.
func (a *app) configWriter(c command, change func(c *config, profile string, args []string) error) *cobra.Command {
	cmd := a.command(c)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		a.started = true
		path := a.configPath()
		if path == "" {
			return noConfigDir()
		}
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
		return usagef("%q is not a setting; the settings are: %s", name, strings.Join(names, ", "))
	case key.secret:
		return usagef("%s is a secret and is not written to the configuration: keep it in a separate file and set %s_file", name, name)
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

// settingLine is one setting in force.
type settingLine struct {
	Setting string `json:"setting"`
	Value   string `json:"value"`
	Source  string `json:"source"`
}

func (a *app) showConfig() error {
	var lines []settingLine
	for _, k := range settingKeys {
		set := a.settings.get(k)
		if set.value == "" {
			continue
		}
		if k.secret || strings.HasSuffix(k.name, "_file") && keyItself(set.value) {
			set.value = "(secret, not shown)"
		}
		if !strings.HasSuffix(k.name, "_file") {
			set.value = withoutPassword(set.value)
		}
		lines = append(lines, settingLine{k.name, set.value, set.source})
	}
	return a.list(found(lines, nil))
}
