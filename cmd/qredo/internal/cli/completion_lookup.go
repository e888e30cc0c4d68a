package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox"
)

// lookup asks the service for a completion: once, rarely, and without a prompt.
type lookup struct {
	app *app
	ctx context.Context
}

// partner asks the Partner API. The cache is keyed by the service, the key, the profile and the question.
func (l *lookup) partner(what string, ask func(c partnerCall) ([]thing, error)) ([]thing, error) {
	a := l.app
	if err := a.load(); err != nil {
		return nil, err
	}
	base, err := a.settings.baseURL()
	if err != nil {
		return nil, err
	}
	key, _, err := a.apiKey()
	if err != nil {
		return nil, err
	}
	return a.kept([]string{base.value, digest(key), a.settings.profile, what}, func() ([]thing, error) {
		auth, err := a.rsaAuth()
		if err != nil {
			return nil, err
		}
		if a.client, err = a.newClient(auth, base, qredo.WithRetry(qredo.RetryPolicy{MaxAttempts: 1})); err != nil {
			return nil, err
		}
		return ask(partnerCall{Client: a.client})
	})
}

// inCompany asks about the company of the settings.
func (l *lookup) inCompany(what string, ask func(c partnerCall) ([]thing, error)) ([]thing, error) {
	if err := l.app.load(); err != nil {
		return nil, err
	}
	return l.partner(what+" of "+l.app.settings.get(keyCompany).value, func(c partnerCall) (_ []thing, err error) {
		if c.company, err = l.app.company(l.ctx, c); err != nil {
			return nil, err
		}
		return ask(c)
	})
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}

func (l *lookup) companies(place) ([]thing, error) {
	return l.partner("companies", func(c partnerCall) ([]thing, error) { return companiesOf(c.Companies.List(l.ctx)) })
}

func (l *lookup) funds(place) ([]thing, error) {
	return l.inCompany("funds", func(c partnerCall) ([]thing, error) { return fundsOf(c.Funds.List(l.ctx, c.company)) })
}

func (l *lookup) wallets(place) ([]thing, error) {
	if err := l.app.load(); err == nil && l.app.settings.get(keyCompany).value == "" {
		return l.partner("wallets", func(c partnerCall) ([]thing, error) { return walletsOf(l.ctx, c.Client, "") })
	}
	return l.inCompany("wallets", func(c partnerCall) ([]thing, error) { return walletsOf(l.ctx, c.Client, c.company) })
}

func (l *lookup) parties(place) ([]thing, error) {
	return l.inCompany("parties", func(c partnerCall) ([]thing, error) { return partiesOf(c.TrustedNetwork.List(l.ctx, c.company)) })
}

func (l *lookup) agents(place) ([]thing, error) {
	return l.partner("agents", func(c partnerCall) ([]thing, error) { return agentsOf(c.CoreClients.List(l.ctx)) })
}

func (l *lookup) exchanges(place) ([]thing, error) {
	return l.partner("exchanges", func(c partnerCall) ([]thing, error) { return exchangesOf(c.Wallets.ListExchanges(l.ctx)) })
}

func (l *lookup) assets(place) ([]thing, error) {
	return l.partner("assets", func(c partnerCall) ([]thing, error) {
		list, err := c.Assets.List(l.ctx)
		return thingsOf(list, err, func(x qredo.Asset) thing { return thing{ID: string(x.Code), Name: x.Name} })
	})
}

// amounts are the typed figure with each asset.
func (l *lookup) amounts(at place) ([]thing, error) {
	figure, _ := splitAmount(at.typed)
	assets, err := l.assets(at)
	for i := range assets {
		assets[i].ID = figure + assets[i].ID
	}
	return assets, err
}

// actions are those that wait for the core client named before.
func (l *lookup) actions(at place) ([]thing, error) {
	if len(at.args) == 0 {
		return nil, nil
	}
	return l.partner("actions for "+at.args[0], func(c partnerCall) ([]thing, error) {
		id, err := l.app.agentNamed(l.ctx, c, at.args[0])
		if err != nil {
			return nil, err
		}
		list, err := c.CoreClients.ListActions(l.ctx, id)
		return thingsOf(list, err, func(x qredo.Action) thing {
			return thing{ID: string(x.ID), Name: string(x.Type), About: string(x.Status)}
		})
	})
}

