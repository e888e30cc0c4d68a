package partner

import (
	"encoding/hex"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/access"
	"github.com/qredo-go/qredo/sandbox/internal/forms"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

func registerAgent(r *serve.Request, u *world.Update, req qredo.AgentRequest) (any, error) {
	blsKey, err := decodeHex("blsPublicKey", req.BLSPublicKey)
	if err != nil {
		return nil, err
	}
	ecKey, err := decodeHex("ecPublicKey", req.ECPublicKey)
	if err != nil {
		return nil, err
	}
	made, err := u.RegisterAgent(world.NewAgent{Account: r.Account(), Name: req.Name, BLSPublicKey: blsKey, ECPublicKey: ecKey})
	if err != nil {
		return nil, err
	}
	// Not qredo.AgentRegistration, whose secret does not let itself be written.
	return map[string]any{
		"id": made.ID, "clientID": made.Agent.ClientID, "clientSecret": hex.EncodeToString(made.ClientSecret.Bytes()), "accountCode": made.ID,
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
	signature, err := decodeHex("idDocSignatureHex", req.Signature)
	if err != nil {
		return nil, err
	}
	if err := u.FinishAgent(c, signature); err != nil {
		return nil, err
	}
	return map[string]any{"feed": feedURL(r.BaseURL) + "/coreclient/feed"}, nil
}

// agentAction is an action and the signing agent that it asks.
type agentAction struct {
	agent *world.CoreClient
	id    qredo.ActionID
}

// ownAction finds the action that the path names, of the signing agent that asks.
func ownAction(r *serve.Request, v *world.View) (agentAction, error) {
	c, err := caller(r, v)
	if err != nil {
		return agentAction{}, err
	}
	id := actionID(r)
	return agentAction{c, id}, v.CheckAgentAction(c, id)
}

func getMessages(_ *serve.Request, v *world.View, a agentAction) (any, error) {
	messages, err := v.Messages(a.id)
	texts := make([]string, len(messages))
	for i, message := range messages {
		texts[i] = hex.EncodeToString(message)
	}
	return map[string]any{"messages": texts}, err
}

type signaturesRequest struct {
	Signatures []string `json:"signatures"`
}

func submitSignatures(_ *serve.Request, u *world.Update, a agentAction, req signaturesRequest) (any, error) {
	signatures := make([][]byte, len(req.Signatures))
	for i, text := range req.Signatures {
		var err error
		if signatures[i], err = decodeHex("signatures", text); err != nil {
			return nil, err
		}
	}
	return serve.Done(u.ApproveByAgent(a.agent, a.id, signatures))
}

func rejectAsAgent(_ *serve.Request, u *world.Update, a agentAction) (any, error) {
	return serve.Done(u.RejectByAgent(a.id))
}
