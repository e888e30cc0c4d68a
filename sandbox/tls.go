package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/transport"
	"github.com/qredo-go/qredo/sandbox/internal/keyfile"
)

// The files of [WithTLS].
const (
	caFile    = "ca.pem"
	caKeyFile = "ca-key.pem"
)

// WithTLS makes [Start] serve HTTPS, with a certificate for this machine's loopback names and for the
// hosts of the service and of [WithPublicURL]. The authority that signs it is kept in a folder, as ca.pem
// and ca-key.pem, and made if it is not there: programs that are to trust the sandbox are given ca.pem.
// Without it Start serves plain HTTP. [New] has no use for it. Who asks for HTTP/2 gets it, and is asked by a ping after 5
// seconds of silence; a connection that does not answer within 3 more is closed.
func WithTLS(dir string) Option {
	return func(s *Sandbox) error {
		if dir == "" {
			return invalid("TLS", "needs a folder for its certificate authority")
		}
		s.tlsDir = dir
		return nil
	}
}

// WithPublicURL also takes signatures over URLs below this base URL, whatever URL the sandbox itself was
// asked for: for programs that have the service's URL compiled in, and reach the sandbox through a hosts
// entry or a proxy. It may be given more than once. Without it the URL that was asked for counts alone.
func WithPublicURL(base string) Option {
	return func(s *Sandbox) error {
		u, err := url.Parse(strings.TrimRight(base, "/"))
		if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			return invalid("public URL", "%q is not a base URL", base)
		}
		s.publicURLs = append(s.publicURLs, u)
		if host := strings.ToLower(u.Host); host != u.Host { // as many clients sign it, whatever they were told
			lower := *u
			lower.Host = host
			s.publicURLs = append(s.publicURLs, &lower)
		}
		return nil
	}
}

// secure puts TLS before a listener.
func (srv *Server) secure(listener net.Listener) (net.Listener, error) {
	authority, err := loadAuthority(srv.tlsDir)
	if err != nil {
		return nil, fmt.Errorf("sandbox: certificate authority: %w", err)
	}
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	for _, env := range []qredo.Environment{qredo.EnvironmentProduction, qredo.EnvironmentSandbox, qredo.EnvironmentPlay} {
		u, err := url.Parse(string(env))
		if err != nil {
			return nil, fmt.Errorf("sandbox: %w", err)
		}
		hosts = append(hosts, u.Hostname())
	}
	for _, u := range srv.publicURLs {
		hosts = append(hosts, u.Hostname())
	}
	certificate, err := authority.issue(hosts)
	if err != nil {
		return nil, fmt.Errorf("sandbox: certificate: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(authority.certificate)
	srv.http = transport.DefaultHTTP(pool)
	srv.url = "https://" + strings.TrimPrefix(srv.url, "http://")
	return tls.NewListener(listener, &tls.Config{
		Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
	}), nil
}

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func loadAuthority(dir string) (*authority, error) {
	certificate := filepath.Join(dir, caFile)
	if _, err := os.Stat(certificate); errors.Is(err, fs.ErrNotExist) {
		return newAuthority(dir)
	}
	pair, err := tls.LoadX509KeyPair(certificate, filepath.Join(dir, caKeyFile))
	if err != nil {
		return nil, err
	}
	key, isEC := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !isEC {
		return nil, fmt.Errorf("%s is not a key this package made", caKeyFile)
	}
	return &authority{certificate: pair.Leaf, key: key}, nil
}

func newAuthority(dir string) (*authority, error) {
	if err := keyfile.CheckNotAlone(dir, caKeyFile, caFile); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := certificateTemplate("Sandbox of an unofficial Qredo SDK", 10*365*24*time.Hour)
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	if err := keyfile.Write(dir, caKeyFile, keyfile.PEM("EC PRIVATE KEY", keyDER)); err != nil {
		return nil, err
	}
	if err := keyfile.Write(dir, caFile, keyfile.PEM("CERTIFICATE", der)); err != nil {
		return nil, err
	}
	return &authority{certificate: certificate, key: key}, nil
}

// issue makes a certificate for hosts. It lives a year, as long as a sandbox will run.
func (a *authority) issue(hosts []string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := certificateTemplate("sandbox", 365*24*time.Hour)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der, a.certificate.Raw}, PrivateKey: key}, nil
}

func certificateTemplate(name string, life time.Duration) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // never fails
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(life),
	}
}
