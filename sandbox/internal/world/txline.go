package world

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// txLine is a transaction in a snapshot. Wallets, policies and transactions are named by their places among the lines of
// their kind: the first wallet and policy are 1, the first transaction is 0. What follows from the rest is left out.
type txLine struct {
	ID      qredo.TxID     `json:"id"`
	Kind    Kind           `json:"kind"`
	Status  qredo.TxStatus `json:"status,omitzero"` // none for deposits
	Created moment         `json:"at"`
	Ended   moment         `json:"ended,omitzero"` // of a deposit: when it was made; else when the last vote was given
	Moved   uint32         `json:"moved,omitzero"` // how many had moved something then, with this one
	Expires moment         `json:"expires,omitzero"`

	From    uint32          `json:"from,omitzero"`
	To      uint32          `json:"to,omitzero"`
	Receive uint32          `json:"receive,omitzero"` // of a swap's side
	Address string          `json:"address,omitzero"` // of a deposit: the wallet's
	Asset   qredo.AssetCode `json:"asset,omitzero"`   // the wallet's
	Amount  int64           `json:"amount,omitzero"`
	Fee     int64           `json:"fee,omitzero"`
	Hash    chainHash       `json:"hash,omitzero"`

	Key       string            `json:"key,omitzero"`
	Partner   qredo.PartnerTxID `json:"partner,omitzero"`
	Reference string            `json:"reference,omitzero"`
	BenefitOf string            `json:"benefit_of,omitzero"`
	AccountNo string            `json:"account_no,omitzero"`

	Policy    uint32           `json:"policy,omitzero"`
	Required  []string         `json:"required,omitzero"`
	Actions   []qredo.ActionID `json:"actions,omitzero"`
	Votes     []ballot         `json:"votes,omitzero"` // in the order of the round, without those who said nothing at its end
	Authorize *authorization   `json:"authorize,omitzero"`
	Initiated ballot           `json:"initiated,omitzero"`
	Refused   bool             `json:"refused,omitzero"`

	CoreClient qredo.CoreClientID `json:"core_client,omitzero"`
	Quote      *Quote             `json:"quote,omitzero"`
	Swap       qredo.TxID         `json:"swap,omitzero"`
	Other      *uint32            `json:"other,omitzero"` // of a swap's side: the other one
	Listed     moment             `json:"listed,omitzero"`
	NewPolicy  *custody.Policy    `json:"new_policy,omitzero"`
	PolicyType qredo.PolicyType   `json:"policy_type,omitzero"`
	Web3       *Web3Call          `json:"web3,omitzero"`
	Signed     *web3Signed        `json:"signed,omitzero"`
}

// moment is a time as seconds since 1970 with a fraction, exactly as it is.
type moment struct{ time.Time }

func (m moment) MarshalJSON() ([]byte, error) { return m.append(nil), nil }

func (m moment) append(b []byte) []byte {
	b = strconv.AppendInt(b, m.Unix(), 10)
	if n := m.Nanosecond(); n > 0 {
		b = append(b, strings.TrimRight(fmt.Sprintf(".%09d", n), "0")...)
	}
	return b
}

