package signingagent

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/agentcrypto"
)

// Register creates an agent: it draws a seed, registers its keys under a name with a client that signs with RSA, and stores the
// identity. Custody groups use the ID that the agent then has ([Agent.ID]). If the store already has an agent, nothing is
// registered, and it returns [ErrIdentityExists].
//
// Each step is stored before the next one. After an error or a crash, call Register again with the same store, name and PIN: it
// continues where it stopped.
//
//   - The seed is stored before the service is asked, so that a store that cannot be written is noticed while there is nothing
//     to lose. If the service's answer is lost, the same keys are registered once more. What the first request made stays
//     behind at the service, and nobody can use it: it is not finished, and the secret needed to finish it was in the lost
//     answer.
//   - The answer is stored, without the PIN, before the registration is finished. From then on no other registration is
//     requested: Register, or [Open], finishes this one. Register with another name then returns [ErrIdentityExists].
//   - If the answer to the last request is lost, that request is sent again. If the service refuses it because the registration
//     is already finished, or answers something else, it is asked for an action that does not exist: only a finished agent gets
//     the answer, in the service's own words, that there is none. A registration that was inferred to be finished in this way
//     is checked once more by each [Open].
//
// API: POST /coreclient/init, POST /coreclient/finish
func Register(ctx context.Context, client *qredo.Client, store Store, name string, opts ...Option) (*Agent, error) {
	if client == nil || store == nil {
		return nil, &qredo.ValidationError{Field: "registration", Rule: "needs a client and a store"}
	}
	s, err := newSettings(append([]Option{WithClient(client)}, opts...))
	if err != nil {
		return nil, err
	}
	id, err := begin(ctx, store, name)
	if err != nil {
		return nil, err
	}
	if id.kept().ID == "" {
		if id, err = initiate(ctx, client, id, s.pin); err != nil {
			return nil, err
		}
		if err := store.Save(ctx, id); err != nil {
			return nil, err
		}
	}
	return open(ctx, store, id, s)
}

// begin returns the registration in progress in a store, or a new one that it has stored there.
func begin(ctx context.Context, store Store, name string) (*Identity, error) {
	id, err := store.Load(ctx)
	switch {
	case errors.Is(err, ErrNoIdentity):
		id = (&kept{Version: identityVersion, Name: name, Seed: make([]byte, agentcrypto.SeedSize)}).identity()
		_, _ = rand.Read(id.kept().Seed) // never fails
	case err != nil:
		return nil, err
	case id.kept().Finished:
		return nil, fmt.Errorf("%w, %v: use another store for another agent", ErrIdentityExists, *id)
	case id.kept().ID == "":
		id = id.with(func(k *kept) { k.Name = name })
	case id.kept().Name != name:
		return nil, fmt.Errorf("%w, %v, whose registration is not finished: finish it with Open, or by Register with that name", ErrIdentityExists, *id)
	default:
		return id, nil
	}
	if name == "" {
		return nil, &qredo.ValidationError{Field: "name", Rule: "must not be empty"}
	}
	return id, store.Save(ctx, id)
}

// with returns a modified copy.
func (i *Identity) with(change func(*kept)) *Identity {
	k := *i.kept()
	change(&k)
	return k.identity()
}

// initiate asks the service for what the agent proves itself with.
func initiate(ctx context.Context, client *qredo.Client, id *Identity, pin int) (*Identity, error) {
	key, err := agentcrypto.NewKey(id.kept().Seed)
	if err != nil {
		return nil, err
	}
	answer, err := client.CoreClients.Register(ctx, qredo.AgentRequest{
		Name:         id.kept().Name,
		BLSPublicKey: hex.EncodeToString(key.PublicKey().Bytes()),
		ECPublicKey:  hex.EncodeToString(key.ECPublicKey()),
	})
	if err != nil {
		return nil, fmt.Errorf("signingagent: registering: %w", err)
	}
	registered, err := answered(id, answer, pin)
	if err != nil {
		return nil, fmt.Errorf("signingagent: registering: %w: %w", qredo.ErrBadAnswer, err)
	}
	return registered, nil
}

// answered adds the service's answer to an identity. Errors do not repeat the answer.
func answered(id *Identity, answer *qredo.AgentRegistration, pin int) (*Identity, error) {
	if string(answer.ID) != answer.AccountCode {
		return nil, errors.New("id and accountCode differ")
	}
	zkpID, err := hex.DecodeString(answer.ClientID)
	if err != nil || len(zkpID) == 0 {
		return nil, errors.New("clientID is not hexadecimal")
	}
	document, err := hex.DecodeString(answer.IDDocument)
	if err != nil || len(document) == 0 {
		return nil, errors.New("idDoc is not hexadecimal")
	}
	point, err := hex.DecodeString(string(answer.ClientSecret))
	if err != nil {
		return nil, errors.New("clientSecret is not hexadecimal")
	}
	secret, err := agentcrypto.ParseClientSecret(point)
	if err != nil {
		return nil, err
	}
	token, err := secret.Token(zkpID, pin)
	if err != nil {
		return nil, err
	}
	registered := id.with(func(k *kept) { k.ID, k.ZKPID, k.Token, k.IDDoc = answer.ID, zkpID, token.Bytes(), document })
	return registered, registered.check()
}

// finish completes a registration, and stores that. A service that has already finished it, by a request whose answer was
// lost, may refuse to do so twice, or answer in some way of its own; and so may an intermediary. Then finish asks the
// service whether it is finished.
func (a *Agent) finish(ctx context.Context, store Store) error {
	signature := hex.EncodeToString(a.key.Sign(a.identity.kept().IDDoc))
	feed, err := a.client.SigningAgent.Finish(ctx, signature)
	inferred := false
	if feed == "" && (err == nil || mayBeFinished(err)) {
		if inferred = a.refusalOfNone(ctx) == http.StatusNotFound; inferred {
			err = nil
		} else if err == nil {
			err = fmt.Errorf("%w: it names no feed", qredo.ErrBadAnswer)
		}
	}
	if err != nil {
		hint := ""
		if errors.Is(err, qredo.ErrUnauthorized) {
			hint = " (is the PIN the one that it was begun with?)"
		}
		return fmt.Errorf("signingagent: finishing the registration of %v%s: %w", *a.identity, hint, err)
	}
	a.identity = a.identity.with(func(k *kept) { k.Finished, k.Inferred = true, inferred })
	return store.Save(ctx, a.identity)
}

// mayBeFinished reports whether the response to a request to finish is possible if the registration is already finished.
func mayBeFinished(err error) bool {
	return slices.ContainsFunc([]error{qredo.ErrBadRequest, qredo.ErrForbidden, qredo.ErrNotFound, qredo.ErrConflict, qredo.ErrBadAnswer},
		func(kind error) bool { return errors.Is(err, kind) })
}

// noAction is the ID of an action that does not exist.
const noAction = "none"

// refusalOfNone asks the service for a nonexistent action, and returns the status with which the service itself refuses;
// 0 if it does not. A finished agent gets 404, because there is no such action; an unfinished one gets 403.
func (a *Agent) refusalOfNone(ctx context.Context) int {
	_, err := a.client.SigningAgent.GetMessages(ctx, noAction, qredo.WithoutRetry())
	if refusal := (*qredo.Error)(nil); errors.As(err, &refusal) && refusal.InOwnWords() {
		return refusal.StatusCode
	}
	return 0
}
