package qredo_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// The API key and the private key of a client are in two files.
func ExampleAuthFromEnv() {
	dir, remove := tempDir()
	defer remove()
	srv, err := sandbox.Start(sandbox.WithKeyDir(dir)) // writes the files
	check(err)
	defer srv.Close()

	// As the program's environment would have it.
	for name, file := range map[string]string{"QREDO_API_KEY_FILE": "apikey", "QREDO_PRIVATE_KEY_FILE": "private.pem"} {
		check(os.Setenv(name, filepath.Join(dir, file)))
		defer func() { check(os.Unsetenv(name)) }()
	}
	auth, err := qredo.AuthFromEnv()
	check(err)
	client, err := qredo.NewClient(auth, qredo.WithBaseURL(srv.BaseURL()))
	check(err)

	_, err = client.Assets.List(context.Background())
	fmt.Println(auth, err)
	// Output: qredo.RSAAuth(redacted) <nil>
}

// The sandbox is given the public key, as a service would be.
func ExampleNewRSAAuth() {
	key, err := rsa.GenerateKey(rand.Reader, 2048) // or any crypto.Signer, such as a hardware module
	check(err)
	srv, err := sandbox.Start(sandbox.WithKey("my-api-key", &key.PublicKey))
	check(err)
	defer srv.Close()

	auth, err := qredo.NewRSAAuth("my-api-key", key)
	check(err)
	client, err := qredo.NewClient(auth, qredo.WithBaseURL(srv.BaseURL()))
	check(err)
	_, err = client.Assets.List(context.Background())
	fmt.Println(err)
	// Output: <nil>
}

// For machines whose clock cannot be trusted: numbers that grow, also over a restart of the program.
func ExampleWithNonce() {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	check(err)
	srv, err := sandbox.Start(sandbox.WithKey("my-api-key", &key.PublicKey))
	check(err)
	defer srv.Close()

	var last atomic.Int64
	last.Store(time.Now().UnixNano()) // more than any number that was used before
	auth, err := qredo.NewRSAAuth("my-api-key", key, qredo.WithNonce(func() string {
		return strconv.FormatInt(last.Add(1), 10)
	}))
	check(err)
	client, err := qredo.NewClient(auth, qredo.WithBaseURL(srv.BaseURL()))
	check(err)
	_, err = client.Assets.List(context.Background())
	fmt.Println(err)
	// Output: <nil>
}

// Reads, and requests for transactions, are sent again when that may help.
func ExampleWithRetry() {
	srv, err := sandbox.Start()
	check(err)
	defer srv.Close()
	check(srv.SetFaults(1, sandbox.FaultRule{Kind: sandbox.FaultServerError, Rate: 1, Times: 2})) // fails twice

	client := srv.Client(qredo.WithRetry(qredo.RetryPolicy{MaxAttempts: 5, MinBackoff: 10 * time.Millisecond}))
	var response qredo.Response
	_, err = client.Assets.List(context.Background(), qredo.WithResponse(&response))
	fmt.Println(response.Attempts, "attempts:", err)
	// Output: 3 attempts: <nil>
}

func ExampleWithoutRetry() {
	srv, err := sandbox.Start()
	check(err)
	defer srv.Close()
	check(srv.SetFaults(1, sandbox.FaultRule{Kind: sandbox.FaultServerError, Rate: 1, Times: 2})) // fails twice

	var response qredo.Response
	_, err = srv.Client().Assets.List(context.Background(), qredo.WithoutRetry(), qredo.WithResponse(&response))
	fmt.Println(response.Attempts, "attempt:", response.StatusCode, err != nil)
	// Output: 1 attempt: 500 true
}

// Ten requests a second, with bursts of five: calls wait for their turn.
func ExampleWithRateLimit() {
	srv, err := sandbox.Start()
	check(err)
	defer srv.Close()

	client := srv.Client(qredo.WithRateLimit(10, 5))
	start := time.Now()
	for range 7 {
		_, err := client.Assets.List(context.Background())
		check(err)
	}
	fmt.Println("took a while:", time.Since(start) > 150*time.Millisecond)
	// Output: took a while: true
}

// Each attempt is a line. No line has a key, a signature or a body.
func ExampleWithLogger() {
	srv, err := sandbox.Start()
	check(err)
	defer srv.Close()

	handler := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelDebug, // successes too
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "took" { // differ from run to run
				return slog.Attr{}
			}
			return a
		},
	})
	client := srv.Client(qredo.WithLogger(slog.New(handler)))
	_, err = client.Assets.List(context.Background())
	check(err)
	// Output: level=DEBUG msg="qredo call" operation="GET /assets" method=GET path=/assets status=200
}

// Use your own HTTP client, here for a certificate that only this program trusts.
func ExampleWithHTTPClient() {
	dir, remove := tempDir()
	defer remove()
	srv, err := sandbox.Start(sandbox.WithTLS(dir))
	check(err)
	defer srv.Close()

	authority, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	check(err)
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(authority)
	client, err := qredo.NewClient(srv.Auth(), qredo.WithBaseURL(srv.BaseURL()), qredo.WithHTTPClient(&http.Client{
		Timeout:   10 * time.Second, // of one attempt
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}},
	}))
	check(err)

	_, err = client.Assets.List(context.Background())
	fmt.Println(srv.URL()[:8], err)
	// Output: https:// <nil>
}

// The clock determines the timestamps of requests, and which times are in the past.
func ExampleWithClock() {
	clock := func() time.Time { return time.Date(2023, 11, 1, 12, 0, 0, 0, time.UTC) }
	srv, err := sandbox.Start(sandbox.WithClock(clock))
	check(err)
	defer srv.Close()
	client, err := qredo.NewClient(srv.Auth(), qredo.WithBaseURL(srv.BaseURL()), qredo.WithClock(clock))
	check(err)

	made, err := client.CoreClients.Create(context.Background(), "robot")
	check(err)
	fmt.Println(made.Created.UTC())
	// Output: 2023-11-01 12:00:00 +0000 UTC
}

// The HTTP response, in addition to what the method returns.
func ExampleWithResponse() {
	srv, err := sandbox.Start()
	check(err)
	defer srv.Close()

	var response qredo.Response
	_, err = srv.Client().Assets.List(context.Background(), qredo.WithResponse(&response))
	check(err)
	fmt.Println(response.StatusCode, response.Header.Get("Content-Type"), len(response.Body) > 0, response.Attempts)
	// Output: 200 application/json true 1
}

// Do makes calls for which there is no method, signed and retried like those of the methods.
func ExampleClient_Do() {
	acme := startAcme() // a sandbox with the company Acme
	defer acme.Close()

	var found struct {
		Matches []struct{ Name string }
	}
	err := acme.Client().Do(context.Background(), http.MethodGet, "/company/search?query=acme", nil, &found)
	check(err)
	fmt.Println(found.Matches)
	// Output: [{Acme}]
}

// Set a header for one call, for example to link it to your own trace.
func ExampleWithHeader() {
	srv, err := sandbox.Start()
	check(err)
	defer srv.Close()
	_, err = srv.Client().Assets.List(context.Background(), qredo.WithHeader("X-Request-Id", "payroll-7"))
	fmt.Println(err)
	// Output: <nil>
}

// What is longer than the limit is not read to its end.
func ExampleWithMaxResponse() {
	srv, err := sandbox.Start()
	check(err)
	defer srv.Close()
	_, err = srv.Client(qredo.WithMaxResponse(64)).Assets.List(context.Background())
	fmt.Println(errors.Is(err, qredo.ErrBadAnswer))
	// Output: true
}
