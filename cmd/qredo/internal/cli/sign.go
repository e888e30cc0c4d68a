package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

// The APIs that requests can be signed for.
const (
	apiPartner = "partner"
	apiQAPI    = "qapi"
)

// requestFlags describe one request.
type requestFlags struct {
	api, url, method, body string
	timestamp, nonce       string
}

func (r *requestFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&r.url, "url", "", "full URL with its query, or a path below the base URL (required)")
	flags.StringVar(&r.method, "method", "", "HTTP method (default GET, or POST with a body)")
	flags.StringVar(&r.body, "body", "", "file that holds the exact bytes of the body, - for the standard input")
	flags.StringVar(&r.timestamp, "timestamp", "", "Unix seconds (default now)")
	flags.StringVar(&r.nonce, "nonce", "", "send this nonce in place of a timestamp (Partner API only)")
	flags.StringVar(&r.api, "api", apiPartner, "partner (RSA) or qapi (HMAC)")
}

// read completes the request and returns its body.
func (r *requestFlags) read(a *app) ([]byte, error) {
	if err := required("url", r.url); err != nil {
		return nil, err
	}
	if err := oneOf("api", r.api, apiPartner, apiQAPI); err != nil {
		return nil, err
	}
	switch {
	case r.timestamp != "" && r.nonce != "":
		return nil, usagef("--timestamp and --nonce are both given: give one of them")
	case r.nonce != "" && r.api == apiQAPI:
		return nil, usagef("Qredo API v1 has no nonces: give --timestamp")
	}
	if r.timestamp != "" {
		if _, err := strconv.ParseInt(r.timestamp, 10, 64); err != nil {
			return nil, usagef("--timestamp must be Unix seconds, is %q", r.timestamp)
		}
	}
	if strings.HasPrefix(r.url, "/") {
		base, err := r.base(a)
		if err != nil {
			return nil, err
		}
		r.url = strings.TrimRight(base.value, "/") + r.url
	}
	if u, err := url.Parse(r.url); err != nil || u.Host == "" || u.Fragment != "" {
		return nil, usagef("--url must be a full URL, or a path that begins with /")
	}
	body, err := r.readBody(a)
	if err != nil {
		return nil, err
	}
	if r.method == "" {
		r.method = http.MethodGet
		if r.body != "" {
			r.method = http.MethodPost
		}
	}
	r.method = strings.ToUpper(r.method)
	return body, nil
}

func (r *requestFlags) readBody(a *app) ([]byte, error) {
	switch r.body {
	case "":
		return nil, nil
	case "-":
		return io.ReadAll(a.in)
	}
	body, err := os.ReadFile(r.body)
	if err != nil {
		return nil, usagef("--body: %v", err)
	}
	return body, nil
}

func (r *requestFlags) base(a *app) (setting, error) {
	if r.api == apiQAPI {
		return a.qapiBase()
	}
	return a.settings.baseURL()
}

// header is one line of what authenticates a request.
type header struct{ Name, Value string }

// sign returns the headers of a request: first the API key.
func (r *requestFlags) sign(a *app, body []byte) ([]header, error) {
	stamp := r.timestamp
	if stamp == "" {
		stamp = strconv.FormatInt(a.now().Unix(), 10)
	}
	if r.api == apiQAPI {
		auth, err := a.hmacAuth()
		if err != nil {
			return nil, err
		}
		key, err := a.settings.secret("API key of Qredo API v1", keyQAPIKey, keyQAPIKeyFile)
		if err != nil {
			return nil, err
		}
		signature, err := auth.Sign(stamp, r.method, r.url, body)
		return []header{
			{"qredo-api-key", strings.TrimSpace(key.value)}, {"qredo-api-ts", stamp}, {"qredo-api-sig", signature},
		}, err
	}
	auth, err := a.rsaAuth()
	if err != nil {
		return nil, err
	}
	key, err := a.settings.secret("API key", keyAPIKey, keyAPIKeyFile)
	if err != nil {
		return nil, err
	}
	name := "x-timestamp"
	if r.nonce != "" {
		name, stamp = "x-nonce", r.nonce
	}
	signature, err := auth.Sign(stamp, r.url, body)
	return []header{{"X-API-KEY", strings.TrimSpace(key.value)}, {name, stamp}, {"x-sign", signature}}, err
}

