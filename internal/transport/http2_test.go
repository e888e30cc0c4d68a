package transport_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/qapi"
)

// stream is a request over HTTP/2, as it came.
type stream struct {
	conn   int // which connection, from 1
	nth    int // of all requests, from 1
	id     uint32
	path   string
	nonce  string
	framer *http2.Framer
}

// answer answers a stream.
func (s stream) answer(status int, body string) {
	var head bytes.Buffer
	encoder := hpack.NewEncoder(&head)
	_ = encoder.WriteField(hpack.HeaderField{Name: ":status", Value: strconv.Itoa(status)})
	_ = encoder.WriteField(hpack.HeaderField{Name: "content-length", Value: strconv.Itoa(len(body))})
	_ = s.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: head.Bytes(), EndHeaders: true})
	_ = s.framer.WriteData(s.id, true, []byte(body))
}

// serveHTTP2 serves HTTP/2 over TLS, frame by frame, and makes it what clients use that have no HTTP client of their
// own. handle gets each request when it is there as a whole; it reports whether the connection goes on reading.
func serveHTTP2(t *testing.T, handle func(stream) bool) (requests *int) {
	t.Helper()
	certificate, authority := clienttest.Certificate(t)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(authority))
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12}

	var mu sync.Mutex
	conns, seen := 0, 0
	var serving sync.WaitGroup
	var open []net.Conn
	before := http.DefaultTransport
	http.DefaultTransport = &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			mu.Lock()
			conns++
			n := conns
			open = append(open, ours, theirs)
			mu.Unlock()
			serving.Go(func() {
				serveConn(tls.Server(theirs, config), func(s stream) bool {
					mu.Lock()
					seen++
					s.conn, s.nth = n, seen
					mu.Unlock()
					return handle(s)
				})
			})
			return ours, nil
		},
	}
	t.Cleanup(func() {
		http.DefaultTransport = before
		for _, conn := range open {
			_ = conn.Close()
		}
		serving.Wait()
	})
	return &seen
}

// serveConn reads the frames of one connection, until it ends or handle has enough.
func serveConn(conn net.Conn, handle func(stream) bool) {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := readFull(conn, preface); err != nil {
		return
	}
	// A pipe has no buffer: a writer waits until the other side reads. So written data waits here.
	queue := make(queuedWriter, 100)
	defer close(queue)
	go func() {
		for b := range queue {
			_, _ = conn.Write(b)
		}
	}()
	framer := http2.NewFramer(queue, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_ = framer.WriteSettings()
	waiting := map[uint32]stream{}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		ended := false
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = framer.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !f.IsAck() {
				_ = framer.WritePing(true, f.Data)
			}
		case *http2.MetaHeadersFrame:
			s := stream{id: f.StreamID, path: f.PseudoValue("path"), framer: framer}
			for _, field := range f.RegularFields() {
				if field.Name == "x-nonce" {
					s.nonce = field.Value
				}
			}
			waiting[f.StreamID], ended = s, f.StreamEnded()
		case *http2.DataFrame:
			ended = f.StreamEnded()
		}
		if s, ok := waiting[frame.Header().StreamID]; ok && ended {
			delete(waiting, s.id)
			if !handle(s) {
				for { // data is accepted, but nothing is sent any more
					if _, err := conn.Read(preface); err != nil {
						return
					}
				}
			}
		}
	}
}

type queuedWriter chan []byte

func (q queuedWriter) Write(b []byte) (int, error) {
	q <- bytes.Clone(b)
	return len(b), nil
}

func readFull(conn net.Conn, b []byte) (int, error) {
	n := 0
	for n < len(b) {
		m, err := conn.Read(b[n:])
		if n += m; err != nil {
			return n, err
		}
	}
	return n, nil
}

// overHTTP2 is a client with nonces and an HTTP client of its own.
func overHTTP2(t *testing.T, opts ...qredo.Option) *qredo.Client {
	t.Helper()
	nonce := 0
	auth, err := qredo.NewRSAAuth(clienttest.APIKey, clienttest.PrivateKey(t), qredo.WithNonce(func() string {
		nonce++
		return "nonce-" + strconv.Itoa(nonce)
	}))
	require.NoError(t, err)
	client, err := qredo.NewClient(auth, append([]qredo.Option{qredo.WithBaseURL("https://service.example"), qredo.WithClock(clienttest.Clock)}, opts...)...)
	require.NoError(t, err)
	return client
}

// everyKind is an answer that all of kindsOfCalls take for a success.
const everyKind = `{"code":200,"msg":"OK","id":"` + clienttest.CoreActionID + `","assets":[],"tx_id":"t","company_id":"c","netAmount":1}`

