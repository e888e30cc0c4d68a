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

// agentAddress is where an agent's program serves, and how to prove oneself to it.
type agentAddress struct{ url, tokenFile string }

func (p *agentAddress) flags(f *flagSet) {
	f.StringVar(&p.url, "url", "http://127.0.0.1:8007", "where the agent's program serves")
	f.StringVar(&p.tokenFile, "token-file", "", "file of the token that it asks for")
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

// signingAgentCalls are the commands that call a program which serves, ours or the old one.
func (a *app) signingAgentCalls() []*cobra.Command {
	return []*cobra.Command{
		a.signingAgentRegister(),
		a.signingAgentCall("show", "Show the agent of a program", "Shows the agent that a program serves: its ID, its name and where its feed is.",
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
	return a.signingAgentCall("register NAME", "Have a program that serves register its agent",
		`Has the program make the agent's keys and register them, with the API key and the private key of the settings, which travel to it. Prints
the agent's ID, by which trusted parties and members of custody groups are named. A program has one agent.`,
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
		short+`, whatever it is: what it would let happen, "qredo agent action" shows.`,
		func(ctx context.Context, client *signingagent.Client, args []string) error {
			return a.done(vote(client, ctx, qredo.ActionID(args[0])), "%s: %s", verb, plain(args[0]))
		})
}

func (a *app) signingAgentFeed() *cobra.Command {
	var place agentAddress
	var count int
	return a.command(command{
		use: "feed", short: "Print what an agent is asked to approve, as it comes",
		long: `Prints the actions of the agent that a program serves, first those that are pending, each once, until it is interrupted. The old
program does not tell earlier ones in every release: that is a warning.`,
		example: "qredo signing-agent feed --output json",
		flags: func(f *flagSet) {
			place.flags(f)
			f.IntVar(&count, "count", 0, "end after this many actions; no end if 0")
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
