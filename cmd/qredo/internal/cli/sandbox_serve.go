package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/durable"
	"github.com/qredo-go/qredo/internal/visible"
	"github.com/qredo-go/qredo/sandbox"
)

func (a *app) sandboxCommands() *cobra.Command {
	commands := append([]*cobra.Command{a.sandboxServe(), a.sandboxOpen(), a.sandboxHealth(), a.sandboxRegister(), a.sandboxWorld()}, a.controlCommands()...)
	return group("sandbox", "Run a sandbox, and play the people and the chain",
		`A sandbox emulates the retired service: it checks signatures, moves balances, counts approvals and lets requests expire.
"serve" runs one. The other commands play the people with the app, and the chain, in the sandbox at the base URL. For a
sandbox on another machine they need its control token.`, `
		qredo sandbox serve --seed demo
		qredo sandbox deposit WALLET_ID --amount 1.5BTC-TESTNET
		qredo sandbox approve alice@example.com TX_ID
		qredo sandbox advance 24h`, commands...)
}

// serving holds the options that a sandbox is started with.
type serving struct {
	listen, data, keys, envFile string
	seed, world                 string
	token, tokenFile            string // for control calls from elsewhere
	tls, testnet, unsigned      bool
	publicURLs                  []string
	register                    []string // APIKEYFILE:PUBLICKEYFILE
	choices                     servingChoices
}

func (a *app) sandboxServe() *cobra.Command {
	var s serving
	return a.command(command{
		use: "serve", short: "Run a sandbox until it is interrupted",
		long: `Runs a sandbox until SIGINT or SIGTERM, and prints the lines to export for the other commands and for programs.

In the folder that --keys names (default: that of --data, or $XDG_DATA_HOME/qredo/sandbox) it writes apikey, private.pem
(PKCS #1), public.pem, qapi-apikey and qapi-secret, and with --tls ca.pem. Existing files are used and never changed: your
own private.pem or public.pem gets an apikey beside it. --register adds more keys. With --data, the state outlives the
sandbox: whatever it has answered is on disk.

It also prints the address of its console, a web page for people: see docs/console.md.

With --listen 0.0.0.0:8765 other machines can reach it. Their control calls need the token in the file that --control-token
names, which is created if it is missing; calls from this machine do not. See docs/containers.md.

With --tls it also prints how programs that have the service's own URL compiled in reach it unchanged.

--seed demo starts with two companies, people, a core client, funds, balances, a whitelist, and completed, rejected and
pending transactions; --world FILE starts with a world of your own. Both do nothing if there are companies already.`,
		example: `qredo sandbox serve --seed demo
			qredo sandbox serve --listen 127.0.0.1:8765 --data ./data --tls
			qredo sandbox serve --listen 0.0.0.0:8765 --control-token ./token
			qredo sandbox serve --register ./apikey:./public.pem
			rm -f sandbox.env; qredo sandbox serve --env-file sandbox.env >/dev/null &
			until [ -s sandbox.env ]; do sleep 0.1; done; . ./sandbox.env`,
		flags: func(f *flagSet) {
			f.StringVar(&s.listen, "listen", "127.0.0.1:8765", "address to listen on; port 0 is any free port")
			f.StringVar(&s.data, "data", "", "folder to keep the state in (default none: the state ends with the sandbox)")
			f.StringVar(&s.keys, "keys", "", "folder to keep the keys in")
			f.StringArrayVar(&s.register, "register", nil, "register a key, as APIKEYFILE:PUBLICKEYFILE; the first is created if missing; repeat for several")
			f.BoolVar(&s.tls, "tls", false, "serve HTTPS, with its own certificate authority")
			f.StringArrayVar(&s.publicURLs, "public-url", nil, "another base URL that clients may sign for; repeat for several")
			f.StringVar(&s.seed, "seed", "", "demo: start with example data")
			f.StringVar(&s.world, "world", "", "start with the world in this file (see docs/worlds.md)")
			f.StringVar(&s.envFile, "env-file", "", "also write the lines to export to this file, once the sandbox is ready")
			f.BoolVar(&s.testnet, "testnet-only", false, "offer testnet assets only, as the hosted sandbox did")
			f.BoolVar(&s.unsigned, "unsigned", false, "accept unsigned requests, as the hosted sandbox did")
			s.choices.flags(f)
		},
		check: func() error {
			if s.seed != "" && s.world != "" {
				return usagef("give either --seed or --world, not both")
			}
			if s.seed != "" {
				if err := oneOf("seed", s.seed, "demo"); err != nil {
					return err
				}
			}
			for _, files := range s.register {
				if apiKey, public := splitFiles(files); apiKey == "" || public == "" {
					return usagef("--register must be APIKEYFILE:PUBLICKEYFILE, as in apikey:public.pem, not %q", files)
				}
			}
			return s.choices.check()
		},
		run: func(ctx context.Context, _ []string) error { return a.serve(ctx, s) },
	})
}

// splitFiles splits two file names at the colon between them. On Windows the first may begin with a drive.
func splitFiles(text string) (first, second string) {
	drive := len(filepath.VolumeName(text))
	first, second, _ = strings.Cut(text[drive:], ":")
	return text[:drive] + first, second
}

