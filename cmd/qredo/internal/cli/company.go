package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

func (a *app) companyCommands() *cobra.Command {
	return group("company", "Companies and what they hold",
		`A company is a legal entity that holds funds and trusts those who approve for them.`, `
		qredo company create --name Acme --country FR --domain acme.example
		qredo company list
		qredo company holdings COMPANY_ID`,
		a.companyCreate(),
		a.companyUpdate(),
		a.command(command{
			use: "get [COMPANY_ID]", short: "Show a company",
			long:    "Shows the named company. Default: the one that --company names.",
			example: "qredo company get 2J4KcGmSxWqbFVaDYBpMSHVYXZY",
			run:     a.withNamedCompany(func(ctx context.Context, c partnerCall) error { return a.show(c.Companies.Get(ctx, c.company)) }),
		}),
		a.command(command{
			use: "list", short: "List all companies",
			long:    "Lists the companies of the API key.",
			example: "qredo company list",
			run: a.withClient(func(ctx context.Context, c partnerCall) error {
				return a.list(found(c.Companies.List(ctx)))
			}),
		}),
		a.command(command{
			use: "search TEXT", short: "Find companies by name or domain",
			long:    "Lists the companies whose name or domain contains the text.",
			example: "qredo company search acme",
			run: a.withClient(func(ctx context.Context, c partnerCall) error {
				return a.list(found(c.Companies.Search(ctx, c.args[0])))
			}),
		}),
		a.command(command{
			use: "holdings [COMPANY_ID]", short: "List a company's holdings by asset",
			long:    "Lists how much a company holds of each asset, over all its funds.",
			example: "qredo company holdings --company 2J4KcGmSxWqbFVaDYBpMSHVYXZY",
			run: a.withNamedCompany(func(ctx context.Context, c partnerCall) error {
				return a.list(found(c.Companies.ListHoldings(ctx, c.company)))
			}),
		}),
	)
}

// withNamedCompany runs a command about the company that its argument names. Default: the company of the settings.
func (a *app) withNamedCompany(run func(context.Context, partnerCall) error) func(context.Context, []string) error {
	return a.withClient(func(ctx context.Context, c partnerCall) (err error) {
		if c.company, err = a.company(ctx, c, c.args...); err != nil {
			return err
		}
		return run(ctx, c)
	})
}

func companyFlags(f *flagSet, req *qredo.CompanyRequest, name string) {
	f.StringVar(&req.Name, "name", "", name)
	f.StringVar(&req.City, "city", "", "city")
	f.StringVar(&req.Country, "country", "", "country, such as FR")
	f.StringVar(&req.Domain, "domain", "", "domain, such as acme.example")
	f.StringVar(&req.Ref, "ref", "", "your own reference")
}

func (a *app) companyCreate() *cobra.Command {
	var req qredo.CompanyRequest
	return a.command(command{
		use: "create", short: "Create a company",
		long:    "Creates a company and prints its ID, even if another has the same name or reference: see \"qredo company list\".",
		example: "qredo company create --name Acme --city Paris --country FR --domain acme.example --ref acme-1",
		flags: func(f *flagSet) {
			companyFlags(f, &req, "name")
			required(f, "name")
		},
		run: a.withClient(func(ctx context.Context, c partnerCall) error { return a.show(c.Companies.Create(ctx, req)) }),
	})
}

func (a *app) companyUpdate() *cobra.Command {
	var req qredo.CompanyRequest
	var given *flagSet
	return a.command(command{
		use: "update [COMPANY_ID]", short: "Change a company's details",
		long:    "Changes what the flags name. Everything else stays as it is. No field can be emptied.",
		example: "qredo company update 2J4KcGmSxWqbFVaDYBpMSHVYXZY --city Lyon",
		flags: func(f *flagSet) {
			given = f
			companyFlags(f, &req, "name")
		},
		check: func() error {
			if req == (qredo.CompanyRequest{}) {
				return usagef("nothing to change: give --name, --city, --country, --domain or --ref")
			}
			for _, flag := range []string{"name", "city", "country", "domain", "ref"} {
				if value, _ := given.GetString(flag); given.Changed(flag) && strings.TrimSpace(value) == "" {
					return usagef("--%s must not be empty: the service cannot empty a field", flag)
				}
			}
			return nil
		},
		run: a.withNamedCompany(func(ctx context.Context, c partnerCall) error {
			return a.show(c.Companies.Update(ctx, c.company, qredo.CompanyUpdate(req)))
		}),
	})
}
