package cli

import (
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/export"
)

// words is a closed set.
func words[T ~string](values ...T) completion {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return completion{words: list}
}

// files are files with one of these endings, or all.
func files(endings ...string) completion {
	if len(endings) == 0 {
		endings = []string{""}
	}
	return completion{files: endings}
}

// free is text that only the user knows.
func free(why string) completion { return completion{free: why} }

func named(list func(*lookup, place) ([]thing, error)) completion {
	return completion{list: list, names: true}
}

func byID(list func(*lookup, place) ([]thing, error)) completion { return completion{list: list} }

func transactions(kinds ...qredo.EntryType) completion {
	return byID(func(l *lookup, at place) ([]thing, error) { return l.transactions(kinds...)(at) })
}

// completionTable says what each place can hold: for a command, for those in a group, or for all. A place that is missing
// here fails TestCompletionTable.
func completionTable() map[string]completion {
	var (
		folder    = completion{folder: true}
		anyFile   = files()
		yamlFile  = files("yaml", "yml")
		pemFile   = files("pem", "key", "crt", "cer")
		store     = files("db")
		wallet    = named((*lookup).wallets)
		fund      = named((*lookup).funds)
		company   = named((*lookup).companies)
		party     = named((*lookup).parties)
		agent     = named((*lookup).agents)
		asset     = byID((*lookup).assets)
		amount    = completion{choose: amountOf}
		user      = byID((*lookup).users)
		swap      = byID((*lookup).swaps)
		account   = free("the user's own")
		duration  = free("any duration")
		number    = free("any number")
		name      = free("a new name")
		address   = free("copy it from the payee: picking from a list invites mistakes")
		anotherDB = free("a URL with a password, which does not belong in a cache")
		ownText   = free("the writer's own words")
	)
	return map[string]completion{
		// Of all commands.
		"--output": words(keyOutput.values...), "--environment": words(keyEnvironment.values...),
		"--base-url":     words("http://127.0.0.1:8765/api/v1/p\ta sandbox on this machine"),
		"--api-key":      free("a secret"),
		"--api-key-file": anyFile, "--private-key": pemFile, "--signer": words(keySigner.values...), "--ca-file": pemFile, "--company": company,
		"--qapi-base-url": words("http://127.0.0.1:8765/qapi/v1\ta sandbox on this machine"),
		"--qapi-key-file": anyFile, "--qapi-secret-file": anyFile, "--control-token": anyFile,
		"--profile": byID((*lookup).profiles), "--config": yamlFile, "--timeout": duration,

		// What the service has.
		"COMPANY_ID": company, "FUND_ID": fund, "WALLET_ID": wallet, "CLIENT_ID": agent, "ACTION_ID": byID((*lookup).actions),
		"SWAP_ID": swap, "CODE": asset, "ASSET": asset, "--asset": asset, "--wallet": wallet, "--fund": fund, "--from": wallet, "--to": wallet,
		"--approver": party, "--withdraw-approver": party, "--transfer-approver": party, "--authorize": agent,
		"--amount": amount, "--send": amount, "--receive": amount,
		"transfer TX_ID": transactions(qredo.EntryTransferOut, qredo.EntryTransferIn), "withdraw TX_ID": transactions(qredo.EntryWithdraw),
		"swap TX_ID":        transactions(qredo.EntrySwap, qredo.EntrySwapOut, qredo.EntrySwapIn),
		"agent sweep TX_ID": transactions(qredo.EntryTransferOut, qredo.EntryTransferIn),
		"party remove ID":   party,
		"party add ADDRESS": byID((*lookup).agents), "sandbox exchange CORE_CLIENT_ID": byID((*lookup).agents), "inbox list --wallet": byID((*lookup).wallets),
		"agent SIGNER_ID": agent, "doctor --agent-config": yamlFile, "doctor --outbox": store, "doctor --outbox-database": anotherDB,
		"fund create --wallet":   {cut: "=", after: &asset},
		"--connect":              {list: (*lookup).exchanges, names: true, cut: "="},
		"agent pins --sweep":     {list: (*lookup).wallets, cut: ":", after: &completion{list: (*lookup).wallets}},
		"--opening":              {list: (*lookup).wallets, names: true, cut: "="},
		"fee --type":             words("withdraw", "transfer", "swap"),
		"wallet max --type":      words("transfer", "withdraw", "swap"),
		"wallet policy --type":   words("transfer", "withdraw"),
		"fund add-wallet --type": words("standard", "dedicated", "multi"),
		"--direction":            words(qredo.DirectionAll, qredo.DirectionIn, qredo.DirectionOut),
		"ledger export --format": words(export.CSV, export.JSONLines),
		"--out":                  anyFile,
		"agent actions --status": words(qredo.ApprovalPending, qredo.ApprovalApproved, qredo.ApprovalRejected, qredo.ApprovalExpired),
		"qapi FUND_ID":           named((*lookup).qapiFunds), "qapi WALLET_ID": named((*lookup).qapiWallets),
		"--figures": words(figuresBase, figuresWhole),

		// Texts, figures and times.
		"--name": name, "NAME": name, "--city": ownText, "--country": ownText, "--domain": ownText, "--ref": ownText, "TEXT": ownText,
		"--description": ownText, "--reference": ownText, "--benefit-of": ownText, "--account-no": account, "--note": ownText, "--reason": ownText,
		"--replica": ownText, "--address": address, "--threshold": number, "--withdraw-threshold": number, "--transfer-threshold": number,
		"--count": number, "--limit": number, "--offset": number, "--page": number, "--since": duration, "--before": duration, "--expires": duration,
		"--poll-interval": duration, "--wait-timeout": duration, "HASH_HEX": ownText, "SIGNATURE_HEX": ownText,
		"--idempotency-key": free("your own: a key that was used before should not be suggested"),

		// Requests and keys.
		"--api": words(apiPartner, apiQAPI), "--method": words("GET", "POST", "PUT", "DELETE"), "--body": anyFile, "--url": free("any path below the base URL"),
		"--nonce": ownText, "--timestamp": number, "listen URL": {choose: feedsOf}, "--public-key": pemFile, "--request": anyFile,
		"keys --bits": words("2048\tas the service's own keys", "4096"), "keys --dir": folder,

		// Approvers and their stores.
		"--policy": yamlFile, "--rules": yamlFile, "RULES": yamlFile, "CASES": yamlFile, "--pins": files("json"), "--pins-key": pemFile, "agent pins FILE": files("json"),
		"agent pins --key": pemFile, "--audit-log": files("jsonl", "log"), "agent verify-log FILE": files("jsonl", "log"), "--head": ownText,
		"--store": store, "--database": anotherDB, "--redis": anotherDB, "--redis-prefix": ownText,
		"signing-agent --config": yamlFile, "signing-agent --file-name": yamlFile, "signing-agent --from": store, "signing-agent --client-ca": pemFile,
		"signing-agent --token-file": anyFile, "signing-agent --url": words("http://127.0.0.1:8007"),
		"signing-agent ACTION_ID": free("the agent's program does not list them"),

		// Books.
		"--file": store, "outbox --state": words(outboxStates...), "inbox --state": words(inboxStates...), "--archive": anyFile, "--sealing-key-file": anyFile, "--older-sealing-key-file": anyFile,
		"outbox KEY": free("the file is locked by another program"), "inbox ID": free("the file is locked by another program"),
		"outbox --tx": transactions(qredo.EntryTransferOut, qredo.EntryWithdraw, qredo.EntrySwap),

		// The sandbox.
		"USER": user, "sandbox TX_ID": byID((*lookup).pending), "sandbox reject-on-chain TX_ID": transactions(qredo.EntryTransferOut, qredo.EntryWithdraw, qredo.EntrySwap),
		"sandbox WALLET": byID((*lookup).wallets), "EMAIL": ownText, "--username": name, "--first-name": name, "--last-name": name,
		"--id": name, "--account": ownText, "--chain-tx": free("the chain_tx_id of an earlier deposit"),
		"sandbox exchange --url": ownText, "--field": ownText, "KIND": words(append(faultKindNames(), "none")...),
		"--operation": free("the sandbox does not list its operations"), "--rate": number, "--times": number, "--delay": duration, "--skew": duration,
		"--random-seed": number, "DURATION": duration, "ON": words("on", "off"), "sandbox health URL": ownText, "PUBLICKEYFILE": pemFile,
		"sandbox import FILE": files("json"), "FILE|NAME": {words: []string{"demo"}, files: []string{""}},
		"sandbox serve --listen": words("127.0.0.1:8765", "127.0.0.1:0\tany free port"), "sandbox serve --data": folder, "sandbox serve --keys": folder,
		"--register": anyFile, "--public-url": ownText, "--seed": words("demo"), "--world": yamlFile, "--env-file": anyFile,
		"--fees": words("none", "rate:1000\ta thousandth of the amount", "fixed:1000\tbase units"), "--ledger-order": words("newest", "oldest"),

		// Qredo API v1.
		"qapi tx --from": free("the API does not list addresses"), "qapi tx --to": address, "qapi tx --value": words("0wei"),
		"qapi tx --gas-limit": words("21000\ta plain payment", "0\ta call that costs nothing"), "qapi tx --gas-price": number, "qapi tx --max-fee": number,
		"qapi tx --max-priority-fee": number, "qapi tx --data": ownText, "qapi tx --chain-id": words("1\tEthereum's main network"),
		"qapi TX_ID": free("the API lists no transactions"), "qapi --tx": free("the API lists no transactions"),

		// Configuration.
		"config KEY": {list: settingNames}, "config VALUE": {choose: valueOf}, "PROFILE": byID((*lookup).profiles),
		"man COMMAND": {choose: commandsOf}, "man --dir": folder,

		// How results are printed, and books.
		"--columns": free("field names as in --output json"), "--jq": free("an expression"), "--interval": duration,
		"--zone": words("Local\tthis machine's", "UTC"), "--after": files("json"), "--report": files("json"),
	}
}

