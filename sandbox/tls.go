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
	"slices"
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

// WithTLS makes [Start] serve HTTPS, with a certificate for this machine's loopback names and for the hosts of the service, of
// [WithPublicURL] and of [WithListen]. The certificate authority is kept in a folder, as ca.pem and ca-key.pem, and created if
// it does not exist: give ca.pem to programs that should trust the sandbox. It can sign only for these hosts, and for two
// years: after that, or for more hosts, another must be created, in another folder or in place of these files. Clients that ask
// for HTTP/2 get it; after 5 seconds of silence they are sent a ping, and a connection that does not answer within 3 more is
// closed. [New] ignores this option. Default: Start serves plain HTTP.
func WithTLS(dir string) Option {
	return func(s *Sandbox) error {
		if dir == "" {
			return invalid("TLS", "needs a folder for its certificate authority")
		}
		s.tlsDir = dir
		return nil
	}
}

// WithPublicURL also accepts signatures over URLs below this base URL, whatever URL the sandbox itself was called with: for
// programs that have the service's URL compiled in, and reach the sandbox through a hosts entry or a proxy. You can give it
// more than once. Default: only the URL that was called counts.
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
	hosts, err := srv.certifiedHosts()
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	authority, err := loadAuthority(srv.tlsDir, hosts)
	if err != nil {
		return nil, fmt.Errorf("sandbox: certificate authority: %w", err)
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

// certifiedHosts are those that the server's certificate is for.
func (srv *Server) certifiedHosts() ([]string, error) {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	for _, env := range []qredo.Environment{qredo.EnvironmentProduction, qredo.EnvironmentSandbox, qredo.EnvironmentPlay} {
		u, err := url.Parse(string(env))
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, u.Hostname())
	}
	if u, err := url.Parse(srv.url); err == nil {
		hosts = append(hosts, u.Hostname())
	}
	for _, u := range srv.publicURLs {
		hosts = append(hosts, strings.ToLower(u.Hostname()))
	}
	slices.Sort(hosts)
	return slices.Compact(hosts), nil
}

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// How long certificates are good for: that of an authority, and what it must have left when a server starts.
const (
	authorityLife = 2 * 365 * 24 * time.Hour
	leastLeft     = 7 * 24 * time.Hour
)

func loadAuthority(dir string, hosts []string) (*authority, error) {
	certificate := filepath.Join(dir, caFile)
	if _, err := os.Stat(certificate); errors.Is(err, fs.ErrNotExist) {
		return newAuthority(dir, hosts)
	}
	pair, err := tls.LoadX509KeyPair(certificate, filepath.Join(dir, caKeyFile))
	if err != nil {
		return nil, err
	}
	key, isEC := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !isEC {
		return nil, fmt.Errorf("%s is not a key this package made", caKeyFile)
	}
	a := &authority{certificate: pair.Leaf, key: key}
	if why := a.unfit(hosts); why != "" {
		return nil, fmt.Errorf("%s %s: move it and %s away for a new one, which programs must then be given", certificate, why, caKeyFile)
	}
	return a, nil
}

// unfit tells why an authority must not sign for these hosts. One that could sign for any, as earlier versions made, is a danger to
// those who trust it.
func (a *authority) unfit(hosts []string) string {
	names, addresses := split(hosts)
	permitted := a.certificate
	for _, name := range names {
		if !slices.Contains(permitted.PermittedDNSDomains, name) {
			if len(permitted.PermittedDNSDomains) == 0 {
				return "can sign for any host"
			}
			return "is not for " + name
		}
	}
	for _, ip := range addresses {
		if !slices.ContainsFunc(permitted.PermittedIPRanges, func(n *net.IPNet) bool { return n.String() == single(ip).String() }) {
			return "is not for " + ip.String()
		}
	}
	if left := time.Until(permitted.NotAfter); left < leastLeft {
		return "ends on " + permitted.NotAfter.Format(time.DateOnly)
	}
	return ""
}

// split tells names from addresses.
func split(hosts []string) (names []string, addresses []net.IP) {
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			addresses = append(addresses, ip)
		} else {
			names = append(names, host)
		}
	}
	return names, addresses
}

// single is the range of one address.
func single(ip net.IP) *net.IPNet {
	if four := ip.To4(); four != nil {
		ip = four
	}
	bits := 8 * len(ip)
	return &net.IPNet{IP: ip, Mask: net.CIDRMask(bits, bits)}
}

func newAuthority(dir string, hosts []string) (*authority, error) {
	if err := keyfile.CheckNotAlone(dir, caKeyFile, caFile); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := certificateTemplate("Certificate authority of one sandbox of an unofficial Qredo SDK", time.Now().Add(authorityLife))
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign
	names, addresses := split(hosts)
	template.PermittedDNSDomainsCritical, template.PermittedDNSDomains = true, names
	for _, ip := range addresses {
		template.PermittedIPRanges = append(template.PermittedIPRanges, single(ip))
	}
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

// issue makes a certificate for hosts, which ends with the authority.
func (a *authority) issue(hosts []string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := certificateTemplate("Sandbox of an unofficial Qredo SDK", a.certificate.NotAfter)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.DNSNames, template.IPAddresses = split(hosts)
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der, a.certificate.Raw}, PrivateKey: key}, nil
}

func certificateTemplate(name string, end time.Time) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // never fails
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: end,
	}
}
