package cli

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo/internal/visible"
)

// header is one line of what authenticates a request.
type header struct{ Name, Value string }

// sign returns the headers of a request, the API key first.
func (r *requestFlags) sign(a *app, body []byte) ([]header, error) {
	stamp := cmp.Or(r.timestamp, strconv.FormatInt(a.now().Unix(), 10))
	if r.api == apiQAPI {
		auth, err := a.hmacAuth()
		if err != nil {
			return nil, err
		}
		key, _, err := a.qapiKey()
		if err != nil {
			return nil, err
		}
		signature, err := auth.Sign(stamp, r.method, r.url, body)
		return []header{
			{"qredo-api-key", strings.TrimSpace(key)}, {"qredo-api-ts", stamp}, {"qredo-api-sig", signature},
		}, err
	}
	auth, err := a.rsaAuth()
	if err != nil {
		return nil, err
	}
	key, _, err := a.apiKey()
	if err != nil {
		return nil, err
	}
	name := "x-timestamp"
	if r.nonce != "" {
		name, stamp = "x-nonce", r.nonce
	}
	signature, err := auth.Sign(stamp, r.url, body)
	return []header{{"X-API-KEY", strings.TrimSpace(key)}, {name, stamp}, {"x-sign", signature}}, err
}

func (a *app) signCommand() *cobra.Command {
	var r requestFlags
	var curl, showKey bool
	return a.command(command{
		use: "sign", short: "Sign a request and print its headers",
		long: `Signs a request without sending it, and prints the headers that authenticate it; with --curl, a command line that sends
it.

The signature covers the timestamp, the full URL with its query, and the exact bytes of the body; for Qredo API v1 the
method too. Sign the body exactly as it will be sent: one more space or line end changes the signature.

The API key is a secret and is printed only with --show-api-key. Without that, the curl line reads the key from its file or
variable when it is run.`,
		example: `qredo sign --url 'https://api.qredo.network/api/v1/p/company/search?query=big'
			qredo sign --url /company --body request.json --curl
			qredo sign --api qapi --url /balance --timestamp 1605779886
			printf '{"name":"Acme"}' | qredo sign --url /company --body - --nonce 17`,
		flags: func(f *flagSet) {
			r.add(f)
			f.BoolVar(&curl, "curl", false, "print a command line for curl")
			f.BoolVar(&showKey, "show-api-key", false, "print the API key too")
		},
		check: r.check,
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
}

// curl is a command line that sends the request. It contains the API key only on request.
func (r *requestFlags) curl(a *app, headers []header, body []byte, showKey bool) (string, error) {
	key, file := keyAPIKey, keyAPIKeyFile
	if r.api == apiQAPI {
		key, file = keyQAPIKey, keyQAPIKeyFile
	}
	from, err := a.settings.first(key, file)
	if err != nil {
		return "", err
	}
	// -g and --path-as-is: curl sends the URL as it was signed, even with brackets, braces and dots.
	parts := []string{"curl", "-g", "--path-as-is", "-sS", "-X", r.method, visible.Shell(r.url)}
	for i, h := range headers {
		value := visible.Shell(h.Name + ": " + h.Value)
		if i == 0 && !showKey {
			if from.key == file {
				value = `"` + h.Name + `: $(cat ` + visible.Shell(from.value) + `)"`
			} else {
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
				return "", usagef("this body cannot be part of a command line for curl: put it in a file")
			}
			data = string(body)
		}
		parts = append(parts, "-H", "'Content-Type: application/json'", "--data-binary", visible.Shell(data))
	}
	if ca := a.settings.get(keyCAFile).value; ca != "" {
		parts = append(parts, "--cacert", visible.Shell(ca))
	}
	return strings.Join(parts, " "), nil
}
