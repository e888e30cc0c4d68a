package approver

import (
	"encoding/json"
	"fmt"

	"github.com/qredo-go/qredo"
)

// Digest returns the SHA-256, in hexadecimal, of all that an action asks for: everything the service says
// about it but its status. The fields are those of this version of [qredo.Action], as JSON in their order
// there. Two actions with the same digest ask for the same.
func Digest(a qredo.Action) (string, error) {
	a.Status = ""
	canonical, err := json.Marshal(a)
	if err != nil {
		return "", fmt.Errorf("approver: action %s: %w", a.ID, err)
	}
	return hashOf(canonical), nil
}
