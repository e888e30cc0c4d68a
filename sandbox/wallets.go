package sandbox

import (
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// wallet returns the wallet that the path names.
func (r *request) wallet() (*wallet, error) {
	return r.walletOf(qredo.WalletID(r.path["wallet_id"]))
}

// walletOf returns a wallet of the key's account, named by its ID or short code.
func (r *request) walletOf(id qredo.WalletID) (*wallet, error) {
	w := r.st.walletNamed(string(id))
	if w == nil || w.fund.company.Account != r.key.Account {
		return nil, notFound("wallet")
	}
	return w, nil
}

// readableWallet is the wallet that the path names, if the key's account has it, or has a core client that it
// is connected to: an exchange looks at what it holds in custody for its clients.
func (r *request) readableWallet() (*wallet, error) {
	if w := r.st.walletNamed(r.path["wallet_id"]); w != nil {
		for _, c := range w.connections {
			if c.status() == qredo.ConnectionConnected && r.st.coreClients[c.CoreClientID].Account == r.key.Account {
				return w, nil
			}
		}
	}
	return r.wallet()
}

// walletInFund returns the wallet that the path names, in the fund that it names.
func (r *request) walletInFund() (*wallet, error) {
	f, err := r.fund()
	if err != nil {
		return nil, err
	}
	w, err := r.wallet()
	if err != nil || w.fund != f {
		return nil, notFound("wallet")
	}
	return w, nil
}

func (r *request) wireWallet(w *wallet) qredo.Wallet {
	withdraw, tx := w.policy(qredo.PolicyWithdraw), w.policy(qredo.PolicyTx)
	out := qredo.Wallet{
		ID: w.ID, Name: w.Name, Asset: w.Asset, Type: w.Type, Status: w.status(),
		Address: w.Address, AddressType: w.AddressType, ShortCode: w.ShortCode, Balance: r.st.balance(w),
		CustodyGroupWithdraw: policyID(withdraw), CustodyGroupTx: policyID(tx),
		PolicyWithdraw: r.walletPolicy(w, withdraw, qredo.PolicyWithdraw), PolicyTx: r.walletPolicy(w, tx, qredo.PolicyTx),
	}
	for _, c := range w.connections {
		name := r.st.coreClients[c.CoreClientID].Name
		out.Connected = append(out.Connected, qredo.ConnectedAccount{
			ClientID: c.ClientID, CounterpartyID: string(c.CoreClientID), Name: name, Status: c.status(),
		})
	}
	return out
}

// walletPolicy adds to a policy what is particular to the wallet: its counterparty, and a waiting update.
func (r *request) walletPolicy(w *wallet, p *custody.Policy, t qredo.PolicyType) *qredo.Policy {
	policy := r.wirePolicy(p)
	if policy == nil {
		return nil
	}
	for _, id := range w.dedicatedTo() {
		if i := slices.Index(p.Members, id); i >= 0 { // in the group too: shown once
			policy.Members[i].Dedicated = true
			continue
		}
		policy.Members = append(policy.Members, qredo.PolicyMember{Dedicated: true, Entity: r.entity(id)})
	}
	policy.MembersCount = len(policy.Members)
	if updates := w.locks[t]; len(updates) > 0 {
		policy.Locked, policy.LockedTxID = true, updates[len(updates)-1].ID
	}
	return policy
}

func getWallet(r *request, w *wallet) (any, error) {
	return r.wireWallet(w), nil
}

func listHistory(r *request, w *wallet) (any, error) {
	moves := w.history
	if text := r.query.Get("since"); text != "" {
		var since qredo.Time
		if err := since.UnmarshalText([]byte(text)); err != nil {
			return nil, badRequest("since: %v", err)
		}
		first := sort.Search(len(moves), func(i int) bool { return moves[i].tx.ended.Unix() > since.Unix() })
		moves = moves[first:]
	}
	history := make([]qredo.HistoryEntry, len(moves))
	for i, e := range moves {
		history[i] = wireHistory(e)
	}
	return map[string]any{"history": history}, nil
}

// wireHistory is a movement as its wallet's history has it: what leaves is negative.
func wireHistory(e entry) qredo.HistoryEntry {
	id, amount, charged := e.tx.ID, qredo.Amount(e.tx.Amount), qredo.Amount(e.tx.Fee)
	if e.in {
		amount, charged = amount-charged, 0 // the sender paid the fee
	} else {
		amount, charged = -amount, -charged
	}
	if e.in && e.tx.swap != nil {
		id = e.tx.swap.ID // as in the ledger
	}
	return qredo.HistoryEntry{
		WalletID: e.wallet().ID, TxID: id, ChainTxID: e.tx.chainTxID, Asset: e.tx.Asset,
		Amount: amount, Fees: charged, NetAmount: amount - charged, Time: wireTime(e.tx.ended),
	}
}

// policyLife is how long a custody group has for approving a policy's update: the request does not say.
const policyLife = 24 * time.Hour

func updatePolicy(r *request, w *wallet, req qredo.PolicyRequest) (any, error) {
	old := w.PolicyTx
	switch req.Type {
	case qredo.PolicyTx:
	case qredo.PolicyWithdraw:
		old = w.PolicyWithdraw
	default:
		return nil, badRequest("type must be %s or %s", qredo.PolicyTx, qredo.PolicyWithdraw)
	}
	switch {
	case old == nil:
		return nil, badRequest("the wallet has no %s of its own, and a fund's cannot be updated", req.Type)
	case req.PolicyID != qredo.PolicyID(old.ID):
		return nil, badRequest("policy_id is not that of the wallet's %s", req.Type)
	case r.choices.strict && len(w.locks[req.Type]) > 0:
		return nil, badRequest("an update of this policy waits for approval")
	}
	updated, err := r.newPolicy(w.fund.company, old.Name, "policy", &qredo.CustodyGroup{Threshold: req.Threshold, Members: req.Members})
	if err != nil {
		return nil, err
	}
	updated.ID = old.ID
	tx := transactionCreated{
		ID: qredo.TxID(r.ids.ksuid(r.now)), Kind: kindPolicyUpdate, From: w.ID, Asset: w.Asset,
		Expires: r.now.Add(policyLife), NewPolicy: updated, PolicyType: req.Type,
	}
	r.askApproval(&tx, *old)
	r.change(tx)
	return ok, nil
}

func getMaxAmount(r *request, w *wallet) (any, error) {
	kind, known := map[qredo.MaxType]qredo.FeeType{
		"": qredo.FeeTransferOut, qredo.MaxTransfer: qredo.FeeTransferOut, qredo.MaxWithdraw: qredo.FeeWithdraw, qredo.MaxSwap: qredo.FeeSwap,
	}[qredo.MaxType(r.query.Get("tx_type"))]
	if !known {
		return nil, badRequest("tx_type must be transfer, withdraw or swap")
	}
	// Which of the two is the smaller figure, no source says.
	available := r.st.balance(w)
	if text := r.query.Get("pending"); text != "" {
		countIn, err := strconv.ParseBool(text)
		if err != nil {
			return nil, badRequest("pending must be 0 or 1")
		}
		if countIn {
			available = qredo.Amount(r.st.book.Balance(w.available()))
		}
	}
	return r.choices.most(kind, w.Asset, available), nil
}
