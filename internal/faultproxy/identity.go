package faultproxy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// identity is a certificate authority for this machine, and what it has signed.
type identity struct {
	authority *x509.Certificate
	key       *ecdsa.PrivateKey
	right     *tls.Certificate
}

func newIdentity() (*identity, error) {
	id := &identity{}
	var err error
	if id.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, fmt.Errorf("faultproxy: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "faultproxy"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &id.key.PublicKey, id.key)
	if err != nil {
		return nil, fmt.Errorf("faultproxy: %w", err)
	}
	if id.authority, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("faultproxy: %w", err)
	}
	id.right, err = id.leaf("localhost", time.Hour, net.IPv4(127, 0, 0, 1))
	return id, err
}

// leaf makes a server certificate that is valid for a duration from now; an expired one if it is negative.
func (id *identity) leaf(name string, lasts time.Duration, addresses ...net.IP) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("faultproxy: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IPAddresses: addresses,
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(lasts),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, id.authority, &key.PublicKey, id.key)
	if err != nil {
		return nil, fmt.Errorf("faultproxy: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// Roots is what a client must trust to take the proxy for the server.
func (p *Proxy) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(p.identity.authority)
	return pool
}

// RootsPEM is the same in PEM.
func (p *Proxy) RootsPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.identity.authority.Raw})
}

// handshake starts TLS on the connection.
func (c *conn) handshake() bool {
	certificate := c.p.identity.right
	if c.certificate != nil {
		certificate = c.certificate
	}
	config := &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	if c.p.config.HTTP2 {
		config.NextProtos = []string{"h2", "http/1.1"}
	}
	t := tls.Server(c.tcp, config)
	c.over(t)
	return t.HandshakeContext(c.ctx) == nil
}
