package signingagent

import (
	"context"
	"errors"
	"fmt"
)

// What is wrong with a store, or with what is in it.
var (
	ErrNoIdentity     = errors.New("signingagent: no agent is registered here")
	ErrIdentityExists = errors.New("signingagent: an agent is registered here")
	ErrSealed         = errors.New("signingagent: the identity cannot be unsealed")
	ErrDamaged        = errors.New("signingagent: the identity is damaged")
)

// Store keeps one identity. It must keep it safe from others, by a [Sealer] or otherwise: whoever has it, and the PIN, approves as the
// agent. The PIN is never in it. When Save has returned, what it was given must outlive a crash.
type Store interface {
	// Load returns the identity, or [ErrNoIdentity] if there is none.
	Load(ctx context.Context) (*Identity, error)
	// Save stores an identity. One that is there is replaced by the same agent's, which has come further in its
	// registration, and never by another's: that is [ErrIdentityExists]. [CheckReplace] tells which it is.
	Save(ctx context.Context, id *Identity) error
}

// CheckReplace returns [ErrIdentityExists] if an identity that is stored must not be replaced by another one. It is for those who
// write a [Store].
func CheckReplace(stored, next *Identity) error {
	if err := stored.check(); err != nil {
		return err
	}
	if err := next.check(); err != nil {
		return err
	}
	if !stored.goesOnTo(next) {
		return fmt.Errorf("%w, %v: use another store, or move what is in this one away", ErrIdentityExists, *stored)
	}
	return nil
}

// Import copies an identity to another store, in which there must be none yet, or the same one. Of an agent of the old program: stop
// that, Import, and destroy its file. Two programs that run with one identity both vote on each action. A registration that is not
// finished is not copied, and is [ErrNoIdentity].
func Import(ctx context.Context, from, to Store) (*Identity, error) {
	id, err := from.Load(ctx)
	if err != nil {
		return nil, err
	}
	if err := id.check(); err != nil {
		return nil, err
	}
	if !id.kept().Finished {
		return nil, fmt.Errorf("%w: a registration has begun, and is not finished: call Register or Open with the store that it is in", ErrNoIdentity)
	}
	return id, to.Save(ctx, id)
}
