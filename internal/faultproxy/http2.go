package faultproxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

type setting = http2.Setting

// http2conn is a connection that uses HTTP/2.
type http2conn struct {
	*conn
	framer *http2.Framer

	mu      sync.Mutex // of writing, and of the following fields
	encoder *hpack.Encoder
	block   bytes.Buffer // the encoder's output
	streams map[uint32]*http2stream
	latest  uint32 // the highest stream of the client
	window  int64  // send window of the connection
	initial int64  // initial send window of a stream
	passed  uint32 // the highest stream whose request was passed on
	last    uint32 // the highest stream whose request may still be passed on, after a GOAWAY
	changed *sync.Cond
}

// http2stream is the client's side of an exchange in HTTP/2.
type http2stream struct {
	*http2conn
	id     uint32
	method string
	ctx    context.Context // ends with the stream
	cancel context.CancelFunc
	window int64

	body bytes.Buffer
	done chan struct{} // the body is whole
	once sync.Once
}

func serveHTTP2(c *conn) {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(c.in, preface); err != nil || string(preface) != http2.ClientPreface {
		return
	}
	c.frames = true
	h := &http2conn{conn: c, streams: map[uint32]*http2stream{}, last: math.MaxUint32, window: 65535, initial: 65535}
	h.changed = sync.NewCond(&h.mu)
	h.encoder = hpack.NewEncoder(&h.block)
	h.framer = http2.NewFramer(c.rw, c.in)
	h.framer.AllowIllegalWrites = true
	h.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	var streams sync.WaitGroup
	defer streams.Wait()
	defer h.end()
	if h.locked(func() error { return h.framer.WriteSettings(c.settings...) }) != nil {
		return
	}
	for {
		frame, err := h.framer.ReadFrame()
		if err != nil || !h.take(frame, &streams) {
			return
		}
	}
}

// locked writes while nobody else does.
func (h *http2conn) locked(write func() error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return write()
}

// end ends all streams, because the connection has ended.
func (h *http2conn) end() {
	h.cancel()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.streams {
		s.cancel()
	}
	h.changed.Broadcast()
}

// take handles a frame of the client, and returns whether the connection goes on.
func (h *http2conn) take(frame http2.Frame, streams *sync.WaitGroup) bool {
	if h.tcp.mute.Load() { // nothing gets through any more
		return true
	}
	switch f := frame.(type) {
	case *http2.MetaHeadersFrame:
		h.open(f, streams)
	case *http2.DataFrame:
		return h.data(f) == nil
	case *http2.SettingsFrame:
		return f.IsAck() || h.locked(func() error { return h.set(f) }) == nil
	case *http2.PingFrame:
		return f.IsAck() || h.locked(func() error { return h.framer.WritePing(true, f.Data) }) == nil
	case *http2.WindowUpdateFrame:
		h.mu.Lock()
		defer h.mu.Unlock()
		if f.StreamID == 0 {
			h.window += int64(f.Increment)
		} else if s := h.streams[f.StreamID]; s != nil {
			s.window += int64(f.Increment)
		}
		h.changed.Broadcast()
	case *http2.RSTStreamFrame:
		h.mu.Lock()
		defer h.mu.Unlock()
		if s := h.streams[f.StreamID]; s != nil {
			s.cancel()
		}
	}
	return true
}

func (h *http2conn) set(f *http2.SettingsFrame) error {
	if initial, ok := f.Value(http2.SettingInitialWindowSize); ok {
		for _, s := range h.streams {
			s.window += int64(initial) - h.initial
		}
		h.initial = int64(initial)
		h.changed.Broadcast()
	}
	if size, ok := f.Value(http2.SettingHeaderTableSize); ok {
		h.encoder.SetMaxDynamicTableSizeLimit(size)
	}
	return h.framer.WriteSettingsAck()
}

// open begins a stream.
func (h *http2conn) open(f *http2.MetaHeadersFrame, streams *sync.WaitGroup) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.streams[f.StreamID]; s != nil { // trailers
		s.once.Do(func() { close(s.done) })
		return
	}
	req := Request{Layer: HTTP2, Method: f.PseudoValue("method"), Target: f.PseudoValue("path"), Host: f.PseudoValue("authority"), Header: http.Header{}}
	for _, field := range f.RegularFields() {
		req.Header.Add(field.Name, field.Value)
	}
	s := &http2stream{http2conn: h, id: f.StreamID, method: req.Method, window: h.initial, done: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(h.ctx)
	if f.StreamEnded() {
		s.once.Do(func() { close(s.done) })
	}
	h.streams[s.id], h.latest = s, max(h.latest, s.id)
	x := newExchange(h.conn, s, req)
	woken := context.AfterFunc(s.ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.changed.Broadcast()
	})
	streams.Go(func() {
		defer woken()
		x.run()
		s.cancel()
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.streams, s.id)
	})
}

