package qredo

import (
	"fmt"

	"github.com/qredo-go/qredo/internal/wire"
)

// Unmarshal reads JSON of the service into the value that v points to, with the tolerance that answers are read with:
// keys in any of the service's spellings, whole numbers and booleans that come as text, one object where a list is
// expected. It is for what is had as bytes, such as [Response].Body, or an answer that a program has kept. In a map or any,
// numbers become [json.Number], so that none is rounded. A figure that is not whole, does not fit, or is there twice with
// different values is an error that names the field.
func Unmarshal(data []byte, v any) error {
	if err := wire.Unmarshal(data, v); err != nil {
		return fmt.Errorf("qredo: %w", err)
	}
	return nil
}
