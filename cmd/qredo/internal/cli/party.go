package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

func (a *app) partyCommands() *cobra.Command {
	return group("party", "Whom a company trusts",
		`A company's trusted network: the people, programs and companies that can approve for its funds.`, `
		qredo party add alice@example.com --company COMPANY_ID
		qredo party list --company COMPANY_ID`,
		a.command(command{
			use: "add ADDRESS", short: "Ask a party to join",
			long: `Asks a party to join a company's trusted network: a user's e-mail, a core client's ID, or a company's domain.
A user must have an account, and has to accept in the app; against a sandbox, "qredo sandbox users add" makes them and
"qredo sandbox accept" accepts.`,
			example: "qredo party add alice@example.com --company 2J4KcGmSxWqbFVaDYBpMSHVYXZY",
			run: a.withCompany(func(ctx context.Context, c partnerCall) error {
				err := c.TrustedNetwork.Add(ctx, c.company, qredo.TrustedPartyRequest{Address: c.args[0]})
				return a.done(err, "%s is asked to join", plain(c.args[0]))
			}),
		}),
		a.command(command{
			use: "list", short: "List who is trusted",
			long:    "Lists the members of a company's trusted network. Their IDs are what custody groups are made of.",
			example: "qredo party list --company 2J4KcGmSxWqbFVaDYBpMSHVYXZY",
			run: a.withCompany(func(ctx context.Context, c partnerCall) error {
				return a.list(found(c.TrustedNetwork.List(ctx, c.company)))
			}),
		}),
		a.command(command{
			use: "remove ID", short: "Trust a party no longer",
			long:    "Takes a party out of a company's trusted network. Custody groups that have it keep it.",
			example: "qredo party remove 8Qx3bWDP7fFLeVCwJaSnjVkWgGpUtBsPz2TLhNdqm4Yr --company 2J4KcGmSxWqbFVaDYBpMSHVYXZY",
			run: a.withCompany(func(ctx context.Context, c partnerCall) error {
				id, err := a.partyNamed(ctx, c, c.args[0])
				if err != nil {
					return err
				}
				err = c.TrustedNetwork.Remove(ctx, c.company, id)
				return a.done(err, "%s is not trusted any more", plain(string(id)))
			}),
		}),
	)
}
