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
			run: a.withNamedCompany(func(ctx context.Context, client *qredo.Client, id qredo.CompanyID) error {
				return a.show(client.Companies.Get(ctx, id))
			}),
		}),
		a.command(command{
			use: "search TEXT", short: "Find companies by name or domain",
			long:    "Lists the companies whose name or domain matches text of three letters or more.",
			example: "qredo company search acme",
			run: a.withClient(func(ctx context.Context, client *qredo.Client, args []string) error {
				return a.list(found(client.Companies.Search(ctx, args[0])), "ID", "Name", "Domain")
			}),
		}),
		a.command(command{
			use: "holdings [COMPANY_ID]", short: "List how much a company has of each asset",
			long:    "Lists how much of each asset a company has, over all its funds.",
			example: "qredo company holdings --company 2J4KcGmSxWqbFVaDYBpMSHVYXZY",
			run: a.withNamedCompany(func(ctx context.Context, client *qredo.Client, id qredo.CompanyID) error {
				return a.list(found(client.Companies.Holdings(ctx, id)), "Asset", "Amount")
			}),
		}),
	)
}

// withNamedCompany runs a command about the company that its argument names, else that of the settings.
func (a *app) withNamedCompany(run func(context.Context, *qredo.Client, qredo.CompanyID) error) func(context.Context, []string) error {
	return a.withClient(func(ctx context.Context, client *qredo.Client, args []string) error {
		id, err := a.company(args...)
		if err != nil {
			return err
		}
		return run(ctx, client, id)
	})
}

func companyFlags(f *flagSet, req *qredo.CompanyRequest) {
	f.StringVar(&req.Name, "name", "", "name")
	f.StringVar(&req.City, "city", "", "city")
	f.StringVar(&req.Country, "country", "", "country, such as FR")
	f.StringVar(&req.Domain, "domain", "", "domain, such as acme.example")
	f.StringVar(&req.Ref, "ref", "", "your own reference, unique among your companies")
}

func (a *app) companyCreate() *cobra.Command {
	var req qredo.CompanyRequest
	return a.command(command{
		use: "create", short: "Make a company",
		long:    "Makes a company and prints its ID. One that exists already is refused.",
		example: "qredo company create --name Acme --city Paris --country FR --domain acme.example --ref acme-1",
		flags:   func(f *flagSet) { companyFlags(f, &req) },
		needs:   []string{"name"},
		run: a.withClient(func(ctx context.Context, client *qredo.Client, _ []string) error {
			return a.show(client.Companies.Create(ctx, req))
		}),
	})
}

func (a *app) companyUpdate() *cobra.Command {
	var req qredo.CompanyRequest
	var given *flagSet
	return a.command(command{
		use: "update [COMPANY_ID]", short: "Change what is known about a company",
		long: `Changes a company. What no flag names stays as it is: the command reads the company first, since the service
replaces all fields.`,
		example: "qredo company update 2J4KcGmSxWqbFVaDYBpMSHVYXZY --city Lyon",
		flags: func(f *flagSet) {
			given = f
			companyFlags(f, &req)
		},
		run: a.withNamedCompany(func(ctx context.Context, client *qredo.Client, id qredo.CompanyID) error {
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
				if !given.Changed(flag) {
					*field.to = field.from
				}
			}
			return a.show(client.Companies.Update(ctx, id, req))
		}),
	})
}
