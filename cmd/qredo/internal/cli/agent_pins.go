package cli

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/durable"
	"github.com/qredo-go/qredo/internal/pemkey"
)

func (a *app) pinCommands() *cobra.Command {
	return group("pins", "The addresses and custody groups that people have agreed on",
		`Pins are a signed file that lists the addresses that funds may withdraw to, the custody groups of their wallets, and
the wallets that may be swept. "agent run --pins" approves nothing that differs from it, whatever the service says.
People create the file, check it, and sign it with an Ed25519 key that no program holds:

  openssl genpkey -algorithm ed25519 -out pins-private.pem
  openssl pkey -in pins-private.pem -pubout -out pins-public.pem`, `
		qredo agent pins make pins.json --company COMPANY_ID
		qredo agent pins sign pins.json --key pins-private.pem
		qredo agent pins diff pins.json --pins-key pins-public.pem
		qredo agent run CLIENT_ID --policy policy.yaml --pins pins.json --pins-key pins-public.pem --store s.db --audit-log a.jsonl`,
		a.pinsMake(), a.pinsSign(), a.pinsDiff())
}

func (a *app) pinsMake() *cobra.Command {
	var funds, sweeps []string
	return a.command(command{
		use: "make FILE", short: "Write what the service says to a file, for people to check",
		long: `Writes the whitelists and custody groups of a company's funds to a new, unsigned file, and shows them.

A transfer out of a wallet that is connected to the core client may be a sweep, which nobody else approves. With pins,
sweeps are left to people except those that --sweep names, as a source wallet and a target wallet.`,
		example: "qredo agent pins make pins.json --company COMPANY_ID --fund FUND_ID",
		flags: func(f *flagSet) {
			f.StringArrayVar(&funds, "fund", nil, "fund to include; repeat for several (default all)")
			f.StringArrayVar(&sweeps, "sweep", nil, "sweep to allow, as FROM_WALLET_ID:TO_WALLET_ID; repeat for several")
		},
		run: a.withCompany(func(ctx context.Context, c partnerCall) error {
			swept, err := pinnedSweeps(sweeps)
			if err != nil {
				return err
			}
			var ids []qredo.FundID
			for _, text := range funds {
				id, err := a.fundNamed(ctx, c, text)
				if err != nil {
					return err
				}
				ids = append(ids, id)
			}
			pins, err := approver.MakePins(ctx, c.Client, c.company, ids...)
			if err != nil {
				return err
			}
			pins.Sweeps = swept
			data, err := pins.File(nil)
			if err != nil {
				return err
			}
			a.pinLines(pins.Lines())
			return a.done(durable.Create(c.args[0], data), "written to %s: check each line, then sign it", plain(c.args[0]))
		}),
	})
}

// pinnedSweeps reads the sweeps to allow: each source wallet once, with all its target wallets.
func pinnedSweeps(written []string) (sweeps []approver.PinnedSweep, err error) {
	for _, one := range written {
		from, to, ok := strings.Cut(one, ":")
		if !ok || from == "" || to == "" || strings.ContainsAny(one, " ") || strings.Contains(to, ":") {
			return nil, usagef("--sweep must be FROM_WALLET_ID:TO_WALLET_ID, not %q", one)
		}
		i := slices.IndexFunc(sweeps, func(s approver.PinnedSweep) bool { return string(s.Wallet) == from })
		if i < 0 {
			i, sweeps = len(sweeps), append(sweeps, approver.PinnedSweep{Wallet: qredo.WalletID(from)})
		}
		sweeps[i].Recipients = append(sweeps[i].Recipients, qredo.WalletID(to))
	}
	return sweeps, nil
}

func (a *app) pinsSign() *cobra.Command {
	var keyPath string
	return a.command(command{
		use: "sign FILE", short: "Sign a file of pins that you have checked",
		long:    "Shows what a file pins, and signs the file in place. It does not ask the service.",
		example: "qredo agent pins sign pins.json --key pins-private.pem",
		flags: func(f *flagSet) {
			f.StringVar(&keyPath, "key", "", "PEM file of an Ed25519 private key")
			required(f, "key")
		},
		run: func(_ context.Context, args []string) error {
			key, err := loadKey(keyPath, x509.ParsePKCS8PrivateKey)
			if err != nil {
				return err
			}
			private, ok := key.(ed25519.PrivateKey)
			if !ok {
				return usagef("%s must hold an Ed25519 private key: see qredo agent pins --help", plain(keyPath))
			}
			data, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			pins, err := approver.UnverifiedPins(data)
			if err != nil {
				return err
			}
			if data, err = pins.File(private); err != nil {
				return err
			}
			a.pinLines(pins.Lines())
			return a.done(durable.Replace(args[0], data), "signed: %s", plain(args[0]))
		},
	})
}

