package signingagent

import (
	"context"
	"errors"
	"fmt"
)

// Errors about a store, or about what is in it.
var (
	ErrNoIdentity     = errors.New("signingagent: no agent is registered here")
	ErrIdentityExists = errors.New("signingagent: an agent is registered here")
	ErrSealed         = errors.New("signingagent: the identity cannot be unsealed")
	ErrDamaged        = errors.New("signingagent: the identity is damaged")
)

// Store keeps one identity. It must keep it safe from others, with a [Sealer] or otherwise: anyone who has it, and the PIN, can
// approve as the agent. The PIN is never in it. When Save has returned, what it stored must survive a crash.
type Store interface {
	// Load returns the identity, or [ErrNoIdentity] if there is none.
	Load(ctx context.Context) (*Identity, error)
	// Save stores an identity. It may replace the same agent's identity from an earlier stage of its registration, but never
	// another agent's: then it returns [ErrIdentityExists]. [CheckReplace] decides which it is.
	Save(ctx context.Context, id *Identity) error
}

// CheckReplace returns [ErrIdentityExists] if next must not replace the stored identity. It is for implementing a [Store].
func CheckReplace(stored, next *Identity) error {
	if err := stored.check(); err != nil {
		return err
	}
	if err := next.check(); err != nil {
		return err
	}
	if !stored.goesOnTo(next) {
		return fmt.Errorf("%w, %v: use another store, or move the contents of this one away", ErrIdentityExists, *stored)
	}
	return nil
}

// Import copies an identity to another store, which must be empty or have the same one. For an agent of the old program: stop
// that program, call Import, and destroy its file. Two programs with the same identity both vote on each action. An unfinished
// registration is not copied: Import returns [ErrNoIdentity].
func Import(ctx context.Context, from, to Store) (*Identity, error) {
	id, err := from.Load(ctx)
	if err != nil {
		return nil, err
	}
	if err := id.check(); err != nil {
		return nil, err
	}
	if !id.kept().Finished {
		return nil, fmt.Errorf("%w: a registration has begun, but is not finished: call Register or Open with the store that contains it", ErrNoIdentity)
	}
	return id, to.Save(ctx, id)
}
