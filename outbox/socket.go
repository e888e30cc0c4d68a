package outbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// socketOf is the socket of the program that has a file open.
func socketOf(file string) string { return file + ".sock" }

// ServeSocket lets people use "qredo outbox --file" while this program has the file open. It serves [Handler] on a Unix socket
// next to the file, named like it with ".sock" appended, until ctx ends, and then returns nil. Run it alongside [Outbox.Run].
// Only the user that this program runs as can use the socket: whoever can, decides about payments. If the program is killed,
// the socket is left behind, and the next program replaces it. The operating system limits the length of its path to about a
// hundred bytes.
func ServeSocket(ctx context.Context, o Operator, file string) (err error) {
	path := socketOf(file)
	failed := func(err error) error { return fmt.Errorf("outbox: the socket %s: %w", path, err) }
	// Nobody else can pass through the folder before the socket has its mode.
	dir, err := os.MkdirTemp(filepath.Dir(path), ".qredo")
	if err != nil {
		return failed(err)
	}
	made := filepath.Join(dir, "s")
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", made)
	if err != nil {
		return failed(errors.Join(err, os.RemoveAll(dir)))
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	own, statErr := os.Lstat(made) // at path it may already be another program's
	err = errors.Join(statErr, os.Chmod(made, 0o600), os.Rename(made, path), os.RemoveAll(dir))
	if err != nil {
		return failed(errors.Join(err, listener.Close()))
	}
	server := &http.Server{Handler: Handler(o), ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		// Whoever has sent a decision gets an answer.
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		if server.Shutdown(last) != nil {
			_ = server.Close()
		}
		<-ended //nolint:errcheck // it says that it was shut down
	}
	// Do not remove the socket of the next program, nor a file that reuses the inode of a removed socket.
	if now, statErr := os.Lstat(path); statErr == nil && os.SameFile(own, now) && own.Mode().Type() == now.Mode().Type() && own.ModTime().Equal(now.ModTime()) {
		_ = os.Remove(path)
	}
	if ctx.Err() == nil {
		return failed(err)
	}
	return nil
}

// DialSocket returns an Operator for an outbox file that another program has open and serves with [ServeSocket]. It works like
// [Remote]. It returns an error if no program serves the file.
func DialSocket(ctx context.Context, file string) (Operator, error) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", socketOf(file))
	}
	conn, err := dial(ctx, "", "")
	if err != nil {
		return nil, fmt.Errorf("outbox: no program serves %s: %w", file, err)
	}
	if err := conn.Close(); err != nil {
		return nil, err
	}
	return Remote(&http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}, "http://outbox/"), nil
}
