// Package loopback tells this machine from others.
package loopback

import (
	"net"
	"strings"
)

// Host reports whether a host is this machine by itself: localhost, or an address of the loopback. It may have a
// port, as in a Host header or a remote address, and brackets around an address of IPv6. Nothing is resolved: any
// other name may lead anywhere. Capitals make no other name.
func Host(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else if inner, ok := strings.CutPrefix(host, "["); ok && strings.HasSuffix(inner, "]") {
		host = strings.TrimSuffix(inner, "]")
	}
	ip := net.ParseIP(host)
	return strings.ToLower(host) == "localhost" || ip != nil && ip.IsLoopback()
}
