package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

func (a *app) partyCommands() *cobra.Command {
	return group("party", "A company's trusted network",
		`A company's trusted network is the people, programs and companies that can approve for its funds.`, `
		qredo party add alice@example.com --company COMPANY_ID
		qredo party list --company COMPANY_ID`,
		a.command(command{
			use: "add ADDRESS", short: "Invite a party to join",
			long: `Invites a party to join a company's trusted network. ADDRESS is a user's e-mail, a core client's ID, or a company's
domain. A user must have an account, and must accept in the app; with a sandbox, "qredo sandbox users add" creates the user
and "qredo sandbox accept" accepts.`,
			example: "qredo party add alice@example.com --company 2J4KcGmSxWqbFVaDYBpMSHVYXZY",
			run: a.withCompany(func(ctx context.Context, c partnerCall) error {
				err := c.TrustedNetwork.Add(ctx, c.company, qredo.TrustedPartyRequest{Address: c.args[0]})
				return a.done(err, "%s was invited to join", plain(c.args[0]))
			}),
		}),
		a.command(command{
			use: "list", short: "List who is trusted",
			long:    "Lists the members of a company's trusted network. Custody groups are made of their IDs.",
			example: "qredo party list --company 2J4KcGmSxWqbFVaDYBpMSHVYXZY",
			run: a.withCompany(func(ctx context.Context, c partnerCall) error {
				return a.list(found(c.TrustedNetwork.List(ctx, c.company)))
			}),
		}),
		a.command(command{
			use: "remove ID", short: "Remove a party",
			long:    "Removes a party from a company's trusted network. Custody groups that include it keep it.",
			example: "qredo party remove 8Qx3bWDP7fFLeVCwJaSnjVkWgGpUtBsPz2TLhNdqm4Yr --company 2J4KcGmSxWqbFVaDYBpMSHVYXZY",
			run: a.withCompany(func(ctx context.Context, c partnerCall) error {
				id, err := a.partyNamed(ctx, c, c.args[0])
				if err != nil {
					return err
				}
				err = c.TrustedNetwork.Remove(ctx, c.company, id)
				return a.done(err, "%s is no longer trusted", plain(string(id)))
			}),
		}),
	)
}
