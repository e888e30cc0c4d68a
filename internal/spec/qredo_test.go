package spec

import (
	"fmt"
	"math/big"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox"
)

var qredoStatuses = readStatuses(`
GET /account 200 400 401 403
GET /balance 200 400 401 403
GET /funds 200 400 401 403
GET /funds/{fund_id} 200 400 401 403 404
GET /funds/{fund_id}/ledger 200 400 401 403 404
GET /trustedparties 200 400 401 403
GET /wallet/{wallet_id}/history 200 400 401 403 404
POST /transaction 200 400 401 403
GET /transactions/feed 101 200 400 401 403
GET /transactions/{tx_id}/approvals 200 400 401 403 404
GET /transactions/{tx_id}/status 200 400 401 403 404
`)

func TestQredoSpecHasThePublishedOperations(t *testing.T) {
	require.Len(t, qredoStatuses, 11)
	checkStatuses(t, Qredo, qredoStatuses)
}

func TestQredoSpecHasEveryDisagreement(t *testing.T) { checkDisagreements(t, Qredo, 12) }

func qapiMethods(t *testing.T) map[string][]string {
	t.Helper()
	return readPackage(t, "../../qapi/").methodsFor(t, Qredo, qredoStatuses)
}

func TestQredoSpecEveryOperationHasAMethod(t *testing.T) {
	methods := qapiMethods(t)
	for _, op := range Qredo.Operations() {
		assert.NotEmpty(t, methods[op.String()], "no method of the client names %s", op)
	}
}

// qapiRun is a run of the Partner API's client, whose fund the reports are on.
type qapiRun struct {
	*run
	checker *Checker
	reports *qapi.Client
}

func newQAPIRun(t *testing.T) *qapiRun { return checkedBy(t, Qredo.New()) }

func checkedBy(t *testing.T, checker *Checker, opts ...sandbox.Option) *qapiRun {
	r := newRun(t, Partner.New(), opts...)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client := r.srv.QAPIClient(qredo.WithHTTPClient(&http.Client{Transport: checker.Transport(transport)}))
	return &qapiRun{r, checker, client}
}

// TestQredoSpecEveryOperation does with the client, against the sandbox, all that the API can do. An
// operation counts when a method names it and it was called with success.
func TestQredoSpecEveryOperation(t *testing.T) {
	r := newQAPIRun(t)
	r.company()
	r.trustedNetwork()
	r.fund()
	r.moneyArrives()
	r.transfers()
	r.readReports()
	r.sign()
	person := checkedBy(t, r.checker, sandbox.WithPersonalAccount())
	person.company()
	person.trustedNetwork()
	person.readPersons()

	assert.Empty(t, r.checker.Violations())
	methods, called, done := qapiMethods(t), r.checker.Called(), 0
	for _, op := range Qredo.Operations() {
		if assert.NotZero(t, called[op], "%s was not called", op) && len(methods[op.String()]) > 0 {
			done++
		}
	}
	assert.Equal(t, len(qredoStatuses), done)
	t.Logf("%d/%d operations", done, len(qredoStatuses))
	fmt.Fprintf(os.Stdout, "%d/%d operations\n", done, len(qredoStatuses))
}

func (r *qapiRun) readReports() {
	ctx := r.Context()
	account := must(r.reports.Account.Get(ctx))(r.run)
	require.True(r, account.IsOrganization())
	require.NotEmpty(r, account.Members)
	balances := must(r.reports.Balance.Get(ctx))(r.run)
	require.NotZero(r, balances["BTC"].Total)
	funds := filled(r.reports.Funds.List(ctx, qapi.FundsOptions{}))(r.run)
	all := must(r.reports.Funds.List(ctx, qapi.FundsOptions{Archived: true}))(r.run)
	require.Equal(r, funds, all, "what is archived besides: nothing")
	info := must(r.reports.Funds.Get(ctx, funds[0].ID))(r.run)
	require.NotEmpty(r, info.Wallets)
	require.NotEmpty(r, info.Members)
	require.NotNil(r, info.PolicyTx)
	ledger := must(r.reports.Funds.ListLedger(ctx, info.ID))(r.run)
	require.NotEmpty(r, ledger.Entries)
	require.NotEmpty(r, ledger.Wallets)
	filled(r.reports.Wallets.ListHistory(ctx, r.btc))(r.run)
}

// readPersons reads what only a person has.
func (r *qapiRun) readPersons() {
	account := must(r.reports.Account.Get(r.Context()))(r.run)
	require.False(r, account.IsOrganization())
	filled(r.reports.TrustedParties.List(r.Context()))(r.run)
}

func (r *qapiRun) sign() {
	ctx, transactions := r.Context(), r.reports.Transactions
	wallet := must(r.client.Wallets.Get(ctx, r.eth))(r.run)
	req := qapi.TransactionRequest{
		From: wallet.Address, To: "0x" + strings.Repeat("ab", 20), Value: qapi.BigInt{Int: new(big.Int).Lsh(big.NewInt(1), 80)},
		GasLimit: qapi.NewBigInt(21_000), GasPrice: qapi.NewBigInt(1), Data: "0x00ff", ChainID: qapi.NewBigInt(5), Note: "n",
	}
	legacy := must(transactions.Create(ctx, req))(r.run)
	req.GasPrice, req.MaxFeePerGas, req.MaxPriorityFeePerGas = qapi.BigInt{}, qapi.NewBigInt(2), qapi.NewBigInt(1)
	dynamic := must(transactions.Create(ctx, req))(r.run)
	r.approve(legacy.ID)
	r.reject(dynamic.ID)
	r.ok(r.srv.Reject("ann@acme.example", string(dynamic.ID)))
	filled(transactions.ListApprovals(ctx, legacy.ID))(r.run)
	req.MaxFeePerGas, req.GasLimit = qapi.BigInt{}, qapi.NewBigInt(0)
	r.approve(must(transactions.Create(ctx, req))(r.run).ID)
	signed := must(transactions.Wait(ctx, legacy.ID))(r.run)
	require.True(r, signed.Signed())
	rejected := must(transactions.Get(ctx, dynamic.ID))(r.run)
	require.True(r, rejected.Status.Failed())
	for change, err := range transactions.Feed(ctx) {
		r.ok(err)
		require.NotEmpty(r, change.Status)
		break
	}
}

