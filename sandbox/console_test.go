package sandbox_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

// browser is what a person opens the console with.
type browser struct {
	*http.Client
	t    *testing.T
	base string
}

func newBrowser(t *testing.T, srv *sandbox.Server) browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return browser{&http.Client{Jar: jar}, t, srv.URL()}
}

// enter is a browser in which the console's URL was opened.
func enter(t *testing.T, srv *sandbox.Server) browser {
	t.Helper()
	b := newBrowser(t, srv)
	assert.Equal(t, http.StatusOK, b.get(srv.ConsoleURL()).StatusCode)
	return b
}

func (b browser) get(target string) shown { return b.send("GET", target, "", nil) }

// send makes a request, to a path or a whole URL. Headers are names and values by turns; Host is the host.
func (b browser) send(method, target, body string, headers []string) shown {
	b.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = b.base + target
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, target, strings.NewReader(body))
	require.NoError(b.t, err)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	resp, err := b.Do(req)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { resp.Body.Close() })
	return shown{resp.StatusCode, resp.Header, resp.Body}
}

// shown is what a browser is answered. The body is closed at the end of the test.
type shown struct {
	StatusCode int
	Header     http.Header
	Body       io.Reader
}

func bodyOf(t *testing.T, resp shown) string {
	t.Helper()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(data)
}

func TestConsoleLetsInWhoHasItsURL(t *testing.T) {
	srv := startServer(t)
	b := newBrowser(t, srv)
	assert.Regexp(t, "^"+regexp.QuoteMeta(srv.URL())+`/console/\?token=\w{26}$`, srv.ConsoleURL())
	for _, target := range []string{"/console/", "/console", "/console/index.html"} {
		resp := b.get(target)
		assert.GreaterOrEqual(t, resp.StatusCode, 401, target)
		assert.Empty(t, resp.Header.Get("Set-Cookie"))
	}
	assert.Contains(t, bodyOf(t, b.get("/console/")), "To get in")
	for _, token := range []string{"", "x", strings.Repeat("A", 26), strings.ToLower(srv.ConsoleURL()[len(srv.ConsoleURL())-26:]), "%zz"} {
		resp := b.get("/console/?token=" + token)
		assert.GreaterOrEqual(t, resp.StatusCode, 401, token)
		assert.Empty(t, resp.Header.Get("Set-Cookie"))
	}
	assert.Equal(t, http.StatusUnauthorized, b.get("/console/api/state").StatusCode)

	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp := b.get(srv.ConsoleURL())
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
	assert.Equal(t, "/console/", resp.Header.Get("Location"), "the token leaves the address bar")
	set := resp.Header.Get("Set-Cookie")
	_, port, err := net.SplitHostPort(strings.TrimPrefix(srv.URL(), "http://"))
	require.NoError(t, err)
	assert.Regexp(t, "^qredo-sandbox-"+port+`=\w+; Path=/console/; HttpOnly; SameSite=Strict$`, set)
	_, token, _ := strings.Cut(srv.ConsoleURL(), "token=")
	assert.NotContains(t, set, token)
	resp = b.get("/console/")
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
	resp = b.get("/console/api/state")
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
	assert.Contains(t, bodyOf(t, resp), `"transactions":0`)

	other := startServer(t)
	assert.NotEqual(t, token, strings.SplitAfter(other.ConsoleURL(), "token=")[1])
	stranger := newBrowser(t, other)
	assert.Equal(t, http.StatusForbidden, stranger.get("/console/?token="+token).StatusCode)
	name, value, _ := strings.Cut(strings.Split(set, ";")[0], "=")
	assert.Equal(t, http.StatusUnauthorized, stranger.send("GET", "/console/api/state", "", []string{"Cookie", name + "=" + value}).StatusCode, "another sandbox's cookie")
	for _, cookie := range []string{name + "=", name + "=" + token, name + "=" + value[:len(value)-1], name + "=" + value + "x", "x=" + value} {
		assert.Equal(t, http.StatusUnauthorized, newBrowser(t, srv).send("GET", "/console/api/state", "", []string{"Cookie", cookie}).StatusCode, cookie)
	}
}

func TestConsoleCanBeLeftOut(t *testing.T) {
	srv := startServer(t, sandbox.WithoutConsole())
	assert.Empty(t, srv.ConsoleURL())
	assert.Equal(t, http.StatusUnauthorized, newBrowser(t, srv).get("/console/").StatusCode, "as any path that there is not")
}

