package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

// globalFlags are the flags of every command.
type globalFlags struct {
	config  string
	profile string
	values  map[string]*string // by the setting's name
	results outputFlags
	timeout time.Duration
	verbose bool
}

func (g *globalFlags) add(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.SortFlags = false
	g.values = map[string]*string{}
	for _, k := range settingKeys {
		if k.flag != "" {
			g.values[k.name] = flags.StringP(k.flag, k.short, "", k.help)
		}
	}
	g.results.add(flags)
	flags.StringVar(&g.profile, "profile", "", "profile of the configuration file")
	flags.StringVar(&g.config, "config", "", "configuration file (default the one that \"qredo config path\" prints)")
	flags.DurationVar(&g.timeout, "timeout", 0, "time limit for the whole command; 0 for none")
	flags.BoolVarP(&g.verbose, "verbose", "v", false, "report each request on standard error")
}

// settingKey is something that can be set by flag, environment and file. Secrets have no name in the file.
type settingKey struct {
	name, flag, env string
	short           string // of the flag, one letter
	secret          bool
	values          []string // the allowed values; nil for any
	help            string
}

// The settings.
var (
	keyOutput         = &settingKey{name: "output", flag: "output", env: "QREDO_OUTPUT", short: "o", values: []string{outputTable, outputWide, outputJSON, outputYAML, outputCSV}, help: "table, wide (all columns), json (lists: one object a line), yaml or csv"}
	keyBaseURL        = &settingKey{name: "base_url", flag: "base-url", env: "QREDO_BASE_URL", help: "base URL of the Partner API, such as http://127.0.0.1:8765/api/v1/p"}
	keyEnvironment    = &settingKey{name: "environment", flag: "environment", env: "QREDO_ENVIRONMENT", values: []string{"production", "sandbox", "play"}, help: "production, sandbox or play, instead of a base URL"}
	keyAPIKey         = &settingKey{name: "api_key", flag: "api-key", env: "QREDO_API_KEY", secret: true, help: "API key; other users can see it in the list of processes"}
	keyAPIKeyFile     = &settingKey{name: "api_key_file", flag: "api-key-file", env: "QREDO_API_KEY_FILE", help: "file that holds the API key"}
	keyPrivate        = &settingKey{name: "private_key", env: "QREDO_PRIVATE_KEY", secret: true}
	keyPrivateFile    = &settingKey{name: "private_key_file", flag: "private-key", env: "QREDO_PRIVATE_KEY_FILE", help: "file that holds the private key in PEM"}
	keySigner         = &settingKey{name: "signer", flag: "signer", env: "QREDO_SIGNER", values: []string{signerAuto, signerGo, signerLibcrypto}, help: "what signs requests: go (default), libcrypto (the system's OpenSSL) or auto (the faster one)"}
	keyCAFile         = &settingKey{name: "ca_file", flag: "ca-file", env: "QREDO_CA_FILE", help: "certificate authority to trust in addition to the system's, in PEM"}
	keyCompany        = &settingKey{name: "company", flag: "company", env: "QREDO_COMPANY", help: "ID or name of the company"}
	keyQAPIBaseURL    = &settingKey{name: "qapi_base_url", flag: "qapi-base-url", env: "QREDO_QAPI_BASE_URL", help: "base URL of Qredo API v1"}
	keyQAPIKey        = &settingKey{name: "qapi_key", env: "QREDO_QAPI_KEY", secret: true}
	keyQAPIKeyFile    = &settingKey{name: "qapi_key_file", flag: "qapi-key-file", env: "QREDO_QAPI_KEY_FILE", help: "file that holds the API key of Qredo API v1"}
	keyQAPISecret     = &settingKey{name: "qapi_secret", env: "QREDO_QAPI_SECRET", secret: true}
	keyQAPISecretFile = &settingKey{name: "qapi_secret_file", flag: "qapi-secret-file", env: "QREDO_QAPI_SECRET_FILE", help: "file that holds the secret of Qredo API v1"}
	keyControlToken   = &settingKey{name: "control_token", env: "QREDO_CONTROL_TOKEN", secret: true}
	keyControlFile    = &settingKey{name: "control_token_file", flag: "control-token", env: "QREDO_CONTROL_TOKEN_FILE", help: "file that holds the control token of a sandbox on another machine"}

	settingKeys = []*settingKey{
		keyOutput, keyBaseURL, keyEnvironment, keyAPIKey, keyAPIKeyFile, keyPrivate, keyPrivateFile, keySigner, keyCAFile, keyCompany,
		keyQAPIBaseURL, keyQAPIKey, keyQAPIKeyFile, keyQAPISecret, keyQAPISecretFile,
		keyControlToken, keyControlFile,
	}
)

// settingByName returns the setting with a name in the file, or nil.
func settingByName(name string) *settingKey {
	for _, k := range settingKeys {
		if k.name == name {
			return k
		}
	}
	return nil
}

