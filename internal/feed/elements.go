package feed

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/qredo-go/qredo/internal/wire"
)

// Unread is an element of a list that could not be read.
type Unread struct {
	Element []byte
	Err     error
}

// ReadEach reads each element of a list with that name by itself, so that one that cannot be read, or that check has
// something against, does not hold up the others. It ends early only with ctx.
func ReadEach[E any](ctx context.Context, name string, list []json.RawMessage, check func(E) error) (read []E, unread []Unread, err error) {
	for i, raw := range list {
		if len(raw) == 0 {
			raw = json.RawMessage("null")
		}
		var e E
		err := wire.UnmarshalContext(ctx, raw, &e)
		if err == nil {
			err = check(e)
		}
		switch {
		case ctx.Err() != nil:
			return nil, nil, ctx.Err()
		case err != nil:
			unread = append(unread, Unread{raw, fmt.Errorf("%s[%d]: %w", name, i, err)})
		default:
			read = append(read, e)
		}
	}
	return read, unread, nil
}

// Untold remembers which elements of a list could not be read the last time: of each it is told once.
type Untold struct{ told map[[sha256.Size]byte]bool }

// Of returns what is wrong with those that the list did not have the last time.
func (u *Untold) Of(unread []Unread) (errs []error) {
	now := make(map[[sha256.Size]byte]bool, len(unread))
	for _, one := range unread {
		sum := sha256.Sum256(one.Element)
		if !u.told[sum] && !now[sum] {
			errs = append(errs, one.Err)
		}
		now[sum] = true
	}
	u.told = now
	return errs
}