func TestConsoleProtectsItsPage(t *testing.T) {
	srv := startServer(t)
	for _, resp := range []shown{newBrowser(t, srv).get("/console/"), enter(t, srv).get("/console/"), enter(t, srv).get("/console/nothing.js"), enter(t, srv).get("/console/api/state")} {
		policy := resp.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
			assert.Contains(t, policy, part)
		}
		assert.NotContains(t, policy, "unsafe")
		for name, value := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY", "Access-Control-Allow-Origin": "",
		} {
			assert.Equal(t, value, resp.Header.Get(name), name)
		}
	}
}

// TestConsoleTakesNothingFromOtherPages has the session's cookie in every case, as a browser would send it.
func TestConsoleTakesNothingFromOtherPages(t *testing.T) {
	srv := startServer(t)
	b := enter(t, srv)
	own, host := srv.URL(), strings.TrimPrefix(srv.URL(), "http://")
	_, port, err := net.SplitHostPort(host)
	require.NoError(t, err)
	for _, c := range []struct {
		name, method string
		headers      []string
		status       int
	}{
		{"own page", "POST", []string{"Origin", own, "Sec-Fetch-Site", "same-origin"}, 200},
		{"own page, older browser", "POST", []string{"Origin", own}, 200},
		{"own page without an origin", "POST", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"own page under its other name", "POST", []string{"Host", "localhost:" + port, "Origin", "http://localhost:" + port}, 200},
		{"no origin", "POST", nil, 403},
		{"other origin", "POST", []string{"Origin", "https://evil.example"}, 403},
		{"origin null", "POST", []string{"Origin", "null"}, 403},
		{"empty origin", "POST", []string{"Origin", ""}, 403},
		{"other port", "POST", []string{"Origin", "http://127.0.0.1:1"}, 403},
		{"other scheme", "POST", []string{"Origin", "https://" + host}, 403},
		{"other loopback name", "POST", []string{"Origin", "http://localhost:" + port}, 403},
		{"origin that begins alike", "POST", []string{"Origin", own + ".evil.example"}, 403},
		{"two origins", "POST", []string{"Origin", own, "Origin", "https://evil.example"}, 403},
		{"rebinding", "POST", []string{"Host", "evil.example:" + port, "Origin", "http://evil.example:" + port, "Sec-Fetch-Site", "same-origin"}, 403},
		{"rebinding, reading", "GET", []string{"Host", "evil.example:" + port}, 403},
		{"host with another port", "GET", []string{"Host", "127.0.0.1:1"}, 403},
		{"host without a port", "GET", []string{"Host", "127.0.0.1"}, 403},
		{"form of another page", "POST", []string{"Content-Type", "text/plain", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, 403},
		{"form without an origin", "POST", []string{"Content-Type", "text/plain", "Sec-Fetch-Site", "cross-site"}, 403},
		{"same site, other port", "POST", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"typed, to change", "POST", []string{"Sec-Fetch-Site", "none"}, 403},
		{"reading from another page", "GET", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "script"}, 403},
		{"reading by a link", "GET", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 403},
		{"reading with another origin", "GET", []string{"Origin", "https://evil.example"}, 403},
		{"reading, typed", "GET", []string{"Sec-Fetch-Site", "none"}, 200},
		{"forwarded", "POST", []string{"Origin", own, "X-Forwarded-For", "127.0.0.1"}, 403},
		{"forwarded, standard", "POST", []string{"Origin", own, "Forwarded", "for=127.0.0.1"}, 403},
		{"by a proxy", "GET", []string{"Via", "1.1 proxy"}, 403},
		{"override of the method", "GET", []string{"X-HTTP-Method-Override", "POST"}, 404},
		{"preflight", "OPTIONS", []string{"Origin", "https://evil.example", "Access-Control-Request-Method", "POST"}, 403},
		{"options", "OPTIONS", []string{"Origin", own}, 404},
		{"head", "HEAD", nil, 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := "/console/api/reset"
			if c.method == "GET" && c.status != http.StatusNotFound {
				path = "/console/api/state"
			}
			headers := c.headers
			if strings.Contains(fmt.Sprint(headers), "Host") { // the jar has it for the other name
				headers = append(headers, "Cookie", cookieOf(t, b, srv))
			}
			resp := b.send(c.method, path, "", headers)
			assert.Equal(t, c.status, resp.StatusCode)
			assert.Empty(t, resp.Header.Get("Access-Control-Allow-Origin"))
			if c.status == http.StatusForbidden {
				assert.Contains(t, bodyOf(t, resp), `"reason"`)
			}
		})
	}
	t.Run("page", func(t *testing.T) {
		link := []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}
		assert.Equal(t, http.StatusOK, b.send("GET", "/console/", "", link).StatusCode)
		link[5] = "iframe"
		assert.Equal(t, http.StatusForbidden, b.send("GET", "/console/", "", link).StatusCode)
		assert.Equal(t, http.StatusForbidden, b.send("POST", "/console/", "", nil).StatusCode)
		assert.Equal(t, http.StatusMethodNotAllowed, b.send("POST", "/console/", "", []string{"Origin", own}).StatusCode)
		assert.Equal(t, http.StatusForbidden, b.send("GET", "/console/", "", []string{"Host", "evil.example"}).StatusCode)
	})
}

