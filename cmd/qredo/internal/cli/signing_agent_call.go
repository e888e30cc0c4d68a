package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/signingagent"
)

// agentAddress is where an agent's program serves, and how callers authenticate.
type agentAddress struct{ url, tokenFile string }

func (p *agentAddress) flags(f *flagSet) {
	f.StringVar(&p.url, "url", "http://127.0.0.1:8007", "URL at which the agent's program serves")
	f.StringVar(&p.tokenFile, "token-file", "", "file that holds the token that it requires")
}

// client calls the agent's program.
func (p *agentAddress) client(a *app) (*signingagent.Client, error) {
	httpClient, err := a.httpClient()
	if err != nil {
		return nil, err
	}
	opts := []signingagent.ClientOption{signingagent.WithHTTPClient(a.dry.guard(httpClient, p.url))}
	if p.tokenFile != "" {
		token, err := os.ReadFile(p.tokenFile)
		if err != nil {
			return nil, usagef("--token-file: %v", err)
		}
		opts = append(opts, signingagent.WithBearerToken(qredo.Secret(strings.TrimSpace(string(token)))))
	}
	client, err := signingagent.NewClient(p.url, opts...)
	if err != nil {
		return nil, misuse("--url", err)
	}
	return client, nil
}

// signingAgentCalls are the commands that call an agent's program, ours or the old one.
func (a *app) signingAgentCalls() []*cobra.Command {
	return []*cobra.Command{
		a.signingAgentRegister(),
		a.signingAgentCall("show", "Show a program's agent", "Shows the agent that a program serves: its ID, its name and its feed's URL.",
			func(ctx context.Context, client *signingagent.Client, _ []string) error {
				return a.show(client.Get(ctx))
			}),
		a.signingAgentVote("approve", "Have an agent approve an action", (*signingagent.Client).Approve),
		a.signingAgentVote("reject", "Have an agent reject an action", (*signingagent.Client).Reject),
		a.signingAgentFeed(),
	}
}

func (a *app) signingAgentCall(use, short, long string, run func(context.Context, *signingagent.Client, []string) error) *cobra.Command {
	var place agentAddress
	return a.command(command{
		use: use, short: short, long: long, example: "qredo signing-agent " + use, flags: place.flags,
		run: func(ctx context.Context, args []string) error {
			client, err := place.client(a)
			if err != nil {
				return err
			}
			return run(ctx, client, args)
		},
	})
}

func (a *app) signingAgentRegister() *cobra.Command {
	return a.signingAgentCall("register NAME", "Have a running program register its agent",
		`Has the program create the agent's keys and register them. The API key and the private key of the settings are sent to it
for that. Prints the agent's ID, which names it in trusted networks and custody groups. A program has one agent.`,
		func(ctx context.Context, client *signingagent.Client, args []string) error {
			apiKey, _, err := a.apiKey()
			if err != nil {
				return err
			}
			key, err := a.privateKey()
			if err != nil {
				return err
			}
			return a.show(client.Register(ctx, args[0], apiKey, key))
		})
}

func (a *app) signingAgentVote(verb, short string, vote func(*signingagent.Client, context.Context, qredo.ActionID, ...qredo.CallOption) error) *cobra.Command {
	return a.signingAgentCall(verb+" ACTION_ID", short,
		short+`, without showing it: "qredo agent action" shows what it would allow.`,
		func(ctx context.Context, client *signingagent.Client, args []string) error {
			return a.done(vote(client, ctx, qredo.ActionID(args[0])), "%s: %s", verb, plain(args[0]))
		})
}

func (a *app) signingAgentFeed() *cobra.Command {
	var place agentAddress
	var count int
	return a.command(command{
		use: "feed", short: "Follow the actions that an agent is asked to approve",
		long: `Prints the actions of the agent that a program serves, each once, starting with the pending ones, until it is interrupted.
Some releases of the old program do not report earlier actions: then a warning is printed.`,
		example: "qredo signing-agent feed --output json",
		flags: func(f *flagSet) {
			place.flags(f)
			f.IntVar(&count, "count", 0, "stop after this many actions; 0 for no limit")
		},
		run: func(ctx context.Context, _ []string) error {
			client, err := place.client(a)
			if err != nil {
				return err
			}
			state := qredo.WithFeedState(func(s qredo.FeedState) {
				if s.Err != nil {
					fmt.Fprintf(a.err, "warning: %s: %s\n", s.Status, plain(s.Err.Error()))
				}
			})
			return printFeed(ctx, a, client.Feed(ctx, state), count, "timestamp type status id expireTime")
		},
	})
}
