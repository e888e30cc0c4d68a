package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
)

// Names in flags and arguments are looked up before anything is shown, asked or sent; from then on only the ID is used. A
// text in the form of an ID costs no call. Lookups always ask the service and never use the cache for completions.

// companyNamed returns the company that a text means.
func (a *app) companyNamed(ctx context.Context, c partnerCall, text string) (qredo.CompanyID, error) {
	text = typed(text)
	if isID(text) {
		return qredo.CompanyID(text), nil
	}
	// The service's search is not used: it may not find names that differ in spaces or Unicode form.
	companies, err := a.listed("companies", func() ([]thing, error) { return companiesOf(c.Companies.List(ctx)) })
	if err != nil {
		return "", err
	}
	found, err := pick("company", "", text, companies)
	return qredo.CompanyID(found.ID), err
}

// fundNamed returns the fund of the company that a text means.
func (a *app) fundNamed(ctx context.Context, c partnerCall, text string) (qredo.FundID, error) {
	text = typed(text)
	if isID(text) {
		return qredo.FundID(text), nil
	}
	funds, err := a.listed("funds of "+string(c.company), func() ([]thing, error) { return fundsOf(c.Funds.List(ctx, c.company)) })
	if err != nil {
		return "", err
	}
	found, err := pick("fund", companyWords(c.company), text, funds)
	return qredo.FundID(found.ID), err
}

// walletNamed returns the wallet that a text means. An ID or short code costs the one call that gets the wallet.
func (a *app) walletNamed(ctx context.Context, c partnerCall, text string) (*qredo.Wallet, error) {
	text = typed(text)
	wallet, err := walletCalled(ctx, c, text)
	if err == nil || isID(text) || !isMissing(err) {
		return wallet, err
	}
	found, err := a.listedWallet(ctx, c, text, err)
	if err != nil {
		return nil, err
	}
	return c.Wallets.Get(ctx, qredo.WalletID(found.ID))
}

// walletIDNamed returns the ID of the wallet that a text means. An unknown short code is left to the service.
func (a *app) walletIDNamed(ctx context.Context, c partnerCall, text string) (qredo.WalletID, error) {
	text = typed(text)
	if isID(text) {
		return qredo.WalletID(text), nil
	}
	wallet, err := a.walletNamed(ctx, c, text)
	switch missing := (*nameError)(nil); {
	case err == nil:
		return wallet.ID, nil
	case isShortCode(text) && errors.As(err, &missing) && missing.none:
		return qredo.WalletID(text), nil
	}
	return "", err
}

// recipientNamed returns a wallet that may be somebody else's, of which perhaps only the given ID or short code is known.
// So a text that could be a short code is not taken for a name.
func (a *app) recipientNamed(ctx context.Context, c partnerCall, text string) (*qredo.Wallet, error) {
	text = typed(text)
	wallet, err := walletCalled(ctx, c, text)
	switch {
	case err == nil, !isMissing(err):
		return wallet, err
	case isID(text):
		return &qredo.Wallet{ID: qredo.WalletID(text)}, nil
	}
	found, err := a.listedWallet(ctx, c, text, err)
	switch missing := (*nameError)(nil); {
	case isShortCode(text) && errors.As(err, &missing) && missing.none:
		return &qredo.Wallet{ID: qredo.WalletID(text)}, nil
	case err != nil:
		return nil, err
	case isShortCode(text) && codeKey(found.Code) != codeKey(text):
		return nil, usagef("%s is the name of wallet %s, and could be the short code of another: give the ID", inQuotes(text), found)
	}
	return c.Wallets.Get(ctx, qredo.WalletID(found.ID))
}

// walletCalled gets a wallet by its ID or short code. It refuses a response about another wallet.
func walletCalled(ctx context.Context, c partnerCall, text string) (*qredo.Wallet, error) {
	wallet, err := c.Wallets.Get(ctx, qredo.WalletID(text))
	if err != nil || string(wallet.ID) == text || codeKey(wallet.ShortCode) == codeKey(text) || isShortCode(text) && wallet.ShortCode == "" {
		return wallet, err
	}
	return nil, fmt.Errorf("asked for wallet %s, but the answer is about %s", inQuotes(text), plain(string(wallet.ID)))
}

