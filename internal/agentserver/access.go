package agentserver

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/qredo-go/qredo/internal/durable"
	"github.com/qredo-go/qredo/internal/loopback"
)

// access says who may use the local API, and where.
type access struct {
	address   string
	tls       *tls.Config // nil without TLS
	tokenHash []byte      // of the bearer token; empty if none is needed
	origins   []string    // of browser pages that may use it
	hosts     []string    // names that a request's Host may have, besides this machine's
}

var errAddr = errors.New("http.addr must be an address and a port, such as 127.0.0.1:8007")

func newAccess(c *Config, o Options) (a access, err error) {
	host, _, err := net.SplitHostPort(c.HTTP.Addr)
	if err != nil {
		return a, errAddr
	}
	a.hosts = append(slices.Clone(c.HTTP.AllowHosts), host)
	a.origins = slices.DeleteFunc(slices.Clone(c.HTTP.CORSAllowOrigins), func(o string) bool { return o == "*" || o == "" })
	a.address, _ = c.Listen(o.InsecureListen)
	if c.HTTP.TokenFile != "" {
		token, err := tokenOf(c.HTTP.TokenFile, o.InsecureFiles)
		if err != nil {
			return a, fmt.Errorf("http.tokenFile: %w", err)
		}
		sum := sha256.Sum256([]byte(token))
		a.tokenHash = sum[:]
	}
	if c.HTTP.TLS.Enabled {
		if a.tls, err = tlsOf(c.HTTP.TLS); err != nil {
			return a, fmt.Errorf("http.TLS: %w", err)
		}
	}
	return a, nil
}

// Listen returns the address to listen on. Beyond this machine that is the configured one only if callers must prove who they are, or need not
// on purpose (insecure). Moved reports that it is not.
func (c *Config) Listen(insecure bool) (address string, moved bool) {
	_, port, err := net.SplitHostPort(c.HTTP.Addr)
	if err != nil || insecure || c.proves() || loopback.Host(c.HTTP.Addr) {
		return c.HTTP.Addr, false
	}
	return net.JoinHostPort("127.0.0.1", port), true
}

// proves reports whether callers must authenticate.
func (c *Config) proves() bool { return c.HTTP.TokenFile != "" || c.HTTP.TLS.ClientCAFile != "" }

const shortestToken = 16

// tokenOf reads the token from a file, and creates the file if it does not exist. Nobody else may be able to read it,
// unless insecure is set.
func tokenOf(path string, insecure bool) (string, error) {
	err := durable.Create(path, []byte(rand.Text()+rand.Text()+"\n"))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	if err := durable.CheckPrivate(path); err != nil && !insecure {
		return "", err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(data))
	if len(token) < shortestToken {
		return "", fmt.Errorf("%s must hold a token of %d characters or more", path, shortestToken)
	}
	return token, nil
}

func tlsOf(c TLS) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if c.ClientCAFile == "" {
		return config, nil
	}
	data, err := os.ReadFile(c.ClientCAFile)
	if err != nil {
		return nil, err
	}
	config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !config.ClientCAs.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", c.ClientCAFile)
	}
	return config, nil
}

// Differences says what is not as the old program did it with this configuration, for people to read at the start.
func (c *Config) Differences(insecure, rules bool) (told []string) {
	tell := func(when bool, text string, args ...any) {
		if when {
			told = append(told, fmt.Sprintf(text, args...))
		}
	}
	address, moved := c.Listen(insecure)
	tell(moved, "http.addr is %s, but callers do not have to authenticate: anyone who can reach it could approve payments. So it listens on %s instead. "+
		"To listen as configured, set http.tokenFile (--token-file), http.TLS.clientCAFile (--client-ca), or give --insecure-listen", c.HTTP.Addr, address)
	beyond := !moved && !loopback.Host(c.HTTP.Addr)
	tell(beyond && !c.proves(), "--insecure-listen: whoever can reach %s can approve and reject", c.HTTP.Addr)
	tell(beyond && c.HTTP.TokenFile != "" && !c.HTTP.TLS.Enabled, "http.TLS.enabled is false: whoever can read the network to %s can read the token", c.HTTP.Addr)
	tell(slices.Contains(c.HTTP.CORSAllowOrigins, "*"), "http.CORSAllowOrigins contains *, which is ignored: name the origins whose pages may use this API")
	tell(c.AutoApproval.Enabled && !rules, "autoApproval.enabled: EVERYTHING that is asked of this agent is approved, whatever it moves and to whom. "+
		"Rules in a file decide better: --rules FILE (see qredo agent test, and qredo agent run --help)")
	tell(c.AutoApproval.Enabled && rules, "autoApproval.enabled is ignored: the rules decide")
	tell(c.LoadBalancing.Enable, "agents share decisions in Redis in a format of their own: do not run the old program with the same identity at the same time")
	return told
}