func (a *app) signCommand() *cobra.Command {
	var r requestFlags
	var curl, showKey bool
	cmd := a.command(command{
		use: "sign", short: "Sign a request and print its headers",
		long: `Signs a request without sending it, and prints the headers that authenticate it, or with --curl a line that
sends it.

What is signed is the stamp, the full URL with its query, and the exact bytes of the body; for Qredo API v1 the
method too. Sign the body as it will be sent: another space or line end makes another signature.

The API key is a secret and is printed only with --show-api-key. Without it, the line for curl takes the key
from the file or variable that it came from, when the line is run.`,
		example: `qredo sign --url 'https://api.qredo.network/api/v1/p/company/search?query=big'
			qredo sign --url /company --body request.json --curl
			qredo sign --api qapi --url /balance --timestamp 1605779886
			printf '{"name":"Acme"}' | qredo sign --url /company --body - --nonce 17`,
		run: func(context.Context, []string) error {
			body, err := r.read(a)
			if err != nil {
				return err
			}
			headers, err := r.sign(a, body)
			if err != nil {
				return err
			}
			if curl {
				line, err := r.curl(a, headers, body, showKey)
				if err != nil {
					return err
				}
				fmt.Fprintln(a.out, line)
				return nil
			}
			if !showKey {
				headers = headers[1:]
			}
			if a.json() {
				values := map[string]string{}
				for _, h := range headers {
					values[strings.ReplaceAll(strings.ToLower(h.Name), "-", "_")] = h.Value
				}
				return a.jsonLine(values)
			}
			for _, h := range headers {
				fmt.Fprintf(a.out, "%s: %s\n", h.Name, h.Value)
			}
			return nil
		},
	})
	r.add(cmd)
	cmd.Flags().BoolVar(&curl, "curl", false, "print a line for curl")
	cmd.Flags().BoolVar(&showKey, "show-api-key", false, "print the API key too")
	return cmd
}

// curl is a line that sends the request. The API key is not in it unless that is asked for.
func (r *requestFlags) curl(a *app, headers []header, body []byte, showKey bool) (string, error) {
	name, file := keyAPIKey, keyAPIKeyFile
	if r.api == apiQAPI {
		name, file = keyQAPIKey, keyQAPIKeyFile
	}
	from, err := a.settings.first(name, file)
	if err != nil {
		return "", err
	}
	parts := []string{"curl", "-sS", "-X", r.method, shellQuote(r.url)}
	for i, h := range headers {
		value := shellQuote(h.Name + ": " + h.Value)
		if i == 0 && !showKey {
			if from.name == file {
				value = `"` + h.Name + `: $(cat ` + shellQuote(from.value) + `)"`
			} else {
				key, _ := settingByName(name)
				value = `"` + h.Name + `: $` + key.env + `"`
			}
		}
		parts = append(parts, "-H", value)
	}
	parts = append(parts, "-H", "'Accept: application/json'")
	if len(body) > 0 {
		data := "@" + r.body
		if r.body == "-" {
			if strings.HasPrefix(string(body), "@") || strings.ContainsRune(string(body), 0) {
				return "", usagef("this body cannot stand in a line for curl: put it in a file")
			}
			data = string(body)
		}
		parts = append(parts, "-H", "'Content-Type: application/json'", "--data-binary", shellQuote(data))
	}
	if ca := a.settings.get(keyCAFile).value; ca != "" {
		parts = append(parts, "--cacert", shellQuote(ca))
	}
	return strings.Join(parts, " "), nil
}

func shellQuote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

func (a *app) sendCommand() *cobra.Command {
	var r requestFlags
	var include bool
	cmd := a.command(command{
		use: "send", short: "Sign a request, send it and print the answer",
		long: `Signs a request, sends it once, and prints the answer's body as it came. An answer that is no success is printed
too; then the exit code is not 0. For operations that have no command of their own, and for trying out.`,
		example: `qredo send --url '/company/search?query=acme'
			qredo send --url /company --body request.json --include
			qredo send --api qapi --url /balance`,
		run: func(ctx context.Context, _ []string) error {
			body, err := r.read(a)
			if err != nil {
				return err
			}
			answer, err := r.send(ctx, a, body)
			if answer.StatusCode != 0 {
				if include {
					a.printHead(answer)
				}
				_, _ = a.out.Write(answer.Body)
				if n := len(answer.Body); n > 0 && answer.Body[n-1] != '\n' && a.terminal.out {
					fmt.Fprintln(a.out)
				}
			}
			return err
		},
	})
	r.add(cmd)
	cmd.Flags().BoolVarP(&include, "include", "i", false, "print the answer's status and headers too")
	return cmd
}

// send sends the request once.
func (r *requestFlags) send(ctx context.Context, a *app, body []byte) (qredo.Response, error) {
	var answer qredo.Response
	u, err := url.Parse(r.url)
	if err != nil {
		return answer, usagef("--url is not a URL")
	}
	base := setting{value: u.Scheme + "://" + u.Host, source: "--url"}
	opts, err := r.clock()
	if err != nil {
		return answer, err
	}
	var auth qredo.Authenticator
	if r.api == apiQAPI {
		auth, err = a.hmacAuth()
	} else {
		var rsa []qredo.RSAOption
		if r.nonce != "" {
			rsa = append(rsa, qredo.WithNonce(func() string { return r.nonce }))
		}
		auth, err = a.rsaAuth(rsa...)
	}
	if err != nil {
		return answer, err
	}
	client, err := a.newClient(auth, base, opts...)
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
	if refused := (*qredo.Error)(nil); errors.As(err, &refused) && refused.StatusCode >= 200 && refused.StatusCode <= 299 {
		err = nil // a body that is no JSON: it is printed as it came
	}
	return answer, err
}

// printHead prints the status and headers of an answer.
func (a *app) printHead(answer qredo.Response) {
	fmt.Fprintf(a.out, "%d %s\n", answer.StatusCode, http.StatusText(answer.StatusCode))
	var lines strings.Builder
	_ = answer.Header.Write(&lines) // a builder takes all
	fmt.Fprintln(a.out, strings.ReplaceAll(lines.String(), "\r\n", "\n"))
}