// amountOf completes the asset after a figure.
func amountOf(_ *app, at place) completion {
	if figure, _ := splitAmount(at.typed); figure == "" {
		return free("a figure")
	}
	return byID((*lookup).amounts)
}

// feedsOf are the paths of the feeds.
func feedsOf(_ *app, at place) completion {
	if api := at.cmd.Flags().Lookup("api"); api != nil && api.Value.String() == apiQAPI {
		return words("/transactions/feed")
	}
	return byID(func(l *lookup, at place) ([]thing, error) {
		feeds := []thing{{ID: "/wallets/feed"}, {ID: "/liquidityhub/feed"}}
		agents, _ := l.agents(at) // the other feeds are known without them
		for _, c := range agents {
			feeds = append(feeds, thing{ID: "/coreclient/" + c.ID + "/feed", Name: c.Name})
		}
		return feeds, nil
	})
}

// commandsOf are the commands below the one named before.
func commandsOf(_ *app, at place) completion {
	cmd, _, err := at.cmd.Root().Find(at.args)
	if err != nil {
		return completion{}
	}
	return byID(func(*lookup, place) ([]thing, error) {
		var below []thing
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				below = append(below, thing{ID: sub.Name(), Name: sub.Short})
			}
		}
		return below, nil
	})
}

// settingNames are the settings that the configuration file can hold.
func settingNames(*lookup, place) ([]thing, error) {
	var names []thing
	for _, k := range settingKeys {
		if !k.secret {
			names = append(names, thing{ID: k.name, Name: k.help})
		}
	}
	return names, nil
}

// valueOf is the values of the setting named before.
func valueOf(a *app, at place) completion {
	if len(at.args) == 0 {
		return completion{}
	}
	k := settingByName(at.args[0])
	if k == nil || k.secret {
		return completion{}
	}
	if strings.HasSuffix(k.name, "_file") && k.flag == "" {
		return files()
	}
	return a.completions["--"+k.flag]
}

func faultKindNames() []string {
	names := make([]string, len(faultKinds))
	for i, k := range faultKinds {
		names[i] = string(k)
	}
	return names
}
