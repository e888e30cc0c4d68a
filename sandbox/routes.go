package sandbox

import (
	"net/http"
	"strings"

	"github.com/qredo-go/qredo/sandbox/internal/access"
)

// route is one operation: a query, a command or a feed.
type route struct {
	method, path string
	operation    string   // its name: method and path
	segments     []string // of the path
	query        query
	command      command
	feed         openFeed
	status       int      // of success, 200 if zero
	agent        bool     // authenticated by a signing agent's proof
	signed       bool     // must be signed, also where others need not
	permissions  []string // of which the key needs one
}

// A query answers from the state. A command also names what changes, by the request's method change. A feed
// is opened.
type (
	query    func(r *request) (any, error)
	command  func(r *request) (any, error)
	openFeed func(r *request) (feed, error)
)

// with makes an operation of one that is about what the path names.
func with[T, A any](find func(*request) (T, error), operation func(*request, T) (A, error)) func(*request) (A, error) {
	return func(r *request) (answer A, err error) {
		found, err := find(r)
		if err != nil {
			return answer, err
		}
		return operation(r, found)
	}
}

// reading makes an operation of one that is given what the body says.
func reading[B any](operation func(*request, B) (any, error)) func(*request) (any, error) {
	return func(r *request) (any, error) {
		var body B
		if err := r.read(&body); err != nil {
			return nil, err
		}
		return operation(r, body)
	}
}

// withBody makes an operation of one that is about what the path names, and is given what the body says.
func withBody[T, B any](find func(*request) (T, error), operation func(*request, T, B) (any, error)) func(*request) (any, error) {
	return with(find, func(r *request, found T) (any, error) {
		return reading(func(r *request, body B) (any, error) { return operation(r, found, body) })(r)
	})
}

// prepare fills in what follows from the methods and paths of routes. The paths in the names of operations
// begin with a prefix.
func prepare(prefix string, routes []route) []route {
	for i := range routes {
		r := &routes[i]
		r.operation, r.segments = r.method+" "+prefix+r.path, strings.Split(r.path, "/")
	}
	return routes
}

// A path without placeholders is listed before the one with them that would match it too.

