package main

import (
	"strings"
	"testing"
)

// Settings of whoever runs it change no file of a release.
func TestSettingsOfTheEnvironmentAreLeftOut(t *testing.T) {
	for name, value := range map[string]string{
		"GOFLAGS": "-tags=other", "GOAMD64": "v3", "GOARM64": "v9.0", "GOEXPERIMENT": "none", "CGO_ENABLED": "1", "GOOS": "linux", "GOFIPS140": "latest",
		"GODEBUG": "fips140=off", "QREDO_BASE_URL": "http://127.0.0.1:1", "GOPRIVATE": "example.com/here", "TZ": "Asia/Kolkata",
	} {
		t.Setenv(name, value)
	}
	e, err := newEnvironment(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"GOAMD64", "GOARM64", "GOEXPERIMENT", "GOOS", "GOFIPS140", "GODEBUG", "QREDO_BASE_URL"} {
		if value, ok := e[name]; ok {
			t.Errorf("%s is %q", name, value)
		}
	}
	if e["GOFLAGS"] != "" || e["CGO_ENABLED"] != "0" || e["TZ"] != "UTC" || e["GOENV"] != "off" {
		t.Errorf("GOFLAGS %q, CGO_ENABLED %q, TZ %q, GOENV %q", e["GOFLAGS"], e["CGO_ENABLED"], e["TZ"], e["GOENV"])
	}
	if e["GOPRIVATE"] != "example.com/here" || e["GOMODCACHE"] == "" {
		t.Errorf("where modules come from is not kept: %q, %q", e["GOPRIVATE"], e["GOMODCACHE"])
	}
	seen, err := e.on("windows/amd64").text(t.Context(), ".", "go", "env", "GOOS", "GOARCH", "GOFLAGS", "GOAMD64", "CGO_ENABLED")
	if err != nil {
		t.Fatal(err)
	}
	if strings.ReplaceAll(seen, "\n", " ") != "windows amd64  v1 0" {
		t.Errorf("the go command has %q", seen)
	}
}
