#!/bin/sh
# The whole job of a custody client, as commands: company, approvers, fund, deposit, transfer, withdrawal,
# balances, ledger, books. It runs against a sandbox of its own, or against the one that QREDO_BASE_URL and
# the other variables name. It needs qredo on the PATH:
#
#	go install ./cmd/qredo && sh examples/shell/walkthrough.sh
set -eu

dir=$(mktemp -d)
server=
cleanup() {
	[ -z "$server" ] || kill "$server"
	rm -rf "$dir"
}
trap cleanup EXIT

if [ -z "${QREDO_BASE_URL:-}" ]; then
	qredo sandbox serve --listen 127.0.0.1:0 --keys "$dir/keys" --env-file "$dir/env" >/dev/null 2>&1 &
	server=$!
	until [ -s "$dir/env" ]; do
		kill -0 "$server" # it has not ended
		sleep 0.1
	done
	. "$dir/env"
fi
asset=${ASSET:-BTC-TESTNET}
payout=${PAYOUT:-tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx}
run=$(date +%s)-$$ # so that it can be run again

# field NAME prints a field of the JSON object on the standard input, of the first if there are several; figure NAME
# one that is a number.
figure() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" | head -n 1; }
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" | head -n 1; }

echo "1. Asset"
qredo asset get "$asset"

echo "2. Company"
QREDO_COMPANY=$(qredo company create --name "Acme Exchange" --city Paris --country FR --ref "walkthrough-$run" --output json | field company_id)
export QREDO_COMPANY
qredo company get

echo "3. Trusted network"
for who in alice@example.com bob@example.com; do
	qredo sandbox users list | grep -q "^$who " || qredo sandbox users add "$who" # before a company can ask them
	qredo party add "$who"
	qredo sandbox accept "$who" --company "$QREDO_COMPANY"
done
qredo party list
alice=$(qredo party list --output json | grep alice@ | field trusted_entity_id)
bob=$(qredo party list --output json | grep bob@ | field trusted_entity_id)

echo "4. Fund: two approve withdrawals, one approves transfers"
fund=$(qredo fund create --name "Client assets" --approver "$alice" --approver "$bob" --transfer-threshold 1 --output json | field fund_id)
treasury=$(qredo fund add-wallet "$fund" --name Treasury --asset "$asset" --output json | field wallet_id)
trading=$(qredo fund add-wallet "$fund" --name Trading --asset "$asset" --output json | field wallet_id)

echo "5. Deposit of 1.5 $asset"
qredo sandbox deposit "$treasury" --amount "1.5$asset"

echo "6. Transfer of 0.4 $asset, sent twice with one key"
transfer() {
	qredo transfer create --from "$treasury" --to "$trading" --amount "0.4$asset" --reference walkthrough \
		--idempotency-key "transfer-$run" --yes "$@"
}
tx=$(transfer --output json | field tx_id)
again=$(transfer --output json | field tx_id)
[ "$tx" = "$again" ] # there is one transfer
qredo sandbox approve alice@example.com "$tx"
qredo transfer wait "$tx" --wait-timeout 1m
arrived=$(qredo wallet get "$trading" --output json | figure balance)
debited=$((150000000 - $(qredo wallet get "$treasury" --output json | figure balance)))
fees=$(qredo fee --type transfer --amount "0.4$asset" --output json | figure fees)
echo "arrived $arrived, fees $fees, debited $debited"
[ "$arrived" = 40000000 ] && [ "$debited" = $((arrived + fees)) ] # the amount is what arrives; the fee comes on top

echo "7. Withdrawal of 0.25 $asset"
qredo fund whitelist add "$fund" --asset "$asset" --address "$payout" --name "Cold storage"
tx=$(qredo withdraw create --from "$treasury" --address "$payout" --amount "0.25$asset" --yes --output json | field tx_id)
qredo sandbox approve alice@example.com "$tx"
qredo sandbox approve bob@example.com "$tx"
qredo withdraw wait "$tx" --wait-timeout 1m

echo "8. A withdrawal that is not approved: exit code 4"
tx=$(qredo withdraw create --from "$treasury" --address "$payout" --amount "0.1$asset" --expires 1h --yes --output json | field tx_id)
if [ -n "$server" ]; then
	qredo sandbox advance 2h # it expires
else
	qredo sandbox reject alice@example.com "$tx" # a clock that others use too is left alone
fi
code=0
qredo withdraw wait "$tx" || code=$?
[ "$code" = 4 ]

echo "9. Balances, ledger, books"
qredo company holdings
qredo ledger list "$fund"
qredo ledger export "$fund" --out "$dir/ledger.csv"
qredo reconcile "$fund"
echo "Done: the books add up."
