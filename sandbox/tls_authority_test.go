package sandbox_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

// keyPair is a certificate with its key.
type keyPair struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

func loadPair(t *testing.T, dir string) keyPair {
	t.Helper()
	var blocks [2][]byte
	for i, name := range []string{"ca.pem", "ca-key.pem"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		block, _ := pem.Decode(data)
		blocks[i] = block.Bytes
	}
	certificate, err := x509.ParseCertificate(blocks[0])
	require.NoError(t, err)
	key, err := x509.ParseECPrivateKey(blocks[1])
	require.NoError(t, err)
	return keyPair{certificate, key}
}

// sign makes a certificate as whoever has the key could, with a template that may leave out what is usual. By nil it signs itself.
func sign(t *testing.T, by *keyPair, template x509.Certificate) keyPair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template.SerialNumber, template.NotBefore = big.NewInt(1), time.Now().Add(-time.Hour)
	template.PublicKey, template.Subject.CommonName = nil, "somebody"
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(time.Hour)
	}
	if by == nil {
		by = &keyPair{&template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, by.Certificate, &key.PublicKey, by.key)
	require.NoError(t, err)
	made, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return keyPair{made, key}
}

func write(t *testing.T, dir string, pair keyPair) {
	t.Helper()
	der, err := x509.MarshalECPrivateKey(pair.key)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(dir, 0o700))
	for name, block := range map[string]pem.Block{"ca.pem": {Type: "CERTIFICATE", Bytes: pair.Raw}, "ca-key.pem": {Type: "EC PRIVATE KEY", Bytes: der}} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&block), 0o600))
	}
}

// Who gets hold of an authority's key can pretend to be what the sandbox is anyway, and nothing else: so Go says, and OpenSSL.
func TestAuthorityIsGoodForTheServedHostsOnly(t *testing.T) {
	dir := t.TempDir()
	startTLS(t, dir, sandbox.WithPublicURL("https://Custody.example/p"), sandbox.WithPublicURL("https://192.0.2.1"))
	authority := loadPair(t, dir)
	assert.LessOrEqual(t, time.Until(authority.NotAfter), 2*365*24*time.Hour)
	server := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	below := sign(t, &authority, x509.Certificate{
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, ExtKeyUsage: server, Subject: pkix.Name{Organization: []string{"below"}},
	})
	for name, c := range map[string]struct {
		by     keyPair
		name   string
		ip     string
		usage  []x509.ExtKeyUsage
		wanted bool
	}{
		"localhost":                 {by: authority, name: "localhost", usage: server, wanted: true},
		"the service's":             {by: authority, name: "api.qredo.network", usage: server, wanted: true},
		"a public URL's":            {by: authority, name: "custody.example", usage: server, wanted: true},
		"an address":                {by: authority, ip: "127.0.0.1", usage: server, wanted: true},
		"one of IPv6":               {by: authority, ip: "::1", usage: server, wanted: true},
		"a public URL's address":    {by: authority, ip: "192.0.2.1", usage: server, wanted: true},
		"another host":              {by: authority, name: "example.com", usage: server},
		"the domain above":          {by: authority, name: "qredo.network", usage: server},
		"beside it":                 {by: authority, name: "www.qredo.network", usage: server},
		"a name that begins alike":  {by: authority, name: "localhost.example.com", usage: server},
		"all names":                 {by: authority, name: "*.example.com", usage: server},
		"another address":           {by: authority, ip: "192.0.2.2", usage: server},
		"another of the loopback":   {by: authority, ip: "127.0.0.2", usage: server},
		"another of IPv6":           {by: authority, ip: "2001:db8::1", usage: server},
		"to be a client":            {by: authority, name: "localhost", usage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}},
		"by an authority below":     {by: below, name: "localhost", usage: server},
		"another by one below that": {by: below, name: "example.com", usage: server},
	} {
		t.Run(name, func(t *testing.T) {
			template := x509.Certificate{KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: c.usage}
			if c.ip != "" {
				template.IPAddresses = []net.IP{net.ParseIP(c.ip)}
			} else {
				template.DNSNames = []string{c.name}
			}
			leaf := sign(t, &c.by, template)
			opts := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), KeyUsages: c.usage}
			opts.Roots.AddCert(authority.Certificate)
			opts.Intermediates.AddCert(below.Certificate)
			_, err := leaf.Verify(opts)
			assert.Equal(t, c.wanted, err == nil, "Go: %v", err)
			opensslAgrees(t, c.wanted, dir, leaf, below)
		})
	}
}

