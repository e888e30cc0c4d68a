package qredo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ensuring says how a thing that must exist once is found, made and compared with what was asked for.
type ensuring[T any] struct {
	kind, key string
	within    string // only one such thing is made at a time
	find      func(context.Context) (ids []string, err error)
	create    func(context.Context, ...CallOption) (id string, err error) // without an ID, if the service gives none
	get       func(ctx context.Context, id string) (*T, error)
	compare   func(*T) differences
	remedy    string // for fields that differ
	hidden    error  // why it may not be found although it was made
}

// looks is how many times something that may have been made is looked for.
const looks = 4

// ensureTurns is shared by the whole program, not per client: two clients may make the same thing.
var ensureTurns turns

// ensured is the result of run.
type ensured[T any] struct {
	thing *T
	made  bool
	err   error
}

// run returns the thing if it exists, and otherwise makes it. While it is being made, the end of ctx ends the call, but
// neither the making nor its turn: if the caller tries again, the earlier attempt has finished, and its result is
// found.
func (e ensuring[T]) run(ctx context.Context, c *Client, opts []CallOption) (thing *T, made bool, err error) {
	done, err := ensureTurns.take(ctx, c.baseURL+" "+e.within)
	if err != nil {
		return nil, false, fmt.Errorf("qredo: %s with %s: %w", e.kind, e.key, err)
	}
	ended, left := make(chan ensured[T], 1), make(chan struct{})
	go func() {
		defer done()
		var end ensured[T]
		end.thing, end.made, end.err = e.settle(ctx, opts, left)
		ended <- end
	}()
	select {
	case end := <-ended:
		return end.thing, end.made, end.err
	case <-left:
		return nil, false, &maybeDoneError{fmt.Errorf("qredo: %s with %s is being made: %w", e.kind, e.key, ctx.Err())}
	}
}

func (e ensuring[T]) settle(ctx context.Context, opts []CallOption, left chan struct{}) (thing *T, made bool, err error) {
	ids, err := e.find(ctx)
	own := ""
	if err == nil && len(ids) == 0 {
		own, ids, made, err = e.make(ctx, opts, left)
	}
	if err != nil {
		return nil, made, err
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) > 1 {
		return nil, made, &DuplicateError{Kind: e.kind, Key: e.key, IDs: ids, Made: own}
	}
	if thing, err = e.get(ctx, ids[0]); err != nil {
		return nil, made, err
	}
	return thing, made, e.compare(thing).of(e.kind, ids[0], e.remedy)
}

// make makes the thing, and looks again, because another program may have made one in the meantime, and because after a
// lost response only a look shows whether it was made. A request whose response was lost may still be on its way, so it
// is never made a second time here, however often it is not found.
func (e ensuring[T]) make(ctx context.Context, opts []CallOption, left chan struct{}) (own string, ids []string, made bool, err error) {
	if ctx.Err() != nil {
		return "", nil, false, fmt.Errorf("qredo: %s with %s: %w", e.kind, e.key, ctx.Err())
	}
	stays := context.AfterFunc(ctx, func() { close(left) })
	own, failure := e.create(context.WithoutCancel(ctx), append(slices.Clip(opts), WithResponse(nil))...) // after that, the caller may read the result
	conflict := errors.Is(failure, ErrConflict)                                                           // one exists, whoever made it
	lost := errors.Is(failure, ErrOutcomeUnknown) && !conflict
	switch {
	case failure != nil && !lost && !conflict:
		stays()
		return "", nil, false, failure
	case !stays() && failure == nil: // nobody waits for it
		return own, nil, true, ctx.Err()
	case ctx.Err() != nil && failure != nil:
		return "", nil, false, fmt.Errorf("%w; %w", failure, ctx.Err())
	}
	look := 0
	err = Poll(ctx, func() (still string, err error) {
		look++
		ids, err = e.find(ctx)
		if own != "" {
			ids = append(ids, own)
		}
		if err != nil || len(ids) > 0 || look == looks || failure == nil && e.hidden != nil {
			return "", err
		}
		return e.kind + " is not found", nil
	}, opts...)
	switch {
	case err == nil && len(ids) > 0:
		return own, ids, lost || failure == nil, nil
	case failure == nil && err != nil:
		return own, nil, true, fmt.Errorf("qredo: %s %s was made; whether another program made one too is not known: %w", e.kind, own, err)
	case failure == nil && e.hidden != nil:
		return "", nil, true, e.hidden
	case failure == nil:
		return "", nil, true, fmt.Errorf("qredo: %s with %s was made, and is not found yet: %w", e.kind, e.key, ErrNotFound)
	case err != nil:
		return "", nil, false, fmt.Errorf("%w; looked for: %w", failure, err)
	case lost:
		return "", nil, false, fmt.Errorf("%w; it was looked for %d times and not found: call Ensure again later, which looks first", failure, look)
	}
	return "", nil, false, failure
}

