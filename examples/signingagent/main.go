// Command signingagent: a core client's key is held by the service, which could vote in its place. If you want votes that
// nobody else can cast, you need a key of your own, and must not sign with it what you have not read.
//
// So a signing agent is registered, and approves by rule: of six transfers it signs three that are small, rejects one that is blocked, and leaves one that
// is large, and one that is over the day's limit, to a person. The person looks at the large one and has the agent sign it.
//
// It starts a sandbox for itself, which verifies each proof and each signature, and exits with 0 only if everything that is not
// the agent's own was refused: a wrong PIN, another agent, another key, and junk.
package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	_ "embed" // for the rules
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/agentcrypto"
	"github.com/qredo-go/qredo/internal/demofund"
	"github.com/qredo-go/qredo/sandbox"
	"github.com/qredo-go/qredo/signingagent"
)

//go:embed rules.yaml
var ruleFile string

const asset = qredo.AssetCode("BTC-TESTNET")

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "signingagent:", err)
		os.Exit(1) // nothing is left to clean up
	}
}

func run(ctx context.Context, out io.Writer) (err error) {
	srv, err := sandbox.Start()
	if err != nil {
		return err
	}
	defer srv.Close()
	dir, err := os.MkdirTemp("", "signingagent")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	e := example{srv: srv, client: srv.Client(), out: out, dir: dir, actions: map[string]qredo.ActionID{}}
	for _, step := range []func(context.Context) error{e.register, e.open, e.ask, e.decide, e.askPerson, e.forge, e.check} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// example is the state of the job.
type example struct {
	srv    *sandbox.Server
	client *qredo.Client // of the company, with its RSA key
	out    io.Writer
	dir    string

	store   signingagent.Store
	agent   *signingagent.Agent
	company qredo.CompanyID
	wallets []qredo.Wallet            // from, to
	actions map[string]qredo.ActionID // keyed by the transfers' references
}

func (e *example) say(format string, args ...any) { fmt.Fprintf(e.out, format+"\n", args...) }

// pin is known to whoever runs the agent, and is in no file.
const pin = 4711

// newStore returns the store in a file that is sealed by a key, for example one in an HSM or a KMS. It may also be sealed
// by a passphrase.
func (e *example) newStore(file string) (signingagent.Store, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return signingagent.NewFileStore(filepath.Join(e.dir, file), signingagent.SignerKey(key)), nil
}

// register makes the agent. Its keys are generated here, and stay in a sealed file.
func (e *example) register(ctx context.Context) (err error) {
	if e.store, err = e.newStore("agent.json"); err != nil {
		return err
	}
	e.agent, err = signingagent.Register(ctx, e.client, e.store, "Night watch", signingagent.WithPIN(pin))
	if err != nil {
		return err
	}
	e.say("Agent %s is registered: %q", e.agent.ID(), e.agent.Name())
	return nil
}

// open makes a company with a fund from which nothing moves unless the agent signs.
func (e *example) open(ctx context.Context) error {
	fund, err := demofund.New(ctx, e.srv, "Acme", []string{string(e.agent.ID())},
		qredo.WalletRequest{Name: "Hot", Asset: asset}, qredo.WalletRequest{Name: "Ann", Asset: asset})
	if err != nil {
		return err
	}
	e.company, e.wallets = fund.Company, fund.Wallets
	_, err = e.srv.Deposit(e.wallets[0].Address, 1_000_000_000)
	return err
}

// wanted says what each transfer is for, and how its action should end.
var wanted = []struct {
	reference string
	amount    qredo.Amount
	verdict   approver.Verdict
	status    qredo.ApprovalStatus
}{
	{"payout-1", 150_000, approver.Approve, qredo.ApprovalApproved},
	{"payout-2", 150_000, approver.Approve, qredo.ApprovalApproved},
	{"payout-3", 150_000, approver.Approve, qredo.ApprovalApproved},
	{"payout-4", 150_000, approver.Leave, qredo.ApprovalPending},   // over the day's limit
	{"machine", 5_000_000, approver.Leave, qredo.ApprovalApproved}, // by a person
	{"fraud-1", 100_000, approver.Reject, qredo.ApprovalRejected},
}

// ask asks for the transfers.
func (e *example) ask(ctx context.Context) error {
	for _, w := range wanted {
		sent, err := e.client.Transfers.Create(ctx, e.company, qredo.TransferRequest{
			WalletID: e.wallets[0].ID, Counterparty: string(e.wallets[1].ID), Reference: w.reference,
			Expires: qredo.TimeOf(e.srv.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: asset, Amount: w.amount},
		})
		if err != nil {
			return err
		}
		tx, err := e.client.Transfers.Get(ctx, e.company, sent.TxID)
		if err != nil {
			return err
		}
		e.actions[w.reference] = tx.Approvals[0].ActionID
	}
	return nil
}

// decide opens the agent, as another run of the program does, and lets it work until every action has been handled.
func (e *example) decide(ctx context.Context) (err error) {
	if e.agent, err = signingagent.Open(ctx, e.store, signingagent.WithPIN(pin), signingagent.WithClient(e.client)); err != nil {
		return err
	}
	rules, err := approver.ParseRules("rules.yaml", []byte(strings.Replace(ruleFile, "PAYEE", string(e.wallets[1].ID), 1)))
	if err != nil {
		return err
	}
	log, err := approver.OpenAuditLog(filepath.Join(e.dir, "audit.jsonl"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	entries, done := map[qredo.ActionID]approver.Entry{}, 0
	a, err := e.agent.NewApprover(rules, approver.WithStore(approver.NewMemoryStore()), approver.WithAuditLog(log), approver.WithConcurrency(1),
		approver.WithObserver(func(entry approver.Entry) {
			switch entry.Kind {
			case approver.EntryDecision:
				entries[entry.ActionID] = entry
			case approver.EntryResult:
				if done++; done == len(wanted) {
					cancel()
				}
			default:
			}
		}))
	if err != nil {
		return err
	}
	if err := a.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	for _, w := range wanted {
		entry := entries[e.actions[w.reference]]
		if entry.Verdict != w.verdict {
			return fmt.Errorf("%s: the agent decided to %q, not to %q: %s", w.reference, entry.Verdict, w.verdict, entry.Reason)
		}
		e.say("  %-8s %s: %s", w.reference, entry.Verdict, entry.Reason)
	}
	return nil
}

// askPerson plays a person who looks at the remaining actions, and has the agent sign one of the two.
func (e *example) askPerson(ctx context.Context) error {
	action, err := e.agent.GetAction(ctx, e.actions["machine"])
	if err != nil {
		return err
	}
	e.say("A person looks at %d satoshi for the %s, and has the agent sign that.", action.Details.Amount, action.Details.Reference)
	return e.agent.Approve(ctx, action.ID)
}

// forge tries to get the remaining action approved by somebody other than the agent.
func (e *example) forge(ctx context.Context) error {
	action := e.actions["payout-4"]
	mistaken, err := signingagent.Open(ctx, e.store, signingagent.WithPIN(pin+1), signingagent.WithClient(e.client))
	if err != nil {
		return err
	}
	other, err := e.newStore("other.json")
	if err != nil {
		return err
	}
	stranger, err := signingagent.Register(ctx, e.client, other, "Stranger")
	if err != nil {
		return err
	}
	messages, err := e.agent.Client().SigningAgent.GetMessages(ctx, action)
	if err != nil {
		return err
	}
	message, err := hex.DecodeString(messages[0])
	if err != nil {
		return err
	}
	seed := make([]byte, agentcrypto.SeedSize)
	_, _ = rand.Read(seed) // never fails
	key, err := agentcrypto.NewKey(seed)
	if err != nil {
		return err
	}
	send := func(signatures ...string) error {
		return e.agent.Client().SigningAgent.Approve(ctx, action, signatures)
	}
	const length = 98 // digits of a signature
	for _, attempt := range []struct {
		name string
		got  error
		want error
	}{
		{"a wrong PIN", mistaken.Approve(ctx, action), qredo.ErrUnauthorized},
		{"another agent", stranger.Approve(ctx, action), qredo.ErrNotFound},
		{"another key", send(hex.EncodeToString(key.Sign(message))), qredo.ErrBadRequest},
		{"zeros", send("02" + strings.Repeat("0", length-2)), qredo.ErrBadRequest},
		{"junk", send("aa"), qredo.ErrBadRequest},
		{"one signature too many", send(messages[0], messages[0]), qredo.ErrBadRequest},
	} {
		if !errors.Is(attempt.got, attempt.want) {
			return errors.Join(fmt.Errorf("%s was not refused: %w", attempt.name, attempt.want), attempt.got)
		}
		e.say("  refused: %s (%v)", attempt.name, attempt.want)
	}
	return nil
}

// check compares the outcome of each action with the expected one.
func (e *example) check(ctx context.Context) error {
	for _, w := range wanted {
		action, err := e.agent.GetAction(ctx, e.actions[w.reference])
		if err != nil {
			return err
		}
		if action.Status != w.status {
			return fmt.Errorf("%s is %s, and should be %s", w.reference, action.Status, w.status)
		}
	}
	e.say("Done: what the agent has signed is approved, and nothing else.")
	return nil
}
