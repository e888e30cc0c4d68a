package cli

import (
	"bytes"
	"cmp"
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo/sandbox"
)

func (a *app) doctorCommand() *cobra.Command {
	d := &diagnosis{app: a}
	var request string
	var stores diagnosedStores
	return a.command(command{
		use: "doctor", short: "Find out why requests are refused",
		long: `Checks what requests depend on, step by step: the API key, the private key and who can read it, whether both halves of
the key belong together, the base URL, proxies, the connection and its certificate, the clock, whether a signed request
is accepted, and, from a quote of fees, whether the amount in a request is what arrives. Each fault comes with a remedy.
If there is any fault, the exit code is 1. It creates and moves nothing.

If any setting of Qredo API v1 is set, that API is checked too. An outbox is checked if --outbox, --outbox-database or the
outbox's environment variables name one, and a signing agent's configuration, identity and certificates with
--agent-config. The Partner API is left out if none of its settings is set but one of these is.

With --request, it checks a request that another program sent, and asks a sandbox which part of the signed text differs:
the timestamp, the URL, the body, the key, or how they were joined. The file holds the request as it was sent:

  POST /api/v1/p/company HTTP/1.1
  Host: 127.0.0.1:8765
  X-API-KEY: …
  x-timestamp: 1605779886
  x-sign: …

  {"name":"Acme"}

The body begins after the empty line and is taken byte for byte, up to the end of the file.`,
		example: "qredo doctor\nqredo doctor --outbox payments.db --agent-config cc.yaml\nqredo doctor --public-key ./keys/public.pem --output json\nqredo doctor --request refused.http",
		flags: func(f *flagSet) {
			f.StringVar(&d.publicKey, "public-key", "", "public key in PEM that is registered for the API key")
			f.StringVar(&request, "request", "", "file with a refused request, as it was sent")
			stores.flags(f)
		},
		run: func(ctx context.Context, _ []string) error {
			if request != "" {
				return d.checkRequest(ctx, request)
			}
			qapi := a.settings.any(keyQAPIBaseURL, keyQAPIKey, keyQAPIKeyFile, keyQAPISecret, keyQAPISecretFile)
			others := stores.find(a) || qapi
			if !others || d.publicKey != "" || a.settings.any(keyAPIKey, keyAPIKeyFile, keyPrivate, keyPrivateFile) {
				d.checkPartner(ctx)
			}
			if qapi {
				d.checkQAPI(ctx)
			}
			d.checkStores(ctx, &stores)
			return d.report()
		},
	})
}

// checkPartner checks everything that requests to the Partner API depend on.
func (d *diagnosis) checkPartner(ctx context.Context) {
	d.api = diagnosedPartner
	d.checkAPIKey()
	d.checkPrivateKey()
	d.checkPair()
	base, err := d.app.settings.baseURL()
	d.checkBaseURL(base, err, keyBaseURL, keyEnvironment)
	if d.base != "" {
		d.checkService(ctx)
	}
}

// checkRequest asks a sandbox what is wrong with another program's request.
func (d *diagnosis) checkRequest(ctx context.Context, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return usagef("--request: %v", err)
	}
	base, err := d.app.settings.baseURL()
	if err != nil {
		return err
	}
	req, err := parseRequest(data, base.value)
	if err != nil {
		return err
	}
	control, err := d.app.control()
	if err != nil {
		return err
	}
	found, err := control.Explain(ctx, req)
	if err != nil {
		return err
	}
	d.explained(found)
	return d.report()
}

// explained adds a sandbox's findings about a signed request.
func (d *diagnosis) explained(found sandbox.Explanation) {
	for _, difference := range found.Differences {
		d.fault("signed-"+difference.Part, difference.Remedy, "%s", difference.Found)
	}
	switch {
	case found.Valid:
		d.ok("signed", "timestamp, URL, body and key are right")
	case len(found.Differences) == 0:
		d.fault("signed-unknown", "sign timestamp, URL and body, joined without separators, exactly as they are sent",
			"the signature was made with this API key's private key, but not over what was sent")
	}
}

// explainProbe asks a sandbox what is wrong with this program's own request. Other servers do not have this call.
func (d *diagnosis) explainProbe(ctx context.Context, req *http.Request) {
	control, err := d.app.control()
	if err != nil {
		return
	}
	headers := map[string]string{}
	for name := range req.Header {
		headers[name] = req.Header.Get(name)
	}
	found, err := control.Explain(ctx, sandbox.SignedRequest{Method: req.Method, URL: req.URL.String(), Headers: headers})
	if err != nil {
		return
	}
	if found.Valid {
		d.fault("signed-url", "use the URL that the server sees, or start the sandbox with --public-url",
			"the signature is right for %s: something on the way to the server changes the URL", req.URL)
		return
	}
	d.explained(found)
}

// parseRequest reads a request as it is on the wire. Lines may end in just \n.
func parseRequest(data []byte, base string) (sandbox.SignedRequest, error) {
	none := sandbox.SignedRequest{}
	head, body, _ := bytes.Cut(data, []byte("\n\n"))
	if first, rest, found := bytes.Cut(data, []byte("\r\n\r\n")); found && len(first) < len(head) {
		head, body = first, rest
	}
	lines := strings.Split(strings.ReplaceAll(string(head), "\r\n", "\n"), "\n")
	first := strings.Fields(lines[0])
	if len(first) < 2 {
		return none, usagef("--request: the first line must be a method and a URL, as in POST /api/v1/p/company HTTP/1.1")
	}
	req := sandbox.SignedRequest{Method: first[0], URL: first[1], Headers: map[string]string{}, Body: body}
	for _, line := range lines[1:] {
		name, value, found := strings.Cut(line, ":")
		if strings.TrimSpace(line) == "" {
			continue
		}
		if !found {
			return none, usagef("--request: a header must be a name, a colon and a value")
		}
		req.Headers[http.CanonicalHeaderKey(strings.TrimSpace(name))] = strings.TrimSpace(value)
	}
	if strings.HasPrefix(req.URL, "/") {
		u, err := url.Parse(base)
		if err != nil || u.Host == "" {
			return none, usagef("the base URL is not a URL")
		}
		req.URL = u.Scheme + "://" + cmp.Or(req.Headers["Host"], u.Host) + req.URL
	}
	return req, nil
}
