package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

// patient is what a fault is planted in: a service, and copies of its keys that can be spoilt.
type patient struct {
	*testing.T
	*service
	dir  string
	env  map[string]string
	args []string
}

func (p *patient) file(name string) string { return filepath.Join(p.dir, name) }

func (p *patient) write(name string, data []byte) {
	require.NoError(p, os.WriteFile(p.file(name), data, 0o600))
}

func (p *patient) apiKey() string { return strings.TrimSpace(read(p.T, p.file("apikey"))) }

// private replaces the private key.
func (p *patient) private(kind string, der []byte) {
	p.write("private.pem", pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func (p *patient) base(url string) { p.env["QREDO_BASE_URL"] = url }

// wrapped puts something before the service.
func (p *patient) wrapped(handler http.HandlerFunc) {
	server := httptest.NewServer(handler)
	p.Cleanup(server.Close)
	p.base(server.URL + "/api/v1/p")
}

// answering answers everything in one way.
func (p *patient) answering(status int, contentType, body string) {
	p.wrapped(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Location", "https://elsewhere.example/")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

// quoting answers quotes of fees in one way, and leaves the rest to the sandbox.
func (p *patient) quoting(status int, body string) {
	p.wrapped(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/fees") {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
			return
		}
		p.sandbox.ServeHTTP(w, r)
	})
}

// secure serves the sandbox with a certificate.
func (p *patient) secure(change func(*x509.Certificate), trust bool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(p, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(p, err)
	server := httptest.NewUnstartedServer(p.sandbox)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	server.StartTLS()
	p.Cleanup(server.Close)
	p.base(server.URL + "/api/v1/p")
	if trust {
		p.write("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
		p.env["QREDO_CA_FILE"] = p.file("ca.pem")
	}
}

func rsaKey(p *patient, bits int) *rsa.PrivateKey {
	p.Setenv("GODEBUG", "rsa1024min=0")
	var key *rsa.PrivateKey
	fips140.WithoutEnforcement(func() { // which takes none that are too short
		var err error
		key, err = rsa.GenerateKey(rand.Reader, bits)
		require.NoError(p, err)
	})
	return key
}

func encodeKey(fields string) []byte {
	return []byte(base64.RawURLEncoding.EncodeToString([]byte(fields)))
}

// plantedFaults are what can be wrong, one at a time, and what the doctor must call it.
var plantedFaults = []struct {
	code  string
	plant func(p *patient)
}{
	{"api-key-missing", func(p *patient) { delete(p.env, "QREDO_API_KEY_FILE") }},
	{"api-key-missing", func(p *patient) { p.env["QREDO_API_KEY_FILE"] = p.file("nothing") }},
	{"api-key-empty", func(p *patient) { p.write("apikey", []byte("\n\n")) }},
	{"api-key-white-space", func(p *patient) { p.write("apikey", []byte(p.apiKey()[:20]+"\n"+p.apiKey()[20:]+"\n")) }},
	{"api-key-quotes", func(p *patient) { p.write("apikey", []byte(`"`+p.apiKey()+`"`)) }},
	{"api-key-encoding", func(p *patient) { p.write("apikey", []byte("this-is-not!base64url")) }},
	{"api-key-content", func(p *patient) { p.write("apikey", encodeKey(`{"id":"x"}`)) }},
	{"api-key-content", func(p *patient) { p.write("apikey", []byte(p.apiKey()[:40])) }},
	{"api-key-unknown", func(p *patient) { p.write("apikey", encodeKey(`{"key_id":"a","key":"b","sandbox":true}`)) }},
	{"environment", func(p *patient) {
		p.base("https://api.qredo.network/api/v1/p")
		p.env["HTTPS_PROXY"] = "http://127.0.0.1:1"
	}},
	{"private-key-missing", func(p *patient) { delete(p.env, "QREDO_PRIVATE_KEY_FILE") }},
	{"private-key-format", func(p *patient) { p.write("private.pem", []byte("ssh-rsa AAAA")) }},
	{"private-key-der", func(p *patient) {
		block, _ := pem.Decode([]byte(read(p.T, p.file("private.pem"))))
		p.write("private.pem", block.Bytes)
	}},
	{"private-key-damaged", func(p *patient) { p.write("private.pem", []byte(read(p.T, p.file("private.pem"))[:400])) }},
	{"private-key-damaged", func(p *patient) { p.private("RSA PRIVATE KEY", []byte("nothing")) }},
	{"private-key-is-public", func(p *patient) { p.write("private.pem", []byte(read(p.T, p.file("public.pem")))) }},
	{"private-key-is-certificate", func(p *patient) { p.private("CERTIFICATE", []byte("x")) }},
	{"private-key-encrypted", func(p *patient) { p.private("ENCRYPTED PRIVATE KEY", []byte("x")) }},
	{"private-key-openssh", func(p *patient) { p.private("OPENSSH PRIVATE KEY", []byte("x")) }},
	{"private-key-not-rsa", func(p *patient) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(p, err)
		der, err := x509.MarshalECPrivateKey(key)
		require.NoError(p, err)
		p.private("EC PRIVATE KEY", der)
	}},
	{"private-key-not-rsa", func(p *patient) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(p, err)
		der, err := x509.MarshalPKCS8PrivateKey(key)
		require.NoError(p, err)
		p.private("PRIVATE KEY", der)
	}},
	{"private-key-size", func(p *patient) { p.private("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey(p, 1024))) }},
	{"private-key-permissions", func(p *patient) { require.NoError(p, os.Chmod(p.file("private.pem"), 0o644)) }},
	{"key-pair", func(p *patient) { p.private("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey(p, 2048))) }},
	{"signed-key", func(p *patient) { // the API key and the private key of different pairs
		p.private("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey(p, 2048)))
		require.NoError(p, os.Remove(p.file("public.pem")))
	}},
	{"public-key-format", func(p *patient) { p.write("public.pem", []byte("none")) }},
	{"public-key-missing", func(p *patient) { p.args = []string{"--public-key", p.file("nothing")} }},
	{"base-url-missing", func(p *patient) { delete(p.env, "QREDO_BASE_URL") }},
	{"base-url-syntax", func(p *patient) { p.base("127.0.0.1") }},
	{"base-url-syntax", func(p *patient) { p.base(p.url + "/api/v1/p?x=1") }},
	{"base-url-scheme", func(p *patient) { p.base("wss://127.0.0.1/api/v1/p") }},
	{"base-url-plain-http", func(p *patient) { p.base("http://api.example/api/v1/p") }},
	{"base-url-path", func(p *patient) { p.base(p.url) }},
	{"base-url-path", func(p *patient) { p.base(p.url + "/api/v1/p/company") }},
	{"base-url-other-api", func(p *patient) { p.base(p.url + "/qapi/v1") }},
	{"unreachable", func(p *patient) { p.base("http://127.0.0.1:1/api/v1/p") }},
	{"dns", func(p *patient) { p.base("https://nowhere.invalid/api/v1/p") }},
	{"proxy", func(p *patient) { p.base("https://api.example/api/v1/p"); p.env["HTTPS_PROXY"] = "http://127.0.0.1:1" }},
	{"proxy-unreachable", func(p *patient) { p.base("https://api.example/api/v1/p"); p.env["HTTPS_PROXY"] = "http://127.0.0.1:1" }},
	{"tls-authority", func(p *patient) { p.secure(func(*x509.Certificate) {}, false) }},
	{"tls-expired", func(p *patient) {
		p.secure(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }, true)
	}},
	{"tls-name", func(p *patient) {
		p.secure(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(10, 0, 0, 1)} }, true)
	}},
	{"tls-not-spoken", func(p *patient) { p.base(strings.Replace(p.url, "http:", "https:", 1) + "/api/v1/p") }},
	{"tls-needed", func(p *patient) {
		p.secure(func(*x509.Certificate) {}, true)
		p.base(strings.Replace(p.env["QREDO_BASE_URL"], "https:", "http:", 1))
	}},
	{"signer", func(p *patient) { p.env["QREDO_SIGNER"] = "fast" }},
	{"ca-file", func(p *patient) { p.env["QREDO_CA_FILE"] = p.file("private.pem") }},
	{"permission", func(p *patient) {
		p.answering(http.StatusForbidden, "application/json", `{"code":403,"msg":"Forbidden","detail":{"reason":"no"}}`)
	}},
	{"redirect", func(p *patient) { p.answering(http.StatusFound, "text/html", "moved") }},
	{"not-the-api", func(p *patient) { p.answering(http.StatusOK, "text/html", "<html>Welcome</html>") }},
	{"service", func(p *patient) { p.answering(http.StatusBadGateway, "text/html", "<html>502</html>") }},
	{"not-authenticated", func(p *patient) {
		p.answering(http.StatusUnauthorized, "application/json", `{"code":401,"msg":"Unauthorized","detail":{"reason":"empty token"}}`)
	}},
	{"signed-url", func(p *patient) { // a proxy in front changes the host that the server sees
		p.wrapped(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, "/sandbox") {
				r.Host = "internal.example"
			}
			p.sandbox.ServeHTTP(w, r)
		})
	}},
}

// TestDoctor plants faults one at a time. The doctor must name each, say what to do, and call nothing else that
// is fine a fault of the keys.
func TestDoctor(t *testing.T) {
	healthy := serve(t, nil)
	codes := map[string]bool{}
	for _, c := range plantedFaults {
		t.Run(c.code, func(t *testing.T) {
			findings := examine(t, healthy, c.plant)
			assertFound(t, findings, c.code)
			codes[c.code] = true
		})
	}
	for name, off := range map[string]time.Duration{"clock ahead": time.Hour, "clock behind": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, nil, sandbox.WithClock(func() time.Time { return time.Now().Add(off) }))
			assertFound(t, examine(t, s, func(*patient) {}), "clock")
			codes["clock"] = true
		})
	}
	for name, plant := range map[string]func(*patient){
		"nothing":            func(*patient) {},
		"the other base URL": func(p *patient) { p.base(p.url + "/qapi/v1/p") },
	} {
		t.Run(name, func(t *testing.T) {
			for _, f := range examine(t, healthy, plant) {
				assert.Equal(t, "ok", f.Status, f.Code+": "+f.Finding)
			}
		})
	}
	assert.GreaterOrEqual(t, len(codes), 12)
	t.Logf("%d faults planted, of %d kinds", len(plantedFaults)+2, len(codes))
}

// TestDoctorTellsWhatAmountsMean: a quote of fees says whether a service takes amounts net or gross.
func TestDoctorTellsWhatAmountsMean(t *testing.T) {
	net := serve(t, nil)
	free := serve(t, nil, sandbox.WithFees(sandbox.NoFees))
	const cannotTell = "cannot tell whether the amount in a request is what arrives: "
	for name, test := range map[string]struct {
		service  *service
		plant    func(*patient)
		status   string
		findings string // a part of it
	}{
		"net": {net, func(*patient) {}, "ok", "is what arrives, and fees come on top: for 200000 "},
		"gross": {net, func(p *patient) { p.quoting(200, `{"netAmount":199800,"amountToSend":200000,"fees":200}`) },
			"warning", "is what leaves the wallet, and fees are taken out of it: of 200000 "},
		"gross, in text": {net, func(p *patient) { p.quoting(200, `{"netAmount":"199800","amountToSend":"200000","fees":"200"}`) },
			"warning", "is what leaves the wallet"},
		"free": {free, func(*patient) {}, "warning", cannotTell + "a withdrawal of "},
		"free, another service": {net, func(p *patient) { p.quoting(200, `{"netAmount":200000,"amountToSend":200000,"fees":0}`) },
			"warning", cannotTell + "a withdrawal of "},
		"another amount": {net, func(p *patient) { p.quoting(200, `{"netAmount":1000,"amountToSend":1001,"fees":1}`) },
			"warning", cannotTell + "asked about 200000 "},
		"a wrong sum": {net, func(p *patient) { p.quoting(200, `{"netAmount":200000,"amountToSend":200000,"fees":200}`) },
			"warning", "does not add up: netAmount 200000, fees 200, amountToSend 200000"},
		"a negative fee": {net, func(p *patient) { p.quoting(200, `{"netAmount":200000,"amountToSend":199800,"fees":-200}`) },
			"warning", "does not add up"},
		"decimals":       {net, func(p *patient) { p.quoting(200, `{"netAmount":0.5,"amountToSend":1,"fees":0.5}`) }, "warning", cannotTell},
		"nothing":        {net, func(p *patient) { p.quoting(200, ``) }, "warning", cannotTell},
		"no such call":   {net, func(p *patient) { p.quoting(404, `{"code":404,"msg":"Not Found"}`) }, "warning", cannotTell},
		"a service down": {net, func(p *patient) { p.quoting(503, `<html>`) }, "warning", cannotTell},
		"no assets": {net, func(p *patient) {
			p.answering(http.StatusOK, "application/json", `{"assets":[]}`)
		}, "warning", cannotTell + "the service has no assets"},
	} {
		t.Run(name, func(t *testing.T) {
			told := 0
			for _, f := range examine(t, test.service, test.plant) { // and it is no fault: the exit code is 0
				if f.Code == "amounts" {
					told++
					assert.Equal(t, test.status, f.Status)
					assert.Contains(t, f.Finding, test.findings)
					assert.Equal(t, f.Status == "ok", f.Remedy == "", "a remedy is for what is not right")
				}
			}
			assert.Equal(t, 1, told)
		})
	}
}

// found is a finding as it is printed.
type found struct {
	Code    string `json:"code"`
	Status  string `json:"status"`
	Finding string `json:"finding"`
	Remedy  string `json:"remedy"`
}

func assertFound(t *testing.T, findings []found, code string) {
	t.Helper()
	for _, f := range findings {
		if f.Code == code && f.Status != "ok" {
			assert.NotEmpty(t, f.Remedy, "each finding has a remedy")
			return
		}
	}
	t.Errorf("%s is not found, but: %v", code, findings)
}

// examine plants a fault and runs the doctor. Whatever is wrong, it prints no secret.
func examine(t *testing.T, s *service, plant func(*patient)) []found {
	t.Helper()
	p := &patient{T: t, service: s, dir: t.TempDir(), env: map[string]string{}}
	for _, name := range []string{"apikey", "private.pem", "public.pem"} {
		p.write(name, []byte(read(t, filepath.Join(s.keys, name))))
	}
	p.env["QREDO_API_KEY_FILE"], p.env["QREDO_PRIVATE_KEY_FILE"] = p.file("apikey"), p.file("private.pem")
	p.base(s.url + "/api/v1/p")
	apiKey, private := p.apiKey(), read(t, p.file("private.pem"))
	plant(p)
	var env []string
	for name, value := range p.env {
		env = append(env, name+"="+value)
	}
	cmd := qredoCommand(t, env, append([]string{"doctor", "--output", "json"}, p.args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, runErr := cmd.Output()
	all := string(out) + stderr.String()
	assert.NotContains(t, all, apiKey)
	for line := range strings.SplitSeq(private, "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "---") {
			assert.NotContains(t, all, line)
		}
	}
	var findings []found
	faults := 0
	for line := range strings.SplitSeq(strings.TrimSpace(string(out)), "\n") {
		var f found
		require.NoError(t, json.Unmarshal([]byte(line), &f), all)
		findings = append(findings, f)
		if f.Status == "fault" {
			faults++
		}
	}
	assert.Equal(t, faults > 0, runErr != nil, "a fault is exit code 1: %s", all)
	return findings
}
