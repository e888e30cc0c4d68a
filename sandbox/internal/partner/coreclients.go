package partner

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/forms"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// coreClient finds the core client that the path names, if the key's account has it.
func coreClient(r *serve.Request, v *world.View) (*world.CoreClient, error) {
	return v.CoreClient(r.Account(), qredo.CoreClientID(r.IDs["client_id"]))
}

type coreClientRequest struct {
	Name string `json:"name"`
}

func createCoreClient(r *serve.Request, u *world.Update, req coreClientRequest) (any, error) {
	made, err := u.CreateCoreClient(r.Account(), req.Name)
	if err != nil {
		return nil, err
	}
	return wireCoreClient(r, made), nil
}

func wireCoreClient(r *serve.Request, c *world.CoreClient) qredo.CoreClient {
	feed := feedURL(r.BaseURL) + "/coreclient/" + string(c.ID) + "/feed"
	return qredo.CoreClient{ID: c.ID, Name: c.Name, Feed: feed, Created: forms.Time(c.Created)}
}

// feedURL is the WebSocket form of a base URL.
func feedURL(base string) string { return "ws" + strings.TrimPrefix(base, "http") }

func listCoreClients(r *serve.Request, v *world.View) (any, error) {
	list := []qredo.CoreClient{}
	for _, c := range v.CoreClients(r.Account()) {
		list = append(list, wireCoreClient(r, c))
	}
	return serve.Counted("count", "clients", list), nil
}

func listConnectedWallets(_ *serve.Request, _ *world.View, c *world.CoreClient) (any, error) {
	list := make([]qredo.CoreClientWallet, len(c.Wallets))
	for i, w := range c.Wallets {
		tx := w.Connection(c.ID).Asked
		list[i] = qredo.CoreClientWallet{
			WalletID: w.ID, ActionID: tx.Actions[0], Status: tx.ActionStatus(tx.Round.Votes[0]), Expires: forms.Time(tx.Expires),
		}
	}
	return map[string]any{"wallets": list}, nil
}

type signRequest struct {
	Hash string `json:"message_hash_hex"`
}

// maxSigned is how many bytes a core client signs at most.
const maxSigned = 64

func sign(_ *serve.Request, _ *world.View, c *world.CoreClient, req signRequest) (any, error) {
	hash, err := decodeHash(req.Hash)
	if err != nil {
		return nil, err
	}
	signature, err := c.Sign(hash)
	return qredo.CoreClientSignature{SignatureHex: hex.EncodeToString(signature), SignerID: c.ID}, err
}

func verifySignature(_ *serve.Request, v *world.View, req qredo.VerifyRequest) (any, error) {
	hash, err := decodeHash(req.MessageHashHex)
	if err != nil {
		return nil, err
	}
	signature, err := decodeHex("signature_hex", req.SignatureHex)
	if err != nil {
		return nil, err
	}
	return serve.Done(v.CheckSignature(req.SignerID, hash, signature))
}

func decodeHash(text string) ([]byte, error) {
	hash, err := decodeHex("message_hash_hex", text)
	if err == nil && len(hash) > maxSigned {
		err = &serve.Fault{
			Status: http.StatusBadRequest, Msg: "invalid_message_hex_size", Reason: fmt.Sprintf("message_hash_hex must be at most %d bytes", maxSigned),
		}
	}
	return hash, err
}

func decodeHex(field, text string) ([]byte, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) == 0 {
		return nil, serve.BadRequest("%s must be hexadecimal and not empty", field)
	}
	return raw, nil
}
