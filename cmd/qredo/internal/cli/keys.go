package cli

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo/internal/durable"
)

func (a *app) keysCommands() *cobra.Command {
	return group("keys", "Create and check keys",
		`Requests to the Partner API are signed with an RSA key, whose public half is registered for the API key.`, `
		qredo keys new --dir ./keys
		qredo keys public --private-key ./keys/private.pem
		qredo keys check`,
		a.keysNew(),
		a.command(command{
			use: "public", short: "Print the public half of a private key",
			long:    "Prints the public key that belongs to the private key in the settings, in PEM: the one to register with the service.",
			example: "qredo keys public --private-key ./keys/private.pem",
			run: func(context.Context, []string) error {
				key, err := a.privateKey()
				if err != nil {
					return err
				}
				data, err := publicPEM(&key.PublicKey)
				if err != nil {
					return err
				}
				_, _ = a.out.Write(data)
				return nil
			},
		}),
		a.keysCheck(),
	)
}

func publicPEM(key *rsa.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// keyFiles are the files of a new key pair.
type keyFiles struct {
	PrivateKey string `json:"private_key"`
	PublicKey  string `json:"public_key"`
	Bits       int    `json:"bits"`
}

func (a *app) keysNew() *cobra.Command {
	var bits int
	var dir string
	var pkcs8 bool
	return a.command(command{
		use: "new", short: "Create a key pair",
		long: `Creates an RSA key pair and writes private.pem and public.pem, readable only by their owner. Existing files are never
replaced. The private key is PKCS #1, or PKCS #8 with --pkcs8; this program accepts both everywhere. Only the names of the
files are printed.`,
		example: "qredo keys new --dir ./keys\nqredo keys new --dir ./keys --bits 4096 --pkcs8",
		flags: func(f *flagSet) {
			f.IntVar(&bits, "bits", 2048, "2048, like the service's own keys, or 4096")
			f.StringVar(&dir, "dir", ".", "folder to write to")
			f.BoolVar(&pkcs8, "pkcs8", false, "write the private key as PKCS #8")
		},
		check: func() error {
			if bits != 2048 && bits != 4096 {
				return usagef("--bits must be 2048 or 4096, not %d", bits)
			}
			return nil
		},
		run: func(context.Context, []string) error {
			private, public := filepath.Join(dir, "private.pem"), filepath.Join(dir, "public.pem")
			for _, path := range []string{private, public} {
				if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
					return fmt.Errorf("%s exists already: keys are never replaced", path)
				}
			}
			key, err := rsa.GenerateKey(rand.Reader, bits)
			if err != nil {
				return err
			}
			block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
			if pkcs8 {
				der, err := x509.MarshalPKCS8PrivateKey(key)
				if err != nil {
					return err
				}
				block = &pem.Block{Type: "PRIVATE KEY", Bytes: der}
			}
			publicData, err := publicPEM(&key.PublicKey)
			if err != nil {
				return err
			}
			if err := durable.MkdirAll(dir); err != nil {
				return err
			}
			if err := durable.Create(private, pem.EncodeToMemory(block)); err != nil {
				return err
			}
			return a.show(keyFiles{private, public, bits}, durable.Create(public, publicData))
		},
	})
}

func (a *app) keysCheck() *cobra.Command {
	var public string
	return a.command(command{
		use: "check", short: "Check the keys in the settings",
		long: `Checks the API key (does it decode, does it contain white space), the private key (format, size, who can read it) and,
with --public-key or a public.pem beside the private key, that the two belong together. It sends nothing. If something is
wrong, the exit code is 1. "qredo doctor" checks everything else too.`,
		example: "qredo keys check --private-key ./keys/private.pem --public-key ./keys/public.pem",
		flags: func(f *flagSet) {
			f.StringVar(&public, "public-key", "", "public key in PEM that should belong to the private key")
		},
		run: func(context.Context, []string) error {
			d := &diagnosis{app: a, publicKey: public}
			d.checkAPIKey()
			d.checkPrivateKey()
			d.checkPair()
			return d.report()
		},
	})
}
