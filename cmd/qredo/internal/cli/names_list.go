package cli

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
)

// These turn the service's lists into things.

func thingsOf[T any](list []T, err error, each func(T) thing) ([]thing, error) {
	things := make([]thing, len(list))
	for i, one := range list {
		things[i] = each(one)
	}
	return things, err
}

func companiesOf(list []qredo.CompanyMatch, err error) ([]thing, error) {
	return thingsOf(list, err, func(c qredo.CompanyMatch) thing { return thing{ID: string(c.ID), Name: c.Name, About: c.Domain} })
}

func fundsOf(list []qredo.FundMatch, err error) ([]thing, error) {
	return thingsOf(list, err, func(f qredo.FundMatch) thing { return thing{ID: string(f.ID), Name: f.Name} })
}

func partiesOf(list []qredo.TrustedParty, err error) ([]thing, error) {
	return thingsOf(list, err, func(p qredo.TrustedParty) thing {
		return thing{ID: string(p.ID), Name: p.Name, Other: p.Address, About: string(p.Type)}
	})
}

func agentsOf(list []qredo.CoreClient, err error) ([]thing, error) {
	return thingsOf(list, err, func(c qredo.CoreClient) thing {
		return thing{ID: string(c.ID), Name: c.Name, About: "made " + c.Created.UTC().Format("2006-01-02")}
	})
}

func exchangesOf(list []qredo.Exchange, err error) ([]thing, error) {
	return thingsOf(list, err, func(e qredo.Exchange) thing { return thing{ID: e.ID, Name: e.Name, About: e.URL} })
}

// walletsOf lists the wallets in all funds of a company, or of all companies if it is empty. If a fund cannot be read, that
// is an error: a name that seems unique might not be.
func walletsOf(ctx context.Context, client *qredo.Client, company qredo.CompanyID) ([]thing, error) {
	if company != "" {
		return companyWallets(ctx, client, company, "")
	}
	companies, err := client.Companies.List(ctx)
	if err != nil {
		return nil, err
	}
	var all []thing
	for _, c := range companies {
		wallets, err := companyWallets(ctx, client, c.ID, " of company "+c.Name)
		if err != nil {
			return nil, err
		}
		all = append(all, wallets...)
	}
	return all, nil
}

func companyWallets(ctx context.Context, client *qredo.Client, company qredo.CompanyID, of string) ([]thing, error) {
	list, err := client.Funds.List(ctx, company)
	if err != nil {
		return nil, err
	}
	return inFunds(ctx, list, func(ctx context.Context, f qredo.FundMatch) ([]thing, error) {
		fund, err := client.Funds.Get(ctx, company, f.ID)
		if err != nil {
			return nil, err
		}
		return thingsOf(fund.Wallets, nil, func(w qredo.Wallet) thing {
			return thing{ID: string(w.ID), Code: w.ShortCode, Name: w.Name, About: string(w.Asset), Where: "in fund " + f.Name + of}
		})
	})
}

func qapiFundsOf(list []qapi.FundSummary, err error) ([]thing, error) {
	return thingsOf(list, err, func(f qapi.FundSummary) thing { return thing{ID: string(f.ID), Name: f.Name} })
}

func qapiWalletsOf(ctx context.Context, client *qapi.Client) ([]thing, error) {
	list, err := client.Funds.List(ctx, qapi.FundsOptions{})
	if err != nil {
		return nil, err
	}
	return inFunds(ctx, list, func(ctx context.Context, f qapi.FundSummary) ([]thing, error) {
		fund, err := client.Funds.Get(ctx, f.ID)
		if err != nil {
			return nil, err
		}
		return thingsOf(fund.Wallets, nil, func(w qapi.Wallet) thing {
			return thing{ID: string(w.ID), Name: w.Name, About: string(w.Asset), Where: "in fund " + f.Name}
		})
	})
}

// inFunds reads several funds at a time, and returns their contents in the funds' order.
func inFunds[F any](ctx context.Context, funds []F, read func(context.Context, F) ([]thing, error)) ([]thing, error) {
	const atATime = 4
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atATime)
	inside := make([][]thing, len(funds))
	for i, fund := range funds {
		group.Go(func() (err error) {
			inside[i], err = read(ctx, fund)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var all []thing
	for _, things := range inside {
		all = append(all, things...)
	}
	return all, nil
}