func (s serving) options() []sandbox.Option {
	opts := []sandbox.Option{sandbox.WithListen(s.listen), sandbox.WithKeyDir(s.keys)}
	if s.token != "" {
		opts = append(opts, sandbox.WithControlToken(s.token))
	}
	if s.world != "" {
		opts = append(opts, sandbox.WithWorldFile(s.world))
	}
	if s.data != "" {
		opts = append(opts, sandbox.WithStore(s.data))
	}
	if s.tls {
		opts = append(opts, sandbox.WithTLS(s.keys))
	}
	if s.testnet {
		opts = append(opts, sandbox.WithTestnetOnly())
	}
	if s.unsigned {
		opts = append(opts, sandbox.WithUnsigned())
	}
	opts = append(opts, s.choices.options()...)
	for _, files := range s.register {
		opts = append(opts, sandbox.WithKeyFiles(splitFiles(files)))
	}
	for _, u := range s.publicURLs {
		opts = append(opts, sandbox.WithPublicURL(u))
	}
	return opts
}

func (a *app) serve(ctx context.Context, s serving) error {
	if s.keys = cmp.Or(s.keys, s.data); s.keys == "" {
		dir := a.env("XDG_DATA_HOME")
		if !filepath.IsAbs(dir) {
			dir = below(a.env("HOME"), ".local", "share")
		}
		if dir == "" {
			return usagef("there is no folder for the keys: set HOME or XDG_DATA_HOME to a full path, or give --keys")
		}
		s.keys = filepath.Join(dir, "qredo", "sandbox")
	}
	var err error
	if s.keys, err = filepath.Abs(s.keys); err != nil {
		return err
	}
	if s.token, err = a.servedToken(); err != nil {
		return err
	}
	if from, _ := a.settings.first(keyControlToken, keyControlFile); from.key == keyControlFile {
		if s.tokenFile, err = filepath.Abs(expandHome(from.value, a.env)); err != nil {
			return err
		}
	}
	srv, err := sandbox.Start(s.options()...)
	if errors.Is(err, qredo.ErrBadRequest) { // about the world or an option: no service is running yet that could refuse anything
		return usageError{err.Error()}
	}
	if err != nil {
		return err
	}
	defer func() { _ = srv.Close() }() // for errors: normally it is closed already
	lines := exports(srv, s)
	begun, err := s.begin(srv)
	if err != nil {
		return err
	}
	lines = append(lines, begun...)
	fmt.Fprintf(a.out, "# A sandbox is running at %s. Stop it with Ctrl-C. For other commands and programs:\n", srv.URL())
	fmt.Fprintf(a.out, "# Its console, for people (whoever has this address can do everything): %s\n", srv.ConsoleURL())
	for _, line := range elsewhere(srv, s, s.token != "") {
		fmt.Fprintln(a.out, plain(line))
	}
	text := strings.Join(lines, "\n") + "\n"
	fmt.Fprint(a.out, text)
	if err := a.out.Flush(); err != nil {
		return err
	}
	if s.envFile != "" {
		if err := durable.Replace(s.envFile, []byte(text)); err != nil {
			return err
		}
	}
	<-ctx.Done()
	if err := srv.Close(); err != nil {
		return err
	}
	fmt.Fprintln(a.err, "the sandbox has stopped")
	return nil
}

// exports are the lines that a shell reads to use a sandbox.
func exports(srv *sandbox.Server, s serving) []string {
	line := func(name, value string) string { return "export " + name + "=" + visible.Shell(value) }
	privateKey := line("QREDO_PRIVATE_KEY_FILE", filepath.Join(s.keys, "private.pem"))
	if _, err := os.Stat(filepath.Join(s.keys, "private.pem")); errors.Is(err, fs.ErrNotExist) {
		privateKey = "# " + plain("the private key of this API key is not in "+s.keys+": set QREDO_PRIVATE_KEY_FILE to where you keep it")
	}
	lines := []string{
		line("QREDO_BASE_URL", srv.BaseURL()),
		line("QREDO_API_KEY_FILE", filepath.Join(s.keys, "apikey")),
		privateKey,
		line("QREDO_QAPI_BASE_URL", srv.QAPIBaseURL()),
		line("QREDO_QAPI_KEY_FILE", filepath.Join(s.keys, "qapi-apikey")),
		line("QREDO_QAPI_SECRET_FILE", filepath.Join(s.keys, "qapi-secret")),
	}
	if s.tokenFile != "" {
		lines = append(lines, line("QREDO_CONTROL_TOKEN_FILE", s.tokenFile))
	}
	if s.tls {
		lines = append(lines, line("QREDO_CA_FILE", filepath.Join(s.keys, "ca.pem")))
		lines = append(lines, recipe(srv.URL(), s.keys)...)
	}
	for _, files := range s.register {
		apiKey, public := splitFiles(files)
		lines = append(lines, "# "+plain("registered: "+public+"; its API key is in "+apiKey))
	}
	return lines
}