// partnerRoutes are the operations and feeds of the Partner API.
var partnerRoutes = prepare("", []route{
	{method: "GET", path: "/assets", query: listAssets},
	{method: "POST", path: "/fees", query: reading(quoteFees)},

	{method: "POST", path: "/company", command: reading(createCompany)},
	{method: "GET", path: "/company/search", query: searchCompanies},
	{method: "GET", path: "/company/{company_id}", query: with((*request).company, getCompany)},
	{method: "PUT", path: "/company/{company_id}", command: withBody((*request).company, updateCompany)},
	{method: "GET", path: "/company/{company_id}/holding", query: with((*request).company, listHoldings)},

	{method: "GET", path: "/company/{company_id}/trustedparty", query: with((*request).company, listTrustedParties)},
	{method: "POST", path: "/company/{company_id}/trustedparty", command: withBody((*request).company, addTrustedParties)},
	{method: "DELETE", path: "/company/{company_id}/trustedparty/{trustedparty_id}", command: with((*request).company, removeTrustedParty), status: http.StatusAccepted},

	{method: "POST", path: "/company/{company_id}/fund", command: withBody((*request).company, createFund)},
	{method: "GET", path: "/company/{company_id}/fund/search", query: with((*request).company, searchFunds)},
	{method: "GET", path: "/company/{company_id}/fund/{fund_id}", query: with((*request).fund, getFund)},
	{method: "POST", path: "/company/{company_id}/fund/{fund_id}/wallet", command: withBody((*request).fund, addWallets)},
	{method: "POST", path: "/company/{company_id}/fund/{fund_id}/asset", command: withBody((*request).fund, addAssets)},
	{method: "GET", path: "/company/{company_id}/fund/{fund_id}/deposit", query: with((*request).fund, listDepositAddresses)},
	{method: "GET", path: "/company/{company_id}/fund/{fund_id}/whitelist", query: with((*request).fund, listWhitelist)},
	{method: "POST", path: "/company/{company_id}/fund/{fund_id}/whitelist", command: withBody((*request).fund, addToWhitelist)},
	{method: "GET", path: "/company/{company_id}/fund/{fund_id}/ledger", query: with((*request).fund, listLedger)},

	{method: "GET", path: "/wallet/{wallet_id}", query: with((*request).readableWallet, getWallet)},
	{method: "GET", path: "/wallet/{wallet_id}/history", query: with((*request).readableWallet, listHistory)},
	{method: "GET", path: "/wallet/{wallet_id}/max", query: with((*request).wallet, getMaxAmount)},
	{method: "PUT", path: "/company/{company_id}/fund/{fund_id}/wallet/{wallet_id}/policy", command: withBody((*request).walletInFund, updatePolicy)},
	{method: "GET", path: "/exchanges", query: listExchanges},

	{method: "POST", path: "/company/{company_id}/transfer", command: reading(createTransfer)},
	{method: "GET", path: "/company/{company_id}/transfer/{tx_id}", query: with(sent(kindTransfer, kindSwapMake, kindSwapTake), getTransaction)},
	{method: "POST", path: "/company/{company_id}/withdraw", command: reading(createWithdrawal)},
	{method: "GET", path: "/company/{company_id}/withdraw/{tx_id}", query: with(sent(kindWithdrawal), getTransaction)},

	{method: "POST", path: "/company/{company_id}/atomicswap/make", command: reading(makeSwap)},
	{method: "GET", path: "/company/{company_id}/atomicswap/make/{tx_id}", query: with(sent(kindSwapMake, kindSwapTake), getTransaction)},
	{method: "DELETE", path: "/company/{company_id}/atomicswap/make/{tx_id}", command: with((*request).company, cancelMake), status: http.StatusAccepted},
	{method: "POST", path: "/company/{company_id}/atomicswap/take", command: reading(takeSwap)},
	{method: "GET", path: "/company/{company_id}/atomicswap/take/{tx_id}", query: with(sent(kindSwapTake), getTransaction)},
	{method: "GET", path: "/company/{company_id}/liquidityhub", query: with((*request).company, listCompanyHub)},
	{method: "POST", path: "/company/{company_id}/liquidityhub", command: withBody((*request).company, listOnHub)},
	{method: "GET", path: "/liquidityhub", query: listHub},

	{method: "POST", path: "/coreclient/init", command: reading(registerAgent), signed: true},
	{method: "POST", path: "/coreclient/finish", command: withBody((*request).caller, finishAgent), agent: true},
	{method: "GET", path: "/coreclient/action/{action_id}", query: with((*request).agentAction, getMessages), agent: true},
	{method: "PUT", path: "/coreclient/action/{action_id}", command: withBody((*request).agentAction, submitSignatures), agent: true},
	{method: "DELETE", path: "/coreclient/action/{action_id}", command: with((*request).agentAction, rejectAction), agent: true},

	{method: "POST", path: "/coreclient", command: reading(createCoreClient)},
	{method: "GET", path: "/coreclient", query: listCoreClients},
	{method: "POST", path: "/coreclient/verify", query: reading(verifySignature)},
	{method: "GET", path: "/coreclient/{client_id}/actions", query: with((*request).coreClient, listActions)},
	{method: "GET", path: "/coreclient/{client_id}/action/{action_id}", query: with((*request).action, getAction)},
	{method: "PUT", path: "/coreclient/{client_id}/action/{action_id}", command: with((*request).action, approveAction)},
	{method: "DELETE", path: "/coreclient/{client_id}/action/{action_id}", command: with((*request).action, rejectAction)},
	{method: "GET", path: "/coreclient/{client_id}/wallets", query: with((*request).coreClient, listConnectedWallets)},
	{method: "POST", path: "/coreclient/{client_id}/sweep", command: withBody((*request).coreClient, createSweep)},
	{method: "GET", path: "/coreclient/{client_id}/sweep/{tx_id}", query: with((*request).coreClient, getSweep)},
	{method: "POST", path: "/coreclient/{client_id}/sign", query: withBody((*request).coreClient, sign)},

	{method: "GET", path: "/coreclient/feed", feed: with((*request).caller, actionFeed), agent: true},
	{method: "GET", path: "/coreclient/{client_id}/feed", feed: with((*request).coreClient, actionFeed)},
	{method: "GET", path: "/wallets/feed", feed: walletFeed},
	{method: "GET", path: "/liquidityhub/feed", feed: hubFeed},
})

// What a key of Qredo API v1 needs, one of them.
var (
	mayReadBalance = []string{access.PermissionBalance, access.PermissionRead}
	mayRead        = []string{access.PermissionRead}
	mayFollow      = []string{access.PermissionRead, access.PermissionWeb3}
	maySign        = []string{access.PermissionWeb3}
)

// qapiRoutes are the operations of Qredo API v1, and its feed.
var qapiRoutes = prepare(qapiPath, []route{
	{method: "GET", path: "/account", query: getAccount, permissions: mayRead},
	{method: "GET", path: "/balance", query: getBalance, permissions: mayReadBalance},
	{method: "GET", path: "/funds", query: listFunds, permissions: mayRead},
	{method: "GET", path: "/funds/{fund_id}", query: with((*request).accountFund, getFundInfo), permissions: mayRead},
	{method: "GET", path: "/funds/{fund_id}/ledger", query: with((*request).accountFund, getFundLedger), permissions: mayRead},
	{method: "GET", path: "/trustedparties", query: listAllTrusted, permissions: mayRead},
	{method: "GET", path: "/wallet/{wallet_id}/history", query: with((*request).wallet, getWalletHistory), permissions: mayRead},
	{method: "GET", path: "/wallets/{wallet_id}/history", query: with((*request).wallet, getWalletHistory), permissions: mayRead},
	{method: "POST", path: "/transaction", command: reading(createWeb3), permissions: maySign},
	{method: "GET", path: "/transactions/feed", feed: web3Feed, permissions: mayFollow},
	{method: "GET", path: "/transactions/{tx_id}/approvals", query: with((*request).web3, getWeb3Approvals), permissions: mayFollow},
	{method: "GET", path: "/transactions/{tx_id}/status", query: with((*request).web3, getWeb3Status), permissions: mayFollow},
})
