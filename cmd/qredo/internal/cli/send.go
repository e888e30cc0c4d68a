package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/visible"
)

func (a *app) sendCommand() *cobra.Command {
	var r requestFlags
	var include bool
	return a.command(command{
		use: "send", short: "Sign a request, send it and print the answer",
		long: `Signs a request, sends it once, and prints the answer's body as it came; with --jq or --output yaml what these make of it.
An answer that is no success is printed too, as it came; then the exit code is not 0. For operations that have no command of their own,
and for trying out.`,
		example: `qredo send --url '/company/search?query=acme'
			qredo send --url /company --body request.json --include
			qredo send --api qapi --url /balance`,
		flags: func(f *flagSet) {
			r.add(f)
			f.BoolVarP(&include, "include", "i", false, "print the answer's status and headers too")
		},
		check: r.check,
		run: func(ctx context.Context, _ []string) error {
			body, err := r.read(a)
			if err != nil {
				return err
			}
			formed := a.format.filter != nil || a.format.output == outputYAML
			if formed && include {
				return usagef("--include prints the answer as it came: it does not go with --jq and --output yaml")
			}
			answer, err := r.send(ctx, a, body)
			if err == nil && formed {
				return a.printBody(answer.Body)
			}
			if answer.StatusCode != 0 {
				if include {
					a.printHead(answer)
				}
				_, _ = a.out.Write(a.received(answer.Body))
				if n := len(answer.Body); n > 0 && answer.Body[n-1] != '\n' && a.terminal.out {
					fmt.Fprintln(a.out)
				}
			}
			return err
		},
	})
}

// send sends the request once.
func (r *requestFlags) send(ctx context.Context, a *app, body []byte) (qredo.Response, error) {
	var answer qredo.Response
	u, err := url.Parse(r.url)
	if err != nil {
		return answer, usagef("--url is not a URL")
	}
	base := setting{value: u.Scheme + "://" + u.Host, source: "--url"}
	auth, err := r.authenticator(a)
	if err != nil {
		return answer, err
	}
	client, err := a.newClient(auth, base, r.clock()...)
	if err != nil {
		return answer, err
	}
	var payload any
	if r.body != "" {
		payload = body
	}
	path := u.EscapedPath()
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	err = client.Do(ctx, r.method, path, payload, nil, qredo.WithResponse(&answer), qredo.WithoutRetry())
	return answer, err
}

// printBody prints an answer in the form that was asked for. The request has done what it does by then.
func (a *app) printBody(body []byte) error {
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return nil
	case !json.Valid(body):
		return printError{errors.New("the answer is no JSON, which --jq and --output yaml need")}
	}
	return a.jsonLine(json.RawMessage(body))
}

// printHead prints the status and headers of an answer.
func (a *app) printHead(answer qredo.Response) {
	fmt.Fprintf(a.out, "%d %s\n", answer.StatusCode, http.StatusText(answer.StatusCode))
	var lines strings.Builder
	_ = answer.Header.Write(&lines) // a builder takes all
	_, _ = a.out.Write(a.received([]byte(strings.ReplaceAll(lines.String(), "\r\n", "\n") + "\n")))
}

// received is what was received, as it came; on a terminal with what cannot be seen in its escaped form.
func (a *app) received(data []byte) []byte {
	switch {
	case !a.terminal.out:
		return data
	case json.Valid(data):
		return visible.JSON(data)
	}
	return []byte(plainLines(string(data)))
}
