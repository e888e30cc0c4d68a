// Command hsm: whoever can read a program's private key can move its money. A key in a file is read by backups, by other programs, by
// whoever breaks in.
//
// So requests are signed with a key that never leaves a PKCS #11 token: a hardware security module, or SoftHSM for trying it
// out. The client takes any crypto.Signer; this example gets one from the token.
//
//	softhsm2-util --init-token --free --label custody --pin 1234 --so-pin 1234
//	QREDO_HSM_PIN=1234 go run . -module /usr/lib/softhsm/libsofthsm2.so -token custody
//
// The key is made in the token if it is not there. The program prints its public half, which the service
// has to be given, and shows that it works against a sandbox of its own. It is a module of its own, since
// PKCS #11 needs cgo and a C compiler.
package main

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ThalesGroup/crypto11"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

func main() {
	var cfg config
	flag.StringVar(&cfg.module, "module", "/usr/lib/softhsm/libsofthsm2.so", "the token's PKCS #11 library")
	flag.StringVar(&cfg.token, "token", "custody", "the token's label")
	flag.StringVar(&cfg.label, "label", "qredo", "the key's label")
	flag.Parse()
	cfg.pin = os.Getenv("QREDO_HSM_PIN") // not a flag: everybody on the machine can see flags
	if err := run(context.Background(), cfg, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "hsm:", err)
		os.Exit(1)
	}
}

type config struct {
	module, token, label, pin string
}

func run(ctx context.Context, cfg config, out io.Writer) error {
	token, err := crypto11.Configure(&crypto11.Config{Path: cfg.module, TokenLabel: cfg.token, Pin: cfg.pin})
	if err != nil {
		return fmt.Errorf("token %s: %w", cfg.token, err)
	}
	defer token.Close()
	key, err := openKey(token, cfg.label)
	if err != nil {
		return err
	}
	public, ok := key.Public().(*rsa.PublicKey)
	if !ok {
		return errors.New("the token's key is not RSA")
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The key's public half, for the service:\n%s\n", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	return call(ctx, key, public, out)
}

// openKey returns the key with a label, and makes it if there is none.
func openKey(token *crypto11.Context, label string) (crypto.Signer, error) {
	keys, err := token.FindKeyPairs(nil, []byte(label))
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", label, err)
	}
	if len(keys) > 0 {
		return keys[0], nil
	}
	const bits = 2048
	return token.GenerateRSAKeyPairWithLabel([]byte(label), []byte(label), bits)
}

// call makes signed calls against a sandbox that knows the public key.
func call(ctx context.Context, key crypto.Signer, public *rsa.PublicKey, out io.Writer) error {
	const apiKey = "key-in-a-token"
	srv, err := sandbox.Start(sandbox.WithKey(apiKey, public))
	if err != nil {
		return err
	}
	defer srv.Close()
	auth, err := qredo.NewRSAAuth(apiKey, key)
	if err != nil {
		return err
	}
	client, err := qredo.NewClient(auth, qredo.WithBaseURL(srv.BaseURL()))
	if err != nil {
		return err
	}
	const calls = 20
	start := time.Now()
	for range calls {
		if _, err := client.Assets.List(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "%d calls signed by the token were accepted, %s each\n", calls, (time.Since(start) / calls).Round(10*time.Microsecond))
	return nil
}