// What is named by an ID that nothing has is answered with a failure that the document lists for it.
func TestQredoSpecUnknownIDs(t *testing.T) {
	r := newQAPIRun(t)
	for _, op := range Qredo.Operations() {
		path := placeholder.ReplaceAllString(op.Path, "nobody")
		if path == op.Path {
			continue
		}
		require.ErrorIs(t, r.reports.Do(t.Context(), op.Method, path, nil, nil), qredo.ErrNotFound, op)
	}
	assert.Empty(t, r.checker.Violations())
	assert.Empty(t, r.checker.Called())
}

// Unknown callers, and those without permission, get no answer.
func TestQredoSpecUnauthenticated(t *testing.T) {
	r := newRun(t, Partner.New())
	checker := Qredo.New()
	client := http.Client{Transport: checker.Transport(&http.Transport{DisableKeepAlives: true}), Timeout: time.Minute}
	for _, op := range Qredo.Operations() {
		req, err := http.NewRequestWithContext(t.Context(), op.Method, r.srv.QAPIBaseURL()+placeholder.ReplaceAllString(op.Path, "nobody"), nil)
		require.NoError(t, err)
		resp, err := client.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusUnauthorized, resp.StatusCode, op)
	}
	assert.Empty(t, checker.Violations())
}

// qapiTypes names the Go types that stand for each object of the document; a dot before it means that it is
// the Partner API's.
var qapiTypes = map[string]string{
	"AccountInfo": "accountInfo", "Account": "Account", "CountedAPIKeys": "countedAPIKeys", "UserAPIKey": "UserAPIKey",
	"OrgMember": "OrgMember", "RPCNetwork": "RPCNetwork", "BalanceInfo": "balanceInfo", "AssetBalance": "AssetBalance",
	"FundList": "fundList", "FundSummary": "FundSummary", "FundAnswer": "fundAnswer", "Fund": "Fund", "FundMember": "FundMember",
	"Permissions": "Permissions", "Wallet": "Wallet", "ConnectedAccount": ".ConnectedAccount", "Policy": ".Policy",
	"PolicyMember": ".PolicyMember", "Entity": ".Entity", "EntityUser": ".EntityUser", "EntityCompany": ".EntityCompany",
	"EntityCoreClient": ".EntityCoreClient", "Ledger": "Ledger", "LedgerEntry": "LedgerEntry", "LedgerWallet": "LedgerWallet",
	"TrustedParties": "trustedParties", "TrustedParty": "TrustedParty", "WalletHistory": "walletHistory",
	"HistoryEntry": "HistoryEntry", "TransactionRequest": "TransactionRequest", "Transaction": "Transaction",
	"StatusUpdate": "StatusUpdate", "ApprovalList": "approvalList", "Approval": "Approval",
}

// The document and the client's types have the same fields. The client counts lists itself.
func TestQredoSpecFieldsAreTheClients(t *testing.T) {
	reports, partner := readPackage(t, "../../qapi/"), readClient(t)
	for name, schema := range Qredo.document().Components.Schemas {
		if len(schema.Value.Properties) == 0 || strings.HasPrefix(name, "Error") {
			continue // no object, or read by the core
		}
		typeName, known := qapiTypes[name]
		if !assert.True(t, known, "no Go type is named for %s", name) {
			continue
		}
		source := reports
		if own, isPartners := strings.CutPrefix(typeName, "."); isPartners {
			source, typeName = partner, own
		}
		fields := source.fields(t, typeName)
		for property := range schema.Value.Properties {
			if _, found := fields[fold(property)]; !found && property != "total" {
				t.Errorf("%s.%s has no field in %s", name, property, typeName)
			}
		}
		properties := map[string]bool{}
		for property := range schema.Value.Properties {
			properties[fold(property)] = true
		}
		for key, field := range fields {
			assert.True(t, properties[key] || field.alias, "%s of %s is not in %s", field.name, typeName, name)
		}
	}
}

// A key that lacks the permission is refused in the documented form.
func TestQredoSpecForbidden(t *testing.T) {
	const secret = "c2VjcmV0IG9mIGEga2V5"
	srv, err := sandbox.Start(sandbox.WithHMACKey("limited", secret, sandbox.PermissionBalance))
	require.NoError(t, err)
	defer srv.Close()
	auth, err := qredo.NewHMACAuth("limited", secret)
	require.NoError(t, err)
	checker := Qredo.New()
	client, err := qapi.NewClient(auth, qredo.WithBaseURL(srv.QAPIBaseURL()),
		qredo.WithHTTPClient(&http.Client{Transport: checker.Transport(&http.Transport{DisableKeepAlives: true})}))
	require.NoError(t, err)
	for _, op := range Qredo.Operations() {
		err := client.Do(t.Context(), op.Method, placeholder.ReplaceAllString(op.Path, "nobody"), nil, nil)
		if op.Path == "/balance" {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, qredo.ErrForbidden, op)
		}
	}
	assert.Empty(t, checker.Violations())
}
