package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

const rootHelp = `qredo works with the Partner API and Qredo API v1, and with a sandbox that emulates both.

The hosted service is retired: nothing answers at its addresses any more. Start a sandbox, and point the
command at it, with the lines that "qredo sandbox serve" prints. This is not an official program of Qredo.

Where to send requests and which keys to sign them with comes from flags, the environment, or a profile in
the configuration file, in this order: see "qredo help configuration". Amounts carry their asset, as in
0.015BTC: see "qredo help amounts".`

const rootExamples = `  qredo sandbox serve --seed demo
  qredo company search demo
  qredo transfer create --company ID --from WALLET --to WALLET --amount 0.4BTC-TESTNET --wait
  qredo doctor`

const exitCodesLine = `
Exit codes: 0 done, 1 failed, 2 usage, 3 outcome unknown, 4 rejected or expired, 5 refused, 6 not found, 7 rate limited,
8 service failed. See "qredo help exit-codes".
`

// What cobra writes in the help of each command, and what is written in its place: the same fifteen flags
// would hide those of the command itself.
const (
	globalFlagsListed = "Global Flags:\n{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}"
	globalFlagsNamed  = `Global flags, such as --company and --output: see "qredo help configuration".`
)

// helpTopics are pages of help that are no commands.
func helpTopics() []*cobra.Command {
	topic := func(name, short, long string) *cobra.Command {
		return &cobra.Command{Use: name, Short: short, Long: strings.TrimSpace(long)}
	}
	return []*cobra.Command{
		topic("exit-codes", "What the exit codes mean", `
0    Done.
1    Failed. A check has found something ("doctor", "reconcile", "verify-log"), or it is none of the others: a file that
     cannot be written, an answer that was not "yes".
2    Usage. The command line, the configuration, a key or a field cannot be right: it was not sent.
3    Outcome unknown. A request that changes something was sent, and its answer was lost or is not the service's; or
     --wait has ended before the transaction. For a transfer, withdrawal, sweep or swap, run the same command with the
     --idempotency-key that was printed: it finds the transaction, or makes it now. There are never two. Also what was
     done, and could not be printed.
4    Rejected or expired. The transaction was made, and has ended without moving anything.
5    Refused. The service says no, in a status from 400 to 499 that is none of the next.
6    Not found. The service says that there is no such thing. A page that says so instead of the service is 8.
7    Rate limited. Too many requests: the service carried it out as little as others that it refuses.
8    The service failed, or could not be reached or understood, or took too long. Nothing was made.
130  Interrupted by Ctrl-C (143: by SIGTERM) while nothing that changes something was under way. A second Ctrl-C ends at
     once, and says what is known. Commands that run until they are interrupted end with 0.

They are about the request that failed: what the command had done before stands. Before 1.0.0 a code may be added, and
then these keep their meaning.

Where the output is JSON or YAML, the last line on standard error is an object about it:

  {"kind":"not_found","message":"…","status":404,"code":404,"operation":"GET /wallet/{wallet_id}","attempts":1,"exit_code":6}

kind         finer than the exit code:
             1  check, failed, output (the result cannot be printed; with 3 it was done)
             2  usage, validation (field names what is wrong)
             3  unknown, pending, output
             4  rejected, expired
             5  bad_request, unauthorized, bad_signature, clock_skew, forbidden, conflict, refused
             6  not_found   7  rate_limited
             8  server, bad_answer, unreachable, timeout
             130, 143  interrupted
message      what people read; it may change
exit_code    as above
and where they are known: status (of HTTP), code and reason (the service's own), field, operation, attempts, retry_after
(seconds), tx_id, idempotency_key, request_id (X-Request-Id of the answer), hint (what to do next).`),
		topic("amounts", "How amounts are written", `
An amount is a figure with its asset: 0.015BTC, "1.5 ETH-TESTNET", 20USDC. The asset is its code or its unit
("qredo asset list" shows both). A figure has a point for decimals and no separators of thousands. It is
converted with the asset's scale, exactly: more decimals than the asset has are an error, never rounded.

With --base-units the figure is a whole number of base units (satoshi, gwei) and stands alone: 1500000.
A figure without asset and without --base-units is refused, because 5 could be either.

Tables show amounts as people say them. --output json has the service's own names and values: amounts are base
units, as whole numbers, and times Unix seconds.`),
		topic("payments", "What is shown before money moves", `
Before a transfer, withdrawal, sweep, swap or Web3 transaction is asked for, it is shown on standard error: from which
wallet, fund and company, to whom, what arrives, the fees, what leaves the wallet, what is available there and what will
be left. Available is what can leave the wallet now, fees included: the balance without what is held for others that
wait. Of the two figures that the service gives for it (qredo wallet max) the smaller counts.

All of it is looked up before the question; after the answer the request is sent as it was shown, and nothing else.
What cannot be looked up is "not known". Warnings do not stop anything: whether a payment can be made, the service
decides. With --yes it is shown all the same, as text also with --output json: what programs need is in the result.

With --dry-run nothing is asked, sent or stored that changes anything. What would be sent is printed, without the
headers that authenticate it and without keys, and with --output json as one object: request, plan, warnings, fees,
and what was asked for it. The exit code is 0, or that of what is wrong already.`),
		topic("names", "Names in place of IDs, and the shell's completion", namesHelp),
		topic("output", "How results are printed", `
-o table  For people. Where a terminal is narrow, lesser columns are left out, and a line says which. IDs are whole.
-o wide   All columns.
-o json   The service's own names and values, as the SDK reads and writes them: amounts in base units, times in Unix
          seconds. A list is a line for each object. On a terminal, what cannot be seen is escaped.
-o yaml   The same data.
-o csv    The columns of -o wide, by RFC 4180: times RFC 3339 in UTC; an amount as AMOUNT in whole units (empty where its
          asset is not known) and AMOUNT_base_units. A text that a spreadsheet would take for a formula begins with '.

--columns NAME,NAME  These fields only, in tables and CSV, by the names that JSON has; a wrong one is told with those there are.
--jq EXPRESSION      Print what jq makes of the JSON, of each object of a list by itself; [., inputs] is all of them. Text is
                     printed without quotes. Figures are exact, whatever their size, also through +, - and * of whole numbers. What else is
                     reckoned, by / or a function, has 16 digits; where whole numbers would be rounded by that, it is an error.
--amounts-as-text    Amounts in quotes, in JSON and YAML, for programs that round what is beyond 2^53.
-q, --quiet          IDs only, one a line: of a list, or of what was made.
-w, --watch          Of commands that only read: look again every two seconds (--interval), until Ctrl-C, which is no failure. A
                     table on a terminal is drawn anew; elsewhere what is new or has changed is printed, a line each.

On a terminal, what is longer than it goes through $QREDO_PAGER, else $PAGER, else less; not with --no-pager.`),
		topic("configuration", "Flags, environment and profiles", `
Each setting comes from the first of these that has it: its flag, its environment variable, the profile in
the configuration file.

  flag                environment                file
  --base-url          QREDO_BASE_URL             base_url
  --environment       QREDO_ENVIRONMENT          environment        production, sandbox or play
  --api-key           QREDO_API_KEY              never
  --api-key-file      QREDO_API_KEY_FILE         api_key_file
  never               QREDO_PRIVATE_KEY          never              PEM
  --private-key       QREDO_PRIVATE_KEY_FILE     private_key_file
  --signer            QREDO_SIGNER               signer             what signs: go (the default), libcrypto, auto
  --ca-file           QREDO_CA_FILE              ca_file            PEM of who signs the server's certificate
  --company           QREDO_COMPANY              company
  --output, -o        QREDO_OUTPUT               output             table, wide, json, yaml or csv: "qredo help output"
  --qapi-base-url     QREDO_QAPI_BASE_URL        qapi_base_url
  never               QREDO_QAPI_KEY             never
  --qapi-key-file     QREDO_QAPI_KEY_FILE        qapi_key_file
  never               QREDO_QAPI_SECRET          never
  --qapi-secret-file  QREDO_QAPI_SECRET_FILE     qapi_secret_file
  --profile           QREDO_PROFILE              profile            which profile is used
  --config            QREDO_CONFIG                                  the file itself
  --timeout           never                      never              end the whole command after this long, such as 30s
  --verbose, -v       never                      never              tell of each request on standard error

The file is qredo/config.yaml in $XDG_CONFIG_HOME, else in ~/.config, on macOS in ~/Library/Application Support, on Windows
in %AppData%: "qredo config path" prints it. Without these, none is read. "qredo config set" writes it. It names files that hold keys, and never holds a key.

  profile: demo
  profiles:
    demo:
      base_url: http://127.0.0.1:8765/api/v1/p
      api_key_file: /home/me/sandbox/apikey
      private_key_file: /home/me/sandbox/private.pem

NO_COLOR turns colours off. They are used on terminals only. HTTPS_PROXY, HTTP_PROXY and NO_PROXY are followed.`),
	}
}