func cookieOf(t *testing.T, b browser, srv *sandbox.Server) string {
	t.Helper()
	u, err := url.Parse(srv.URL() + "/console/")
	require.NoError(t, err)
	cookies := b.Jar.Cookies(u)
	require.Len(t, cookies, 1)
	return cookies[0].String()
}

// TestControlCallsKeepTheirOwnDoor shows that the console's session opens nothing but the console.
func TestControlCallsKeepTheirOwnDoor(t *testing.T) {
	srv := startServer(t)
	b := enter(t, srv)
	cookie := cookieOf(t, b, srv)
	for _, path := range []string{
		"/console/../sandbox/v1/state", "/console/%2e%2e/sandbox/v1/state", "/console//sandbox/v1/state", "/console/api/../../sandbox/v1/state",
		"/console%2fapi/state", "/console/api%2fstate", "/console/API/state", "/console/api//state", "/console/api/state/", "/console/..%2fsandbox/v1/state",
		"/console/page/index.html", "/console/assets.go", "/console/%00", "/console/\\..\\..\\etc/passwd",
	} {
		status := raw(t, srv, "GET "+path+" HTTP/1.1\r\nHost: "+strings.TrimPrefix(srv.URL(), "http://")+"\r\nCookie: "+cookie+"\r\n\r\n")
		assert.GreaterOrEqual(t, status, 400, path)
	}
	host := strings.TrimPrefix(srv.URL(), "http://")
	assert.Equal(t, 200, raw(t, srv, "GET /console/api/state HTTP/1.1\r\nHost: "+host+"\r\nCookie: "+cookie+"\r\n\r\n"))
	assert.Equal(t, 400, raw(t, srv, "GET /console/api/state HTTP/1.1\r\nHost: "+host+"\r\nHost: evil.example\r\nCookie: "+cookie+"\r\n\r\n"))
	assert.Equal(t, 403, raw(t, srv, "GET /console/api/state HTTP/1.0\r\nCookie: "+cookie+"\r\n\r\n"), "no host")
	assert.Equal(t, 403, raw(t, srv, "GET http://evil.example/console/api/state HTTP/1.1\r\nHost: "+host+"\r\nCookie: "+cookie+"\r\n\r\n"))
	assert.Equal(t, 400, raw(t, srv, "GET /console/api/state?"+strings.Repeat("x=1&", 200_000)+" HTTP/1.1\r\nHost: "+host+"\r\nCookie: "+cookie+"\r\n\r\n")/100*100)
	assert.Equal(t, 403, raw(t, srv, "POST /sandbox/v1/reset HTTP/1.1\r\nHost: "+host+"\r\nOrigin: "+srv.URL()+"\r\nCookie: "+cookie+"\r\nContent-Length: 0\r\n\r\n"))
}

// raw sends a request as it stands, and returns the status.
func raw(t *testing.T, srv *sandbox.Server, request string) int {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(srv.URL(), "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	go func() { _, _ = io.WriteString(conn, request) }() // what is refused early is not read to its end
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	return resp.StatusCode
}

func startServer(t *testing.T, opts ...sandbox.Option) *sandbox.Server {
	t.Helper()
	srv, err := sandbox.Start(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { srv.Close() })
	return srv
}

// Who may make control calls finds the console by one.
func TestConsoleIsFoundByControl(t *testing.T) {
	srv, err := sandbox.Start()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, srv.Close()) })
	found, err := srv.Control().ConsoleURL(t.Context())
	require.NoError(t, err)
	assert.Equal(t, srv.ConsoleURL(), found)
	assert.Equal(t, http.StatusOK, newBrowser(t, srv).get(found).StatusCode)

	none, err := sandbox.Start(sandbox.WithoutConsole())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, none.Close()) })
	_, err = none.Control().ConsoleURL(t.Context())
	var refused *sandbox.ControlError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, http.StatusNotFound, refused.Status)
}
