package spec

import (
	"cmp"
	"go/ast"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The properties that the service published, by the schemas that have them here. They are written out, since a
// document that is made from the client's own types lacks what those lack, and no comparison of the two would
// notice. What stands within another object there has a schema of its own here. Keys are compared as clients do.

const publishedForPartner = `
ActionDetailApproveNewWalletConnect clientData wallet
ActionDetailApproveTransfer txType txID asset amount fees netAmount reference benefitOf accountNo companyID fundID initiatedTime expires recipientID recipientName initiatedBy initiatorName initiatorType
ActionDetailApproveWithdraw txType txID asset amount fees netAmount reference benefitOf accountNo companyID fundID initiatedTime expires recipientAddress recipientAddressName initiatedBy initiatorName initiatorType
ActionDetails id type status timestamp expireTime details
ActionInfo id type status timestamp expireTime
ActionsInfo count actions
ActionWallet walletID name asset type typeCode
AddFundWhitelist asset address name
AddToLiquidityHub tx_id
AssetAmount symbol amount
Asset code name unitCode scale enabled
Assets assets
AtomicSwapMake send_wallet_id receive_wallet_id reference partner_txID expires send receive add_to_liquidity_hub
AtomicSwapTake swap_id send_wallet_id receive_wallet_id reference partner_txID
Company name city country domain ref company_id
CompanyMatch company_id name domain
CompanyRequest name city country domain ref
CompanySearchResponse total_count matches
CompanyUpdate name city country domain ref
ConnectAccount counterparty_id client_id
ConnectedAccount client_id counterparty_id name status
CoreClientInfo id name feed timestamp
CoreClientSign message_hash_hex
CoreClientSignature signature_hex signer_id
CoreClientVerifySignature message_hash_hex signature_hex signer_id
CoreClientWallet wallet_id action_id status expires
CoreClientsInfo count clients
CreateCompanyResponse ref company_id
CreateFundResponse fund_id custodygroup_withdraw custodygroup_tx
DepositAddress asset address balance
Entity id name accountCode initials type company user core-client
EntityCompany name
EntityCoreClient name
EntityUser firstName lastName email userName
Error code msg detail
ErrorDetail reason
Exchange id name url logourl
ExchangesList exchanges
FeesRequest type asset amount
FeesResponse netAmount amountToSend fees
Fund name description custodygroup_withdraw custodygroup_tx wallets
FundAsset assets
FundDepositResponse total_count list
FundDetail fund_id name description custodygroup_withdraw custodygroup_tx policy_withdraw policy_tx members assets wallets
FundHistoryItem wallet_id tx_id chain_tx_id asset amount fee net_amount timestamp
FundMatch name id
FundMember entity permissions
FundSearchResult total_count list
FundWallet wallets
FundWalletHistory history
FundWalletInfo wallet_id name asset type status address address_type short_code balance custodygroup_withdraw custodygroup_tx policy_withdraw policy_tx connected
FundWhitelist total_count list
Holding symbol amount
Holdings holdings
HubQuote tx_id send_asset send_amount receive_asset receive_amount owner added expires
LiquidityHub items
NewCoreClient name
NewCustodyGroup threshold members
NewWallet name asset custodygroup_withdraw custodygroup_tx type connect
OkResponse code msg
Permissions admin withdraw transfer swap
Policy id name threshold members
SwapTxId tx_id tx_url status
Sweep wallet_id recipient_wallet_id reference partner_txID expires send
SweepApproval action_id status timestamp entity
SweepDetails amount asset expires fees wallet_id net_amount recipient_wallet_id reference requested_by
SweepInfo approver_count expires initiated_timestamp reference status status_details threshold_required tx_id tx_status
Transfer wallet_id counterparty_wallet_address reference benefit_of account_no partner_txID authorize_id expires send
TrustedParty trusted_entity_id name address type created
TrustedPartyList company_id total_count list
TrustedPartyNew address
TxApproval action_id first_name last_name status timestamp user_id username
TxDetails account_no amount asset benefit_of expires fees fund_id net_amount recipient_address recipient_email recipient_first_name recipient_last_name recipient_username reference requested_by
TxHistoryItem TxID accountNo address amount asset benefitOf chainTxID counterpartyID counterpartyName expireTime fees fundID netAmount reference status timestamp type
TxId tx_id status
TxInfo approver_count expires initiated_timestamp initiator_authorized initiator_name reference status status_details threshold_required tx_id tx_status
TxLedger List Total
WalletIDList wallets
WalletPolicyUpdate policy_id threshold members type
WhitelistEntry asset address name
Withdrawal wallet_id address reference benefit_of account_no partner_txID expires send
`

// What only examples and answers that were kept have.
const seenForPartner = `
ActionInfo coreClientID
ActionDetailApproveTransfer walletID
ActionDetailApproveWithdraw walletID
Asset testAsset
Exchange client
ExchangeClient fields
ExchangeField id type name
Holding code
Holdings total_count
Policy entityID locked lockedTxID membersCount walletCount dedicatedWalletCount fundsCount funds
PolicyMember dedicated entity
TrustedParty internal
`

const publishedForQredo = `
Account id name email domain address members connectClients rpcNetworks partnerAPI userAPIKeys username defaultFiat testnetAssets
AccountInfo settings
Approval txID userID actionID external signature signatures firstName lastName email username status accountCode
ApprovalList total list
AssetBalance available pendingIn pendingOut scale total
BalanceInfo assets
ConnectedAccount client_id counterparty_id name status
CountedAPIKeys number_of_keys user_api_keys
Entity accountCode address id initials name owner type user company core-client
EntityCompany name
EntityCoreClient name
EntityUser firstName lastName email userName partner
Fund custodygroup_withdraw custodygroup_tx description fund_id name members policyTx policyWithdrawl wallets
FundAnswer fundInfo
FundList total funds
FundMember entity permissions
FundSummary fundID name theme holdings
HistoryEntry txID chainTxID walletID timestamp asset amount fees netAmount status
Ledger list total wallets
LedgerEntry txID chainTxID fundID walletID timestamp type asset amount fees netAmount counterpartyID counterpartyName counterpartyEntity address reference benefitOf accountNo later1TxID
LedgerWallet walletID fundName walletName type
OrgMember id username email name
Permissions custodian fundManager trader
Policy dedicatedWalletCount entityID funds fundsCount id locked lockedTxID membersCount members name threshold walletCount
PolicyMember dedicated entity
RPCNetwork name chainID
StatusUpdate id message status timestamp
Transaction accountID chainID createdBy data from gasLimit gasPrice network nonce rawTX signedTx status timestamps to txHash txID value events
TransactionRequest from to value gasLimit gasPrice maxFeePerGas maxPriorityFeePerGas data chainID note
TrustedParties members
TrustedParty userID firstName lastName email username internal pending created
UserAPIKey keyID name
Wallet address address_type asset balance name policy_tx policy_withdraw short_code status type wallet_id connected
WalletHistory history
`

// renamed are published properties that the document has under the name that answers have for them.
var renamed = map[string]string{"TxInfo.approver_count": "approvedcount", "Holding.symbol": "code"}

func TestSpecHasThePublishedProperties(t *testing.T) {
	checkProperties(t, Partner, publishedForPartner+seenForPartner)
	checkProperties(t, Qredo, publishedForQredo)
}

func checkProperties(t *testing.T, api *API, published string) {
	t.Helper()
	for line := range strings.Lines(published) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		schema := api.document().Components.Schemas[fields[0]]
		require.NotNil(t, schema, "the document has no %s", fields[0])
		var have []string
		for property := range schema.Value.Properties {
			have = append(have, fold(property))
		}
		for _, all := range schema.Value.AllOf {
			for property := range all.Value.Properties {
				have = append(have, fold(property))
			}
		}
		for _, property := range fields[1:] {
			name := cmp.Or(renamed[fields[0]+"."+property], fold(property))
			assert.True(t, slices.Contains(have, name), "%s.%s is published and not in the document", fields[0], property)
		}
	}
}

