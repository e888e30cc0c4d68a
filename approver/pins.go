package approver

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

// Pins is what people have agreed on and signed: the addresses to which each fund may withdraw, and who approves what leaves
// each wallet. An approver with pins ([WithPins]) leaves to people what a rule would approve, if
//
//   - it leaves a wallet that is not pinned;
//   - it goes to an address that is not pinned for that fund and asset, or that now has another name;
//   - the wallet's custody groups, as the service gives them at that time, are not the pinned ones;
//   - it may be a sweep, and a sweep from this wallet into the recipient is not pinned.
//
// So neither the service, nor somebody who may change a whitelist or a policy there, can get a payment approved by changing it.
//
// Signatures are Ed25519: there is only one form of keys and signatures, and no choice that could be wrong. The key signs
// nothing else. The service's own keys are RSA, so nobody can use one of these, which programs hold, by mistake. Keep the
// private key where no approver runs.
type Pins struct {
	Made    time.Time       `json:"made"` // in whole seconds
	Company qredo.CompanyID `json:"company"`
	Funds   []PinnedFund    `json:"funds"`
	Sweeps  []PinnedSweep   `json:"sweeps,omitzero"`

	hash string
}

// PinnedFund is what is pinned for a fund.
type PinnedFund struct {
	ID        qredo.FundID           `json:"id"`
	Name      string                 `json:"name"`
	Addresses []qredo.WhitelistEntry `json:"addresses"`
	Wallets   []PinnedWallet         `json:"wallets"`
}

// PinnedWallet is what is pinned for a wallet: the custody groups that apply to it, its own or its fund's.
type PinnedWallet struct {
	ID       qredo.WalletID      `json:"id"`
	Name     string              `json:"name"`
	Asset    qredo.AssetCode     `json:"asset"`
	Withdraw *qredo.CustodyGroup `json:"withdraw"` // approves withdrawals
	Tx       *qredo.CustodyGroup `json:"tx"`       // approves transfers and swaps
}

// PinnedSweep lists the wallets into which a wallet may be swept, by the core client's vote alone. The wallet may belong to any
// company: wallets connected to an exchange belong to its customers. The service does not provide this list: people add it.
type PinnedSweep struct {
	Wallet     qredo.WalletID   `json:"wallet"`
	Recipients []qredo.WalletID `json:"recipients"`
}

// ErrPinsNotSigned means that pins are not signed, are signed by another key, or were changed afterwards.
var ErrPinsNotSigned = errors.New("approver: the pins are not signed by the key")

// pinFile is where pins are, and who signs them.
type pinFile struct {
	path string
	key  ed25519.PublicKey
}

// signedPins is what a file holds.
type signedPins struct {
	Pins      Pins   `json:"pins"`
	Signature []byte `json:"signature,omitzero"`
}

// MakePins collects what the service says about a company's funds, or all its funds if you name none. Have people check it
// before they sign it.
func MakePins(ctx context.Context, client *qredo.Client, company qredo.CompanyID, funds ...qredo.FundID) (*Pins, error) {
	if len(funds) == 0 {
		all, err := client.Funds.List(ctx, company)
		if err != nil {
			return nil, err
		}
		for _, fund := range all {
			funds = append(funds, fund.ID)
		}
	}
	p := &Pins{Company: company, Made: time.Now().UTC().Truncate(time.Second)}
	for _, id := range funds {
		fund, err := client.Funds.Get(ctx, company, id)
		if err != nil {
			return nil, err
		}
		pinned := PinnedFund{ID: id, Name: fund.Name}
		if pinned.Addresses, err = client.Funds.ListWhitelist(ctx, company, id, qredo.WhitelistOptions{}); err != nil {
			return nil, err
		}
		for _, wallet := range fund.Wallets {
			now, err := client.Wallets.Get(ctx, wallet.ID) // as the approver asks
			if err != nil {
				return nil, err
			}
			pinned.Wallets = append(pinned.Wallets, PinnedWallet{
				ID: now.ID, Name: now.Name, Asset: now.Asset, Withdraw: groupOf(now.PolicyWithdraw), Tx: groupOf(now.PolicyTx),
			})
		}
		p.Funds = append(p.Funds, pinned)
	}
	return p, nil
}

