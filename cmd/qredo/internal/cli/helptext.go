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
Exit codes: 0 done, 1 refused or failed, 2 usage, 3 outcome unknown, 4 rejected or expired.
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
0  Done.
1  Refused or failed. The service said no, could not be reached, or a check has found something.
   Nothing was changed.
2  Usage. The command line, the configuration or a key cannot be right. Nothing was sent.
3  Outcome unknown. A request that changes something was sent and its answer was lost; or --wait has
   ended before the transaction. For a transfer, withdrawal, sweep or swap, run the same command with
   the --idempotency-key that was printed: it finds the transaction, or makes it now. There are never two.
4  Rejected or expired. The transaction was made, and has ended without moving anything.`),
		topic("amounts", "How amounts are written", `
An amount is a figure with its asset: 0.015BTC, "1.5 ETH-TESTNET", 20USDC. The asset is its code or its unit
("qredo asset list" shows both). A figure has a point for decimals and no separators of thousands. It is
converted with the asset's scale, exactly: more decimals than the asset has are an error, never rounded.

With --base-units the figure is a whole number of base units (satoshi, gwei) and stands alone: 1500000.
A figure without asset and without --base-units is refused, because 5 could be either.

Tables show amounts as people say them. --output json has base units, as whole numbers.`),
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
  --ca-file           QREDO_CA_FILE              ca_file            PEM of who signs the server's certificate
  --company           QREDO_COMPANY              company
  --output            QREDO_OUTPUT               output             table or json
  --qapi-base-url     QREDO_QAPI_BASE_URL        qapi_base_url
  never               QREDO_QAPI_KEY             never
  --qapi-key-file     QREDO_QAPI_KEY_FILE        qapi_key_file
  never               QREDO_QAPI_SECRET          never
  --qapi-secret-file  QREDO_QAPI_SECRET_FILE     qapi_secret_file
  --profile           QREDO_PROFILE              profile            which profile is used
  --config            QREDO_CONFIG                                  the file itself
  --timeout           never                      never              end the whole command after this long, such as 30s
  --verbose, -v       never                      never              tell of each request on standard error

The file is $XDG_CONFIG_HOME/qredo/config.yaml, else ~/.config/qredo/config.yaml. "qredo config set" writes
it. It names files that hold keys, and never holds a key.

  profile: demo
  profiles:
    demo:
      base_url: http://127.0.0.1:8765/api/v1/p
      api_key_file: /home/me/sandbox/apikey
      private_key_file: /home/me/sandbox/private.pem

NO_COLOR turns colours off. They are used on terminals only. HTTPS_PROXY, HTTP_PROXY and NO_PROXY are followed.`),
	}
}
