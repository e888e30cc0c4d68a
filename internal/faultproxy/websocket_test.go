package faultproxy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/clienttest"
)

// A frame is read back as it was written, whatever its length.
func TestFrames(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 125, 126, 127, 65535, 65536, 70000} {
		for _, mask := range [][]byte{nil, {1, 2, 3, 4}} {
			f := frame{head: fin | opBinary, mask: mask, payload: bytes.Repeat([]byte("x"), n)}
			read, err := readFrame(bufio.NewReader(bytes.NewReader(f.encode())))
			require.NoError(t, err)
			assert.Equal(t, f, read)
			if n > 0 {
				_, err = readFrame(bufio.NewReader(bytes.NewReader(f.encode()[:len(f.encode())-1])))
				require.Error(t, err)
			}
		}
	}
	_, err := readFrame(bufio.NewReader(bytes.NewReader([]byte{fin | opText, 127, 0x7f, 255, 255, 255, 255, 255, 255, 255})))
	require.ErrorContains(t, err, "too large")
}

// news sends messages until the client has had enough, and answers pings. It sends the next when it is asked for.
func news(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/refused" {
		http.Error(w, "no", http.StatusForbidden)
		return
	}
	c, err := clienttest.AcceptWebSocket(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = c.CloseNow() }()
	for n := 1; ; n++ {
		if c.Write(r.Context(), websocket.MessageText, fmt.Appendf(nil, "message %d", n)) != nil {
			return
		}
		if _, _, err := c.Read(r.Context()); err != nil {
			return
		}
	}
}

// listener is a client of a WebSocket behind a proxy.
type listener struct {
	*Proxy
	*websocket.Conn
	res *http.Response
	ctx context.Context
}

func listen(t *testing.T, config Config, path string) (*listener, error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(news))
	t.Cleanup(server.Close)
	config.Backend = server.URL
	p, err := Start(config)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	transport := &http.Transport{}
	if config.TLS {
		transport.TLSClientConfig = clientTLS(p)
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	c, res, err := clienttest.DialWebSocket( //nolint:bodyclose // the library has closed it, or it is the socket
		ctx, p.URL()+path, &websocket.DialOptions{HTTPClient: client})
	l := &listener{Proxy: p, Conn: c, res: res, ctx: ctx}
	if err == nil {
		t.Cleanup(func() { _ = c.CloseNow() })
	}
	return l, err
}

// next reads a message and asks for another.
func (l *listener) next() (string, error) {
	_, message, err := l.Read(l.ctx)
	if err == nil {
		err = l.Write(l.ctx, websocket.MessageText, []byte("next"))
	}
	return string(message), err
}

func TestSocketsPass(t *testing.T) {
	t.Parallel()
	for _, f := range []Fault{{}, Fragmented(1), Fragmented(7), SlowFrames(time.Millisecond), Unsolicited(5), PingsUnanswered, Binary} {
		for _, tls := range []bool{false, true} {
			l, err := listen(t, Config{TLS: tls, Plan: once(f)}, "/")
			require.NoError(t, err)
			for n := 1; n <= 2; n++ {
				message, err := l.next()
				require.NoError(t, err, f.Name)
				assert.Equal(t, fmt.Sprintf("message %d", n), message)
			}
			_, _, err = l.Read(l.ctx) // and no other is asked for
			require.NoError(t, err, f.Name)
			wait := patience
			if f.Name == PingsUnanswered.Name {
				wait = 100 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(l.ctx, wait)
			ctx = l.CloseRead(ctx)
			err = l.Ping(ctx)
			assert.Equal(t, f.Name == PingsUnanswered.Name, err != nil, "%s: %v", f.Name, err)
			cancel()
			records := l.Records()
			require.Len(t, records, 1)
			assert.Equal(t, []any{WebSocket, 101, true}, []any{records[0].Layer, records[0].Answered, records[0].Complete})
			assert.Equal(t, []Delivery{{Status: 101}}, records[0].Deliveries)
		}
	}
}

func TestSocketsEnd(t *testing.T) {
	t.Parallel()
	for f, want := range map[*Fault]string{
		ref(ResetMidFrame(2)): "reset", ref(CutFrame(2, 5)): "EOF", ref(CutFrame(2, 1)): "EOF", ref(Endless(1)): "read limited at 32769 bytes", ref(Endless(1 << 16)): "read limited at 32769 bytes",
		ref(ClosedWith(1012, "going", 2)): `status = StatusServiceRestart and reason = "going"`, ref(ClosedWith(0, "", 2)): "status = StatusNoStatusRcvd", ref(ClosedWith(999, "", 2)): "999",
	} {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			l, err := listen(t, Config{Plan: once(*f)}, "/")
			require.NoError(t, err)
			for range 2 {
				if _, err = l.next(); err != nil {
					break
				}
			}
			require.ErrorContains(t, err, want)
		})
	}
}

