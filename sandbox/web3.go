package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox/internal/evm"
)

// web3Life is how long approvers have for a Web3 transaction: the request does not say.
const web3Life = 24 * time.Hour

// defaultGasPrice is taken where a request names no price at all, in wei.
const defaultGasPrice = 20_000_000_000

// web3Request is what is to be signed, but for the nonce.
type web3Request struct {
	From, To                 string // as they were given
	Value, GasLimit, ChainID qapi.BigInt
	GasPrice                 qapi.BigInt // of a legacy transaction
	FeeCap, FeeTip           qapi.BigInt // of one of type 2
	Data                     string
}

// details are what approvers are told, since it moves no amount that the Partner API counts.
func (q *web3Request) details() map[string]any {
	return map[string]any{
		"value": q.Value, "gasLimit": q.GasLimit, "gasPrice": q.GasPrice, "maxFeePerGas": q.FeeCap,
		"maxPriorityFeePerGas": q.FeeTip, "chainID": q.ChainID, "data": q.Data,
	}
}

// web3Progress is how far a Web3 transaction is.
type web3Progress struct {
	updates []qapi.StatusUpdate
	signed  *web3Signed
}

// web3Sender is what has a sequence of nonces.
type web3Sender struct{ address, chainID string }

func (q *web3Request) sender() web3Sender {
	return web3Sender{addressKey(q.From), q.ChainID.String()}
}

// web3Signed is a Web3 transaction that has its signature.
type web3Signed struct {
	TxID   qredo.TxID
	Nonce  uint64
	Raw    string
	Signed string
	Hash   string
}

func (e web3Signed) apply(st *state, at time.Time) {
	tx := st.txs[e.TxID]
	tx.web3.signed = &e
	st.nonces[tx.Web3.sender()] = e.Nonce + 1
	st.noticeWeb3(tx, qapi.StatusAuthorized, at)
}

// web3Notice is a Web3 transaction as it was when it came to a status.
type web3Notice struct {
	tx       *transaction
	progress web3Progress
	status   qapi.Status
}

// noticeWeb3 notes that a Web3 transaction has come to a status, and tells the feeds.
func (st *state) noticeWeb3(tx *transaction, status qapi.Status, at time.Time) {
	tx.web3.updates = append(tx.web3.updates, web3Update(tx.ID, status, at))
	log := st.log(tx.from.fund.company.Account)
	log.web3 = append(log.web3, web3Notice{tx, tx.web3, status})
}

// web3Update is an event of a Web3 transaction. Its ID is its own, and the same whenever the event is applied.
func web3Update(id qredo.TxID, status qapi.Status, at time.Time) qapi.StatusUpdate {
	message := "transaction " + string(status)
	if status == qapi.StatusAuthorized {
		message = "custodian approved" // as in the service's example
	}
	digest := sha256.Sum256([]byte(string(id) + " " + string(status)))
	return qapi.StatusUpdate{ID: ksuidOf(at, digest[:16]), Status: status, Message: message, Time: wireTime(at)}
}

func web3Status(tx *transaction) qapi.Status {
	switch tx.status {
	case qredo.TxApproved:
		return qapi.StatusApproved
	case qredo.TxExpired:
		return qapi.StatusExpired
	case qredo.TxPending:
		return qapi.StatusCreated
	default:
		return qapi.StatusRejected
	}
}

// signWeb3 signs a transaction that has been approved, with the next nonce of its wallet.
func (st *state) signWeb3(tx *transaction) (web3Signed, error) {
	q := tx.Web3
	data, err := hex.DecodeString(strings.TrimPrefix(q.Data, "0x"))
	if err != nil {
		return web3Signed{}, err
	}
	nonce := st.nonces[q.sender()]
	signed, err := evm.Transaction{
		To: q.To, Value: q.Value.Int, ChainID: q.ChainID.Int, GasLimit: q.GasLimit.Uint64(),
		GasPrice: q.GasPrice.Int, FeeCap: q.FeeCap.Int, FeeTip: q.FeeTip.Int, Data: data,
	}.Sign(tx.from.Key, nonce)
	return web3Signed{TxID: tx.ID, Nonce: nonce, Raw: signed.Raw, Signed: signed.Signed, Hash: signed.Hash}, err
}