func (m *moment) UnmarshalJSON(text []byte) error {
	whole, fraction, _ := strings.Cut(string(text), ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	nanoseconds := uint64(0)
	if err == nil && fraction != "" {
		nanoseconds, err = strconv.ParseUint((fraction + "00000000")[:9], 10, 32)
	}
	if err != nil || len(fraction) > 9 {
		return fmt.Errorf("%q is no time", text)
	}
	m.Time = time.Unix(seconds, int64(nanoseconds)).UTC()
	if year := m.Year(); year < 1 || year > 9999 { // which no answer could tell
		return fmt.Errorf("%q is no time", text)
	}
	return nil
}

// chainHash is 64 hexadecimal digits, in base64 to be shorter, or any other text.
type chainHash string

func (h chainHash) MarshalText() ([]byte, error) {
	if raw, err := hex.DecodeString(string(h)); err == nil && hex.EncodeToString(raw) == string(h) && len(raw) == 32 {
		return base64.RawURLEncoding.AppendEncode(nil, raw), nil
	}
	return []byte(h), nil
}

func (h *chainHash) UnmarshalText(text []byte) error {
	*h = chainHash(text)
	if raw, err := base64.RawURLEncoding.DecodeString(string(text)); err == nil && len(raw) == 32 {
		*h = chainHash(hex.EncodeToString(raw))
	}
	return nil
}

// ballot is a vote: + or - and when it was given, or empty.
type ballot string

func ballotOf(v custody.Vote) ballot {
	switch v.Choice {
	case custody.Approve:
		return ballot(moment{v.At}.append([]byte{'+'}))
	case custody.Reject:
		return ballot(moment{v.At}.append([]byte{'-'}))
	case custody.Waiting:
	}
	return ""
}

func (b ballot) cast(v *custody.Vote) error {
	if b == "" {
		return nil
	}
	var at moment
	if err := at.UnmarshalJSON([]byte(b[1:])); err != nil {
		return err
	}
	switch v.At = at.Time; b[0] {
	case '+':
		v.Choice = custody.Approve
	case '-':
		v.Choice = custody.Reject
	default:
		return fmt.Errorf("%q is no vote", b)
	}
	return nil
}

func (w *Wallet) place() uint32 {
	if w == nil {
		return 0
	}
	return w.number
}

// line is a transaction as a snapshot has it.
func (st *state) line(tx *Transaction) *txLine {
	e := &tx.transactionCreated
	l := &txLine{
		ID: e.ID, Kind: e.Kind, Status: tx.Status, Created: moment{tx.Created}, Ended: moment{tx.Ended}, Moved: tx.moved, Expires: moment{e.Expires},
		From: st.wallets[e.From].place(), To: st.wallets[e.To].place(), Receive: st.wallets[e.Receive].place(),
		Address: e.Address, Asset: e.Asset, Amount: e.Amount, Fee: e.Fee, Hash: chainHash(tx.Hash),
		Key: e.APIKey, Partner: e.Partner, Reference: e.Reference, BenefitOf: e.BenefitOf, AccountNo: e.AccountNo,
		Policy: tx.policy, Required: e.Required, Actions: e.Actions, Authorize: e.Authorize, Refused: tx.refused,
		CoreClient: e.CoreClient, Quote: e.Quote, Swap: e.Swap, Listed: moment{tx.Listed},
		NewPolicy: e.NewPolicy, PolicyType: e.PolicyType, Web3: e.Web3, Signed: tx.Progress.Signed,
	}
	w := tx.Sender
	if e.Kind == KindDeposit {
		w, l.Ended = tx.Recipient, moment{}
		if l.Address == w.Address {
			l.Address = ""
		}
	}
	if l.Asset == w.Asset {
		l.Asset = ""
	}
	for i, v := range tx.Round.Votes {
		if v.Choice != custody.Waiting {
			l.Votes = append(l.Votes, make([]ballot, i-len(l.Votes))...)
			l.Votes = append(l.Votes, ballotOf(v))
		}
	}
	if tx.lastVote().Equal(tx.Ended) {
		l.Ended = moment{}
	}
	if tx.initiation != nil {
		l.Initiated = ballotOf(tx.initiation.Votes[0])
	}
	if tx.OtherSide != nil {
		l.Other = &tx.OtherSide.number
	}
	return l
}

func (st *state) encode(tx *Transaction) []byte { return mustJSON(line{Tx: st.line(tx)}) }

// mustJSON encodes what can always be encoded.
func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic("sandbox: " + err.Error())
	}
	return data
}

// outcomes is how the round of a transaction has ended, by the transaction's status.
var outcomes = map[qredo.TxStatus]custody.Outcome{
	qredo.TxTakerPending: custody.Approved, qredo.TxApproved: custody.Approved, qredo.TxTakerApproved: custody.Approved,
	qredo.TxChainRejected: custody.Approved, qredo.TxInitiateRejected: custody.Rejected, qredo.TxCustodyRejected: custody.Rejected,
	qredo.TxExpired: custody.Expired,
}