func TestInvalidFrames(t *testing.T) {
	t.Parallel()
	for i, f := range InvalidFrames {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			l, err := listen(t, Config{Plan: once(f)}, "/")
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(l.ctx, patience/4)
			defer cancel()
			_, message, err := l.Read(ctx)
			if strings.Contains(f.Name, "not UTF-8") || strings.Contains(f.Name, "masked") {
				t.Logf("coder/websocket takes it: %q, %v", message, err) // another library's matter
				return
			}
			require.Error(t, err, i)
		})
	}
}

// Data is held back while pings are answered; and a message that never ends lets them through too.
func TestSocketsThatSayNothing(t *testing.T) {
	t.Parallel()
	for _, f := range []Fault{DataHeldBack(0), EndlessSlowly(time.Millisecond), SocketSilent(0, true, false), SocketSilent(0, false, true)} {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			l, err := listen(t, Config{Plan: once(f)}, "/")
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(l.ctx, patience/4)
			defer cancel()
			pinged := make(chan error, 1)
			go func() { pinged <- l.Ping(ctx) }()
			_, _, err = l.Read(ctx)
			if strings.HasSuffix(f.Name, "(to client false, to server true)") {
				require.NoError(t, err)
				require.Error(t, <-pinged)
				return
			}
			require.Error(t, err)
			require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded, "nothing else has ended it")
			assert.Equal(t, f.Kind == "socket silent", <-pinged != nil)
		})
	}
}

func TestForeignAndRepeated(t *testing.T) {
	t.Parallel()
	for f, want := range map[*Fault][]string{ref(Repeated(2)): {"message 1", "message 1"}, ref(Foreign("x", "foreign")): {"foreign", "message 1"}} {
		l, err := listen(t, Config{Plan: once(*f)}, "/")
		require.NoError(t, err)
		for _, w := range want {
			_, message, err := l.Read(l.ctx)
			require.NoError(t, err)
			assert.Equal(t, w, string(message))
		}
	}
}

func TestHandshakesOfSockets(t *testing.T) {
	t.Parallel()
	for _, f := range append(AlteredHandshakes, HandshakePages(HTML)...) {
		l, err := listen(t, Config{Plan: once(f)}, "/")
		if strings.Contains(f.Name, "extension") || strings.Contains(f.Name, "protocol") {
			t.Logf("%s: coder/websocket says %v", f.Name, err) // another library's matter
			continue
		}
		require.Error(t, err, f.Name)
		l.Settle()
		altered := strings.HasPrefix(f.Name, "101")
		assert.Len(t, l.Records()[0].Deliveries, map[bool]int{true: 1, false: 0}[altered], f.Name)
	}
	l, err := listen(t, Config{}, "/refused")
	require.Error(t, err)
	assert.Equal(t, http.StatusForbidden, l.res.StatusCode, "the server's own refusal comes through")
}

