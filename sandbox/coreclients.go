package sandbox

import (
	"cmp"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
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
	if c == nil || c.Account != r.key.Account {
		return nil, notFound("core client")
	}
	return c, nil
}

type coreClientRequest struct {
	Name string `json:"name"`
}

func createCoreClient(r *request, req coreClientRequest) (any, error) {
	if err := named(req.Name); err != nil && r.choices.strict {
		return nil, err
	}
	made := coreClientCreated{
		ID: qredo.CoreClientID(r.ids.account()), Account: r.key.Account, Name: req.Name, Seed: r.ids.bytes(ed25519.SeedSize),
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
		if c.Account == r.key.Account {
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
	tx, vote := a.tx, a.asked()
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

// listActions lists what is pending. What has ended is read by its ID.
func listActions(r *request, c *coreClient) (any, error) {
	open := r.st.openActions(string(c.ID))
	actions := make([]qredo.Action, len(open))
	for i, id := range open {
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
	if !known || a.asked().Member != member {
		return notFound("action")
	}
	return nil
}

func getAction(r *request, id qredo.ActionID) (any, error) {
	return struct {
		qredo.Action
		Details any `json:"details"`
	}{r.wireAction(id), r.actionDetails(r.st.actions[id].tx)}, nil
}

// movementDetails is what an action about a movement says, with the fields that are there also where they are empty.
type movementDetails struct {
	qredo.ActionDetails
	CompanyID     qredo.CompanyID `json:"companyID"`
	InitiatedBy   string          `json:"initiatedBy"`
	InitiatorName string          `json:"initiatorName"`
	InitiatorType string          `json:"initiatorType"`
}

func (r *request) actionDetails(tx *transaction) any {
	f := tx.from.fund
	if tx.Kind == kindConnect {
		client := tx.from.connection(tx.CoreClient).ClientID
		return qredo.ActionDetails{
			TxID:       tx.ID,
			ClientData: map[string]any{"customer_id": client},
			Wallet: &qredo.ActionWallet{
				ID: tx.from.ID, Name: tx.from.Name, Asset: tx.from.Asset, Type: tx.from.Type, TypeCode: typeCode(tx.from.Type),
			},
		}
	}
	d := movementDetails{CompanyID: f.company.ID, ActionDetails: qredo.ActionDetails{
		TxType: apiNames[tx.Kind].txType, TxID: tx.ID, Asset: tx.Asset, Amount: qredo.Amount(tx.Amount), Fees: qredo.Amount(tx.Fee),
		NetAmount: qredo.Amount(tx.Amount - tx.Fee), Reference: tx.Reference, BenefitOf: tx.BenefitOf, AccountNo: tx.AccountNo,
		FundID: f.ID, WalletID: tx.from.ID, Initiated: wireTime(tx.created), Expires: wireTime(tx.Expires),
	}}
	if r.choices.initiators {
		d.InitiatedBy, d.InitiatorName, d.InitiatorType = string(f.company.ID), f.company.Company.Name, string(qredo.TrustedPartyCompany)
	}
	switch {
	case tx.Kind == kindWithdrawal:
		d.CompanyID = ""
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

// programVote is a program's vote. What is not pending is refused, also a vote that was given already and says
// the same, unless that was chosen otherwise: a program that did not get the answer must read the action.
func (r *request) programVote(id qredo.ActionID, choice custody.Choice) (any, error) {
	a := r.st.actions[id]
	if r.choices.repeatedVotes && a.asked().Choice == choice {
		return ok, nil
	}
	if err := r.st.mayVote(id, r.now); err != nil {
		return nil, badRequest("%v", err)
	}
	changes, err := r.st.vote(r.ids, id, choice)
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

// maxSigned is how many bytes a core client signs at most.
const maxSigned = 64

// sign signs a hash with Ed25519. The service signed with BLS, which is not emulated.
func sign(_ *request, c *coreClient, req signRequest) (any, error) {
	hash, err := decodeHex("message_hash_hex", req.Hash)
	if err != nil {
		return nil, err
	}
	if len(hash) > maxSigned {
		return nil, &fault{http.StatusBadRequest, "invalid_message_hex_size", fmt.Sprintf("message_hash_hex must be at most %d bytes", maxSigned)}
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
