package clienttest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/pipenet"
)

// RelayHost is the host that the certificate of [Certificate] is for.
const RelayHost = "service.example"

// Certificate makes a certificate for [RelayHost], and returns it as the authority in PEM too.
func Certificate(t testing.TB) (certificate tls.Certificate, authority []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * time.Hour),
		DNSNames: []string{RelayHost}, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// Relay stands between clients and a server within the program, as [ServePipes] does without it. It can stop to pass
// bytes.
type Relay struct {
	net.Listener                // where the server accepts its connections
	ClientLeft   chan time.Time // when a client has closed a connection that was hushed
	ServerLeft   chan time.Time // when the server has

	pipes  *pipenet.Listener
	hushed atomic.Bool
	mu     sync.Mutex
	open   []net.Conn
	group  sync.WaitGroup
}

// NewRelay makes a relay, for as long as the test.
func NewRelay(t *testing.T) *Relay {
	t.Helper()
	p := pipenet.Listen()
	r := &Relay{Listener: p, pipes: p, ClientLeft: make(chan time.Time, 10), ServerLeft: make(chan time.Time, 10)}
	t.Cleanup(func() {
		_ = p.Close()
		r.mu.Lock()
		for _, conn := range r.open {
			_ = conn.Close()
		}
		r.mu.Unlock()
		r.group.Wait()
	})
	return r
}

// ServeTLS serves a handler by HTTP/2 over TLS behind the relay, with a certificate of [Certificate], until the test ends.
func (r *Relay) ServeTLS(t *testing.T, certificate tls.Certificate, handler http.Handler) {
	t.Helper()
	server := &http.Server{Handler: handler} //nolint:gosec // it is not reached from outside
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12}
	r.group.Go(func() { _ = server.Serve(tls.NewListener(r, config)) })
	t.Cleanup(func() { _ = server.Close() })
}

// BecomeDefault has all that use [http.DefaultTransport], or a clone of it, come to the relay, whatever host they ask for.
func (r *Relay) BecomeDefault(t *testing.T, authority []byte) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	before := http.DefaultTransport
	http.DefaultTransport = &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, DialContext: r.Dial,
	}
	t.Cleanup(func() { http.DefaultTransport = before })
}

// Dial connects a client.
func (r *Relay) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	toServer, err := r.pipes.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	toClient, client := net.Pipe()
	r.mu.Lock()
	r.open = append(r.open, toServer, toClient)
	r.mu.Unlock()
	r.pass(toServer, toClient, r.ClientLeft)
	r.pass(toClient, toServer, r.ServerLeft)
	return client, nil
}

// Hush lets nothing pass any more, neither bytes nor the end of a connection.
func (r *Relay) Hush() { r.hushed.Store(true) }

// pass copies from one side to the other.
func (r *Relay) pass(to, from net.Conn, left chan<- time.Time) {
	queue := make(chan []byte, 1000) // a pipe has no buffer: a writer waits until the other side reads
	r.group.Go(func() {
		for b := range queue {
			_, _ = to.Write(b)
		}
		if !r.hushed.Load() {
			_ = to.Close()
		}
	})
	r.group.Go(func() {
		defer close(queue)
		for b := make([]byte, 32<<10); ; {
			n, err := from.Read(b)
			switch hushed := r.hushed.Load(); {
			case err != nil && hushed:
				left <- time.Now()
				return
			case err != nil:
				return
			case !hushed:
				queue <- bytes.Clone(b[:n])
			}
		}
	})
}