// A Python client, written from RFC 6455 here without a library: it prints what it receives.
const pythonClient = `
import base64, hashlib, os, socket, struct, sys
host, port = sys.argv[1].split(":")
s = socket.create_connection((host, int(port)), timeout=1)
key = base64.b64encode(os.urandom(16)).decode()
s.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
f = s.makefile("rb")
status = int(f.readline().split()[1])
accept = ""
while (line := f.readline().strip()):
    name, value = line.decode().split(": ", 1)
    if name.lower() == "sec-websocket-accept": accept = value
right = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
print("status", status, "accept", accept == right)
try:
    for _ in range(int(sys.argv[2])):
        head = f.read(2)
        if len(head) < 2: print("end"); break
        n = head[1] & 127
        if n == 126: n, = struct.unpack(">H", f.read(2))
        elif n == 127: n, = struct.unpack(">Q", f.read(8))
        masked = head[1] >> 7
        print("fin", head[0] >> 7, "rsv", head[0] >> 4 & 7, "op", head[0] & 15, "masked", masked, "length", n, flush=True)
        if n > 1 << 40: break
        got = f.read(n + 4 * masked)
        if len(got) < n: print("cut after", len(got)); break
except ConnectionResetError: print("reset")
except TimeoutError: print("timeout")
`

func TestPython(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3: ", err)
	}
	if out, err := exec.CommandContext(t.Context(), path, "-c", "import hashlib, sys; sys.exit(sys.version_info < (3, 8))").CombinedOutput(); err != nil {
		t.Skip("python3 is not one of use: ", err, string(out))
	}
	server := httptest.NewServer(http.HandlerFunc(news))
	t.Cleanup(server.Close)
	named := map[string]Fault{}
	for _, f := range append(InvalidFrames, AlteredHandshakes...) {
		named[f.Name] = f
	}
	for f, want := range map[*Fault]string{
		{}: "status 101 accept True\nfin 1 rsv 0 op 1 masked 0 length 9\n",
		ref(Fragmented(4)): "fin 0 rsv 0 op 1 masked 0 length 4\nfin 1 rsv 0 op 9 masked 0 length 7\nfin 0 rsv 0 op 0 masked 0 length 4\n" +
			"fin 1 rsv 0 op 9 masked 0 length 7\nfin 1 rsv 0 op 0 masked 0 length 1\n",
		ref(Endless(3)):                              "fin 0 rsv 0 op 1 masked 0 length 9\nfin 0 rsv 0 op 0 masked 0 length 3\nfin 0 rsv 0 op 0 masked 0 length 3\n",
		ref(ResetMidFrame(1)):                        "reset",
		ref(CutFrame(1, 4)):                          "length 9\ncut after 2\n",
		ref(ClosedWith(1001, "bye", 1)):              "fin 1 rsv 0 op 8 masked 0 length 5\nend\n",
		ref(Unsolicited(1)):                          "op 9 masked 0 length 1\nfin 1 rsv 0 op 10 masked 0 length 12\nfin 1 rsv 0 op 1 ",
		ref(SocketSilent(0, true, true)):             "accept True\ntimeout\n",
		ref(named["a masked frame"]):                 "masked 1 length 9\n",
		ref(named["a reserved bit"]):                 "rsv 4 ",
		ref(named["a length of 2^63-1"]):             "length 9223372036854775807\n",
		ref(named["101 with wrong accept key"]):      "status 101 accept False\n",
		ref(HandshakePages(HTML)[0]):                 "status 200 accept False\n",
		ref(Reset(AfterDelivery)):                    "",
		ref(Page(503, Empty, Before, http.Header{})): "status 503 accept False\n",
	} {
		p, err := Start(Config{Backend: server.URL, Plan: once(*f)})
		require.NoError(t, err)
		frames := max(1, strings.Count(want, "op ")+strings.Count(want, "end\n")) // that the client waits for
		cmd := exec.CommandContext(t.Context(), path, "-c", pythonClient, p.address, fmt.Sprint(frames))
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Error(err)
		}
		assert.Contains(t, string(out), want, f.Name)
		p.Close()
	}
}
