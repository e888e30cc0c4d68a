package faultproxy

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

// The opcodes of frames (RFC 6455, 5.2).
const (
	opContinuation = 0
	opText         = 1
	opBinary       = 2
	opClose        = 8
	opPing         = 9
	opPong         = 10
)

// The bits of a frame's first byte.
const (
	fin  = 0x80
	rsv1 = 0x40
)

// frame is a frame as on the connection; masked data stays masked.
type frame struct {
	head    byte
	mask    []byte // four bytes, or none
	payload []byte
}

func (f frame) op() byte   { return f.head & 0x0f }
func (f frame) data() bool { return f.op() < opClose }

func (f frame) encode() []byte {
	b := []byte{f.head}
	masked := byte(0)
	if f.mask != nil {
		masked = 0x80
	}
	switch n := len(f.payload); {
	case n < 126:
		b = append(b, masked|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, masked|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, masked|127), uint64(n))
	}
	return append(append(b, f.mask...), f.payload...)
}

const mostFrameOfSocket = 64 << 20

func readFrame(in *bufio.Reader) (frame, error) {
	var head [2]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return frame{}, err
	}
	f, n := frame{head: head[0]}, uint64(head[1]&0x7f)
	extended := map[uint64]int{126: 2, 127: 8}[n]
	var length [8]byte
	if _, err := io.ReadFull(in, length[8-extended:]); err != nil {
		return frame{}, err
	}
	if extended > 0 {
		n = binary.BigEndian.Uint64(length[:])
	}
	if n > mostFrameOfSocket {
		return frame{}, errors.New("faultproxy: the frame is too large")
	}
	if head[1]&0x80 != 0 {
		f.mask = make([]byte, 4)
		if _, err := io.ReadFull(in, f.mask); err != nil {
			return frame{}, err
		}
	}
	f.payload = make([]byte, n)
	_, err := io.ReadFull(in, f.payload)
	return f, err
}

// upgrade asks the server for a WebSocket. The connection is nil if the server refused.
func (b *backend) upgrade(ctx context.Context, req Request) (net.Conn, *bufio.Reader, *Answer, error) {
	var dialer net.Dialer
	server, err := dialer.DialContext(ctx, "tcp", b.host)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("faultproxy: %w", err)
	}
	var head bytes.Buffer
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\n", req.Method, req.Target, req.Host)
	writeHeader(&head, req.Header)
	head.WriteString("\r\n")
	ended := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer ended()
	in := bufio.NewReader(server)
	if _, err = server.Write(head.Bytes()); err == nil {
		var res *http.Response
		if res, err = http.ReadResponse(in, nil); err == nil { //nolint:bodyclose // the connection is closed, or the socket's
			a := &Answer{Status: res.StatusCode, Header: res.Header}
			if a.Status == http.StatusSwitchingProtocols {
				return server, in, a, nil
			}
			a.Body, err = io.ReadAll(res.Body)
			a.Header.Del("Content-Length")
			_ = server.Close()
			return nil, nil, a, err
		}
	}
	_ = server.Close()
	return nil, nil, nil, fmt.Errorf("faultproxy: %w", err)
}

// socket is a WebSocket between client and server.
type socket struct {
	x      *exchange
	server net.Conn
	in     *bufio.Reader // from the server

	mu       sync.Mutex // of writing to the client
	messages int        // data frames of the server, so far

	// down and up handle the frames of the server and of the client, if a fault has changed that. An error ends the socket.
	down, up func(frame) error
}

// openSocket makes a WebSocket and applies a fault to it.
func openSocket(x *exchange, fault Fault) {
	x.p.truth.begin()
	server, in, a, err := x.p.backend.upgrade(x.p.ctx, x.req)
	if err != nil {
		x.p.truth.end(x.record, Delivery{Err: err.Error()}, nil)
		x.answer(HTML.page(http.StatusBadGateway))
		return
	}
	x.p.truth.end(x.record, Delivery{Status: a.Status}, nil)
	if server == nil {
		x.answer(a)
		return
	}
	defer func() { _ = server.Close() }()
	x.answer(a)
	s := &socket{x: x, server: server, in: in}
	s.down = func(f frame) error { return s.send(f) }
	s.up = s.pass
	if fault.socket != nil {
		fault.socket(s)
	}
	s.relay()
}

// relay passes frames in both directions until one side ends.
func (s *socket) relay() {
	ended := context.AfterFunc(s.x.ctx, func() { _ = s.server.Close() })
	defer ended()
	var both sync.WaitGroup
	both.Go(func() {
		for {
			f, err := readFrame(s.in)
			if err == nil {
				if f.data() {
					s.messages++
				}
				err = s.down(f)
			}
			if err != nil {
				break
			}
		}
		if !s.x.gone.Load() {
			s.x.shut()
		}
		_ = s.server.Close()
	})
	for {
		f, err := readFrame(s.x.in)
		if err == nil {
			err = s.up(f)
		}
		if err != nil {
			break
		}
	}
	_ = s.server.Close()
	both.Wait()
}

// send passes a frame to the client.
func (s *socket) send(frames ...frame) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range frames {
		if err := s.x.raw(f.encode()); err != nil {
			return err
		}
	}
	return nil
}

// pass passes a frame of the client to the server.
func (s *socket) pass(f frame) error {
	_, err := s.server.Write(f.encode())
	return err
}
