package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

const rootHelp = `qredo works with the Partner API and Qredo API v1, and with a sandbox that emulates both.

The hosted service is retired: nothing answers at its addresses any more. Start a sandbox, and run the lines that
"qredo sandbox serve" prints to point the command at it. This is not an official Qredo program.

Flags, the environment, or a profile in the configuration file, in this order, say where to send requests and which
keys to sign them with: see "qredo help configuration". Amounts include their asset, as in 0.015BTC: see "qredo help
amounts".`

const rootExamples = `  qredo sandbox serve --seed demo
  qredo company search demo
  qredo transfer create --company ID --from WALLET --to WALLET --amount 0.4BTC-TESTNET --wait
  qredo doctor`

const exitCodesLine = `
Exit codes: 0 done, 1 failed, 2 usage, 3 outcome unknown, 4 rejected or expired, 5 refused, 6 not found, 7 rate limited,
8 service failed. See "qredo help exit-codes".
`

// Cobra's list of global flags in the help of each command, and what replaces it: the same fifteen flags would hide the
// command's own.
const (
	globalFlagsListed = "Global Flags:\n{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}"
	globalFlagsNamed  = `Global flags, such as --company and --output: see "qredo help configuration".`
)

// helpTopics are help pages that are not commands.
func helpTopics() []*cobra.Command {
	topic := func(name, short, long string) *cobra.Command {
		return &cobra.Command{Use: name, Short: short, Long: strings.TrimSpace(long)}
	}
	return []*cobra.Command{
		topic("exit-codes", "What the exit codes mean", `
0    Done.
1    Failed. A check found something ("doctor", "reconcile", "verify-log"), or none of the others applies: a file that
     cannot be written, an answer that was not "yes".
2    Usage. The command line, the configuration, a key or a field cannot be right: nothing was sent.
3    Outcome unknown. A request that changes something was sent, and its response was lost or is not the service's; or
     --wait ended before the transaction did. For a transfer, withdrawal, sweep or swap, run the same command with the
     --idempotency-key that was printed: it finds the transaction, or makes it now. There are never two. Also: something was
     done, but its result could not be printed.
4    Rejected or expired. The transaction was made, and ended without moving anything.
5    Refused. The service says no, with a status from 400 to 499 that is not one of the next.
6    Not found. The service says that it does not exist. If an error page says so instead of the service, it is 8.
7    Rate limited. Too many requests: the service did not carry it out.
8    The service failed, could not be reached or understood, or took too long. Nothing was made.
130  Interrupted by Ctrl-C (143: by SIGTERM) while no change was under way. A second Ctrl-C ends the command at
     once and says what is known. Commands that run until they are interrupted end with 0.

They are about the request that failed; what the command did before it stands. Before 1.0.0 codes may be added; these
keep their meaning.

If the output is JSON or YAML, the last line on standard error is an object about the error:

  {"kind":"not_found","message":"…","status":404,"code":404,"operation":"GET /wallet/{wallet_id}","attempts":1,"exit_code":6}

kind         finer than the exit code:
             1  check, failed, output (the result could not be printed; with 3 the request was carried out)
             2  usage, validation ("field" names what is wrong)
             3  unknown, pending, output
             4  rejected, expired
             5  bad_request, unauthorized, bad_signature, clock_skew, forbidden, conflict, refused
             6  not_found   7  rate_limited
             8  server, bad_answer, unreachable, timeout
             130, 143  interrupted
message      for people to read; it may change
exit_code    as above
and, if known: status (of HTTP), code and reason (the service's own), field, operation, attempts, retry_after
(seconds), tx_id, idempotency_key, request_id (X-Request-Id of the response), hint (what to do next).`),
		topic("amounts", "How amounts are written", `
An amount is a number with its asset: 0.015BTC, "1.5 ETH-TESTNET", 20USDC. Give the asset's code or its unit ("qredo asset
list" shows both). The number has a decimal point and no thousands separators. It is converted exactly, by the asset's
scale: more decimals than the asset has are an error; nothing is rounded.

With --base-units, give a whole number of base units (satoshi, gwei) without the asset: 1500000. A number with neither
an asset nor --base-units is refused, because 5 could mean either.

Tables show amounts in the asset's unit. --output json has the service's own names and values: amounts are whole numbers
of base units, and times are Unix seconds.`),
		topic("payments", "What is shown before money moves", `
Before a transfer, withdrawal, sweep, swap or Web3 transaction is requested, it is shown on standard error: the sending
wallet, fund and company, the recipient, what arrives, the fees, what leaves the wallet, what is available there and what
will be left. Available is what can leave the wallet now, fees included: the balance minus what is held for pending
transactions. Of the service's two figures for it (qredo wallet max), the smaller one is used.

Everything is looked up before you are asked; after your answer, exactly what was shown is sent. What cannot be looked
up is "not known". Warnings stop nothing: the service decides whether a payment can be made. With --yes the same is shown,
as text even with --output json: what programs need is in the result.

With --dry-run you are not asked, and nothing is sent or stored that changes anything. The request is printed without
the headers that authenticate it and without keys; with --output json as one object: request, plan, warnings, fees,
and what was looked up for it. The exit code is 0, or that of an error found so far.`),
		topic("names", "Names instead of IDs, and shell completion", namesHelp),
		topic("output", "How results are printed", `
-o table  For people. On a narrow terminal, less important columns are left out, and a line says which. IDs are never cut.
-o wide   All columns.
-o json   The service's own names and values, as the SDK reads and writes them: amounts in base units, times in Unix
          seconds. A list has one object a line. On a terminal, invisible characters are escaped.
-o yaml   The same data.
-o csv    The columns of -o wide (RFC 4180). Times are RFC 3339 in UTC. An amount has two columns: AMOUNT in whole units
          (empty if its asset is not known) and AMOUNT_base_units. Text that a spreadsheet would take for a formula gets a ' in front.

--columns NAME,NAME  Show only these fields, in tables and CSV. Names are those of the JSON; a wrong one lists all that exist.
--jq EXPRESSION      Run jq on the JSON, on each object of a list separately; [., inputs] is all of them. Text is printed
                     without quotes. Numbers of any size are exact, and stay so through +, - and * of whole numbers.
                     Results of / or a function have 16 digits; if that would round a whole number, it is an error.
--amounts-as-text    Put amounts in quotes, in JSON and YAML, for programs that round numbers beyond 2^53.
-q, --quiet          Print only IDs, one a line: those in a list, or of what was created.
-w, --watch          For commands that only read: read again every two seconds (--interval) until Ctrl-C, which is not an
                     error. A table on a terminal is redrawn; elsewhere new and changed objects are printed, a line each.

Output that is longer than the terminal goes through $QREDO_PAGER, or $PAGER, or less. --no-pager turns that off.`),
		topic("configuration", "Flags, environment and profiles", `
Each setting comes from the first of these that has it: its flag, its environment variable, the profile in the
configuration file.

  flag                environment                file
  --base-url          QREDO_BASE_URL             base_url
  --environment       QREDO_ENVIRONMENT          environment        production, sandbox or play
  --api-key           QREDO_API_KEY              never
  --api-key-file      QREDO_API_KEY_FILE         api_key_file
  never               QREDO_PRIVATE_KEY          never              PEM
  --private-key       QREDO_PRIVATE_KEY_FILE     private_key_file
  --signer            QREDO_SIGNER               signer             what signs: go (default), libcrypto, auto
  --ca-file           QREDO_CA_FILE              ca_file            PEM of the authority that signed the server's certificate
  --company           QREDO_COMPANY              company
  --output, -o        QREDO_OUTPUT               output             table, wide, json, yaml or csv: "qredo help output"
  --qapi-base-url     QREDO_QAPI_BASE_URL        qapi_base_url
  never               QREDO_QAPI_KEY             never
  --qapi-key-file     QREDO_QAPI_KEY_FILE        qapi_key_file
  never               QREDO_QAPI_SECRET          never
  --qapi-secret-file  QREDO_QAPI_SECRET_FILE     qapi_secret_file
  --profile           QREDO_PROFILE              profile            which profile is used
  --config            QREDO_CONFIG                                  the file itself
  --timeout           never                      never              time limit for the whole command, such as 30s
  --verbose, -v       never                      never              report each request on standard error

The file is qredo/config.yaml in $XDG_CONFIG_HOME. Default: in ~/.config; on macOS in ~/Library/Application Support, on
Windows in %AppData%. "qredo config path" prints its path. If none of these folders is set, no file is read. "qredo config
set" writes it. It names files that hold keys, but never holds a key.

  profile: demo
  profiles:
    demo:
      base_url: http://127.0.0.1:8765/api/v1/p
      api_key_file: /home/me/sandbox/apikey
      private_key_file: /home/me/sandbox/private.pem

Colours are used only on terminals; NO_COLOR turns them off. HTTPS_PROXY, HTTP_PROXY and NO_PROXY are honoured.`),
	}
}
