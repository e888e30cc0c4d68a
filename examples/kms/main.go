// Command kms: a program that runs in a cloud has no token in a slot, and its private key must be in no file either.
//
// So requests are signed with a key that a remote signing service holds, such as those of the cloud providers. The client
// takes any crypto.Signer; [Signer] is one that asks the service.
//
// It starts a signing service and a sandbox for itself and makes a call that is signed remotely.
package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "kms:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	service := httptest.NewServer(signingService(key))
	defer service.Close()
	signer, err := NewSigner(ctx, service.URL, "custody", service.Client())
	if err != nil {
		return err
	}

	const apiKey = "key-of-a-signing-service"
	srv, err := sandbox.Start(sandbox.WithKey(apiKey, &key.PublicKey))
	if err != nil {
		return err
	}
	defer srv.Close()
	auth, err := qredo.NewRSAAuth(apiKey, signer)
	if err != nil {
		return err
	}
	client, err := qredo.NewClient(auth, qredo.WithBaseURL(srv.BaseURL()))
	if err != nil {
		return err
	}
	start := time.Now()
	assets, err := client.Assets.List(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d assets, by a request that was signed remotely, in %s\n", len(assets), time.Since(start).Round(100*time.Microsecond))
	return nil
}

// signingService is a signing service with one key.
func signingService(key *rsa.PrivateKey) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /keys/custody", func(w http.ResponseWriter, _ *http.Request) {
		public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		reply(w, map[string][]byte{"public_key": public}, err)
	})
	mux.HandleFunc("POST /keys/custody/sign", func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Digest []byte `json:"digest"`
		}
		err := json.NewDecoder(r.Body).Decode(&request)
		var signature []byte
		if err == nil {
			signature, err = key.Sign(rand.Reader, request.Digest, crypto.SHA256)
		}
		reply(w, map[string][]byte{"signature": signature}, err)
	})
	return mux
}

func reply(w http.ResponseWriter, answer map[string][]byte, err error) {
	if err == nil {
		err = json.NewEncoder(w).Encode(answer)
	}
	if err != nil {
		http.Error(w, "refused", http.StatusBadRequest)
	}
}
