package partner

import (
	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

func listAssets(_ *serve.Request, v *world.View) (any, error) {
	return map[string]any{"assets": v.Assets}, nil
}

func quoteFees(_ *serve.Request, v *world.View, req qredo.FeesRequest) (any, error) {
	if _, err := v.Asset(req.Asset); err != nil {
		return nil, err
	}
	switch req.Type {
	case qredo.FeeWithdraw, qredo.FeeTransferOut, qredo.FeeSwap:
	default:
		return nil, serve.BadRequest("type must be withdraw, transferOut or swap")
	}
	if req.Amount <= 0 {
		return nil, serve.BadRequest("amount must be more than zero")
	}
	cost, err := v.Choices.Cost(req.Type, req.Asset, req.Amount)
	return fees(cost), err
}

func fees(c world.Cost) qredo.Fees {
	return qredo.Fees{NetAmount: c.Net, AmountToSend: c.Gross, Fees: c.Fee}
}