// setting is a value, and where it comes from.
type setting struct {
	key           *settingKey
	value, source string
}

// settings gives the settings of this run.
type settings struct {
	global  *globalFlags
	env     func(string) string
	file    string
	profile string
	values  map[string]string // of the profile
}

// load reads the configuration for a command.
func (a *app) load() error {
	s := &settings{global: &a.global, env: a.env, file: a.configPath(), profile: cmp.Or(a.global.profile, a.env("QREDO_PROFILE"))}
	var config config
	err := fs.ErrNotExist
	if s.file != "" {
		config, err = readConfig(s.file)
	}
	switch {
	case s.file == "" && s.profile != "":
		return noConfigDir()
	case errors.Is(err, fs.ErrNotExist) && a.global.config == "" && s.profile == "":
	case err != nil:
		return usagef("configuration: %v", err)
	default:
		if s.profile = cmp.Or(s.profile, config.Profile); s.profile != "" {
			var found bool
			if s.values, found = config.Profiles[s.profile]; !found {
				return usagef("configuration: %s has no profile %q", s.file, s.profile)
			}
		}
	}
	a.settings = s
	a.assets.source = a.partnerAssets
	if output := s.get(keyOutput).value; output != "" && !slices.Contains(keyOutput.values, output) {
		return usagef("output must be %s, not %q", strings.Join(keyOutput.values, ", "), output)
	}
	return nil
}

// get returns a setting, or an empty one.
func (s *settings) get(key *settingKey) setting {
	out, _ := s.first(key)
	return out
}

// any reports whether any of several settings has a value.
func (s *settings) any(keys ...*settingKey) bool {
	return slices.ContainsFunc(keys, func(k *settingKey) bool { return s.get(k).value != "" })
}

// first returns the first of several settings that mean the same: flags take precedence over the environment, and the
// environment over the file. Two of them in one place are a mistake.
func (s *settings) first(keys ...*settingKey) (setting, error) {
	for _, place := range []func(*settingKey) (value, source string){s.fromFlag, s.fromEnv, s.fromFile} {
		var found []setting
		for _, key := range keys {
			if value, source := place(key); value != "" {
				found = append(found, setting{key, value, source})
			}
		}
		switch len(found) {
		case 0:
			continue
		case 1:
			return found[0], nil
		}
		return setting{}, usagef("give either %s or %s, not both", found[0].source, found[1].source)
	}
	return setting{}, nil
}

func (s *settings) fromFlag(k *settingKey) (string, string) {
	if v := s.global.values[k.name]; v != nil {
		return *v, "--" + k.flag
	}
	return "", ""
}

func (s *settings) fromEnv(k *settingKey) (string, string) { return s.env(k.env), k.env }

func (s *settings) fromFile(k *settingKey) (string, string) {
	return s.values[k.name], fmt.Sprintf("%s in profile %s of %s", k.name, s.profile, s.file)
}

// hint says how to set something that is missing.
func hint(keys ...*settingKey) string {
	var ways []string
	for _, k := range keys {
		if k.flag != "" {
			ways = append(ways, "--"+k.flag)
		}
		ways = append(ways, k.env)
	}
	return "set " + strings.Join(ways, " or ") + ", or a profile (qredo help configuration)"
}

// baseURL is where requests to the Partner API go.
func (s *settings) baseURL() (setting, error) {
	found, err := s.first(keyBaseURL, keyEnvironment)
	if err != nil || found.key == keyBaseURL {
		return found, err
	}
	switch found.value {
	case "":
		return found, usagef("no base URL: %s", hint(keyBaseURL))
	case "production":
		found.value = string(qredo.EnvironmentProduction)
	case "sandbox":
		found.value = string(qredo.EnvironmentSandbox)
	case "play":
		found.value = string(qredo.EnvironmentPlay)
	default:
		return found, usagef("%s must be production, sandbox or play, not %q", found.source, found.value)
	}
	return found, nil
}

// secret reads a secret that is given directly or in a file, and says which.
func (s *settings) secret(what string, key, file *settingKey) (content string, from setting, err error) {
	from, err = s.first(key, file)
	switch {
	case err != nil:
		return "", from, err
	case from.value == "":
		return "", from, usagef("no %s: %s", what, hint(key, file))
	case from.key == key:
		return from.value, from, nil
	}
	if keyItself(from.value) {
		return "", from, usagef("%s: %s must name a file, but holds a key or secret itself", what, from.source)
	}
	data, err := os.ReadFile(expandHome(from.value, s.env))
	if err != nil {
		return "", from, usagef("%s: %s: %v", what, from.source, err)
	}
	return string(data), from, nil
}

// keyItself reports whether a text that should be a file name looks like the content of that file: it is not shown then.
func keyItself(text string) bool {
	const shortest = 40
	return strings.Contains(text, "-----BEGIN") || strings.Contains(text, "\n") || len(text) >= shortest && !strings.ContainsAny(text, "./\\")
}