func (a *app) pinsDiff() *cobra.Command {
	var keyPath string
	var insecure bool
	return a.command(command{
		use: "diff FILE", short: "Compare the pins with what the service says now",
		long: `Compares a signed file with the whitelists and custody groups as they are now. Lines that begin with - are pinned but no
longer true; lines that begin with + are not pinned. If there is any difference, the exit code is 1. The service does not
say which wallets may be swept, so sweeps are not compared.`,
		example: "qredo agent pins diff pins.json --pins-key pins-public.pem",
		flags: func(f *flagSet) {
			f.StringVar(&keyPath, "pins-key", "", "PEM file of the Ed25519 public key that signs")
			required(f, "pins-key")
			insecureFlag(f, &insecure)
		},
		run: a.withClient(func(ctx context.Context, c partnerCall) error {
			key, err := pinsKey(keyPath, insecure)
			if err != nil {
				return err
			}
			pins, err := approver.LoadPins(c.args[0], key, fileOptions(a, insecure)...)
			if err != nil {
				return err
			}
			var ids []qredo.FundID
			for _, fund := range pins.Funds {
				ids = append(ids, fund.ID)
			}
			now, err := approver.MakePins(ctx, c.Client, pins.Company, ids...)
			if err != nil {
				return err
			}
			now.Sweeps = pins.Sweeps // the service knows nothing of them
			lines := pins.Diff(now)
			for _, line := range lines {
				fmt.Fprintln(a.out, plain(line))
			}
			if len(lines) > 0 {
				return foundf("%d lines differ from what is pinned", len(lines))
			}
			return a.done(nil, "everything is as pinned")
		}),
	})
}

func (a *app) pinLines(lines []string) {
	for _, line := range lines {
		fmt.Fprintln(a.err, plain(line))
	}
}

// agentPinned names the pins, for commands that decide by them.
type agentPinned struct{ file, key string }

func (p *agentPinned) flags(f *flagSet) {
	f.StringVar(&p.file, "pins", "", "signed file of the addresses and custody groups that people agreed on")
	f.StringVar(&p.key, "pins-key", "", "PEM file of the Ed25519 public key that signs it")
}

func (p *agentPinned) check() error {
	if (p.file == "") != (p.key == "") {
		return usagef("--pins and --pins-key must be given together")
	}
	return nil
}

// option adds the pins, if there are any.
func (p *agentPinned) option(opts []approver.Option, insecure bool) ([]approver.Option, error) {
	if p.file == "" {
		return opts, nil
	}
	if insecure {
		opts = append(opts, approver.WithInsecureFiles())
	}
	key, err := pinsKey(p.key, insecure)
	return append(opts, approver.WithPins(p.file, key)), err
}

// pinsKey reads the public key that signs pins.
func pinsKey(path string, insecure bool) (ed25519.PublicKey, error) {
	if err := durable.CheckWriters(path); err != nil && !insecure {
		return nil, err
	}
	key, err := loadKey(path, x509.ParsePKIXPublicKey)
	if err != nil {
		return nil, err
	}
	public, ok := key.(ed25519.PublicKey)
	if !ok {
		return nil, usagef("%s must hold an Ed25519 public key: see qredo agent pins --help", plain(path))
	}
	return public, nil
}

// loadKey reads the key of a PEM file.
func loadKey(path string, parse func(der []byte) (any, error)) (any, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	blocks := pemkey.Blocks(data)
	if len(blocks) != 1 {
		return nil, usagef("%s must hold one key in PEM form, but holds %d", plain(path), len(blocks))
	}
	key, err := parse(blocks[0].Bytes)
	if err != nil {
		return nil, errors.Join(usagef("%s holds the wrong kind of key: see qredo agent pins --help", plain(path)), err)
	}
	return key, nil
}
