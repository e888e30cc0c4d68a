package partner

import (
	"encoding/hex"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/access"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
	"github.com/qredo-go/qredo/sandbox/internal/forms"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

func registerAgent(r *serve.Request, u *world.Update, req qredo.AgentRequest) (any, error) {
	made, err := u.RegisterAgent(world.NewAgent{
		Account: r.Account(), Name: req.Name, BLSPublicKey: req.BLSPublicKey, ECPublicKey: req.ECPublicKey,
	})
	if err != nil {
		return nil, err
	}
	// Not qredo.AgentRegistration, whose secret does not let itself be written.
	return map[string]any{
		"id": made.ID, "clientID": made.Agent.ClientID, "clientSecret": made.Agent.Secret, "accountCode": made.ID,
		"idDoc": hex.EncodeToString(made.IDDocument()), "timestamp": forms.Time(made.Created),
	}, nil
}

// caller finds the signing agent whose proof the request carries.
func caller(r *serve.Request, v *world.View) (*world.CoreClient, error) {
	c := v.Agent(r.Agent)
	if c == nil {
		return nil, access.ErrProof
	}
	return c, nil
}

type finishRequest struct {
	Signature string `json:"idDocSignatureHex"`
}

func finishAgent(r *serve.Request, u *world.Update, c *world.CoreClient, req finishRequest) (any, error) {
	if _, err := decodeHex("idDocSignatureHex", req.Signature); err != nil {
		return nil, err
	}
	u.FinishAgent(c)
	return map[string]any{"feed": feedURL(r.BaseURL) + "/coreclient/feed"}, nil
}

// agentAction finds the action that the path names, of the signing agent that asks.
func agentAction(r *serve.Request, v *world.View) (qredo.ActionID, error) {
	c, err := caller(r, v)
	if err != nil {
		return "", err
	}
	id := actionID(r)
	return id, v.CheckAgentAction(c, id)
}

func getMessages(_ *serve.Request, v *world.View, id qredo.ActionID) (any, error) {
	return map[string]any{"messages": v.Messages(id)}, nil
}

type signaturesRequest struct {
	Signatures []string `json:"signatures"`
}

func submitSignatures(_ *serve.Request, u *world.Update, id qredo.ActionID, req signaturesRequest) (any, error) {
	if want := len(u.Messages(id)); len(req.Signatures) != want {
		return nil, serve.BadRequest("signatures must be %d, one for each message", want)
	}
	for _, signature := range req.Signatures {
		if _, err := decodeHex("signatures", signature); err != nil {
			return nil, err
		}
	}
	return serve.Done(u.DecideAction(id, custody.Approve))
}