func opensslAgrees(t *testing.T, wanted bool, dir string, leaf, below keyPair) {
	t.Helper()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Log("without openssl: ", err)
		return
	}
	files := t.TempDir()
	for name, c := range map[string]keyPair{"leaf.pem": leaf, "below.pem": below} {
		require.NoError(t, os.WriteFile(filepath.Join(files, name), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600))
	}
	said, err := exec.CommandContext(t.Context(), openssl, "verify", "-CAfile", filepath.Join(dir, "ca.pem"), "-no-CApath", "-no-CAstore",
		"-purpose", "sslserver", "-untrusted", filepath.Join(files, "below.pem"), filepath.Join(files, "leaf.pem")).CombinedOutput()
	assert.Equal(t, wanted, err == nil, "OpenSSL: %s", said)
}

func TestTLSAuthorityIsKept(t *testing.T) {
	dir := t.TempDir()
	first := startTLS(t, dir, sandbox.WithPublicURL("https://custody.example"))
	client := trusting(t, dir, first)
	newSigned(t, startOfTime, "GET", first.BaseURL()+"/assets", "").send(t, client).ok()
	before := loadPair(t, dir)
	require.NoError(t, first.Close())

	second := startTLS(t, dir) // with fewer hosts
	assert.Equal(t, before.Raw, loadPair(t, dir).Raw)
	newSigned(t, startOfTime, "GET", second.BaseURL()+"/assets", "").send(t, trusting(t, dir, second)).ok()

	other := startTLS(t, t.TempDir())
	err := failing(t, trusting(t, dir, other), newSigned(t, startOfTime, "GET", other.BaseURL()+"/assets", ""))
	require.Error(t, err, "another folder has another authority")
}

// An authority that does not do is not replaced: programs have it. One that could sign for all the world is not used.
func TestTLSAuthoritiesThatDoNotDo(t *testing.T) {
	dir := t.TempDir()
	srv := startTLS(t, dir)
	require.NoError(t, srv.Close())
	good := *loadPair(t, dir).Certificate
	template := func(change func(c *x509.Certificate)) keyPair {
		c := good
		c.NotAfter = time.Now().Add(30 * 24 * time.Hour)
		change(&c)
		return sign(t, nil, c)
	}
	for name, c := range map[string]struct {
		pair keyPair
		opts []sandbox.Option
		want string
	}{
		"for another host":    {template(func(*x509.Certificate) {}), []sandbox.Option{sandbox.WithPublicURL("https://later.example")}, "is not for later.example: move it and ca-key.pem away"},
		"for another address": {template(func(*x509.Certificate) {}), []sandbox.Option{sandbox.WithPublicURL("https://192.0.2.7")}, "is not for 192.0.2.7"},
		"for a whole range": {template(func(c *x509.Certificate) {
			c.PermittedIPRanges = []*net.IPNet{{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}}
		}), nil, "is not for 127.0.0.1"},
		"for any host": {template(func(c *x509.Certificate) { c.PermittedDNSDomains, c.PermittedIPRanges = nil, nil }), nil, "can sign for any host"},
		"about to end": {template(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(6 * 24 * time.Hour) }), nil, "ends on 20"},
		"ended":        {template(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), nil, "ends on 20"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, c.pair)
			_, err := sandbox.Start(append(c.opts, sandbox.WithTLS(dir))...)
			require.ErrorContains(t, err, c.want)
			assert.True(t, bytes.Equal(c.pair.Raw, loadPair(t, dir).Raw), "it is left as it is")
		})
	}
	write(t, dir, template(func(*x509.Certificate) {}))
	require.NoError(t, startTLS(t, dir).Close(), "the template itself does")
}
