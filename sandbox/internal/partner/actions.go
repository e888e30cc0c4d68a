package partner

import (
	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
	"github.com/qredo-go/qredo/sandbox/internal/forms"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// names are what actions call the kinds of transactions: the action that approves one, and the txType in its details.
var names = map[world.Kind]struct {
	action qredo.ActionType
	txType string
}{
	world.KindTransfer:     {qredo.ActionTransfer, "transferOut"},
	world.KindWithdrawal:   {qredo.ActionWithdraw, "withdraw"},
	world.KindSweep:        {qredo.ActionTransfer, "transferOut"},
	world.KindSwapMake:     {qredo.ActionSwap, "swap"},
	world.KindSwapTake:     {qredo.ActionSwapTake, "swap"},
	world.KindConnect:      {qredo.ActionWalletConnect, ""},
	world.KindPolicyUpdate: {qredo.ActionPolicyUpdate, "update policy"},
	world.KindWeb3:         {qredo.ActionExternalSign, "external sign"},
}

func wireAction(v *world.View, id qredo.ActionID) qredo.Action {
	a := v.Action(id)
	tx, vote := a.Tx, a.Vote()
	return qredo.Action{
		ID: id, CoreClientID: qredo.CoreClientID(vote.Member), Type: names[tx.Kind].action,
		Status: tx.ActionStatus(vote), Created: forms.Time(tx.Created), Expires: forms.Time(tx.Expires),
	}
}

// listActions lists what is pending. What has ended is read by its ID.
func listActions(_ *serve.Request, v *world.View, c *world.CoreClient) (any, error) {
	open := v.OpenActionsOf(c)
	actions := make([]qredo.Action, len(open))
	for i, id := range open {
		actions[i] = wireAction(v, id)
	}
	return serve.Counted("count", "actions", actions), nil
}

// action finds an action of the core client that the path names.
func action(r *serve.Request, v *world.View) (qredo.ActionID, error) {
	c, err := coreClient(r, v)
	if err != nil {
		return "", err
	}
	id := actionID(r)
	return id, v.CheckAction(id, string(c.ID))
}

func actionID(r *serve.Request) qredo.ActionID { return qredo.ActionID(r.IDs["action_id"]) }

func getAction(initiators bool) func(*serve.Request, *world.View, qredo.ActionID) (any, error) {
	return func(_ *serve.Request, v *world.View, id qredo.ActionID) (any, error) {
		return wireDetailedAction(v, id, initiators), nil
	}
}

func wireDetailedAction(v *world.View, id qredo.ActionID, initiators bool) any {
	return struct {
		qredo.Action
		Details any `json:"details"`
	}{wireAction(v, id), actionDetails(v.Action(id).Tx, initiators)}
}

// movementDetails is what an action about a movement says, with the fields that are there also where they are empty.
type movementDetails struct {
	qredo.ActionDetails
	CompanyID     qredo.CompanyID `json:"companyID"`
	InitiatedBy   string          `json:"initiatedBy"`
	InitiatorName string          `json:"initiatorName"`
	InitiatorType string          `json:"initiatorType"`
}

func actionDetails(tx *world.Transaction, initiators bool) any {
	f := tx.Sender.Fund
	if tx.Kind == world.KindConnect {
		w := tx.Sender
		return qredo.ActionDetails{
			TxID:       tx.ID,
			ClientData: map[string]any{"customer_id": w.Connection(tx.CoreClient).ClientID},
			Wallet:     &qredo.ActionWallet{ID: w.ID, Name: w.Name, Asset: w.Asset, Type: w.Type, TypeCode: typeCode(w.Type)},
		}
	}
	d := movementDetails{CompanyID: f.Company.ID, ActionDetails: qredo.ActionDetails{
		TxType: names[tx.Kind].txType, TxID: tx.ID, Asset: tx.Asset, Amount: qredo.Amount(tx.Amount), Fees: qredo.Amount(tx.Fee),
		NetAmount: tx.Net(), Reference: tx.Reference, BenefitOf: tx.BenefitOf, AccountNo: tx.AccountNo,
		FundID: f.ID, WalletID: tx.Sender.ID, Initiated: forms.Time(tx.Created), Expires: forms.Time(tx.Expires),
		Receive: received(tx),
	}}
	if initiators {
		d.InitiatedBy, d.InitiatorName, d.InitiatorType = string(f.Company.ID), f.Company.Profile.Name, string(qredo.TrustedPartyCompany)
	}
	switch {
	case tx.Kind == world.KindWithdrawal:
		d.CompanyID = ""
		entry, _ := f.Whitelisted(tx.Asset, tx.Address)
		d.RecipientAddress, d.RecipientAddressName = tx.Address, entry.Name
	case tx.Kind == world.KindWeb3:
		d.RecipientAddress, d.ClientData = tx.Address, web3Details(tx.Web3)
	case tx.Recipient != nil:
		d.RecipientID, d.RecipientName = string(tx.Recipient.ID), tx.Recipient.Fund.Company.Profile.Name
	}
	return d
}

// received is what a side of a swap gets, if a transaction is one: the maker what it asks for, the taker what the maker
// sends.
func received(tx *world.Transaction) *qredo.AssetAmount {
	switch {
	case tx.Kind == world.KindSwapMake && tx.Quote != nil:
		return &tx.Quote.Receive
	case tx.Kind == world.KindSwapTake && tx.OtherSide != nil:
		return &qredo.AssetAmount{Asset: tx.OtherSide.Asset, Amount: tx.OtherSide.Net()}
	}
	return nil
}

// web3Details are what approvers are told of a Web3 transaction, since it moves no amount that this API counts.
func web3Details(c *world.Web3Call) map[string]any {
	return map[string]any{
		"value": c.Value, "gasLimit": c.GasLimit, "gasPrice": c.GasPrice, "maxFeePerGas": c.FeeCap,
		"maxPriorityFeePerGas": c.FeeTip, "chainID": c.ChainID, "data": c.Data,
	}
}

func typeCode(t qredo.WalletType) string {
	switch t {
	case qredo.WalletDedicated:
		return "dedicated"
	case qredo.WalletMultiCounterparty, world.MultiCounterpartyOther:
		return "multi-counterparty"
	default:
		return "standard"
	}
}

func approveAction(_ *serve.Request, u *world.Update, id qredo.ActionID) (any, error) {
	return serve.Done(u.DecideAction(id, custody.Approve))
}

func rejectAction(_ *serve.Request, u *world.Update, id qredo.ActionID) (any, error) {
	return serve.Done(u.DecideAction(id, custody.Reject))
}
