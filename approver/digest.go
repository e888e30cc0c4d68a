package approver

import (
	"encoding/json"
	"fmt"

	"github.com/qredo-go/qredo"
)

// Digest returns the SHA-256, in hexadecimal, of everything that an action asks for: all that the service says about it except
// its status. It covers the fields of this version of [qredo.Action], as JSON in their order. Two actions with the same digest
// ask for the same thing.
func Digest(a qredo.Action) (string, error) {
	a.Status = ""
	canonical, err := json.Marshal(a)
	if err != nil {
		return "", fmt.Errorf("approver: action %s: %w", a.ID, err)
	}
	return hashOf(canonical), nil
}
