package approver

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/qredo-go/qredo"
)

// A core client that is connected to a wallet, as an exchange's is to those of its customers, may sweep it: whoever has its
// API key asks for that, and the core client alone approves. To it a sweep looks like a transfer that others approve too.

// MayBeSweep reports whether an action may be a sweep: a transfer out of a wallet that is connected to the core client or has
// asked to be, or one whose txType is not that of transfers. It is for policies, with the context that [Approver] gives them.
// It asks the service, at most once per action. If the answer cannot be known, because the service does not name the wallet or
// does not answer, or because the context is a different one, known is false: do not approve then. The approver tries again if
// the service did not answer.
func MayBeSweep(ctx context.Context, a qredo.Action) (may, known bool) {
	if may, known = sweepByDetails(a); known || a.Type != qredo.ActionTransfer {
		return may, known
	}
	switch asked := ctx.Value(sweepKey{}).(type) {
	case bool:
		return asked, true
	case *connections:
		return asked.has(ctx, a)
	}
	return false, false
}

// ContextWithSweep returns a context in which [MayBeSweep] gives this answer for transfers, without asking the service: use it
// to run [Rules] without an [Approver].
func ContextWithSweep(ctx context.Context, may bool) context.Context {
	return context.WithValue(ctx, sweepKey{}, may)
}

type sweepKey struct{}

// sweepWord is what a sweep's txType can hardly do without. It is not known.
const sweepWord = "sweep"

// sweepByDetails tells what an action's details do of that.
func sweepByDetails(a qredo.Action) (may, known bool) {
	switch {
	case a.Type != qredo.ActionTransfer:
		return false, slices.Contains(knownTypes, a.Type)
	case a.Details != nil && a.Details.TxType != "" && a.Details.TxType != "transferOut":
		return true, true
	}
	return false, false
}

func sweepInWords(known bool) string {
	if !known {
		return "whether it is a sweep is not known"
	}
	return "it may be a sweep, which nobody else approves"
}

// connections are the wallets that are connected to a core client. They are asked for once, and only if they are needed: an
// action was made before that, and no connection ends.
type connections struct {
	list func(context.Context) ([]qredo.CoreClientWallet, error)

	mu      sync.Mutex
	asked   bool
	wallets []qredo.CoreClientWallet
	err     error
}

func (a *Approver) connections() *connections {
	return &connections{list: func(ctx context.Context) ([]qredo.CoreClientWallet, error) {
		return a.client.CoreClients.ListWallets(ctx, a.id)
	}}
}

// known is a context in which policies find them.
func (c *connections) known(ctx context.Context) context.Context {
	return context.WithValue(ctx, sweepKey{}, c)
}

// connectionsIn returns what a context has of them; it may be nil.
func connectionsIn(ctx context.Context) *connections {
	c, _ := ctx.Value(sweepKey{}).(*connections)
	return c
}

// has reports whether a transfer leaves one of the wallets. All that ever asked to be connected count.
func (c *connections) has(ctx context.Context, a qredo.Action) (has, known bool) {
	if a.Details == nil || !plainID(a.Details.WalletID) {
		return false, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.asked {
		c.asked = true
		if c.wallets, c.err = c.list(ctx); c.err != nil {
			c.err = fmt.Errorf("whether a transfer may be a sweep: the wallets that are connected to the core client: %w", c.err)
		}
	}
	known = c.err == nil
	for _, w := range c.wallets {
		if w.WalletID == a.Details.WalletID {
			return true, known
		}
		known = known && plainID(w.WalletID)
	}
	return false, known
}

// plainID reports whether a wallet is named in such a way that two names can be compared: by an ID, and not by a short code, with
// something beside it, or not at all.
func plainID(id qredo.WalletID) bool {
	return id != "" && !strings.ContainsFunc(string(id), func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') })
}

// failure is why they could not be looked up; nil if they were, or nobody has asked.
func (c *connections) failure() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// found is what was found out about a transfer, for the audit log; nil if nobody has asked.
func (c *connections) found(a qredo.Action) *bool {
	may, known := sweepByDetails(a)
	c.mu.Lock()
	asked := c.asked
	c.mu.Unlock()
	if asked && !known {
		may, known = c.has(context.Background(), a) // which asks no more
	}
	if a.Type != qredo.ActionTransfer || !known {
		return nil
	}
	return &may
}

// asNamed leaves to people what is to be approved and may be a sweep, but where the policy says that it is meant for one.
func asNamed(ctx context.Context, a qredo.Action, d Decision) Decision {
	if d.Verdict != Approve || d.Sweep || a.Type != qredo.ActionTransfer {
		return d
	}
	if may, known := MayBeSweep(ctx, a); may || !known {
		return Decision{Verdict: Leave, Rule: d.Rule, Reason: sweepInWords(known) + ", and the policy does not name sweeps"}
	}
	return d
}