func (h *http2conn) data(f *http2.DataFrame) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.streams[f.StreamID]
	if s != nil && s.body.Len() <= mostBody {
		s.body.Write(f.Data())
	}
	if s != nil && f.StreamEnded() {
		s.once.Do(func() { close(s.done) })
	}
	if f.Length == 0 {
		return nil
	}
	if err := h.framer.WriteWindowUpdate(0, f.Length); err != nil || s == nil || f.StreamEnded() {
		return err
	}
	return h.framer.WriteWindowUpdate(s.id, f.Length)
}

func (s *http2stream) readBody() ([]byte, error) {
	select {
	case <-s.done:
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.body.Bytes(), nil
	case <-s.ctx.Done():
		return nil, errors.New("faultproxy: the stream has ended")
	}
}

// pass returns whether the request may be passed on: not after a GOAWAY has said that it was not.
func (s *http2stream) pass() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.id > s.last {
		return false
	}
	s.passed = max(s.passed, s.id)
	return true
}

// head is the header block of a response. The lock must be held until it is written.
func (s *http2stream) head(status int, header http.Header) []byte {
	s.block.Reset()
	field := func(name, value string) {
		_ = s.encoder.WriteField(hpack.HeaderField{Name: name, Value: value}) // to memory
	}
	field(":status", strconv.Itoa(status))
	for name, values := range header {
		if name == "Connection" || name == "Transfer-Encoding" || name == "Keep-Alive" {
			continue
		}
		for _, value := range values {
			field(strings.ToLower(name), value)
		}
	}
	return bytes.Clone(s.block.Bytes())
}

const mostFrame = 16384 // what every client takes (RFC 9113, 4.2)

// headers writes a header block, in as many frames as it needs.
func (s *http2stream) headers(block []byte, endStream bool) error {
	n := min(len(block), mostFrame)
	err := s.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: block[:n], EndStream: endStream, EndHeaders: n == len(block)})
	for rest := block[n:]; err == nil && len(rest) > 0; rest = rest[n:] {
		n = min(len(rest), mostFrame)
		err = s.framer.WriteContinuation(s.id, n == len(rest), rest[:n])
	}
	return err
}

func (s *http2stream) write(a *Answer) error {
	bodiless := s.method == http.MethodHead || len(a.Body) == 0
	err := s.locked(func() error { return s.headers(s.head(a.Status, a.Header), bodiless) })
	if err != nil || bodiless {
		return err
	}
	return s.send(a.Body, true)
}

// send writes a body as the client's windows allow.
func (s *http2stream) send(body []byte, end bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(body) > 0 {
		for min(s.window, s.http2conn.window) <= 0 && s.ctx.Err() == nil {
			s.changed.Wait()
		}
		if err := s.ctx.Err(); err != nil {
			return err
		}
		n := min(int64(len(body)), s.window, s.http2conn.window, mostFrame)
		if err := s.framer.WriteData(s.id, end && n == int64(len(body)), body[:n]); err != nil {
			return err
		}
		s.window, s.http2conn.window, body = s.window-n, s.http2conn.window-n, body[n:]
	}
	return nil
}

// part writes the beginning of a response, as bytes on the connection. The response is small, so windows are ignored.
func (s *http2stream) part(a *Answer, n int) error {
	var whole bytes.Buffer
	return s.locked(func() error {
		memory := &http2stream{http2conn: &http2conn{conn: s.conn, encoder: s.encoder, framer: http2.NewFramer(&whole, nil)}, id: s.id}
		s.block.Reset()
		block := s.head(a.Status, a.Header)
		if err := memory.headers(block, false); err != nil {
			return err
		}
		if err := memory.framer.WriteData(s.id, true, a.Body); err != nil {
			return err
		}
		return s.raw(first(whole.Bytes(), n))
	})
}

func (s *http2stream) interim(status int, header http.Header) error {
	return s.locked(func() error { return s.headers(s.head(status, header), false) })
}

// fields sends endless headers as one block.
func (s *http2stream) fields(a *Answer, extra func(n int) string) error {
	header := a.Header.Clone()
	for n := 0; ; n++ {
		value := extra(n)
		if value == "" {
			break
		}
		header.Set("X-Flood-"+strconv.Itoa(n), value)
	}
	return s.write(&Answer{Status: a.Status, Header: header, Body: a.Body})
}