func createWeb3(r *request, req qapi.TransactionRequest) (any, error) {
	q, err := checkWeb3(req, r.choices.strict)
	if err != nil {
		return nil, err
	}
	if r.choices.personal {
		return nil, badRequest("Web3 wallets need an organization: this key is a person's")
	}
	from := r.st.byAddress[addressKey(q.From)]
	if from == nil || from.fund.company.Account != r.key.Account || from.Key == nil {
		return nil, badRequest("from is the address of no Web3 wallet of this account")
	}
	policy, err := from.approvers(kindWeb3)
	if err != nil {
		return nil, err
	}
	created := transactionCreated{
		ID: qredo.TxID(r.ids.ksuid(r.now)), Kind: kindWeb3, From: from.ID, Asset: from.Asset, Address: q.To,
		Reference: req.Note, Expires: r.now.Add(web3Life), Web3: q, APIKey: r.key.ID,
	}
	r.askApproval(&created, policy, from.dedicatedTo()...)
	// The answer is the transaction as it will be, which the state does not have yet.
	progress := web3Progress{updates: []qapi.StatusUpdate{web3Update(created.ID, qapi.StatusCreated, r.now)}}
	r.change(created)
	return wireWeb3(&transaction{transactionCreated: created, from: from}, progress, qapi.StatusCreated), nil
}

// checkWeb3 checks a request by the rules of the EVM and fills in what it leaves out.
func checkWeb3(req qapi.TransactionRequest, strict bool) (*web3Request, error) {
	for _, address := range []struct{ field, text string }{{"from", req.From}, {"to", req.To}} {
		if !evm.IsAddress(address.text) {
			return nil, badRequest("%s is no address", address.field)
		}
		if strict && !evm.HasChecksum(address.text) {
			return nil, badRequest("%s has a wrong checksum", address.field)
		}
	}
	legacy, dynamic := !req.GasPrice.IsZero(), !req.MaxFeePerGas.IsZero() || !req.MaxPriorityFeePerGas.IsZero()
	switch {
	case req.Value.IsZero():
		return nil, badRequest("value must be given")
	case req.GasLimit.IsZero() || !req.GasLimit.IsUint64():
		return nil, badRequest("gasLimit must be given and fit in 64 bits")
	case legacy && dynamic:
		return nil, badRequest("gasPrice excludes maxFeePerGas and maxPriorityFeePerGas")
	case !req.MaxFeePerGas.IsZero() && !req.MaxPriorityFeePerGas.IsZero() && req.MaxPriorityFeePerGas.Cmp(req.MaxFeePerGas.Int) > 0:
		return nil, badRequest("maxPriorityFeePerGas is more than maxFeePerGas")
	case !req.ChainID.IsZero() && req.ChainID.Sign() == 0:
		return nil, badRequest("chainID must be more than zero")
	}
	if _, err := hex.DecodeString(strings.TrimPrefix(req.Data, "0x")); err != nil {
		return nil, badRequest("data must be hexadecimal")
	}
	q := &web3Request{
		From: req.From, To: req.To, Value: req.Value, GasLimit: req.GasLimit, ChainID: req.ChainID,
		GasPrice: req.GasPrice, FeeCap: req.MaxFeePerGas, FeeTip: req.MaxPriorityFeePerGas,
	}
	if q.ChainID.IsZero() {
		q.ChainID = qapi.NewBigInt(1)
	}
	switch {
	case legacy:
	case !dynamic:
		q.GasPrice = qapi.NewBigInt(defaultGasPrice)
	case q.FeeTip.IsZero():
		q.FeeTip = q.FeeCap
	case q.FeeCap.IsZero():
		q.FeeCap = qapi.BigInt{Int: new(big.Int).Add(q.FeeTip.Int, big.NewInt(defaultGasPrice))}
	}
	q.Data = "0x" + strings.TrimPrefix(req.Data, "0x")
	return q, nil
}
