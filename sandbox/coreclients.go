package sandbox

import (
	"cmp"
	"crypto/ed25519"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// coreClient is a program that approves.
type coreClient struct {
	coreClientCreated
	created time.Time
	actions []qredo.ActionID // all it was asked, oldest first
	wallets []*wallet        // that asked to be connected, oldest first
}

type coreClientCreated struct {
	ID      qredo.CoreClientID
	Account string
	Name    string
	Seed    []byte     // of the key it signs with
	Agent   *agentKeys `json:",omitzero"` // of a signing agent
}

func (e coreClientCreated) apply(st *state, at time.Time) {
	c := &coreClient{coreClientCreated: e, created: at}
	st.coreClients[e.ID] = c
	if e.Agent != nil {
		st.agents[e.Agent.ClientID] = c
	}
}

// coreClient returns the core client that the path names, if the key's account has it.
func (r *request) coreClient() (*coreClient, error) {
	c := r.st.coreClients[qredo.CoreClientID(r.path["client_id"])]
	if c == nil || c.Account != r.key.account {
		return nil, notFound("core client")
	}
	return c, nil
}

type coreClientRequest struct {
	Name string `json:"name"`
}

func createCoreClient(r *request, req coreClientRequest) (any, error) {
	if err := named(req.Name); err != nil {
		return nil, err
	}
	made := coreClientCreated{
		ID: qredo.CoreClientID(r.ids.account()), Account: r.key.account, Name: req.Name, Seed: r.ids.bytes(ed25519.SeedSize),
	}
	r.change(made)
	return r.wireCoreClient(&coreClient{coreClientCreated: made, created: r.now}), nil
}

func (r *request) wireCoreClient(c *coreClient) qredo.CoreClient {
	feed := feedURL(r.baseURL) + "/coreclient/" + string(c.ID) + "/feed"
	return qredo.CoreClient{ID: c.ID, Name: c.Name, Feed: feed, Created: wireTime(c.created)}
}

// feedURL is the WebSocket form of a base URL.
func feedURL(base string) string { return "ws" + strings.TrimPrefix(base, "http") }

func listCoreClients(r *request) (any, error) {
	list := []qredo.CoreClient{}
	for _, c := range r.st.coreClients {
		if c.Account == r.key.account {
			list = append(list, r.wireCoreClient(c))
		}
	}
	slices.SortFunc(list, func(a, b qredo.CoreClient) int {
		return cmp.Or(a.Created.Compare(b.Created.Time), cmp.Compare(a.ID, b.ID))
	})
	return counted("count", "clients", list), nil
}

func (r *request) wireAction(id qredo.ActionID) qredo.Action {
	a := r.st.actions[id]
	tx, vote := a.tx, a.tx.round.Votes[a.vote]
	return qredo.Action{
		ID: id, CoreClientID: qredo.CoreClientID(vote.Member), Type: apiNames[tx.Kind].action,
		Status: actionStatus(vote, tx), Created: wireTime(tx.created), Expires: wireTime(tx.Expires),
	}
}

// actionStatus is what the approver said or, where they were not asked any more, how it ended.
func actionStatus(v custody.Vote, tx *transaction) qredo.ApprovalStatus {
	if v.Choice == custody.Waiting {
		switch tx.round.Outcome {
		case custody.Approved:
			return qredo.ApprovalApproved
		case custody.Rejected:
			return qredo.ApprovalRejected
		case custody.Expired, custody.Pending:
		}
	}
	return approvalStatus(v, tx)
}

func listActions(r *request, c *coreClient) (any, error) {
	actions := make([]qredo.Action, len(c.actions))
	for i, id := range c.actions {
		actions[i] = r.wireAction(id)
	}
	return counted("count", "actions", actions), nil
}

// action returns an action of the core client that the path names.
func (r *request) action() (qredo.ActionID, error) {
	c, err := r.coreClient()
	if err != nil {
		return "", err
	}
	id := qredo.ActionID(r.path["action_id"])
	return id, r.st.checkAction(id, string(c.ID))
}

func (st *state) checkAction(id qredo.ActionID, member string) error {
	a, known := st.actions[id]
	if !known || a.tx.round.Votes[a.vote].Member != member {
		return notFound("action")
	}
	return nil
}

func getAction(r *request, id qredo.ActionID) (any, error) {
	action := r.wireAction(id)
	action.Details = r.actionDetails(r.st.actions[id].tx)
	return action, nil
}

func (r *request) actionDetails(tx *transaction) *qredo.ActionDetails {
	f := tx.from.fund
	if tx.Kind == kindConnect {
		client := tx.from.connection(tx.CoreClient).ClientID
		return &qredo.ActionDetails{
			TxID:       tx.ID,
			ClientData: map[string]any{"customer_id": client},
			Wallet: &qredo.ActionWallet{
				ID: tx.from.ID, Name: tx.from.Name, Asset: tx.from.Asset, Type: tx.from.Type, TypeCode: typeCode(tx.from.Type),
			},
		}
	}
	d := &qredo.ActionDetails{
		TxType: string(tx.Kind), TxID: tx.ID, Asset: tx.Asset, Amount: qredo.Amount(tx.Amount), Fees: qredo.Amount(tx.Fee),
		NetAmount: qredo.Amount(tx.Amount - tx.Fee), Reference: tx.Reference, BenefitOf: tx.BenefitOf, AccountNo: tx.AccountNo,
		CompanyID: f.company.ID, FundID: f.ID, WalletID: tx.from.ID, Initiated: wireTime(tx.created), Expires: wireTime(tx.Expires),
		InitiatedBy: string(f.company.ID), InitiatorName: initiator, InitiatorType: string(qredo.TrustedPartyCompany),
	}
	switch {
	case tx.Kind == kindWithdrawal:
		entry, _ := f.whitelisted(tx.Asset, tx.Address)
		d.RecipientAddress, d.RecipientAddressName = tx.Address, entry.Name
	case tx.Kind == kindWeb3:
		d.RecipientAddress, d.ClientData = tx.Address, tx.Web3.details()
	case tx.to != nil:
		d.RecipientID, d.RecipientName = string(tx.to.ID), tx.to.fund.company.Company.Name
	case tx.Receive != "":
		d.RecipientID = string(tx.Receive)
	}
	return d
}

func typeCode(t qredo.WalletType) string {
	switch t {
	case qredo.WalletDedicated:
		return "dedicated"
	case qredo.WalletMultiCounterparty, walletMultiOther:
		return "multi-counterparty"
	default:
		return "standard"
	}
}

func approveAction(r *request, id qredo.ActionID) (any, error) {
	return r.programVote(id, custody.Approve)
}
func rejectAction(r *request, id qredo.ActionID) (any, error) {
	return r.programVote(id, custody.Reject)
}

// programVote is a program's vote. Saying the same again is answered as the first time: a program that
// did not get the answer asks again.
func (r *request) programVote(id qredo.ActionID, choice custody.Choice) (any, error) {
	a := r.st.actions[id]
	if a.tx.round.Votes[a.vote].Choice == choice {
		return ok, nil
	}
	changes, err := r.st.vote(r.ids, id, choice, r.now)
	r.change(changes...)
	return ok, err
}

func listConnectedWallets(_ *request, c *coreClient) (any, error) {
	list := make([]qredo.CoreClientWallet, len(c.wallets))
	for i, w := range c.wallets {
		tx := w.connection(c.ID).tx
		list[i] = qredo.CoreClientWallet{
			WalletID: w.ID, ActionID: tx.Actions[0], Status: actionStatus(tx.round.Votes[0], tx), Expires: wireTime(tx.Expires),
		}
	}
	return map[string]any{"wallets": list}, nil
}

type signRequest struct {
	Hash string `json:"message_hash_hex"`
}

// sign signs a hash with Ed25519. The service's own scheme is not known.
func sign(_ *request, c *coreClient, req signRequest) (any, error) {
	hash, err := decodeHex("message_hash_hex", req.Hash)
	if err != nil {
		return nil, err
	}
	signature := ed25519.Sign(ed25519.NewKeyFromSeed(c.Seed), hash)
	return qredo.CoreClientSignature{SignatureHex: hex.EncodeToString(signature), SignerID: c.ID}, nil
}

func verifySignature(r *request, req qredo.VerifyRequest) (any, error) {
	hash, err := decodeHex("message_hash_hex", req.MessageHashHex)
	if err != nil {
		return nil, err
	}
	signature, err := decodeHex("signature_hex", req.SignatureHex)
	if err != nil {
		return nil, err
	}
	c := r.st.coreClients[req.SignerID]
	if c == nil {
		return nil, notFound("core client")
	}
	public := ed25519.NewKeyFromSeed(c.Seed).Public().(ed25519.PublicKey)
	if !ed25519.Verify(public, hash, signature) {
		return nil, &fault{http.StatusForbidden, "", "the signature is not the signer's over this hash"}
	}
	return ok, nil
}

func decodeHex(field, text string) ([]byte, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) == 0 {
		return nil, badRequest("%s must be hexadecimal and not empty", field)
	}
	return raw, nil
}
