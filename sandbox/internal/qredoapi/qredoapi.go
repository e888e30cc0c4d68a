// Package qredoapi serves Qredo API v1: its routes, the forms in which its requests and answers are written, and its
// feed. What an operation does is the world's matter.
package qredoapi

import (
	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/access"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// BasePath is below which Qredo API v1 is served.
const BasePath = "/qapi/v1"

// The permissions for an operation: a key needs one of them.
var (
	mayReadBalance = []string{access.PermissionBalance, access.PermissionRead}
	mayRead        = []string{access.PermissionRead}
	mayFollow      = []string{access.PermissionRead, access.PermissionWeb3}
	maySign        = []string{access.PermissionWeb3}
)

// API is Qredo API v1. With wholeUnits, ledgers and histories have decimals of whole units for figures.
func API(wholeUnits bool) *serve.API {
	figures := figures{wholeUnits}
	return serve.NewAPI(BasePath, []string{BasePath}, []serve.Route{
		{Method: "GET", Path: "/account", Query: getAccount, Permissions: mayRead},
		{Method: "GET", Path: "/balance", Query: getBalance, Permissions: mayReadBalance},
		{Method: "GET", Path: "/funds", Query: listFunds, Permissions: mayRead},
		{Method: "GET", Path: "/funds/{fund_id}", Query: serve.With(accountFund, getFundInfo), Permissions: mayRead},
		{Method: "GET", Path: "/funds/{fund_id}/ledger", Query: serve.With(accountFund, figures.getFundLedger), Permissions: mayRead},
		{Method: "GET", Path: "/trustedparties", Query: listAllTrusted, Permissions: mayRead},
		{Method: "GET", Path: "/wallet/{wallet_id}/history", Query: serve.With(wallet, figures.getWalletHistory), Permissions: mayRead},
		{Method: "GET", Path: "/wallets/{wallet_id}/history", Query: serve.With(wallet, figures.getWalletHistory), Permissions: mayRead},
		{Method: "POST", Path: "/transaction", Command: serve.Reading(createWeb3), Permissions: maySign},
		{Method: "GET", Path: "/transactions/feed", Feed: web3Feed, Permissions: mayFollow},
		{Method: "GET", Path: "/transactions/{tx_id}/approvals", Query: serve.With(web3, getWeb3Approvals), Permissions: mayFollow},
		{Method: "GET", Path: "/transactions/{tx_id}/status", Query: serve.With(web3, getWeb3Status), Permissions: mayFollow},
	})
}

// accountFund finds the fund that the path names, if the key's account has it.
func accountFund(r *serve.Request, v *world.View) (*world.Fund, error) {
	return v.AccountFund(r.Account(), qredo.FundID(r.IDs["fund_id"]))
}

// wallet finds the wallet that the path names.
func wallet(r *serve.Request, v *world.View) (*world.Wallet, error) {
	return v.Wallet(r.Account(), r.IDs["wallet_id"])
}
