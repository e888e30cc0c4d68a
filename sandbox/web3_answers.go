package sandbox

import (
	"math/big"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// networks are the chains that have names here.
var networks = []struct {
	chainID int64
	name    string
}{{1, "mainnet"}, {5, "goerli"}, {11155111, "sepolia"}, {137, "polygon"}}

// notSigned is what the service answers in place of a signed transaction until there is one.
const notSigned = "0x"

// wireWeb3 is a Web3 transaction with a status, as it was when it came to that.
func wireWeb3(tx *transaction, progress web3Progress, status qapi.Status) qapi.Transaction {
	q := tx.Web3
	out := qapi.Transaction{
		ID: tx.ID, Status: status, From: q.From, To: q.To, Value: q.Value, GasLimit: q.GasLimit, GasPrice: q.GasPrice,
		Data: q.Data, ChainID: q.ChainID, SignedTx: notSigned,
		AccountID: tx.from.fund.company.Account, CreatedBy: tx.APIKey,
		Timestamps: qapi.Timestamps{}, Events: progress.updates,
	}
	for _, update := range progress.updates {
		out.Timestamps[update.Status] = update.Time
	}
	if s := progress.signed; s != nil {
		out.RawTx, out.TxHash = s.Raw, s.Hash
		out.Nonce = qapi.BigInt{Int: new(big.Int).SetUint64(s.Nonce)}
		if status == qapi.StatusApproved {
			out.SignedTx = s.Signed
		}
	}
	return out
}

// web3 returns the Web3 transaction that the path names, if the key's account has it.
func (r *request) web3() (*transaction, error) {
	tx := r.st.txs[qredo.TxID(r.path["tx_id"])]
	if tx == nil || tx.Kind != kindWeb3 || tx.from.fund.company.Account != r.key.Account {
		return nil, notFound("transaction")
	}
	return tx, nil
}

func getWeb3Status(_ *request, tx *transaction) (any, error) {
	return wireWeb3(tx, tx.web3, web3Status(tx)), nil
}

func getWeb3Approvals(r *request, tx *transaction) (any, error) {
	list := make([]qapi.Approval, len(tx.round.Votes))
	for i, v := range tx.round.Votes {
		list[i] = qapi.Approval{
			TxID: tx.ID, ActionID: tx.Actions[i], UserID: v.Member, AccountCode: r.entity(v.Member).AccountCode, Status: userAction(v, tx),
		}
		if u := r.st.users[v.Member]; u != nil {
			list[i].FirstName, list[i].LastName, list[i].Email, list[i].Username = u.FirstName, u.LastName, u.Email, u.Username
		}
	}
	answered := 0
	for _, v := range tx.round.Votes {
		if v.Choice != custody.Waiting {
			answered++
		}
	}
	return map[string]any{"total": answered, "list": list}, nil
}

func userAction(v custody.Vote, tx *transaction) qapi.ApprovalStatus {
	switch approvalStatus(v, tx) {
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
var web3Feed = logFeed(func(l accountLog) []web3Notice { return l.web3 }, func(n web3Notice) any {
	message := feedMessage{Transaction: wireWeb3(n.tx, n.progress, n.status)}
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