// swaps are the quotes on the hub.
func (l *lookup) swaps(place) ([]thing, error) {
	return l.partner("quotes", func(c partnerCall) ([]thing, error) {
		list, err := c.Swaps.ListHubAll(l.ctx)
		return thingsOf(list, err, func(q qredo.HubQuote) thing {
			return thing{ID: string(q.TxID), Name: string(q.SendAsset) + " for " + string(q.ReceiveAsset)}
		})
	})
}

// transactions are the latest ones of a kind in the ledgers of the company's funds.
func (l *lookup) transactions(kinds ...qredo.EntryType) func(place) ([]thing, error) {
	return func(place) ([]thing, error) {
		const latest = 20
		return l.inCompany("transactions "+joined(kinds), func(c partnerCall) ([]thing, error) {
			funds, err := c.Funds.List(l.ctx, c.company)
			if err != nil {
				return nil, err
			}
			all, err := inFunds(l.ctx, funds, func(ctx context.Context, f qredo.FundMatch) ([]thing, error) {
				page, err := c.Funds.ListLedger(ctx, c.company, f.ID, qredo.LedgerOptions{Limit: latest})
				if err != nil {
					return nil, err
				}
				entries := slices.DeleteFunc(page.Entries, func(e qredo.LedgerEntry) bool { return e.TxID == "" || !slices.Contains(kinds, e.Type) })
				return thingsOf(entries, nil, func(e qredo.LedgerEntry) thing {
					return thing{ID: string(e.TxID), Name: string(e.Asset), Other: string(e.Status), About: e.Reference, Where: e.Time.UTC().Format("2006-01-02 15:04")}
				})
			})
			slices.SortStableFunc(all, func(x, y thing) int { return cmp.Compare(y.Where, x.Where) })
			twice := map[string]bool{} // a transfer between two wallets of the company
			return slices.DeleteFunc(all, func(t thing) bool {
				was := twice[t.ID]
				twice[t.ID] = true
				return was
			}), err
		})
	}
}

// qapi asks Qredo API v1.
func (l *lookup) qapi(what string, ask func(*qapi.Client) ([]thing, error)) ([]thing, error) {
	a := l.app
	if err := a.load(); err != nil {
		return nil, err
	}
	base, err := a.qapiBase()
	if err != nil {
		return nil, err
	}
	key, _, err := a.qapiKey()
	if err != nil {
		return nil, err
	}
	return a.kept([]string{base.value, digest(key), a.settings.profile, "qapi " + what}, func() ([]thing, error) {
		client, err := a.connectQAPI()
		if err != nil {
			return nil, err
		}
		return ask(client)
	})
}

func (l *lookup) qapiFunds(place) ([]thing, error) {
	return l.qapi("funds", func(client *qapi.Client) ([]thing, error) {
		return qapiFundsOf(client.Funds.List(l.ctx, qapi.FundsOptions{}))
	})
}

func (l *lookup) qapiWallets(place) ([]thing, error) {
	return l.qapi("wallets", func(client *qapi.Client) ([]thing, error) { return qapiWalletsOf(l.ctx, client) })
}

// users are those of the app of a sandbox.
func (l *lookup) users(place) ([]thing, error) {
	return l.control(func(c *sandbox.Control) ([]thing, error) {
		state, err := c.State(l.ctx)
		return thingsOf(state.Users, err, func(u sandbox.User) thing {
			return thing{ID: u.Email, Name: strings.TrimSpace(u.FirstName + " " + u.LastName)}
		})
	})
}

// pending is what waits for the user named before.
func (l *lookup) pending(at place) ([]thing, error) {
	if len(at.args) == 0 {
		return nil, nil
	}
	return l.control(func(c *sandbox.Control) ([]thing, error) {
		list, err := c.Pending(l.ctx, at.args[0])
		return thingsOf(list, err, func(p sandbox.PendingApproval) thing {
			return thing{ID: string(p.TxID), Name: p.Type, About: string(p.Asset)}
		})
	})
}

// control asks a sandbox. Nothing is cached: it is near, and changes with each command.
func (l *lookup) control(ask func(*sandbox.Control) ([]thing, error)) ([]thing, error) {
	if err := l.app.load(); err != nil {
		return nil, err
	}
	control, err := l.app.control()
	if err != nil {
		return nil, err
	}
	return ask(control)
}

// profiles are those of the configuration file.
func (l *lookup) profiles(place) ([]thing, error) {
	file, err := readConfig(l.app.configPath())
	var all []thing
	for _, name := range slices.Sorted(maps.Keys(file.Profiles)) {
		all = append(all, thing{ID: name, Name: cmp.Or(file.Profiles[name][keyBaseURL.name], file.Profiles[name][keyEnvironment.name])})
	}
	return all, err
}
