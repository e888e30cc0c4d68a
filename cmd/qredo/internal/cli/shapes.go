package cli

import (
	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/recon"
	"github.com/qredo-go/qredo/sandbox"
	"github.com/qredo-go/qredo/signingagent"
)

// lists are the commands that print several objects, and their columns.
var lists = map[string]shape{
	"agent actions":       reads[qredo.Action]("id* type status timestamp/2 expireTime/1"),
	"agent list":          reads[qredo.CoreClient]("id* name timestamp/1 feed/w"),
	"agent test":          reads[approver.CaseResult]("line/3 case* want want_rule/2 got rule/1 reason"),
	"agent wallets":       reads[qredo.CoreClientWallet]("wallet_id* status action_id/1 expires/2"),
	"asset list":          reads[qredo.Asset]("code* name unitCode/1 scale/2 enabled/3 testAsset/3"),
	"company holdings":    reads[qredo.Holding]("code* amount"),
	"company list":        reads[qredo.CompanyMatch]("company_id* name domain/1"),
	"company search":      reads[qredo.CompanyMatch]("company_id* name domain/1"),
	"config list":         reads[profileLine]("profile* in_use service company/1"),
	"config show":         reads[settingLine]("setting* value source"),
	"fund add-asset":      prints[walletLine]("wallet_id*"),
	"fund add-wallet":     prints[walletLine]("wallet_id*"),
	"fund deposits":       reads[qredo.DepositAddress]("asset address* balance"),
	"fund list":           reads[qredo.FundMatch]("id* name"),
	"fund search":         reads[qredo.FundMatch]("id* name"),
	"fund whitelist list": reads[qredo.WhitelistEntry]("asset address* name/1"),
	"hub list":            reads[qredo.HubQuote]("tx_id* send_amount receive_amount owner/2 added/w expires/1"),
	"inbox list":          prints[inboxRow]("state kind base_units asset moved/2 reversal/3 time/1 id*"),
	"ledger list":         reads[qredo.LedgerEntry]("timestamp/2 type status/1 amount asset/w netAmount/w fees/5 walletID/6 TxID* address/w counterpartyName/w reference/7 chainTxID*/w expireTime/w"),
	"outbox list":         prints[outboxRow]("state outcome/1 base_units asset updated/2 key*"),
	"party list":          reads[qredo.TrustedParty]("trusted_entity_id* type/1 address name/2 created/3"),
	"qapi balance":        reads[balanceLine]("asset* total available pendingIn/1 pendingOut/1"),
	"qapi funds":          reads[qapi.FundSummary]("fundID* name"),
	"qapi history":        reads[qapi.HistoryEntry]("timestamp asset amount fees/2 netAmount/3 status/4 txID*"),
	"qapi ledger":         reads[qapi.LedgerEntry]("timestamp type asset amount fees/2 walletID/3 txID* reference/4"),
	"qapi parties":        reads[qapi.TrustedParty]("userID* email firstName/1 lastName/1 internal/2 pending"),
	"qapi tx approvals":   reads[qapi.Approval]("userID* email/1 status actionID/2"),
	"reconcile":           reads[recon.Wallet]("wallet_id* name/3 opening/4 entries/2 moved/1 expected/1 balance difference status"),
	"sandbox pending":     reads[sandbox.PendingApproval]("tx_id* action_id/w type amount asset/w wallet_id/w recipient/1 reference/3 expires/2"),
	"sandbox state":       reads[walletOverview]("company/3 fund/2 id* name balance held/1"),
	"sandbox users list":  reads[sandbox.User]("email id* username/1 first_name/2 last_name/2"),
	"wallet exchanges":    reads[qredo.Exchange]("id* name url/1 logourl/w"),
	"wallet history":      reads[qredo.HistoryEntry]("timestamp amount asset/w fee/1 net_amount/2 tx_id* chain_tx_id*/3"),
}

