package cli

import (
	"net"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/visible"
)

// serviceHosts are the hosts that programs written for the service have compiled in.
func serviceHosts() []string {
	var hosts []string
	for _, env := range []qredo.Environment{qredo.EnvironmentProduction, qredo.EnvironmentSandbox, qredo.EnvironmentPlay} {
		if u, err := url.Parse(string(env)); err == nil {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts
}

// recipe says how programs that have the service's URL compiled in reach a sandbox with TLS, as shell comments.
func recipe(serverURL, keys string) []string {
	u, err := url.Parse(serverURL)
	if err != nil {
		return nil
	}
	address, port := u.Hostname(), u.Port()
	if ip := net.ParseIP(address); ip == nil || ip.IsUnspecified() {
		address = "127.0.0.1"
	}
	ca := visible.Shell(filepath.Join(keys, "ca.pem"))
	hosts := serviceHosts()
	lines := []string{
		"Programs that have the service's URL compiled in reach this sandbox unchanged. In short (for details, and for ways",
		"without root and without touching /etc/hosts, see docs/foreign-clients.md):",
		"  names  a line for /etc/hosts: " + address + " " + strings.Join(hosts, " "),
	}
	if port != "443" {
		lines = append(lines,
			"  port   they use 443, this is "+port+": serve with --listen "+address+":443 (as root, or once after",
			`         setcap cap_net_bind_service=+ep "$(command -v qredo)"), or redirect:`,
			"         iptables -t nat -A OUTPUT -p tcp -d "+address+" --dport 443 -j REDIRECT --to-ports "+port,
		)
	}
	lines = append(lines,
		"  trust  export SSL_CERT_FILE="+ca+" REQUESTS_CA_BUNDLE="+ca+" NODE_EXTRA_CA_CERTS="+ca,
		"  curl   curl --cacert "+ca+" --connect-to ::"+net.JoinHostPort(address, port)+" https://"+hosts[0]+partnerPath+"/assets",
	)
	for i, line := range lines {
		lines[i] = "# " + plain(line)
	}
	return lines
}
