package sandbox_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

// inAcme is a world with a company of two people, whose lines begin with the tenth.
const inAcme = `users: [{email: ann@a.example}, {email: ben@a.example}, {email: cy@a.example}]
core_clients: [{name: Bot}]
companies:
  - name: Acme
    trusted: [ann@a.example, ben@a.example, Bot]
    groups:
      - {name: both, threshold: 2, members: [ann@a.example, ben@a.example]}
      - {name: bot, threshold: 1, members: [Bot]}
    funds:
`

// inFund goes on with a fund, whose payments begin with the 16th line.
const inFund = inAcme + `      - name: F
        withdrawals: both
        transfers: both
        wallets: [{name: W, asset: BTC-TESTNET, balance: 1}, {name: E, asset: ETH-TESTNET}, {name: V, asset: BTC-TESTNET}]
        whitelist: [{name: Bank, asset: BTC-TESTNET, address: tb1qx}]
payments:
`

func TestWorldFilesThatAreWrong(t *testing.T) {
	s := newService(t)
	for file, want := range map[string]string{
		// The file as YAML.
		"":                                    "it is empty",
		"# a comment\n":                       "it is empty",
		"a: [":                                "1: it is no YAML: did not find expected node content",
		"users:\n  - {email: a@b}\n users: 1": "2: it is no YAML: did not find expected key",
		"users:\n\t- x":                       "2: it is no YAML: found character that cannot start any token",
		"text":                                "1:1: a world must have keys: it is a single value",
		"- name: x":                           "1:1: a world must have keys: it is a list",
		"name: x\n---\nname: y":               "2:1: only one document is read: what comes after --- is another",
		"name: &a x\ndescription: *a":         "1:7: anchors and aliases are not read: write it out\n2:14: anchors and aliases are not read: write it out",
		"name: !!str x":                       "1:7: tags are not read: !!str",
		"name: \"a\\u202eb\"":                 `1:7: a character in it is not seen: "a\\u202eb"`,
		"name: \"a\\nb\"":                     `1:7: a character in it is not seen: "a\\nb"`,

		// Keys.
		"nome: x":                               `1:1: a world has no key "nome": it can have companies, core_clients, description, name, payments, users`,
		"name: x\nname: y":                      "2:1: the key name is here twice: the first is in line 1",
		"? [a]\n: b":                            `1:3: a world has no key "": it can have companies, core_clients, description, name, payments, users`,
		"name: [x]":                             "1:7: name must be a single value: it is a list",
		"name: {x: y}":                          "1:7: name must be a single value: it has keys",
		"name: ''":                              "1:7: name must not be empty",
		"users: x":                              "1:8: users must be a list: it is a single value",
		"users: [x]":                            "1:9: a user must have keys: it is a single value",
		"users: [{}]":                           "1:9: a user must have the key email",
		"users: [{email: }]":                    "1:10: email of a user must not be empty",
		"companies: [{name: A, balance: 1}]":    `1:23: a company has no key "balance": it can have city, country, domain, funds, groups, invited, name, ref, trusted`,
		"companies: [{name: A, trusted: [[]]}]": "1:33: each of trusted must be a single value: it is a list",
		"payments: [{from: A}]":                 "1:12: a payment must have the key amount\n1:12: a payment must have the key to_wallet or to_address\n1:19: there is no wallet \"A\"",

		// Duplicates, in any case.
		"users:\n  - {email: a@b}\n  - {email: A@b}": `3:13: the user "A@b" is here twice: the first is in line 2`,
		"core_clients: [{name: x}, {name: X}]":       `1:34: the core client "X" is here twice: the first is in line 1`,
		"companies: [{name: x},\n{name: x}]":         `2:8: the company "x" is here twice: the first is in line 1`,
		inAcme + "      - name: F\n      - name: f":  `11:15: the fund "f" is here twice: the first is in line 10`,
		inAcme + "      - name: F\n        wallets: [{name: W, asset: BTC-TESTNET}, {name: W, asset: ETH-TESTNET}]":     `11:57: the wallet "W" is here twice: the first is in line 11`,
		inFund + "  - {name: p, from: W, to_wallet: V, amount: 0.1}\n  - {name: P, from: W, to_wallet: V, amount: 0.1}": `17:12: the payment "P" is here twice: the first is in line 16`,

		// What is referred to.
		"companies: [{name: A, trusted: [x@y, Bot]}]":                                                      "1:33: there is no user and no core client \"x@y\"\n1:38: there is no user and no core client \"Bot\"",
		"core_clients: [{name: a@b}]":                                                                      "1:23: the name of a core client must not look like an e-mail address",
		"core_clients: [{name: Bot}]\ncompanies: [{name: A, invited: [Bot]}]":                              "2:33: a core client joins without an invitation: name it in trusted",
		"users: [{email: a@b}]\ncompanies: [{name: A, trusted: [a@b], invited: [a@b]}]":                    `2:49: "a@b" is in trusted too`,
		"users: [{email: a@b}]\ncompanies: [{name: A, groups: [{name: g, threshold: 1, members: [a@b]}]}]": `2:66: the member "a@b" is not in trusted`,
		strings.Replace(inAcme, "threshold: 2", "threshold: 3", 1):                                         "7:33: the threshold is 3, and there are 2 members",
		strings.Replace(inAcme, "threshold: 2", "threshold: zero", 1):                                      `7:33: the threshold must be 1 or more, is "zero"`,
		strings.Replace(inAcme, "threshold: 2", "threshold: 0", 1):                                         `7:33: the threshold must be 1 or more, is "0"`,
		inAcme + "      - {name: F, transfers: nobody}":                                                    `10:30: the company has no group "nobody"`,
		inFund + "  - {from: W, to_wallet: X, amount: 1}":                                                  `16:26: there is no wallet "X"`,
		inFund + "  - {from: F/W, to_wallet: Acme/F/V, to_address: Bank, amount: 0.1}":                     "16:50: a payment has to_wallet or to_address, not both",
		inFund + "  - {from: E, to_address: Bank, amount: 1}":                                              `16:27: the whitelist of the fund "F" has no "Bank" for ETH-TESTNET`,
		inFund + "  - {from: W, to_wallet: V, amount: 0.1, expires: soon}":                                 `16:51: expires must be how long from now, such as 24h, is "soon"`,
		inFund + "  - {from: W, to_wallet: V, amount: 0.1, approved_by: [dan@a.example]}":                  `16:56: there is no user and no core client "dan@a.example"`,
		strings.Replace(inFund, "payments:\n", "      - {name: G, wallets: [{name: W, asset: BTC-TESTNET}]}\npayments:\n", 1) + "  - {from: W, to_wallet: V, amount: 0.1}": `17:12: there are 2 wallets "W": say "Acme/F/W"`,

		// What the APIs refuse, told where it is written.
		"users: [{email: nobody}]": `1:17: "nobody": email must be an e-mail address`,
		inAcme + "      - {name: F, wallets: [{name: W, asset: DOGE}, {name: V, asset: CENT}]}":               "10:46: \"DOGE\": asset \"DOGE\" is not offered\n10:70: \"CENT\": asset \"CENT\" is not offered",
		inAcme + "      - {name: F, wallets: [{name: W, asset: BTC-TESTNET, balance: 0.000000001}]}":          `10:68: "0.000000001": 0.000000001 has more than the 8 decimals of BTC-TESTNET`,
		inAcme + "      - {name: F, wallets: [{name: W, asset: BTC-TESTNET, balance: -1}]}":                   `10:68: "-1": must be more than zero, is -1`,
		inAcme + "      - {name: F, wallets: [{name: W, asset: BTC-TESTNET, balance: 1e3}]}":                  `10:68: "1e3": must be a decimal number such as 1.5, is "1e3"`,
		inAcme + "      - {name: F, wallets: [{name: W, asset: BTC-TESTNET, balance: 1_000}]}":                `10:68: "1_000": must be a decimal number such as 1.5, is "1_000"`,
		inAcme + "      - {name: F, wallets: [{name: W, asset: BTC-TESTNET, balance: 92233720368.54775808}]}": `10:68: "92233720368.54775808": 92233720368.54775808 BTC-TESTNET is beyond 64 bits in base units`,
		inFund + "  - {from: W, to_wallet: E, amount: 0.1}":                                                   `16:37: "0.1": the counterparty's wallet holds ETH-TESTNET`,
		inFund + "  - {from: W, to_wallet: V, amount: 1}":                                                     `16:37: "1": the wallet's balance 100000000 is less than 100100000`,
		inFund + "  - {from: W, to_wallet: V, amount: 0.1, approved_by: [cy@a.example]}":                      `16:56: "cy@a.example": no such action for this approver`,
		inFund + "  - {from: W, to_wallet: V, amount: 0.1, rejected_by: [ann@a.example, ben@a.example]}":      `16:71: "ben@a.example": the payment is not pending any more`,
	} {
		_, err := s.MakeWorld(strings.NewReader(file))
		var wrong *sandbox.WorldFileError
		if assert.ErrorAs(t, err, &wrong, "%s", file) {
			assert.Equal(t, want, err.Error(), "%s", file)
		}
	}
	state, err := s.State()
	require.NoError(t, err)
	assert.Empty(t, state.Users, "nothing was made of them")
	_, err = s.MakeWorld(strings.NewReader(inFund + "  - {from: W, to_wallet: V, amount: 0.1}"))
	require.NoError(t, err)
}

func TestLargeWorldFiles(t *testing.T) {
	s := newService(t)
	_, err := s.MakeWorld(strings.NewReader(strings.Repeat("#\n", 9<<20)))
	require.ErrorContains(t, err, "it is over 16777216 bytes")
	_, err = s.MakeWorld(strings.NewReader("users:\n" + strings.Repeat("  - {}\n", 200)))
	require.ErrorContains(t, err, "51:5: a user must have the key email\nand 150 more")
	_, err = s.MakeWorld(strings.NewReader(strings.Repeat("[", 20_000)))
	require.ErrorContains(t, err, "it is no YAML")
}