// things are the commands that print one object. Their columns are for CSV.
var things = map[string]shape{
	"agent action":           reads[qredo.Action]("id* type status timestamp expireTime details.txID details.asset details.amount details.walletID"),
	"agent create":           prints[qredo.CoreClient]("id* name timestamp feed"),
	"agent sign":             prints[qredo.CoreClientSignature]("signature_hex* signer_id"),
	"agent sweep create":     prints[qredo.Submission]("tx_id* status partner_txID"),
	"agent sweep get":        reads[qredo.Transaction](transactionColumns),
	"agent sweep wait":       prints[qredo.Transaction](transactionColumns),
	"asset get":              reads[qredo.Asset]("code* name unitCode scale enabled testAsset"),
	"company create":         prints[qredo.CompanyRef]("company_id* ref"),
	"company get":            reads[qredo.Company]("company_id* name domain city country ref"),
	"company update":         prints[qredo.CompanyRef]("company_id* ref"),
	"fee":                    reads[feeAnswer]("asset netAmount amountToSend fees"),
	"fund create":            prints[qredo.CreatedFund]("fund_id* custodygroup_withdraw custodygroup_tx"),
	"fund get":               reads[qredo.Fund]("fund_id* name description custodygroup_withdraw custodygroup_tx"),
	"inbox show":             prints[inboxView](inboxColumns),
	"keys new":               prints[keyFiles]("private_key public_key bits"),
	"outbox show":            prints[entryView]("key* state outcome reason tx_id tx_status attempts enqueued sent changed kind"),
	"inbox retry":            prints[inboxView](inboxColumns),
	"inbox skip":             prints[inboxView](inboxColumns),
	"outbox stats":           prints[outbox.Stats]("unknown oldest_due"),
	"qapi account":           reads[qapi.Account]("id* name"),
	"qapi fund":              reads[qapi.Fund]("fund_id* name description"),
	"qapi tx create":         prints[qapi.Transaction](web3Columns),
	"qapi tx get":            reads[qapi.Transaction](web3Columns),
	"qapi tx wait":           prints[qapi.Transaction](web3Columns),
	"sandbox core-client":    prints[sandbox.CoreClient]("id* name account"),
	"sandbox deposit":        prints[sandbox.Deposit]("tx_id* chain_tx_id* wallet_id asset amount"),
	"sandbox users add":      prints[sandbox.User]("id* email username first_name last_name"),
	"signing-agent import":   prints[importedAgent]("agent_id* agent_name"),
	"signing-agent register": prints[signingagent.AgentInfo]("agentID* agentName feedURL"),
	"signing-agent show":     reads[signingagent.AgentInfo]("agentID* agentName feedURL"),
	"swap get":               reads[qredo.Transaction](transactionColumns),
	"swap get-take":          reads[qredo.Transaction](transactionColumns),
	"swap make":              prints[qredo.SwapSubmission]("tx_id* status partner_txID tx_url"),
	"swap take":              prints[qredo.Submission]("tx_id* status partner_txID"),
	"swap wait":              prints[qredo.Transaction](transactionColumns),
	"swap wait-take":         prints[qredo.Transaction](transactionColumns),
	"transfer create":        prints[qredo.Submission]("tx_id* status partner_txID"),
	"transfer get":           reads[qredo.Transaction](transactionColumns),
	"transfer wait":          prints[qredo.Transaction](transactionColumns),
	"wallet get":             reads[qredo.Wallet]("wallet_id* name asset balance type status address short_code"),
	"wallet max":             reads[feeAnswer]("asset netAmount amountToSend fees"),
	"withdraw create":        prints[qredo.Submission]("tx_id* status partner_txID"),
	"withdraw get":           reads[qredo.Transaction](transactionColumns),
	"withdraw wait":          prints[qredo.Transaction](transactionColumns),
}

const (
	inboxColumns       = "id* state kind base_units asset time status wallet fund tx_id reference attempts next note"
	transactionColumns = "txID* txStatus approvedCount thresholdRequired expires initiatedTimestamp reference statusDetails.asset statusDetails.amount statusDetails.netAmount statusDetails.fees statusDetails.walletID"
	web3Columns        = "txID* status from to value gasLimit gasPrice nonce chainID txHash"
)
