package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/agentserver"
	"github.com/qredo-go/qredo/internal/durable"
	"github.com/qredo-go/qredo/signingagent"
)

func (a *app) signingAgentCommands() *cobra.Command {
	return group("signing-agent", "Replace the Signing Agent: approve by signing with your own keys",
		`The Signing Agent was a program that customers ran to approve. "serve" replaces it, with the same configuration file, REST
API and feed. It prints what is safer now at its start; see also docs/signing-agent.md. "register", "show", "approve",
"reject" and "feed" call such a program, or the old one.`, `
		qredo signing-agent init -f cc.yaml
		qredo signing-agent start -c cc.yaml
		qredo signing-agent serve -c cc.yaml --rules policy.yaml --store decisions.db --audit-log audit.jsonl`,
		append(a.signingAgentCalls(), a.signingAgentServe(), a.signingAgentInit(), a.signingAgentVersion(), a.signingAgentImport())...)
}

// banner prints the old program's first line.
func (a *app) banner() error {
	fmt.Fprintf(a.out, "Signing Agent service dev (%s) build date: \n\n", qredo.Version)
	return a.out.Flush()
}

func (a *app) signingAgentVersion() *cobra.Command {
	return a.command(command{
		use: "version", short: "Print the version, as the old program did",
		long:    "Prints the old program's first line.",
		example: "qredo signing-agent version",
		run:     func(context.Context, []string) error { return a.banner() },
	})
}

const defaultAgentConfig = "cc.yaml"

func (a *app) signingAgentInit() *cobra.Command {
	var file string
	var overwrite bool
	return a.command(command{
		use: "init", short: "Write a configuration file with the defaults",
		long: `Writes a configuration file with all keys and their defaults, which only its owner can read. An existing file is kept
unless --overwrite is given.`,
		example: "qredo signing-agent init -f cc.yaml",
		flags: func(f *flagSet) {
			f.StringVarP(&file, "file-name", "f", defaultAgentConfig, "file to write")
			f.BoolVar(&overwrite, "overwrite", false, "overwrite an existing file, as the old program did")
		},
		run: func(context.Context, []string) error {
			if err := a.banner(); err != nil {
				return err
			}
			c := agentserver.Default()
			text, err := c.YAML()
			if err != nil {
				return err
			}
			write := durable.Create
			if overwrite {
				write = durable.Replace
			}
			err = write(file, text)
			if errors.Is(err, fs.ErrExist) {
				if there, readErr := os.ReadFile(file); readErr == nil && bytes.Equal(there, text) {
					return nil
				}
				return fmt.Errorf("%s exists already; --overwrite replaces it", file)
			}
			return err
		},
	})
}

// agentConfig reads a configuration file, and warns about unknown keys.
func (a *app) agentConfig(file string) (agentserver.Config, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return agentserver.Config{}, err
	}
	c, unknown, err := agentserver.Parse(data)
	if err != nil {
		return c, fmt.Errorf("%s: %w", file, err)
	}
	for _, key := range unknown {
		fmt.Fprintf(a.err, "warning: %s: %s is ignored: unknown key\n", file, plain(key))
	}
	return c, nil
}

// identityStore is where a configuration keeps the identity.
func identityStore(s agentserver.Store, insecure bool) (signingagent.Store, error) {
	var opts []approver.InsecureFilesOption
	if insecure {
		opts = append(opts, approver.WithInsecureFiles())
	}
	if s.Type == agentserver.StoreFile {
		return signingagent.OpenOldStore(s.File, opts...), nil
	}
	if err := durable.CheckPrivate(s.Sealed.PassphraseFile); err != nil && !insecure {
		return nil, fmt.Errorf("store.sealed.passphraseFile: %w", err)
	}
	passphrase, err := os.ReadFile(s.Sealed.PassphraseFile)
	if err != nil {
		return nil, fmt.Errorf("store.sealed.passphraseFile: %w", err)
	}
	return signingagent.NewFileStore(s.Sealed.File, signingagent.Passphrase(bytes.TrimRight(passphrase, "\r\n")), opts...), nil
}

func agentConfigFlag(f *flagSet, file *string) {
	f.StringVarP(file, "config", "c", defaultAgentConfig, "configuration file of the agent")
}

func (a *app) signingAgentImport() *cobra.Command {
	var config, from string
	var insecure bool
	return a.command(command{
		use: "import", short: "Import an agent's identity from the old program",
		long: `Copies the identity in a file store of the old program into the store that the configuration names, such as an encrypted
one: store.type "sealed", with store.sealed.file and store.sealed.passphraseFile. That store must not hold an identity yet.

Stop the old program first, and destroy its file afterwards: whoever has it can approve. To keep using that file, you need
no import: "serve" accepts store.type "file" and store.file unchanged.`,
		example: "qredo signing-agent import -c cc.yaml --from /volume/ccstore.db",
		flags: func(f *flagSet) {
			agentConfigFlag(f, &config)
			f.StringVar(&from, "from", "", "file store of the old program")
			required(f, "from")
			insecureFlag(f, &insecure)
		},
		run: func(ctx context.Context, _ []string) error {
			c, err := a.agentConfig(config)
			if err != nil {
				return err
			}
			to, err := identityStore(c.Store, insecure)
			if err != nil {
				return err
			}
			source, err := identityStore(agentserver.Store{Type: agentserver.StoreFile, File: from}, insecure)
			if err != nil {
				return err
			}
			id, err := signingagent.Import(ctx, source, to)
			if err != nil {
				return err
			}
			return a.show(importedAgent{id.ID(), id.Name()}, nil)
		},
	})
}

// importedAgent is an agent whose identity was imported.
type importedAgent struct {
	AgentID   qredo.CoreClientID `json:"agent_id"`
	AgentName string             `json:"agent_name"`
}
