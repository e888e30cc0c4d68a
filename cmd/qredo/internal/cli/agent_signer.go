package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/durable"
	"github.com/qredo-go/qredo/sandbox"
)

// registrationFile is what a signing agent keeps. It holds its secret.
type registrationFile struct {
	ID           qredo.CoreClientID `json:"id"`
	ClientID     string             `json:"client_id"`
	ClientSecret string             `json:"client_secret"`
	AccountCode  string             `json:"account_code"`
	IDDocument   string             `json:"id_document"`
}

func (a *app) signerCommands() *cobra.Command {
	return group("signer", "The signing agent's own side, with a sandbox",
		`A signing agent is a core client that registers itself and proves itself with a secret. How the service's own
agents made their proof is not public: these commands use the sandbox's scheme, and work with a sandbox only.`, `
		qredo agent signer register --name agent --bls-key HEX --ec-key HEX --registration agent.json
		qredo agent signer finish --registration agent.json --signature HEX
		qredo agent signer feed --registration agent.json`,
		a.signerRegister(),
		a.signer("finish", "Complete the registration", "Completes the registration with the agent's signature over its ID document, and prints the URL of its feed.",
			"--signature HEX", func(ctx context.Context, c partnerCall, values []string) error {
				if len(values) != 1 {
					return usagef("--signature must be given once")
				}
				feed, err := c.SigningAgent.Finish(ctx, values[0])
				return a.show(struct{ Feed string }{feed}, err)
			}),
		a.signer("messages ACTION_ID", "List what has to be signed to approve an action", "Lists the messages that approving an action takes a signature for, in hexadecimal.",
			"", func(ctx context.Context, c partnerCall, _ []string) error {
				messages, err := c.SigningAgent.GetMessages(ctx, qredo.ActionID(c.args[0]))
				type line struct{ Message string }
				var lines []line
				for _, m := range messages {
					lines = append(lines, line{m})
				}
				return a.list(found(lines, err), "Message")
			}),
		a.signer("approve ACTION_ID", "Approve an action by signatures", "Approves an action: one --signature for each message, in their order.",
			"--signature HEX", func(ctx context.Context, c partnerCall, values []string) error {
				return a.done(c.SigningAgent.Approve(ctx, qredo.ActionID(c.args[0]), values), "approve: %s", plain(c.args[0]))
			}),
		a.signer("reject ACTION_ID", "Refuse to sign an action", "Rejects an action.",
			"", func(ctx context.Context, c partnerCall, _ []string) error {
				return a.done(c.SigningAgent.Reject(ctx, qredo.ActionID(c.args[0])), "reject: %s", plain(c.args[0]))
			}),
		a.signerFeed(),
	)
}

func (a *app) signerRegister() *cobra.Command {
	var req qredo.AgentRequest
	var file string
	return a.command(command{
		use: "register", short: "Register a signing agent",
		long: `Registers a signing agent by the public halves of its keys, and writes what it is given to a file that only its
owner can read: it holds the agent's secret, which is given once. The secret is not printed.`,
		example: "qredo agent signer register --name agent --bls-key HEX --ec-key HEX --registration agent.json",
		flags: func(f *flagSet) {
			f.StringVar(&req.Name, "name", "", "name (required)")
			f.StringVar(&req.BLSPublicKey, "bls-key", "", "BLS public key, 192 bytes in hexadecimal (required)")
			f.StringVar(&req.ECPublicKey, "ec-key", "", "EC public key, 65 bytes in hexadecimal (required)")
			f.StringVar(&file, "registration", "", "file to write (required)")
		},
		run: a.withClient(func(ctx context.Context, c partnerCall) error {
			err := durable.Create(file, nil) // first: the secret is given once, and must have somewhere to go
			if errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("%s exists already: a secret is never replaced", file)
			}
			if err != nil {
				return err
			}
			made, err := c.CoreClients.Register(ctx, req)
			if err != nil {
				return errors.Join(err, os.Remove(file))
			}
			data, err := json.MarshalIndent(registrationFile{
				ID: made.ID, ClientID: made.ClientID, ClientSecret: string(made.ClientSecret), AccountCode: made.AccountCode, IDDocument: made.IDDocument,
			}, "", "  ")
			if err != nil {
				return err
			}
			return a.show(made, durable.Replace(file, append(data, '\n')))
		}),
	})
}

// signerClient proves itself with what is in a registration file.
func (a *app) signerClient(file string) (*qredo.Client, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, usagef("--registration: %v", err)
	}
	var r registrationFile
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, usagef("--registration: %s is not what register has written", file)
	}
	auth, err := sandbox.NewAgentAuth(&qredo.AgentRegistration{ID: r.ID, ClientID: r.ClientID, ClientSecret: qredo.Secret(r.ClientSecret)})
	if err != nil {
		return nil, usagef("--registration: %v", err)
	}
	base, err := a.settings.baseURL()
	if err != nil {
		return nil, err
	}
	return a.newClient(auth, base)
}

// withSigner runs a command with a client that proves itself with what is in a file.
func (a *app) withSigner(file *string, run func(context.Context, partnerCall) error) func(context.Context, []string) error {
	return withPartner(func() (*qredo.Client, error) { return a.signerClient(*file) }, run)
}

type signerFunc func(ctx context.Context, c partnerCall, values []string) error

// signer makes a command of the signing agent's own side.
func (a *app) signer(use, short, long, flags string, run signerFunc) *cobra.Command {
	var file string
	var values []string
	return a.command(command{
		use: use, short: short, long: long,
		example: "qredo agent signer " + use + " --registration agent.json " + flags,
		flags: func(f *flagSet) {
			f.StringVar(&file, "registration", "", "file that register has written (required)")
			if flags != "" {
				f.StringArrayVar(&values, "signature", nil, "signature in hexadecimal")
			}
		},
		run: a.withSigner(&file, func(ctx context.Context, c partnerCall) error { return run(ctx, c, values) }),
	})
}

func (a *app) signerFeed() *cobra.Command {
	var file string
	var count int
	return a.command(command{
		use: "feed", short: "Print what the agent is asked to approve, as it comes",
		long:    "Prints the agent's actions, first those that are pending, each once, until it is interrupted.",
		example: "qredo agent signer feed --registration agent.json",
		flags: func(f *flagSet) {
			f.StringVar(&file, "registration", "", "file that register has written (required)")
			f.IntVar(&count, "count", 0, "end after this many actions; no end if 0")
		},
		run: a.withSigner(&file, func(ctx context.Context, c partnerCall) error {
			return printFeed(ctx, a, c.SigningAgent.Feed(ctx), count, "Created", "Type", "Status", "ID", "Expires")
		}),
	})
}
