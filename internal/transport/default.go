package transport

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"time"
)

// DefaultTimeout is how long an attempt may take with [DefaultHTTP], from dialling to the last byte.
const DefaultTimeout = time.Minute

// Pinging has a connection over HTTP/2 that says nothing for a while asked whether it lives, and left if it does not: 8
// seconds after it has gone silent. It is for clients and servers. Other settings stay.
func Pinging(config *http.HTTP2Config) *http.HTTP2Config {
	if config == nil {
		config = &http.HTTP2Config{}
	}
	config.SendPingTimeout, config.PingTimeout, config.WriteByteTimeout = 5*time.Second, 3*time.Second, 10*time.Second
	return config
}

// DefaultHTTP makes the HTTP client of those who bring none. It trusts roots alone; nil: what the system trusts.
func DefaultHTTP(roots *x509.CertPool) *http.Client {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	switch standard, ok := http.DefaultTransport.(*http.Transport); {
	case ok:
		transport = standard.Clone()
	case roots == nil: // the program has replaced it, for tracing or mocks
		return &http.Client{Transport: http.DefaultTransport, Timeout: DefaultTimeout}
	}
	if transport.TLSClientConfig == nil {
		transport.TLSClientConfig = &tls.Config{}
	}
	transport.TLSClientConfig.MinVersion = max(transport.TLSClientConfig.MinVersion, tls.VersionTLS12)
	if roots != nil {
		transport.TLSClientConfig.RootCAs = roots
	}
	transport.ResponseHeaderTimeout = DefaultTimeout / 2
	transport.MaxIdleConnsPerHost = 64 // all calls go to one host; with the 2 of net/http, 64 concurrent calls would open a connection for more than every second call
	transport.HTTP2 = Pinging(transport.HTTP2)
	return &http.Client{Transport: transport, Timeout: DefaultTimeout}
}