// unpublished are the Go types with JSON fields that no object of a document stands for.
var unpublished = map[string]bool{
	"WalletEvent": true, "SwapEvent": true, "TransactionEvent": true, // messages of feeds, which the service's document does not have
	"done.read": true, // OkResponse, or ActionDetails
	// AgentRegistration, as the agent keeps it
	"AgentRegistration.MarshalJSONWithSecret": true,
	"trustedPartyItem":                        true, // TrustedParty, or a list of them
	// Undecoded elements of a list, so that one that cannot be read does not hide the others.
	"actionElements": true, "listings": true, "SwapsService.listed": true,
}

// Every type of the clients that is read or written as JSON is held against a document.
func TestSpecKnowsEveryGoType(t *testing.T) {
	for dir, named := range map[string]map[string]string{"../../": goTypes, "../../qapi/": qapiTypes} {
		src := readPackage(t, dir)
		known := map[string]bool{}
		for _, typeName := range named {
			known[typeName] = true
		}
		for typeName, st := range src.structs {
			if hasJSONFields(st) && !unpublished[typeName] {
				assert.True(t, known[typeName], "%s%s is named for no object of the document", dir, typeName)
			}
		}
	}
}

func hasJSONFields(st *ast.StructType) bool {
	return slices.ContainsFunc(st.Fields.List, func(f *ast.Field) bool { return f.Tag != nil && strings.Contains(f.Tag.Value, "json:") })
}
