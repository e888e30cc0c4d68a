// Package partner serves the Partner API: its routes, the forms in which its requests and answers are written, and
// its feeds. What an operation does is the world's matter.
package partner

import (
	"net/http"

	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// BasePath is below which the Partner API is served, and otherPath where the hosted sandbox had it too.
const (
	BasePath  = "/api/v1/p"
	otherPath = "/qapi/v1/p"
)

// API is the Partner API. With initiators, actions say who initiated what they are about.
func API(initiators bool) *serve.API {
	return serve.NewAPI("", []string{BasePath, otherPath}, []serve.Route{
		// A path without placeholders is listed before the one with them that would match it too.
		{Method: "GET", Path: "/assets", Query: listAssets},
		{Method: "POST", Path: "/fees", Query: serve.Reading(quoteFees)},

		{Method: "POST", Path: "/company", Command: serve.Reading(createCompany)},
		{Method: "GET", Path: "/company/search", Query: searchCompanies},
		{Method: "GET", Path: "/company/{company_id}", Query: serve.With(company, getCompany)},
		{Method: "PUT", Path: "/company/{company_id}", Command: serve.WithBody(company, updateCompany)},
		{Method: "GET", Path: "/company/{company_id}/holding", Query: serve.With(company, listHoldings)},

		{Method: "GET", Path: "/company/{company_id}/trustedparty", Query: serve.With(company, listTrustedParties)},
		{Method: "POST", Path: "/company/{company_id}/trustedparty", Command: serve.WithBody(company, addTrustedParties)},
		{Method: "DELETE", Path: "/company/{company_id}/trustedparty/{trustedparty_id}", Command: serve.With(company, removeTrustedParty), Status: http.StatusAccepted},

		{Method: "POST", Path: "/company/{company_id}/fund", Command: serve.WithBody(company, createFund)},
		{Method: "GET", Path: "/company/{company_id}/fund/search", Query: serve.With(company, searchFunds)},
		{Method: "GET", Path: "/company/{company_id}/fund/{fund_id}", Query: serve.With(fund, getFund)},
		{Method: "POST", Path: "/company/{company_id}/fund/{fund_id}/wallet", Command: serve.WithBody(fund, addWallets)},
		{Method: "POST", Path: "/company/{company_id}/fund/{fund_id}/asset", Command: serve.WithBody(fund, addAssets)},
		{Method: "GET", Path: "/company/{company_id}/fund/{fund_id}/deposit", Query: serve.With(fund, listDepositAddresses)},
		{Method: "GET", Path: "/company/{company_id}/fund/{fund_id}/whitelist", Query: serve.With(fund, listWhitelist)},
		{Method: "POST", Path: "/company/{company_id}/fund/{fund_id}/whitelist", Command: serve.WithBody(fund, addToWhitelist)},
		{Method: "GET", Path: "/company/{company_id}/fund/{fund_id}/ledger", Query: serve.With(fund, listLedger)},

		{Method: "GET", Path: "/wallet/{wallet_id}", Query: serve.With(readableWallet, getWallet)},
		{Method: "GET", Path: "/wallet/{wallet_id}/history", Query: serve.With(readableWallet, listHistory)},
		{Method: "GET", Path: "/wallet/{wallet_id}/max", Query: serve.With(wallet, getMaxAmount)},
		{Method: "PUT", Path: "/company/{company_id}/fund/{fund_id}/wallet/{wallet_id}/policy", Command: serve.WithBody(walletInFund, updatePolicy)},
		{Method: "GET", Path: "/exchanges", Query: listExchanges},

		{Method: "POST", Path: "/company/{company_id}/transfer", Command: serve.Reading(createTransfer)},
		{Method: "GET", Path: "/company/{company_id}/transfer/{tx_id}", Query: serve.With(sent(world.KindTransfer, world.KindSwapMake, world.KindSwapTake), getTransaction)},
		{Method: "POST", Path: "/company/{company_id}/withdraw", Command: serve.Reading(createWithdrawal)},
		{Method: "GET", Path: "/company/{company_id}/withdraw/{tx_id}", Query: serve.With(sent(world.KindWithdrawal), getTransaction)},

		{Method: "POST", Path: "/company/{company_id}/atomicswap/make", Command: serve.Reading(makeSwap)},
		{Method: "GET", Path: "/company/{company_id}/atomicswap/make/{tx_id}", Query: serve.With(sent(world.KindSwapMake, world.KindSwapTake), getTransaction)},
		{Method: "DELETE", Path: "/company/{company_id}/atomicswap/make/{tx_id}", Command: serve.With(company, cancelMake), Status: http.StatusAccepted},
		{Method: "POST", Path: "/company/{company_id}/atomicswap/take", Command: serve.Reading(takeSwap)},
		{Method: "GET", Path: "/company/{company_id}/atomicswap/take/{tx_id}", Query: serve.With(sent(world.KindSwapTake), getTransaction)},
		{Method: "GET", Path: "/company/{company_id}/liquidityhub", Query: serve.With(company, listCompanyHub)},
		{Method: "POST", Path: "/company/{company_id}/liquidityhub", Command: serve.WithBody(company, listOnHub)},
		{Method: "GET", Path: "/liquidityhub", Query: listHub},

		{Method: "POST", Path: "/coreclient/init", Command: serve.Reading(registerAgent), Signed: true},
		{Method: "POST", Path: "/coreclient/finish", Command: serve.WithBody(caller, finishAgent), Agent: true},
		{Method: "GET", Path: "/coreclient/action/{action_id}", Query: serve.With(ownAction, getMessages), Agent: true},
		{Method: "PUT", Path: "/coreclient/action/{action_id}", Command: serve.WithBody(ownAction, submitSignatures), Agent: true},
		{Method: "DELETE", Path: "/coreclient/action/{action_id}", Command: serve.With(ownAction, rejectAsAgent), Agent: true},

		{Method: "POST", Path: "/coreclient", Command: serve.Reading(createCoreClient)},
		{Method: "GET", Path: "/coreclient", Query: listCoreClients},
		{Method: "POST", Path: "/coreclient/verify", Query: serve.Reading(verifySignature)},
		{Method: "GET", Path: "/coreclient/{client_id}/actions", Query: serve.With(coreClient, listActions)},
		{Method: "GET", Path: "/coreclient/{client_id}/action/{action_id}", Query: serve.With(action, getAction(initiators))},
		{Method: "PUT", Path: "/coreclient/{client_id}/action/{action_id}", Command: serve.With(action, approveAction)},
		{Method: "DELETE", Path: "/coreclient/{client_id}/action/{action_id}", Command: serve.With(action, rejectAction)},
		{Method: "GET", Path: "/coreclient/{client_id}/wallets", Query: serve.With(coreClient, listConnectedWallets)},
		{Method: "POST", Path: "/coreclient/{client_id}/sweep", Command: serve.WithBody(coreClient, createSweep)},
		{Method: "GET", Path: "/coreclient/{client_id}/sweep/{tx_id}", Query: serve.With(coreClient, getSweep)},
		{Method: "POST", Path: "/coreclient/{client_id}/sign", Query: serve.WithBody(coreClient, sign)},

		{Method: "GET", Path: "/coreclient/feed", Feed: serve.With(caller, actionFeed), Agent: true},
		{Method: "GET", Path: "/coreclient/{client_id}/feed", Feed: serve.With(coreClient, actionFeed)},
		{Method: "GET", Path: "/wallets/feed", Feed: walletFeed},
		{Method: "GET", Path: "/liquidityhub/feed", Feed: hubFeed},
	})
}