// turns serialises goroutines by place: one at a time in each.
type turns struct {
	mu    sync.Mutex
	taken map[string]chan struct{}
}

// take waits until the place is free.
func (t *turns) take(ctx context.Context, place string) (done func(), err error) {
	for {
		t.mu.Lock()
		busy, taken := t.taken[place]
		if !taken {
			free := make(chan struct{})
			if t.taken == nil {
				t.taken = map[string]chan struct{}{}
			}
			t.taken[place] = free
			t.mu.Unlock()
			return func() {
				t.mu.Lock()
				delete(t.taken, place)
				t.mu.Unlock()
				close(free)
			}, nil
		}
		t.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// differences collects the fields that differ.
type differences []Difference

// text compares a text, if one was asked for.
func (d *differences) text(field, is, wanted string) {
	if wanted != "" && is != wanted {
		*d = append(*d, Difference{field, is, wanted})
	}
}

// group compares a custody group, if one was asked for. In a trusted network, an entity's user ID is one of the two IDs
// that it has. The counterparty of a dedicated wallet approves in addition to the group.
func (d *differences) group(field string, is *Policy, wanted *CustodyGroup) {
	if wanted == nil {
		return
	}
	if is == nil {
		*d = append(*d, Difference{field, "", fmt.Sprintf("%d of %s", wanted.Threshold, joined(wanted.Members))})
		return
	}
	var members []TrustedEntityID
	for _, m := range is.Members {
		switch id, code := TrustedEntityID(m.Entity.ID), TrustedEntityID(m.Entity.AccountCode); {
		case slices.Contains(wanted.Members, code):
			members = append(members, code)
		case !m.Dedicated || slices.Contains(wanted.Members, id):
			members = append(members, id)
		}
	}
	d.text(field+".threshold", fmt.Sprint(is.Threshold), fmt.Sprint(wanted.Threshold))
	d.text(field+".members", joined(members), joined(wanted.Members))
}

func joined(ids []TrustedEntityID) string {
	text := make([]string, len(ids))
	for i, id := range ids {
		text[i] = string(id)
	}
	slices.Sort(text)
	return strings.Join(text, " ")
}

func (d differences) of(kind, id, remedy string) error {
	if len(d) == 0 {
		return nil
	}
	return &DifferenceError{Kind: kind, ID: id, Differences: d, remedy: remedy}
}

// namesakes returns the elements with a name or, if there are none, those whose name differs from it only in capitals
// and white space: a service that normalises names must not be given the same one again and again.
func namesakes[T any](all []T, name string, nameOf func(T) string) []T {
	plain := func(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
	exact := slices.DeleteFunc(slices.Clone(all), func(t T) bool { return nameOf(t) != name })
	if len(exact) > 0 {
		return exact
	}
	return slices.DeleteFunc(slices.Clone(all), func(t T) bool { return plain(nameOf(t)) != plain(name) })
}

// named returns the elements of a list with a name, as namesakes does. If the list may be incomplete, it also searches:
// otherwise nothing shows that there is none.
func named[T any](kind, name string, nameOf func(T) string, list []T, total int, search func() ([]T, error)) ([]T, error) {
	found := namesakes(list, name, nameOf)
	if len(found) > 0 || total == len(list) {
		return found, nil
	}
	matches, err := search()
	if err != nil {
		return nil, err
	}
	if found = namesakes(matches, name, nameOf); len(found) > 0 {
		return found, nil
	}
	return nil, whole(kind, len(list), total)
}

// whole returns an error if a list says that it is longer than the part that was returned: nothing then shows that an
// element is missing.
func whole(kind string, there, total int) error {
	if total > there {
		return fmt.Errorf("qredo: list of %s: %w: it has %d of %d, so it cannot be determined whether one exists", kind, ErrBadAnswer, there, total)
	}
	return nil
}

// Ensure returns the company's fund with the request's name, with its wallets, and creates the fund, and any of the requested
// wallets, that do not exist; made says whether it created anything. Wallets that the request does not name stay.
//
// Fields left empty in the request are not compared. If the fund differs, it is left as it is and no wallet is added: Ensure
// returns it with a [*DifferenceError]. The service has no operation that changes a fund. If there are two, you get a
// [*DuplicateError]. See [CompaniesService.Ensure] about several programs at once and lost answers.
//
// API: GET /company/{company_id}/fund/search
// API: GET /company/{company_id}/fund/{fund_id}
// API: POST /company/{company_id}/fund
// API: POST /company/{company_id}/fund/{fund_id}/wallet
func (s *FundsService) Ensure(ctx context.Context, companyID CompanyID, req FundRequest, opts ...CallOption) (fund *Fund, made bool, err error) {
	if err := errors.Join(req.validate(time.Time{}), differentWallets(req.Wallets)); err != nil {
		return nil, false, err
	}
	var unclear atomic.Bool // what became of the request that makes it
	e := ensuring[Fund]{
		kind: "fund", key: fmt.Sprintf("name %q", req.Name), within: "funds of " + string(companyID),
		find: func(ctx context.Context) ([]string, error) { return s.meant(ctx, companyID, req.Name, opts) },
		create: func(ctx context.Context, opts ...CallOption) (string, error) {
			fund, err := s.Create(ctx, companyID, req, opts...)
			if unclear.Store(err != nil); err != nil {
				return "", err
			}
			return string(fund.ID), nil
		},
		get: func(ctx context.Context, id string) (*Fund, error) { return s.Get(ctx, companyID, FundID(id), opts...) },
		compare: func(is *Fund) (d differences) {
			d.text("name", is.Name, req.Name)
			d.text("description", is.Description, req.Description)
			d.group("custodygroup_withdraw", is.PolicyWithdraw, req.CustodyGroupWithdraw)
			d.group("custodygroup_tx", is.PolicyTx, req.CustodyGroupTx)
			return d
		},
		remedy: "no operation of the service changes a fund",
	}
	if fund, made, err = e.run(ctx, s.client, opts); err != nil {
		return fund, made, err
	}
	if unclear.Load() { // the request that makes the fund also makes its wallets, and may still be on its way
		if fund, err = s.withWallets(ctx, companyID, fund, req.Wallets, opts); err != nil {
			return fund, made, err
		}
	}
	before := len(fund.Wallets)
	var differ differences
	for i, wanted := range req.Wallets {
		wallet, added, err := s.client.Wallets.inFund(ctx, companyID, fund, wanted, opts)
		made = made || added
		if different := (*DifferenceError)(nil); err != nil && !errors.As(err, &different) {
			return fund, made, err
		}
		differ.wallet(fmt.Sprintf("wallets[%d].", i), wallet, wanted)
		if added {
			fund.Wallets = append(fund.Wallets, *wallet)
		}
	}
	if len(fund.Wallets) > before { // then its assets differ too
		if fund, err = s.Get(ctx, companyID, fund.ID, opts...); err != nil {
			return nil, made, err
		}
	}
	return fund, made, differ.of(e.kind, string(fund.ID), e.remedy)
}

// meant returns the funds that a name may refer to.
func (s *FundsService) meant(ctx context.Context, companyID CompanyID, name string, opts []CallOption) (ids []string, err error) {
	all, err := call[fundSearchResult](ctx, s.client, api("GET /company/{company_id}/fund/search", string(companyID)), opts)
	if err != nil {
		return nil, err
	}
	search := func() ([]FundMatch, error) { return s.Search(ctx, companyID, name, opts...) }
	found, err := named("funds", name, func(m FundMatch) string { return m.Name }, all.Matches, all.TotalCount, search)
	for _, m := range found {
		ids = append(ids, string(m.ID))
	}
	return ids, err
}

// inFund is Ensure for a fund that has just been read.
func (s *WalletsService) inFund(ctx context.Context, companyID CompanyID, fund *Fund, wanted WalletRequest, opts []CallOption) (wallet *Wallet, made bool, err error) {
	if ids := wanted.meant(fund.Wallets); len(ids) == 1 {
		i := slices.IndexFunc(fund.Wallets, func(w Wallet) bool { return string(w.ID) == ids[0] })
		return &fund.Wallets[i], false, nil
	}
	return s.Ensure(ctx, companyID, fund.ID, wanted, opts...)
}

// differentWallets refuses requests that mean the same wallet.
func differentWallets(wallets []WalletRequest) error {
	for i, w := range wallets {
		for j, other := range wallets[:i] {
			if w.Asset == other.Asset && len(namesakes([]string{other.Name}, w.Name, func(name string) string { return name })) > 0 {
				return invalid(fmt.Sprintf("wallets[%d]", i), "must have another asset or name than wallets[%d], which it would be", j)
			}
		}
	}
	return nil
}

// Ensure returns the API key's core client with the given name, and creates it if it does not exist; made says whether it did.
// If there are two, you get a [*DuplicateError]. See [CompaniesService.Ensure] about several programs at once and lost answers.
//
// API: GET /coreclient
// API: POST /coreclient
func (s *CoreClientsService) Ensure(ctx context.Context, name string, opts ...CallOption) (client *CoreClient, made bool, err error) {
	if err := (newCoreClient{name}).validate(time.Time{}); err != nil {
		return nil, false, err
	}
	clients := map[string]*CoreClient{}
	e := ensuring[CoreClient]{
		kind: "core client", key: fmt.Sprintf("name %q", name), within: "core clients",
		find: func(ctx context.Context) (ids []string, err error) {
			all, err := s.list(ctx, opts)
			if err != nil {
				return nil, err
			}
			for _, c := range namesakes(all.Clients, name, func(c CoreClient) string { return c.Name }) {
				clients[string(c.ID)] = &c
				ids = append(ids, string(c.ID))
			}
			if len(ids) == 0 {
				return nil, whole("core clients", len(all.Clients), all.Count)
			}
			return ids, nil
		},
		create: func(ctx context.Context, opts ...CallOption) (string, error) {
			client, err := s.Create(ctx, name, opts...)
			if err != nil {
				return "", err
			}
			clients[string(client.ID)] = client
			return string(client.ID), nil
		},
		get:     func(_ context.Context, id string) (*CoreClient, error) { return clients[id], nil },
		compare: func(is *CoreClient) (d differences) { d.text("name", is.Name, name); return d },
		remedy:  "no operation of the service changes it",
	}
	return e.run(ctx, s.client, opts)
}

// list returns all core clients, and their number.
func (s *CoreClientsService) list(ctx context.Context, opts []CallOption) (*coreClientList, error) {
	return call[coreClientList](ctx, s.client, api("GET /coreclient"), opts)
}
