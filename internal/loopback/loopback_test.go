package loopback_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/qredo-go/qredo/internal/loopback"
)

func TestHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST": true, "LocalHost:80": true, "localhost:8080": true, "localhost:": true,
		"127.0.0.1": true, "127.0.0.1:40000": true, "127.8.9.1": true, "127.8.9.1:1": true, "127.0.0.1:": true,
		"::1": true, "[::1]": true, "[::1]:40000": true, "0:0:0:0:0:0:0:1": true, "::ffff:127.0.0.1": true,

		"": false, ":80": false, "@": false, "[]": false, "[": false, "]": false, "[::1": false, "::1]": false, "[[::1]]": false,
		"::1:40000": false, "[::1]40000": false, "localhost:1:2": false, " localhost": false, "LOCALHOST.": false, "LOCALHOST.evil.example": false, "localho\u017ft": false, "localhost.": false,
		"0.0.0.0": false, "::": false, "128.0.0.1": false, "126.255.255.255": false, "192.0.2.7:40000": false,
		"2001:db8::7": false, "[2001:db8::7]:40000": false, "127.1": false, "2130706433": false, "0x7f.0.0.1": false,
		"127.0.0.1.evil.example": false, "localhost.evil.example:80": false, "sub.localhost": false, "evil.example": false,
		"127.0.0.1@evil.example": false, "evil.example:80@127.0.0.1": false, "127.0.0.1/": false,
	} {
		assert.Equal(t, want, loopback.Host(host), "%q", host)
	}
}
