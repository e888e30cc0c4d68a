package cli

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo/internal/durable"
	"github.com/qredo-go/qredo/internal/loopback"
	"github.com/qredo-go/qredo/sandbox"
)

// Support for a sandbox that other machines reach, as in a container.

// servedToken is the sandbox's control token, or empty if none is set. A missing file is created.
func (a *app) servedToken() (string, error) {
	from, err := a.settings.first(keyControlToken, keyControlFile)
	if err != nil || from.key != keyControlFile {
		return from.value, err
	}
	path := expandHome(from.value, a.env)
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		if err := durable.MkdirAll(filepath.Dir(path)); err != nil {
			return "", err
		}
		token := rand.Text()
		return token, durable.Create(path, []byte(token+"\n"))
	}
	var writers *durable.OthersCanWriteError
	var readers *durable.OthersCanReadError
	switch err := durable.CheckPrivate(path); {
	case errors.As(err, &writers):
		return "", fmt.Errorf("%s: others can change %s (%s), and whoever changes it can control the sandbox: %s", from.source, writers.Path, writers.Mode, writers.Fix)
	case errors.As(err, &readers):
		fmt.Fprintf(a.err, "%s: others on this machine can read %s (%s), and so can control the sandbox\n", from.source, plain(readers.Path), readers.Mode)
	case err != nil:
		return "", misuse(from.source, err)
	}
	return a.controlToken()
}

// elsewhere says, as comments, how other machines reach a sandbox that does not listen only to this one.
func elsewhere(srv *sandbox.Server, s serving, token bool) []string {
	host, _, err := net.SplitHostPort(s.listen)
	if err != nil || loopback.Host(host) {
		return nil
	}
	lines := []string{"# It can be reached from other machines" + addresses(srv.URL(), host) + "."}
	if token {
		lines = append(lines, "# Control calls from there need the control token.")
	} else {
		lines = append(lines, "# Control calls are accepted from this machine only: --control-token FILE lets others make them.")
	}
	if s.tls {
		lines = append(lines, "# Its certificate covers this machine's loopback and the hosts of --public-url: name the hosts by which it is reached.")
	} else {
		lines = append(lines, "# Without --tls, anybody on the network in between can read what is sent, including the control token and the console's address.")
	}
	return lines
}

// addresses lists where a sandbox that listens on all of this machine's addresses can be reached.
func addresses(at, host string) string {
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
		return ""
	}
	u, err := url.Parse(at)
	all, listed := net.InterfaceAddrs()
	if err != nil || listed != nil {
		return ""
	}
	text := ""
	for _, a := range all {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() {
			text += cmp.Or(map[bool]string{true: ": "}[text == ""], ", ") + u.Scheme + "://" + net.JoinHostPort(ip.IP.String(), u.Port())
		}
	}
	return text
}

func (a *app) sandboxRegister() *cobra.Command {
	return a.command(command{
		use: "register PUBLICKEYFILE", short: "Register a public key, and print its API key",
		long: `Registers a public key in PEM with the sandbox at the base URL, as --register does at its start, and prints the API key for
it. The key is known as long as that sandbox runs.`,
		example: `qredo keys new --dir ./keys
			qredo sandbox register ./keys/public.pem >apikey`,
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
			public, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			if bytes.Contains(public, []byte("PRIVATE KEY")) {
				return usagef("%s holds a private key: register the public key instead (qredo keys public)", args[0])
			}
			apiKey, err := c.RegisterKey(ctx, string(public))
			if err == nil {
				fmt.Fprintln(a.out, plain(apiKey))
			}
			return err
		}),
	})
}

func (a *app) sandboxHealth() *cobra.Command {
	const patience = 5 * time.Second
	return a.command(command{
		use: "health [URL]", short: "Check whether a sandbox is ready",
		long: `Asks the sandbox at URL (default: at the base URL) by GET /sandbox/v1/healthz whether it is ready, which means that it answers
and can write its store. The exit code is 0 if so, and 1 if not. It needs neither key nor token, and waits up to 5 seconds.`,
		example: "qredo sandbox health http://127.0.0.1:8765",
		run: func(ctx context.Context, args []string) error {
			if len(args) > 0 {
				*a.global.values[keyBaseURL.name] = args[0]
			}
			c, err := a.control()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			return a.done(c.Health(ctx), "ready")
		},
	})
}