// isMissing reports whether the service says that an ID is unknown or not valid.
func isMissing(err error) bool {
	return errors.Is(err, qredo.ErrNotFound) || errors.Is(err, qredo.ErrBadRequest) || errors.Is(err, qredo.ErrForbidden) ||
		errors.As(err, new(*qredo.ValidationError))
}

// listedWallet looks for a wallet among those of the company, or of all companies if none is set. answer is the service's
// error about the text as an ID.
func (a *app) listedWallet(ctx context.Context, c partnerCall, text string, answer error) (thing, error) {
	wallets, err := a.listed("wallets", func() ([]thing, error) { return walletsOf(ctx, c.Client, c.company) })
	if err != nil {
		return thing{}, err
	}
	found, err := pick("wallet", companyWords(c.company), text, wallets)
	if missing := (*nameError)(nil); errors.As(err, &missing) && !errors.As(answer, new(*qredo.ValidationError)) { // then the service was not asked
		missing.answer = answer
	}
	return found, err
}

// partyNamed returns the member of the company's trusted network that a text means, by ID, name or address.
func (a *app) partyNamed(ctx context.Context, c partnerCall, text string) (qredo.TrustedEntityID, error) {
	text = typed(text)
	if isID(text) {
		return qredo.TrustedEntityID(text), nil
	}
	parties, err := a.listed("parties", func() ([]thing, error) { return partiesOf(c.TrustedNetwork.List(ctx, c.company)) })
	if err != nil {
		return "", err
	}
	found, err := pick("trusted party", companyWords(c.company), text, parties)
	return qredo.TrustedEntityID(found.ID), err
}

// agentNamed returns the core client that a text means.
func (a *app) agentNamed(ctx context.Context, c partnerCall, text string) (qredo.CoreClientID, error) {
	text = typed(text)
	if isID(text) {
		return qredo.CoreClientID(text), nil
	}
	agents, err := a.listed("agents", func() ([]thing, error) { return agentsOf(c.CoreClients.List(ctx)) })
	if err != nil {
		return "", err
	}
	found, err := pick("core client", "", text, agents)
	return qredo.CoreClientID(found.ID), err
}

// agentIfNamed is agentNamed for a name that may be empty.
func (a *app) agentIfNamed(ctx context.Context, c partnerCall, text string) (qredo.CoreClientID, error) {
	text = typed(text)
	if text == "" {
		return "", nil
	}
	return a.agentNamed(ctx, c, text)
}

// exchangeNamed returns the counterparty that a text means, for a wallet that is to be connected to it.
func (a *app) exchangeNamed(ctx context.Context, c partnerCall, text string) (string, error) {
	text = typed(text)
	if isID(text) {
		return text, nil
	}
	exchanges, err := a.listed("exchanges", func() ([]thing, error) { return exchangesOf(c.Wallets.ListExchanges(ctx)) })
	if err != nil {
		return "", err
	}
	found, err := pick("exchange", "", text, exchanges)
	return found.ID, err
}

// qapiFundNamed and qapiWalletNamed ask Qredo API v1.
func (a *app) qapiFundNamed(ctx context.Context, client *qapi.Client, text string) (qredo.FundID, error) {
	text = typed(text)
	if isID(text) {
		return qredo.FundID(text), nil
	}
	funds, err := qapiFundsOf(client.Funds.List(ctx, qapi.FundsOptions{Archived: true}))
	if err != nil {
		return "", err
	}
	found, err := pick("fund", "", text, funds)
	return qredo.FundID(found.ID), err
}

func (a *app) qapiWalletNamed(ctx context.Context, client *qapi.Client, text string) (qredo.WalletID, error) {
	text = typed(text)
	if isID(text) {
		return qredo.WalletID(text), nil
	}
	wallets, err := qapiWalletsOf(ctx, client)
	if err != nil {
		return "", err
	}
	found, err := pick("wallet", "", text, wallets)
	return qredo.WalletID(found.ID), err
}

// listed keeps a list for the rest of the run, so that a second name costs no call.
func (a *app) listed(what string, list func() ([]thing, error)) ([]thing, error) {
	if things, found := a.lists[what]; found {
		return things, nil
	}
	things, err := list()
	if err != nil {
		return nil, err
	}
	if a.lists == nil {
		a.lists = map[string][]thing{}
	}
	a.lists[what] = things
	return things, nil
}

func companyWords(id qredo.CompanyID) string {
	if id == "" {
		return ""
	}
	return "company " + plain(string(id))
}
