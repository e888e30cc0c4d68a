package signingagent

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/agentcrypto"
)

// Identity is what defines an agent: its ID and name, and the secrets that it authenticates and signs with. When printed, or
// written as JSON, it leaves out the secrets; [Identity.MarshalWithSecrets] includes them. The PIN is not part of it.
type Identity struct {
	kept func() *kept // a function, because no printer looks into one: inside another struct, an Identity's own formatting is not used
}

func (k *kept) identity() *Identity { return &Identity{func() *kept { return k }} }

// kept is an identity as it is stored. It is built in three steps: seed and name before the service is asked, the rest
// with its answer, and finished last.
type kept struct {
	Version  int                `json:"version"`
	Name     string             `json:"name"`
	Seed     []byte             `json:"blsSeed"`
	ID       qredo.CoreClientID `json:"id"`       // empty until the service has answered; so are the fields below
	ZKPID    []byte             `json:"zkpID"`    // the M-Pin ID
	Token    []byte             `json:"zkpToken"` // without the PIN
	IDDoc    []byte             `json:"idDoc"`    // to be signed; not secret. It is kept, to finish again a registration that was wrongly taken for finished
	Finished bool               `json:"finished"`
	Inferred bool               `json:"inferred,omitzero"` // the service has not confirmed that it is finished: see finish
}

const identityVersion = 1

// ID returns the core client's ID, which is the agent's account code: custody groups name their members by it. It is empty
// until the service has answered the registration.
func (i *Identity) ID() qredo.CoreClientID {
	if i == nil || i.kept == nil {
		return ""
	}
	return i.kept().ID
}

// Name returns the name that the agent registered with.
func (i *Identity) Name() string {
	if i == nil || i.kept == nil {
		return ""
	}
	return i.kept().Name
}

// Format prints the ID and the name, whatever the verb.
func (i Identity) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "signing agent %q (%s)", i.Name(), i.ID())
}

// LogValue returns what Format prints.
func (i Identity) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(i)) }

// MarshalJSON writes ID and name.
func (i Identity) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		ID   qredo.CoreClientID `json:"id"`
		Name string             `json:"name"`
	}{i.ID(), i.Name()})
}

// MarshalWithSecrets returns the complete identity, for your own [Store]: only a [Sealer] should see it. [ParseIdentity] reads
// it.
func (i *Identity) MarshalWithSecrets() ([]byte, error) {
	if err := i.check(); err != nil {
		return nil, err
	}
	return json.Marshal(i.kept())
}

// ParseIdentity reads the output of [Identity.MarshalWithSecrets]. Anything else is [ErrDamaged].
func ParseIdentity(data []byte) (*Identity, error) {
	k := new(kept)
	id := k.identity()
	if json.Unmarshal(data, k) != nil { // the error may contain parts of it
		return nil, fmt.Errorf("%w: it is not JSON of an identity", ErrDamaged)
	}
	if v := k.Version; v != identityVersion {
		return nil, fmt.Errorf("%w: it has version %d, and this program knows version %d: use a later program, or put it back from a copy", ErrDamaged, v, identityVersion)
	}
	if err := id.check(); err != nil {
		return nil, err
	}
	return id, nil
}

// check returns an error unless an identity is complete for the step that it has reached.
func (i *Identity) check() error {
	if i == nil || i.kept == nil {
		return fmt.Errorf("%w: there is no identity", ErrDamaged)
	}
	k, problem := i.kept(), error(nil)
	switch _, err := agentcrypto.ParseToken(k.Token); {
	case len(k.Seed) != agentcrypto.SeedSize:
		problem = fmt.Errorf("the seed has %d bytes, and not %d", len(k.Seed), agentcrypto.SeedSize)
	case k.Name == "":
		problem = errors.New("the name is empty")
	case k.ID == "" && (len(k.ZKPID) > 0 || len(k.Token) > 0 || len(k.IDDoc) > 0 || k.Finished || k.Inferred):
		problem = errors.New("the ID is empty")
	case k.ID == "":
	case len(k.ZKPID) == 0:
		problem = errors.New("the M-Pin ID is empty")
	case err != nil:
		problem = err // which does not repeat it
	case len(k.IDDoc) == 0 && (!k.Finished || k.Inferred):
		problem = errors.New("the ID document is missing")
	case k.Inferred && !k.Finished:
		problem = errors.New("it is marked as inferred to be finished, but not as finished")
	}
	if problem != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, problem)
	}
	return nil
}

// goesOnTo reports whether a stored identity may be replaced by another: the same agent, at a later or earlier step.
func (i *Identity) goesOnTo(next *Identity) bool {
	return string(i.kept().Seed) == string(next.kept().Seed) && (i.kept().ID == "" || i.kept().ID == next.kept().ID)
}
