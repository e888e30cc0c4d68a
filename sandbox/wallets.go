package sandbox

import (
	"slices"
	"sort"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// wallet returns the wallet that the path names.
func (r *request) wallet() (*wallet, error) {
	return r.walletOf(qredo.WalletID(r.path["wallet_id"]))
}

// walletOf returns a wallet of the key's account.
func (r *request) walletOf(id qredo.WalletID) (*wallet, error) {
	w := r.st.wallets[id]
	if w == nil || w.fund.company.Account != r.key.account {
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
	if update := w.locks[t]; update != nil {
		policy.Locked, policy.LockedTxID = true, update.ID
	}
	return policy
}

func getWallet(r *request) (any, error) {
	w, err := r.wallet()
	if err != nil {
		return nil, err
	}
	return r.wireWallet(w), nil
}

func listHistory(r *request) (any, error) {
	w, err := r.wallet()
	if err != nil {
		return nil, err
	}
	moves := w.history
	if text := r.query.Get("since"); text != "" {
		var since qredo.Time
		if err := since.UnmarshalText([]byte(text)); err != nil {
			return nil, badRequest("since: %v", err)
		}
		first := sort.Search(len(moves), func(i int) bool { return moves[i].tx.ended.Unix() >= since.Unix() })
		moves = moves[first:]
	}
	history := make([]qredo.HistoryEntry, len(moves))
	for i, e := range moves {
		history[i] = wireHistory(e)
	}
	return struct {
		History []qredo.HistoryEntry `json:"history"`
	}{history}, nil
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