// transaction is the reverse of line, but for the other side of a swap, which is another line's. It takes nothing for granted.
func (st *state) transaction(l *txLine) (*Transaction, error) {
	var wallets [3]*Wallet
	for i, n := range []uint32{l.From, l.To, l.Receive} {
		if int(n) > len(st.inOrder) {
			return nil, fmt.Errorf("there is no wallet %d", n)
		}
		if n > 0 {
			wallets[i] = st.inOrder[n-1]
		}
	}
	tx := &Transaction{
		Sender: wallets[0], Recipient: wallets[1], Created: l.Created.Time, Ended: l.Ended.Time, Status: l.Status, Hash: string(l.Hash),
		Listed: l.Listed.Time, moved: l.Moved, policy: l.Policy, refused: l.Refused,
		transactionCreated: transactionCreated{
			ID: l.ID, Kind: l.Kind, APIKey: l.Key, Partner: l.Partner, Address: l.Address, Asset: l.Asset, Amount: l.Amount, Fee: l.Fee,
			Reference: l.Reference, BenefitOf: l.BenefitOf, AccountNo: l.AccountNo, Expires: l.Expires.Time, Required: l.Required,
			Actions: l.Actions, CoreClient: l.CoreClient, Quote: l.Quote, Swap: l.Swap, NewPolicy: l.NewPolicy, PolicyType: l.PolicyType,
			Authorize: l.Authorize, Web3: l.Web3,
		},
	}
	w := tx.Sender
	if l.Kind == KindDeposit {
		w, tx.Ended, tx.ChainTxID = tx.Recipient, tx.Created, tx.Hash
	}
	if w == nil {
		return nil, errors.New("its wallet is not named")
	}
	if l.Kind == KindDeposit && l.Address == "" {
		tx.Address = w.Address
	}
	if l.Asset == "" {
		tx.Asset = w.Asset
	}
	tx.From, tx.To, tx.Receive = wallets[0].id(), wallets[1].id(), wallets[2].id()
	if l.Kind == KindDeposit {
		return tx, nil
	}
	if int(l.Policy) > len(st.txs.policies) {
		return nil, fmt.Errorf("there is no policy %d", l.Policy)
	}
	if l.Policy > 0 {
		tx.Policy = st.txs.policies[l.Policy-1]
	}
	return tx, st.rounds(tx, l)
}

// rounds says what approvers have said of a transaction so far.
func (st *state) rounds(tx *Transaction, l *txLine) error {
	tx.Round = custody.NewRound(tx.Policy, tx.Expires, tx.Required...)
	tx.Round.Outcome = outcomes[tx.Status]
	if len(l.Votes) > len(tx.Round.Votes) || len(tx.Actions) != len(tx.Round.Votes) {
		return errors.New("it has not one action for each approver")
	}
	for i, b := range l.Votes {
		if err := b.cast(&tx.Round.Votes[i]); err != nil {
			return err
		}
	}
	if l.Ended.IsZero() && !tx.IsOpen() {
		tx.Ended = tx.lastVote()
	}
	if tx.Authorize != nil {
		tx.initiation = tx.Authorize.initiation(tx.Expires)
		vote := &tx.initiation.Votes[0]
		if err := l.Initiated.cast(vote); err != nil {
			return err
		}
		if tx.initiation.Outcome = tx.Round.Outcome; vote.Choice == custody.Approve {
			tx.initiation.Outcome = custody.Approved
		}
		tx.Asked = append(tx.Asked, tx.Authorize.Action)
	}
	if tx.IsAuthorized() {
		tx.Asked = append(tx.Asked, tx.Actions...)
	}
	if tx.Kind != KindWeb3 {
		return nil
	}
	if tx.Web3 == nil {
		return errors.New("it has no call")
	}
	tx.Progress.Steps = []Web3Step{web3Step(tx.ID, qapi.StatusCreated, tx.Created)}
	if tx.Progress.Signed = l.Signed; l.Signed != nil {
		tx.Progress.Steps = append(tx.Progress.Steps, web3Step(tx.ID, qapi.StatusAuthorized, tx.Ended))
	}
	if !tx.Ended.IsZero() {
		tx.Progress.Steps = append(tx.Progress.Steps, web3Step(tx.ID, tx.Web3Status(), tx.Ended))
	}
	return nil
}

// lastVote is when the last vote of the round was given.
func (tx *Transaction) lastVote() (last time.Time) {
	for _, v := range tx.Round.Votes {
		if v.At.After(last) {
			last = v.At
		}
	}
	return last
}

func (w *Wallet) id() qredo.WalletID {
	if w == nil {
		return ""
	}
	return w.ID
}

// unpack reads a transaction that has ended from its line.
func (st *state) unpack(number uint32) *Transaction {
	tx, l := st.read(number)
	if l.Other != nil {
		tx.OtherSide = st.txs.open[*l.Other]
		if tx.OtherSide == nil {
			var other *txLine
			if tx.OtherSide, other = st.read(*l.Other); other.Other != nil && *other.Other == number {
				tx.OtherSide.OtherSide = tx
			}
		}
		if tx.Status == qredo.TxTakerApproved {
			tx.Recipient = st.wallets[tx.OtherSide.Receive]
			tx.OtherSide.Recipient = st.wallets[tx.Receive]
		}
	}
	return tx
}

func (st *state) read(number uint32) (*Transaction, *txLine) {
	var l line
	err := json.Unmarshal(st.txs.rows[number].line(st.txs.chunks), &l) //nolint:musttag // as in events
	if err == nil {
		var tx *Transaction
		if tx, err = st.transaction(l.Tx); err == nil {
			tx.number = number
			return tx, l.Tx
		}
	}
	panic("sandbox: a transaction that was packed cannot be read: " + err.Error()) // it was written, or read, by this program
}