// net/http does not retry by itself: a stream that was reset after it was carried out is sent once, and its outcome is
// unknown; one that was not processed is sent again, with a new timestamp.
func TestStreamsThatAreReset(t *testing.T) {
	for code := http2.ErrCodeNo; code <= http2.ErrCodeHTTP11Required; code++ {
		for kind, k := range kindsOfCalls {
			t.Run(code.String()+"/"+kind, func(t *testing.T) {
				clienttest.Bubble(t, func(t *testing.T) {
					var nonces []string
					sent := serveHTTP2(t, func(s stream) bool {
						nonces = append(nonces, s.nonce)
						if s.nth == 2 {
							_ = s.framer.WriteRSTStream(s.id, code)
						} else {
							s.answer(200, everyKind)
						}
						return true
					})
					client := overHTTP2(t)
					_, err := client.Assets.List(t.Context())
					require.NoError(t, err)
					err = k.call(t.Context(), client)
					switch {
					case k.repeatable || code == http2.ErrCodeRefusedStream:
						require.NoError(t, err)
						require.Equal(t, []string{"nonce-1", "nonce-2", "nonce-3"}, nonces)
					default:
						require.ErrorIs(t, err, qredo.ErrOutcomeUnknown)
						require.Equal(t, 2, *sent)
					}
				})
			})
		}
	}
}

// The transactions of Qredo API v1 have no key by which the service could tell a repeat.
func TestAStreamThatIsResetCreatesOnce(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		sent := serveHTTP2(t, func(s stream) bool {
			if s.nth == 1 { // it has created one
				_ = s.framer.WriteRSTStream(s.id, http2.ErrCodeProtocol)
			} else {
				s.answer(200, `{"txID":"t"}`)
			}
			return true
		})
		auth, err := qredo.NewHMACAuth("key", "YSBzZWNyZXQgb2YgdGVzdHM=")
		require.NoError(t, err)
		client, err := qapi.NewClient(auth, qredo.WithBaseURL("https://service.example"), qredo.WithClock(clienttest.Clock))
		require.NoError(t, err)
		_, err = client.Transactions.Create(t.Context(), qapi.TransactionRequest{
			From: clienttest.ETHAddress, To: clienttest.ETHAddress, Value: qapi.NewBigInt(1), GasLimit: qapi.NewBigInt(21000),
		})
		require.ErrorIs(t, err, qredo.ErrOutcomeUnknown)
		require.Equal(t, 1, *sent)
	})
}

// A server that goes away says which streams it has looked at.
func TestServersThatGoAway(t *testing.T) {
	for name, tc := range map[string]struct {
		last      func(id uint32) uint32
		code      http2.ErrCode
		processed bool
	}{
		"before it":             {func(id uint32) uint32 { return id - 2 }, http2.ErrCodeNo, false},
		"before it, for others": {func(id uint32) uint32 { return id - 2 }, http2.ErrCodeEnhanceYourCalm, false},
		"after it":              {func(id uint32) uint32 { return id }, http2.ErrCodeNo, true},
		"after it, angry":       {func(id uint32) uint32 { return id }, http2.ErrCodeInternal, true},
	} {
		for kind, k := range kindsOfCalls {
			t.Run(name+"/"+kind, func(t *testing.T) {
				clienttest.Bubble(t, func(t *testing.T) {
					serveHTTP2(t, func(s stream) bool {
						if s.nth == 2 {
							_ = s.framer.WriteGoAway(tc.last(s.id), tc.code, nil)
							return false
						}
						s.answer(200, everyKind)
						return true
					})
					client := overHTTP2(t)
					_, err := client.Assets.List(t.Context()) // so that it is not the first of the connection
					require.NoError(t, err)
					err = k.call(t.Context(), client)
					if k.repeatable || !tc.processed {
						require.NoError(t, err)
					} else {
						require.ErrorIs(t, err, qredo.ErrOutcomeUnknown)
					}
				})
			})
		}
	}
}

// A connection that has gone silent is left within seconds, for a new one.
func TestSilentConnectionsAreLeft(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		sent := serveHTTP2(t, func(s stream) bool {
			if s.conn == 1 && s.nth > 1 {
				return false
			}
			s.answer(200, everyKind)
			return true
		})
		client := overHTTP2(t)
		_, err := client.Assets.List(t.Context())
		require.NoError(t, err)
		start := time.Now()
		_, err = client.Assets.List(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 3, *sent, "the second attempt is on a new connection")
		assert.Less(t, time.Since(start), 10*time.Second)
	})
}
