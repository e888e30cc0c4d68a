package spec

import (
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// goTypes names the Go types that stand for each object of the document. A type within a method is named
// by the method.
var goTypes = map[string]string{
	"Error": "Error.read", "ErrorDetail": "Error.read#2",

	"Assets": "assetList", "Asset": "Asset", "FeesRequest": "FeesRequest", "FeesResponse": "Fees", "AssetAmount": "AssetAmount",

	"CompanyRequest": "CompanyRequest", "CompanyUpdate": "CompanyUpdate", "CreateCompanyResponse": "CompanyRef", "Company": "Company",
	"CompanySearchResponse": "companySearchResult", "CompanyMatch": "CompanyMatch", "Holdings": "holdings", "Holding": "Holding",

	"TrustedPartyNew": "TrustedPartyRequest", "TrustedPartyList": "trustedPartyList", "TrustedParty": "TrustedParty",

	"Fund": "FundRequest", "NewCustodyGroup": "CustodyGroup", "NewWallet": "WalletRequest", "ConnectAccount": "ConnectRequest",
	"CreateFundResponse": "CreatedFund", "FundDetail": "Fund", "FundMember": "FundMember", "Permissions": "Permissions",
	"FundSearchResult": "fundSearchResult", "FundMatch": "FundMatch",
	"FundDepositResponse": "depositAddresses", "DepositAddress": "DepositAddress",
	"FundWhitelist": "whitelist", "WhitelistEntry": "WhitelistEntry", "AddFundWhitelist": "WhitelistEntry",
	"FundAsset": "newAssets", "FundWallet": "newWallets", "WalletIDList": "walletIDs",

	"FundWalletInfo": "Wallet", "ConnectedAccount": "ConnectedAccount", "Policy": "Policy", "PolicyMember": "PolicyMember",
	"Entity": "Entity", "EntityUser": "EntityUser", "EntityCompany": "EntityCompany", "EntityCoreClient": "EntityCoreClient",
	"WalletPolicyUpdate": "PolicyRequest", "FundWalletHistory": "walletHistory", "FundHistoryItem": "HistoryEntry",
	"TxLedger": "LedgerPage", "TxHistoryItem": "LedgerEntry",
	"ExchangesList": "exchangeList", "Exchange": "Exchange", "ExchangeClient": "ExchangeClient", "ExchangeField": "ExchangeField",

	"Transfer": "TransferRequest", "Withdrawal": "WithdrawalRequest", "TxId": "Submission",
	"TxInfo": "Transaction", "TxApproval": "Approval", "TxDetails": "TransactionDetails",
	"Sweep": "SweepRequest", "SweepInfo": "Transaction", "SweepApproval": "Approval", "SweepDetails": "TransactionDetails",

	"AtomicSwapMake": "SwapRequest", "SwapTxId": "SwapSubmission", "AtomicSwapTake": "TakeRequest",
	"AddToLiquidityHub": "listing", "LiquidityHub": "liquidityHub", "HubQuote": "HubQuote",

	"NewCoreClient": "newCoreClient", "CoreClientsInfo": "coreClientList", "CoreClientInfo": "CoreClient",
	"ActionsInfo": "actionList", "ActionInfo": "Action", "ActionDetails": "Action", "ActionWallet": "ActionWallet",
	"ActionDetailApproveWithdraw": "ActionDetails", "ActionDetailApproveTransfer": "ActionDetails", "ActionDetailApproveSwap": "ActionDetails",
	"ActionDetailApproveNewWalletConnect": "ActionDetails", "ActionDetailPolicyUpdate": "ActionDetails",
	"CoreClientWallets": "coreClientWallets", "CoreClientWallet": "CoreClientWallet",
	"CoreClientSign": "signRequest", "CoreClientSignature": "CoreClientSignature", "CoreClientVerifySignature": "VerifyRequest",

	"AgentRequest": "AgentRequest", "AgentRegistration": "AgentRegistration", "AgentFinish": "agentFinish",
	"AgentFeed": "agentFeed", "AgentMessages": "agentMessages", "AgentSignatures": "agentSignatures",
}

// notRead are the fields that the client does without. It counts lists itself, because the service did
// so wrongly at times.
var notRead = map[string]bool{
	"Holdings.total_count": true, "FundDepositResponse.total_count": true,
	"ActionsInfo.count": true,
}

// noObject are the schemas that no Go struct stands for.
var noObject = map[string]bool{
	"OkResponse": true, // says nothing, and is not read
	"WalletType": true, // a number
}

// Every field of the document has a Go field, in the same form.
func TestSpecFieldsAreInTheClient(t *testing.T) {
	src := readClient(t)
	for name, schema := range Partner.document().Components.Schemas {
		if noObject[name] {
			continue
		}
		typeName, known := goTypes[name]
		if !assert.True(t, known, "no Go type is named for %s", name) {
			continue
		}
		fields := src.fields(t, typeName)
		for property, ref := range schema.Value.Properties {
			field, found := fields[fold(property)]
			if notRead[name+"."+property] {
				assert.False(t, found, "%s.%s is read: take it off the list", name, property)
				continue
			}
			if assert.True(t, found, "%s.%s has no field in %s", name, property, typeName) {
				checkForm(t, src, name+"."+property, ref, field)
			}
		}
	}
}

// checkForm compares a Go field with the schema of what it reads or writes.
func checkForm(t *testing.T, src *goSource, name string, ref *openapi3.SchemaRef, field goField) {
	item := ref
	if ref.Value.Type.Is(openapi3.TypeArray) {
		assert.True(t, field.list, "%s is a list, its Go field is none", name)
		item = ref.Value.Items
	} else {
		assert.False(t, field.list, "%s is no list, its Go field is one", name)
	}
	objects := append(append(openapi3.SchemaRefs{item}, item.Value.AllOf...), item.Value.AnyOf...)
	for _, object := range objects {
		schema := strings.TrimPrefix(object.Ref, "#/components/schemas/")
		if schema == "" || noObject[schema] || schema == "ErrorDetail" { // which Error.read reads on its own
			continue
		}
		assert.True(t, src.embeds(field.element, goTypes[schema]),
			"%s is a %s, which %s stands for, and its Go field a %s", name, schema, goTypes[schema], field.element)
	}
}

// ownFields are those that the client adds to answers of the service, so that they are whole where they are kept.
var ownFields = map[string]bool{"Submission.partner_txID": true, "SwapSubmission.partner_txID": true}

// Every field of the client's wire types is in the document. A field that is always sent is required by the sandbox, and
// a required field is always sent.
func TestSpecHasTheClientsFields(t *testing.T) {
	src := readClient(t)
	schemas := map[string][]string{}
	for name, typeName := range goTypes {
		require.NotNil(t, Partner.document().Components.Schemas[name], "the document has no %s", name)
		schemas[typeName] = append(schemas[typeName], name)
	}
	for typeName, names := range schemas {
		for _, field := range src.fields(t, typeName) {
			found := false
			for _, name := range names {
				schema := Partner.document().Components.Schemas[name].Value
				for property := range schema.Properties {
					if fold(property) != fold(field.name) || field.alias {
						continue
					}
					found = true
					checkRequired(t, name+"."+property, schema, property, field)
				}
			}
			assert.True(t, found || field.alias || ownFields[typeName+"."+field.name], "%s of %s is not in %s", field.name, typeName, strings.Join(names, ", "))
		}
	}
}

func checkRequired(t *testing.T, name string, schema *openapi3.Schema, property string, field goField) {
	required := false
	for _, r := range schema.Required {
		required = required || r == property
	}
	closed := schema.AdditionalProperties.Has != nil // only answers are
	if closed && !field.omitted && name != "Error.detail" && name != "ErrorDetail.reason" {
		assert.True(t, required, "%s is never left out by the client's type and not required by the document", name)
	}
	if !closed && required {
		assert.False(t, field.omitted, "%s is required by the document and left out by the client when it is empty", name)
	}
}

// queries are the Go types of the queries.
var queries = map[string]string{
	"searchCompanies": "searchOptions", "searchFunds": "searchOptions", "listWhitelist": "WhitelistOptions",
	"listLedger": "LedgerOptions", "listHistory": "HistoryOptions", "getMaxAmount": "MaxAmountOptions",
}

func TestSpecQueriesAreTheClients(t *testing.T) {
	src := readClient(t)
	for _, item := range Partner.document().Paths.Map() {
		for _, op := range item.Operations() {
			var names []string
			for _, p := range op.Parameters {
				if p.Value.In == openapi3.ParameterInQuery {
					names = append(names, p.Value.Name)
				}
			}
			typeName, known := queries[op.OperationID]
			if !known {
				assert.Empty(t, names, "%s has a query, and no Go type is named for it", op.OperationID)
				continue
			}
			assert.ElementsMatch(t, names, src.queryNames(t, typeName), op.OperationID)
		}
	}
}
