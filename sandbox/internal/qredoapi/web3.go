package qredoapi

import (
	"math/big"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
	"github.com/qredo-go/qredo/sandbox/internal/forms"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// web3 finds the Web3 transaction that the path names, if the key's account has it.
func web3(r *serve.Request, v *world.View) (*world.Transaction, error) {
	return v.Web3(r.Account(), qredo.TxID(r.IDs["tx_id"]))
}

func createWeb3(r *serve.Request, u *world.Update, req qapi.TransactionRequest) (any, error) {
	tx, err := u.CreateWeb3(r.Caller(), world.Web3Call{
		From: req.From, To: req.To, Value: req.Value, GasLimit: req.GasLimit, ChainID: req.ChainID,
		GasPrice: req.GasPrice, FeeCap: req.MaxFeePerGas, FeeTip: req.MaxPriorityFeePerGas, Data: req.Data,
	}, req.Note)
	if err != nil {
		return nil, err
	}
	return wireWeb3(tx, tx.Progress, qapi.StatusCreated), nil
}

// notSigned is what the service answers in place of a signed transaction until there is one.
const notSigned = "0x"

// wireWeb3 is a Web3 transaction with a status, as it was when it came to that.
func wireWeb3(tx *world.Transaction, progress world.Web3Progress, status qapi.Status) qapi.Transaction {
	c := tx.Web3
	out := qapi.Transaction{
		ID: tx.ID, Status: status, From: c.From, To: c.To, Value: c.Value, GasLimit: c.GasLimit, GasPrice: c.GasPrice,
		Data: c.Data, ChainID: c.ChainID, SignedTx: notSigned,
		AccountID: tx.Sender.Fund.Company.Account, CreatedBy: tx.APIKey,
		Timestamps: qapi.Timestamps{},
	}
	for _, step := range progress.Steps {
		update := statusUpdate(step)
		out.Events = append(out.Events, update)
		out.Timestamps[update.Status] = update.Time
	}
	if s := progress.Signed; s != nil {
		out.RawTx, out.TxHash = s.Raw, s.Hash
		out.Nonce = qapi.BigInt{Int: new(big.Int).SetUint64(s.Nonce)}
		if status == qapi.StatusApproved {
			out.SignedTx = s.Signed
		}
	}
	return out
}

// statusUpdate is an event of a Web3 transaction.
func statusUpdate(step world.Web3Step) qapi.StatusUpdate {
	message := "transaction " + string(step.Status)
	if step.Status == qapi.StatusAuthorized {
		message = "custodian approved" // as in the service's example
	}
	return qapi.StatusUpdate{ID: step.ID, Status: step.Status, Message: message, Time: forms.Time(step.At)}
}

func getWeb3Status(_ *serve.Request, _ *world.View, tx *world.Transaction) (any, error) {
	return Transaction(tx), nil
}

// Transaction is what this API answers who asks for a Web3 transaction.
func Transaction(tx *world.Transaction) qapi.Transaction {
	return wireWeb3(tx, tx.Progress, tx.Web3Status())
}

func getWeb3Approvals(_ *serve.Request, v *world.View, tx *world.Transaction) (any, error) {
	list := make([]qapi.Approval, len(tx.Round.Votes))
	answered := 0
	for i, vote := range tx.Round.Votes {
		list[i] = qapi.Approval{
			TxID: tx.ID, ActionID: tx.Actions[i], UserID: vote.Member,
			AccountCode: forms.Entity(v, vote.Member).AccountCode, Status: approvalStatus(tx.Approval(vote)),
		}
		if u := v.User(vote.Member); u != nil {
			list[i].FirstName, list[i].LastName, list[i].Email, list[i].Username = u.FirstName, u.LastName, u.Email, u.Username
		}
		if vote.Choice != custody.Waiting {
			answered++
		}
	}
	return map[string]any{"total": answered, "list": list}, nil
}

func approvalStatus(said qredo.ApprovalStatus) qapi.ApprovalStatus {
	switch said {
	case qredo.ApprovalApproved:
		return qapi.ApprovalApproved
	case qredo.ApprovalRejected:
		return qapi.ApprovalRejected
	case qredo.ApprovalExpired:
		return qapi.ApprovalExpired
	case qredo.ApprovalPending:
	}
	return qapi.ApprovalPending
}

// web3Feed gives what happens to the Web3 transactions of the key's account.
var web3Feed = serve.LogFeed(func(l world.Log) []world.Web3Notice { return l.Web3 }, func(v *world.View, n world.Web3Notice) any {
	tx := v.TxAt(int(n.Number))
	message := feedMessage{Transaction: wireWeb3(tx, tx.ProgressAt(n.Status), n.Status)}
	if !message.Transaction.Nonce.IsZero() && message.Transaction.Nonce.IsInt64() {
		message.Nonce = message.Transaction.Nonce.Int64()
	}
	return message
})

// feedMessage is a transaction as the feed has it: with a number for a nonce.
type feedMessage struct {
	qapi.Transaction
	Nonce int64 `json:"nonce"`
}
