package qredotest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/qredo-go/qredo"
)

// MakeCall makes the call of a fixture.
func MakeCall(ctx context.Context, c *qredo.Client, f Fixture) (any, error) {
	return partnerCalls[f.Call](ctx, c, f)
}

// Body is what an answer has for a body.
func Body(a Answer) ([]byte, error) {
	resp, err := a(httptest.NewRequest(http.MethodGet, "/", nil))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// PartOf is what of a fixture's answer the client returns.
func PartOf(f Fixture) []byte {
	key := f.part()
	if key == "" {
		return f.Response
	}
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(f.Response, &whole); err != nil {
		panic(err)
	}
	return whole[key]
}