// groupOf is who approves by a policy; nil if nobody can.
func groupOf(p *qredo.Policy) *qredo.CustodyGroup {
	if p == nil {
		return nil
	}
	g := &qredo.CustodyGroup{Threshold: p.Threshold, Members: []qredo.TrustedEntityID{}}
	for _, member := range p.Members {
		g.Members = append(g.Members, qredo.TrustedEntityID(member.Entity.ID))
	}
	slices.Sort(g.Members)
	return g
}

// LoadPins reads a file and verifies its signature with key. It returns [ErrPinsNotSigned] if it is not signed by that key; a
// file that others can write is refused, unless you give [WithInsecureFiles].
func LoadPins(path string, key ed25519.PublicKey, opts ...FileOption) (*Pins, error) {
	f, err := newFileOptions(opts)
	if err = cmp.Or(err, f.notSealed()); err != nil {
		return nil, err
	}
	err = checkFile(path, f.insecure)
	var data []byte
	if err == nil {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("approver: pins: %w", err)
	}
	p, err := ParsePins(data, key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// ParsePins reads the content of a file as [LoadPins] does.
func ParsePins(data []byte, key ed25519.PublicKey) (*Pins, error) {
	file, err := readPins(data)
	if err != nil {
		return nil, err
	}
	message, err := file.Pins.message()
	if err != nil {
		return nil, err
	}
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, message, file.Signature) {
		return nil, ErrPinsNotSigned
	}
	file.Pins.hash = hashOf(message)
	return &file.Pins, nil
}

// UnverifiedPins reads the content of a file without verifying its signature: to look at it, or to sign it.
func UnverifiedPins(data []byte) (*Pins, error) {
	file, err := readPins(data)
	return &file.Pins, err
}

func readPins(data []byte) (file signedPins, err error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields() // people would see what the program does not
	if err := decoder.Decode(&file); err != nil {
		return file, fmt.Errorf("approver: pins: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return file, errors.New("approver: pins: there is more after their end")
	}
	return file, nil
}

// File returns the content of a file signed with key. If key is nil, it is unsigned, for people to look at.
func (p *Pins) File(key ed25519.PrivateKey) ([]byte, error) {
	file := signedPins{Pins: *p}
	if key != nil {
		message, err := p.message()
		if err != nil {
			return nil, err
		}
		file.Signature = ed25519.Sign(key, message)
	}
	data, err := json.MarshalIndent(file, "", "  ")
	return append(data, '\n'), err
}

// message is what is signed: what was read, however it was written, and what it is for.
func (p *Pins) message() ([]byte, error) {
	data, err := json.Marshal(p)
	return append([]byte("qredo approver pins 1\n"), data...), err
}

// Hash returns the SHA-256 of what was signed, in hexadecimal, as in the audit log. It is empty for pins that were not
// verified.
func (p *Pins) Hash() string {
	if p == nil {
		return ""
	}
	return p.hash
}

// Lines lists everything that is pinned, as sorted lines: each address, wallet and custody group.
func (p *Pins) Lines() []string {
	var lines []string
	for _, f := range p.Funds {
		for _, e := range f.Addresses {
			lines = append(lines, fmt.Sprintf("fund %s (%q) may withdraw %s to %s (%q)", f.ID, f.Name, e.Asset, e.Address, e.Name))
		}
		for _, w := range f.Wallets {
			lines = append(lines, fmt.Sprintf("fund %s (%q), wallet %s (%q, %s): withdrawals are approved by %s, transfers and swaps by %s",
				f.ID, f.Name, w.ID, w.Name, w.Asset, inWords(w.Withdraw), inWords(w.Tx)))
		}
	}
	for _, s := range p.Sweeps {
		for _, to := range s.Recipients {
			lines = append(lines, fmt.Sprintf("wallet %s may be swept into wallet %s, and nobody but the core client approves that", s.Wallet, to))
		}
	}
	slices.Sort(lines)
	return lines
}

func inWords(g *qredo.CustodyGroup) string {
	if g == nil {
		return "nobody"
	}
	members := make([]string, len(g.Members))
	for i, member := range g.Members {
		members[i] = string(member)
	}
	return fmt.Sprintf("%d of %s", g.Threshold, strings.Join(members, ", "))
}

// Diff lists what other has in addition, in lines that begin with "+ ", and what it lacks, with "- ".
func (p *Pins) Diff(other *Pins) []string {
	before, after := p.Lines(), other.Lines()
	var lines []string
	for _, line := range before {
		if _, found := slices.BinarySearch(after, line); !found {
			lines = append(lines, "- "+line)
		}
	}
	for _, line := range after {
		if _, found := slices.BinarySearch(before, line); !found {
			lines = append(lines, "+ "+line)
		}
	}
	return lines
}

// asPinned leaves to people what is to be approved and is not as pinned.
func (a *Approver) asPinned(ctx context.Context, in setup, action qredo.Action, d Decision) (Decision, error) {
	problem, err := a.unpinned(ctx, in, action, d.Verdict)
	if err != nil || problem == "" {
		return d, err
	}
	return Decision{Verdict: Leave, Rule: d.Rule, Reason: problem}, nil
}

// unpinned says why an action is left to people that is to be approved: something is not as pinned. It is asked before each
// vote. An error says that it could not be looked at.
func (a *Approver) unpinned(ctx context.Context, in setup, action qredo.Action, verdict Verdict) (string, error) {
	if in.pins == nil || verdict != Approve {
		return "", nil
	}
	problem, err := in.pins.problem(ctx, a.client, action)
	if err = cmp.Or(err, connectionsIn(ctx).failure()); err != nil || problem == "" {
		return "", err
	}
	return "not as pinned: " + problem, nil
}

// problem says what of an action is not as pinned.
func (p *Pins) problem(ctx context.Context, client *qredo.Client, action qredo.Action) (string, error) {
	d, about := action.Details, aboutOf(&action)
	if d == nil {
		return "the service gave no details", nil
	}
	fund, wallet := p.wallet(about.Wallet)
	if may, known := MayBeSweep(ctx, action); may || !known { // of a type that is not known, too
		if !p.sweeps(d.WalletID, qredo.WalletID(d.RecipientID)) {
			return fmt.Sprintf("%s, and that wallet %q may be swept into wallet %q is not pinned", sweepInWords(known), d.WalletID, d.RecipientID), nil
		}
		if wallet == nil { // another company's, which has its own custody group
			return "", nil
		}
	}
	switch {
	case wallet == nil:
		return fmt.Sprintf("wallet %q is not pinned", about.Wallet), nil
	case d.FundID != "" && d.FundID != fund.ID:
		return fmt.Sprintf("wallet %s is pinned in fund %s, and is in fund %s", wallet.ID, fund.ID, d.FundID), nil
	}
	if action.Type == qredo.ActionWithdraw || d.RecipientAddress != "" {
		i := slices.IndexFunc(fund.Addresses, func(e qredo.WhitelistEntry) bool {
			return e.Asset == d.Asset && e.Address != "" && same(e.Address, d.RecipientAddress)
		})
		switch {
		case i < 0:
			return fmt.Sprintf("address %q is not pinned for %s of fund %s", d.RecipientAddress, d.Asset, fund.ID), nil
		case fund.Addresses[i].Name != d.RecipientAddressName:
			return fmt.Sprintf("address %s is pinned as %q, and is called %q", d.RecipientAddress, fund.Addresses[i].Name, d.RecipientAddressName), nil
		}
	}
	now, err := client.Wallets.Get(ctx, wallet.ID)
	if err != nil {
		return "", fmt.Errorf("the policies of wallet %s: %w", wallet.ID, err)
	}
	for _, groups := range [2][2]*qredo.CustodyGroup{{wallet.Withdraw, groupOf(now.PolicyWithdraw)}, {wallet.Tx, groupOf(now.PolicyTx)}} {
		if pinned, found := inWords(groups[0]), inWords(groups[1]); pinned != found {
			return fmt.Sprintf("what leaves wallet %s is approved by %s, and pinned is %s", wallet.ID, found, pinned), nil
		}
	}
	return "", nil
}

// sweeps reports whether it is pinned that one wallet may be swept into another.
func (p *Pins) sweeps(from, to qredo.WalletID) bool {
	return from != "" && to != "" && slices.ContainsFunc(p.Sweeps, func(s PinnedSweep) bool { return s.Wallet == from && slices.Contains(s.Recipients, to) })
}

// wallet returns a wallet and its fund, if it is pinned.
func (p *Pins) wallet(id qredo.WalletID) (*PinnedFund, *PinnedWallet) {
	for i := range p.Funds {
		for j := range p.Funds[i].Wallets {
			if w := &p.Funds[i].Wallets[j]; w.ID == id {
				return &p.Funds[i], w
			}
		}
	}
	return nil, nil
}
