package world

import (
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"slices"
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

// Web3Call is what a Web3 transaction does, but for the nonce.
type Web3Call struct {
	From, To                 string // as they were given
	Value, GasLimit, ChainID qapi.BigInt
	GasPrice                 qapi.BigInt // of a legacy transaction
	FeeCap, FeeTip           qapi.BigInt // of one of type 2
	Data                     string
}

// Web3Progress is what has become of a Web3 transaction.
type Web3Progress struct {
	Steps  []Web3Step
	Signed *web3Signed // once all have approved
}

// Web3Step is when a Web3 transaction came to a status.
type Web3Step struct {
	ID     string
	Status qapi.Status
	At     time.Time
}

// Web3Notice is a Web3 transaction as it was when it came to a status.
type Web3Notice struct {
	Number uint32 // the transaction's
	Status qapi.Status
}

// ProgressAt is what had become of a Web3 transaction when it came to a status.
func (tx *Transaction) ProgressAt(status qapi.Status) Web3Progress {
	p := tx.Progress
	if i := slices.IndexFunc(p.Steps, func(s Web3Step) bool { return s.Status == status }); i >= 0 {
		p.Steps = p.Steps[:i+1]
	}
	if status == qapi.StatusCreated {
		p.Signed = nil
	}
	return p
}

// web3Sender is what has a sequence of nonces.
type web3Sender struct{ address, chainID string }

func (c *Web3Call) sender() web3Sender {
	return web3Sender{addressKey(c.From), c.ChainID.String()}
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
	tx := st.txByID(e.TxID)
	tx.Progress.Signed = &e
	st.nonces[tx.Web3.sender()] = e.Nonce + 1
	st.noticeWeb3(tx, qapi.StatusAuthorized, at)
}

// noticeWeb3 notes that a Web3 transaction has come to a status, and tells the feeds.
func (st *state) noticeWeb3(tx *Transaction, status qapi.Status, at time.Time) {
	tx.Progress.Steps = append(tx.Progress.Steps, web3Step(tx.ID, status, at))
	log := st.log(tx.Sender.Fund.Company.Account)
	log.Web3 = append(log.Web3, Web3Notice{tx.number, status})
}

// web3Step is a step of a Web3 transaction. Its ID is its own, and the same whenever the event is applied.
func web3Step(id qredo.TxID, status qapi.Status, at time.Time) Web3Step {
	digest := sha256.Sum256([]byte(string(id) + " " + string(status)))
	return Web3Step{ID: ksuidOf(at, digest[:16]), Status: status, At: at}
}

// Web3Status is how far a Web3 transaction is.
func (tx *Transaction) Web3Status() qapi.Status {
	switch tx.Status {
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

// Web3 returns a Web3 transaction of an account.
func (st *state) Web3(account string, id qredo.TxID) (*Transaction, error) {
	tx := st.txByID(id)
	if tx == nil || tx.Kind != KindWeb3 || tx.Sender.Fund.Company.Account != account {
		return nil, notFound("transaction")
	}
	return tx, nil
}

// noKeyOfWallet is why the sandbox cannot sign: a new key would be of another address.
const noKeyOfWallet = "the sandbox has no private key of this wallet: the world was exported without keys. Export it with them, or make a new wallet"

// signWeb3 signs a transaction that has been approved, with the next nonce of its wallet.
func (st *state) signWeb3(tx *Transaction) (web3Signed, error) {
	call := tx.Web3
	if tx.Sender.Key == nil {
		return web3Signed{}, conflict(noKeyOfWallet)
	}
	data, err := hex.DecodeString(strings.TrimPrefix(call.Data, "0x"))
	if err != nil {
		return web3Signed{}, err
	}
	nonce := st.nonces[call.sender()]
	signed, err := evm.Transaction{
		To: call.To, Value: call.Value.Int, ChainID: call.ChainID.Int, GasLimit: call.GasLimit.Uint64(),
		GasPrice: call.GasPrice.Int, FeeCap: call.FeeCap.Int, FeeTip: call.FeeTip.Int, Data: data,
	}.Sign(tx.Sender.Key, nonce)
	return web3Signed{TxID: tx.ID, Nonce: nonce, Raw: signed.Raw, Signed: signed.Signed, Hash: signed.Hash}, err
}

// CreateWeb3 asks for the signature of a Web3 transaction. What it returns is the transaction as it will be.
func (u *Update) CreateWeb3(by Caller, asked Web3Call, note string) (*Transaction, error) {
	call, err := asked.complete(u.Choices.Strict)
	if err != nil {
		return nil, err
	}
	if u.Choices.Personal {
		return nil, invalid("Web3 wallets need an organization: this key is a person's")
	}
	from := u.byAddress[addressKey(call.From)]
	if from == nil || from.Fund.Company.Account != by.Account || !evm.IsAddress(from.Address) {
		return nil, invalid("from is the address of no Web3 wallet of this account")
	}
	if from.Key == nil {
		return nil, conflict(noKeyOfWallet)
	}
	policy, err := from.approvers(KindWeb3)
	if err != nil {
		return nil, err
	}
	created := transactionCreated{
		ID: qredo.TxID(u.ids.ksuid(u.Now)), Kind: KindWeb3, From: from.ID, Asset: from.Asset, Address: call.To,
		Reference: note, Expires: u.Now.Add(web3Life), Web3: call, APIKey: by.Key,
	}
	u.askApproval(&created, policy, from.DedicatedTo()...)
	u.change(created)
	return &Transaction{transactionCreated: created, Sender: from, Progress: Web3Progress{
		Steps: []Web3Step{web3Step(created.ID, qapi.StatusCreated, u.Now)},
	}}, nil
}

// complete checks a call by the rules of the EVM and fills in what it leaves out.
func (c Web3Call) complete(strict bool) (*Web3Call, error) {
	for _, address := range []struct{ field, text string }{{"from", c.From}, {"to", c.To}} {
		if !evm.IsAddress(address.text) {
			return nil, invalid("%s is no address", address.field)
		}
		if _, err := qapi.ChecksumAddress(address.text); err != nil && strict {
			return nil, invalid("%s has a wrong checksum", address.field)
		}
	}
	legacy, dynamic := !c.GasPrice.IsZero(), !c.FeeCap.IsZero() || !c.FeeTip.IsZero()
	switch {
	case c.Value.IsZero():
		return nil, invalid("value must be given")
	case c.GasLimit.IsZero() || !c.GasLimit.IsUint64():
		return nil, invalid("gasLimit must be given and fit in 64 bits")
	case legacy && dynamic:
		return nil, invalid("gasPrice excludes maxFeePerGas and maxPriorityFeePerGas")
	case !c.FeeCap.IsZero() && !c.FeeTip.IsZero() && c.FeeTip.Cmp(c.FeeCap.Int) > 0:
		return nil, invalid("maxPriorityFeePerGas is more than maxFeePerGas")
	case !c.ChainID.IsZero() && c.ChainID.Sign() == 0:
		return nil, invalid("chainID must be more than zero")
	}
	if _, err := hex.DecodeString(strings.TrimPrefix(c.Data, "0x")); err != nil {
		return nil, invalid("data must be hexadecimal")
	}
	if c.ChainID.IsZero() {
		c.ChainID = qapi.NewBigInt(1)
	}
	switch {
	case legacy:
	case !dynamic:
		c.GasPrice = qapi.NewBigInt(defaultGasPrice)
	case c.FeeTip.IsZero():
		c.FeeTip = c.FeeCap
	case c.FeeCap.IsZero():
		c.FeeCap = qapi.BigInt{Int: new(big.Int).Add(c.FeeTip.Int, big.NewInt(defaultGasPrice))}
	}
	c.Data = "0x" + strings.TrimPrefix(c.Data, "0x")
	return &c, nil
}
