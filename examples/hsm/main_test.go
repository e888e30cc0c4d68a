package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ThalesGroup/crypto11"
)

// newToken makes a SoftHSM token in a temporary folder.
func newToken(tb testing.TB) config {
	tb.Helper()
	var module string
	for _, path := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"} {
		if _, err := os.Stat(path); err == nil {
			module = path
		}
	}
	util, err := exec.LookPath("softhsm2-util")
	if module == "" || err != nil {
		tb.Skip("SoftHSM is not installed: apt-get install softhsm2")
	}
	dir := tb.TempDir()
	settings := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(settings, []byte("directories.tokendir = "+dir+"\n"), 0o600); err != nil {
		tb.Fatal(err)
	}
	tb.Setenv("SOFTHSM2_CONF", settings)
	cfg := config{module: module, token: "custody", label: "qredo", pin: "1234"}
	out, err := exec.Command(util, "--init-token", "--free", "--label", cfg.token, "--pin", cfg.pin, "--so-pin", "5678").CombinedOutput()
	if err != nil {
		tb.Fatalf("softhsm2-util: %v: %s", err, out)
	}
	return cfg
}

func TestRun(t *testing.T) {
	cfg := newToken(t)
	var first, second bytes.Buffer
	if err := run(t.Context(), cfg, &first); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), cfg, &second); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(first.String(), "calls signed by the token were accepted") {
		t.Error(first.String())
	}
	key, _, _ := strings.Cut(first.String(), "-----END")
	if again, _, _ := strings.Cut(second.String(), "-----END"); again != key {
		t.Error("the second run made another key")
	}
	cfg.pin = "0000"
	if err := run(context.Background(), cfg, &second); err == nil {
		t.Error("a wrong PIN opened the token")
	}
}

// BenchmarkSign compares the token with a key in this program's memory.
func BenchmarkSign(b *testing.B) {
	cfg := newToken(b)
	token, err := crypto11.Configure(&crypto11.Config{Path: cfg.module, TokenLabel: cfg.token, Pin: cfg.pin})
	if err != nil {
		b.Fatal(err)
	}
	defer token.Close()
	inToken, err := openKey(token, cfg.label)
	if err != nil {
		b.Fatal(err)
	}
	inMemory, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("a request"))
	for name, key := range map[string]crypto.Signer{"memory": inMemory, "token": inToken} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := key.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"-parallel", func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := key.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
