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
		use: "send", short: "Sign a request, send it and print the response",
		long: `Signs a request, sends it once, and prints the body of the response unchanged; with --jq or --output yaml it is filtered or
converted first. Any other response than a success is printed too, unchanged, and the exit code is not 0. Use it for
operations without a command of their own, and to try things out.`,
		example: `qredo send --url '/company/search?query=acme'
			qredo send --url /company --body request.json --include
			qredo send --api qapi --url /balance`,
		flags: func(f *flagSet) {
			r.add(f)
			f.BoolVarP(&include, "include", "i", false, "print the status and headers too")
		},
		check: r.check,
		run: func(ctx context.Context, _ []string) error {
			body, err := r.read(a)
			if err != nil {
				return err
			}
			formed := a.format.filter != nil || a.format.output == outputYAML
			if formed && include {
				return usagef("--include prints the response unchanged: it cannot be used with --jq or --output yaml")
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

// printBody prints a response in the chosen form. The request has been carried out by then.
func (a *app) printBody(body []byte) error {
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return nil
	case !json.Valid(body):
		return printError{errors.New("the response is not JSON, which --jq and --output yaml need")}
	}
	return a.jsonLine(json.RawMessage(body))
}

// printHead prints the status and headers of a response.
func (a *app) printHead(answer qredo.Response) {
	fmt.Fprintf(a.out, "%d %s\n", answer.StatusCode, http.StatusText(answer.StatusCode))
	var lines strings.Builder
	_ = answer.Header.Write(&lines) // a builder never fails
	_, _ = a.out.Write(a.received([]byte(strings.ReplaceAll(lines.String(), "\r\n", "\n") + "\n")))
}

// received is the received text, unchanged; on a terminal, invisible characters are escaped.
func (a *app) received(data []byte) []byte {
	switch {
	case !a.terminal.out:
		return data
	case json.Valid(data):
		return visible.JSON(data)
	}
	return []byte(plainLines(string(data)))
}
