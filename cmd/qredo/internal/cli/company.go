package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

func (a *app) companyCommands() *cobra.Command {
	return group("company", "Companies and what they hold",
		`A company is a legal entity that holds funds and trusts those who approve for them.`, `
		qredo company create --name Acme --country FR --domain acme.example
		qredo company search acme
		qredo company holdings COMPANY_ID`,
		a.companyCreate(),
		a.companyUpdate(),
		a.command(command{
			use: "get [COMPANY_ID]", short: "Show a company",
			long:    "Shows a company: the one named, else that of --company.",
			example: "qredo company get 2J4KcGmSxWqbFVaDYBpMSHVYXZY",
			run: func(ctx context.Context, args []string) error {
				client, id, err := a.forCompany(args)
				if err != nil {
					return err
				}
				company, err := client.Companies.Get(ctx, id)
				if err != nil {
					return err
				}
				return a.show(company)
			},
		}),
		a.command(command{
			use: "search TEXT", short: "Find companies by name or domain",
			long:    "Lists the companies whose name or domain matches text of three letters or more.",
			example: "qredo company search acme",
			run: func(ctx context.Context, args []string) error {
				client, err := a.connect()
				if err != nil {
					return err
				}
				found, err := client.Companies.Search(ctx, args[0])
				if err != nil {
					return err
				}
				return list(a, found, "ID", "Name", "Domain")
			},
		}),
		a.command(command{
			use: "holdings [COMPANY_ID]", short: "List how much a company has of each asset",
			long:    "Lists how much of each asset a company has, over all its funds.",
			example: "qredo company holdings --company 2J4KcGmSxWqbFVaDYBpMSHVYXZY",
			run: func(ctx context.Context, args []string) error {
				client, id, err := a.forCompany(args)
				if err != nil {
					return err
				}
				holdings, err := client.Companies.Holdings(ctx, id)
				if err != nil {
					return err
				}
				return list(a, holdings, "Asset", "Amount")
			},
		}),
	)
}

// forCompany returns the client, and the company that is named as argument or in the settings.
func (a *app) forCompany(args []string) (*qredo.Client, qredo.CompanyID, error) {
	client, err := a.connect()
	if err != nil {
		return nil, "", err
	}
	if len(args) > 0 {
		return client, qredo.CompanyID(args[0]), nil
	}
	id, err := a.company()
	return client, id, err
}

func companyFlags(cmd *cobra.Command, req *qredo.CompanyRequest) {
	cmd.Flags().StringVar(&req.Name, "name", "", "name")
	cmd.Flags().StringVar(&req.City, "city", "", "city")
	cmd.Flags().StringVar(&req.Country, "country", "", "country, such as FR")
	cmd.Flags().StringVar(&req.Domain, "domain", "", "domain, such as acme.example")
	cmd.Flags().StringVar(&req.Ref, "ref", "", "your own reference, unique among your companies")
}

func (a *app) companyCreate() *cobra.Command {
	var req qredo.CompanyRequest
	cmd := a.command(command{
		use: "create", short: "Make a company",
		long:    "Makes a company and prints its ID. One that exists already is refused.",
		example: "qredo company create --name Acme --city Paris --country FR --domain acme.example --ref acme-1",
		run: func(ctx context.Context, _ []string) error {
			if err := required("name", req.Name); err != nil {
				return err
			}
			client, err := a.connect()
			if err != nil {
				return err
			}
			made, err := client.Companies.Create(ctx, req)
			if err != nil {
				return err
			}
			return a.show(made)
		},
	})
	companyFlags(cmd, &req)
	return cmd
}

func (a *app) companyUpdate() *cobra.Command {
	var req qredo.CompanyRequest
	var cmd *cobra.Command
	cmd = a.command(command{
		use: "update [COMPANY_ID]", short: "Change what is known about a company",
		long: `Changes a company. What no flag names stays as it is: the command reads the company first, since the service
replaces all fields.`,
		example: "qredo company update 2J4KcGmSxWqbFVaDYBpMSHVYXZY --city Lyon",
		run: func(ctx context.Context, args []string) error {
			client, id, err := a.forCompany(args)
			if err != nil {
				return err
			}
			now, err := client.Companies.Get(ctx, id)
			if err != nil {
				return err
			}
			for flag, field := range map[string]struct {
				to   *string
				from string
			}{
				"name": {&req.Name, now.Name}, "city": {&req.City, now.City}, "country": {&req.Country, now.Country},
				"domain": {&req.Domain, now.Domain}, "ref": {&req.Ref, now.Ref},
			} {
				if !cmd.Flags().Changed(flag) {
					*field.to = field.from
				}
			}
			updated, err := client.Companies.Update(ctx, id, req)
			if err != nil {
				return err
			}
			return a.show(updated)
		},
	})
	companyFlags(cmd, &req)
	return cmd
}

func (a *app) partyCommands() *cobra.Command {
	return group("party", "Whom a company trusts",
		`A company's trusted network: the people, programs and companies that can approve for its funds.`, `
		qredo party add alice@example.com --company COMPANY_ID
		qredo party list --company COMPANY_ID`,
		a.command(command{
			use: "add ADDRESS", short: "Ask a party to join",
			long: `Asks a party to join a company's trusted network: a user's e-mail, a core client's ID, or a company's domain.
A user has to accept in the app; against a sandbox, "qredo sandbox accept" does that.`,
			example: "qredo party add alice@example.com --company 2J4KcGmSxWqbFVaDYBpMSHVYXZY",
			run: func(ctx context.Context, args []string) error {
				client, company, err := a.forCompany(nil)
				if err != nil {
					return err
				}
				if err := client.TrustedNetwork.Add(ctx, company, qredo.TrustedPartyRequest{Address: args[0]}); err != nil {
					return err
				}
				return a.done("%s is asked to join", plain(args[0]))
			},
		}),
		a.command(command{
			use: "list", short: "List who is trusted",
			long:    "Lists the members of a company's trusted network. Their IDs are what custody groups are made of.",
			example: "qredo party list --company 2J4KcGmSxWqbFVaDYBpMSHVYXZY",
			run: func(ctx context.Context, _ []string) error {
				client, company, err := a.forCompany(nil)
				if err != nil {
					return err
				}
				parties, err := client.TrustedNetwork.List(ctx, company)
				if err != nil {
					return err
				}
				return list(a, parties, "ID", "Type", "Address", "Name", "Created")
			},
		}),
		a.command(command{
			use: "remove ID", short: "Trust a party no longer",
			long:    "Takes a party out of a company's trusted network. Custody groups that have it keep it.",
			example: "qredo party remove 8Qx3bWDP7fFLeVCwJaSnjVkWgGpUtBsPz2TLhNdqm4Yr --company 2J4KcGmSxWqbFVaDYBpMSHVYXZY",
			run: func(ctx context.Context, args []string) error {
				client, company, err := a.forCompany(nil)
				if err != nil {
					return err
				}
				if err := client.TrustedNetwork.Remove(ctx, company, qredo.TrustedEntityID(args[0])); err != nil {
					return err
				}
				return a.done("%s is not trusted any more", plain(args[0]))
			},
		}),
	)
}
