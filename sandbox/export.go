package sandbox

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/access"
	"github.com/qredo-go/qredo/sandbox/internal/control"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// ExportOption changes what [Sandbox.Export] writes.
type ExportOption func(*exporting)

type exporting struct{ keys bool }

// WithPrivateKeys also exports what signs: API keys and secrets, the private key that the sandbox made for itself, those of
// wallets and core clients, the seed that these follow from, and the secret that authenticates signing agents. Default: public
// keys only. After importing such an export, core clients get new keys, new identifiers follow from the importing sandbox's
// seed, and wallets refuse to sign Web3 transactions, because an address has only one key.
func WithPrivateKeys() ExportOption { return func(e *exporting) { e.keys = true } }

// Export writes everything that the sandbox knows, and its keys, as one text: lines of JSON that end with a digest of them. The
// same state gives the same text, however it came about, so you can use it as a test fixture or in a bug report. The sandbox
// keeps running meanwhile. Nonces, faults and the request log are not exported.
func (s *Sandbox) Export(w io.Writer, opts ...ExportOption) error {
	var e exporting
	for _, opt := range opts {
		opt(&e)
	}
	records, err := s.keys.Records(e.keys)
	if err != nil {
		return err
	}
	keys := make([]json.RawMessage, len(records))
	for i, r := range records {
		if keys[i], err = json.Marshal(r); err != nil { //nolint:gosec // the secrets are asked for
			return err
		}
	}
	take := s.world.Public
	if e.keys {
		take = s.world.Snapshot
	}
	snapshot, err := take()
	if err != nil {
		return err
	}
	return snapshot.Export(w, keys...)
}

// Import replaces everything except the sandbox's own keys with the output of [Sandbox.Export]. The imported keys are accepted
// too from then on. An export that is damaged, or of a later version, is refused with the line number, and nothing changes. The
// sandbox keeps its own clock, but the imported state includes how far it had been advanced.
func (s *Sandbox) Import(r io.Reader) error {
	saved, err := world.Read(r)
	if err != nil {
		return serve.AsFault(err)
	}
	restored, err := s.restore(saved)
	if err != nil {
		return serve.BadRequest("%v", err)
	}
	return s.replace(func() error {
		if err := s.world.Put(saved); err != nil {
			return err
		}
		restored.Keep()
		return nil
	})
}

// WithWorld starts with the output of [Sandbox.Export], including its keys: if these are private keys, [Sandbox.Auth] and
// [Sandbox.HMACAuth] use them, unless a folder has others ([WithKeyDir]). It has no effect if the folder of [WithStore] has a
// world that has been used. If the file contains things that expire, set [WithClock] to the time of the file.
func WithWorld(r io.Reader) Option {
	return func(s *Sandbox) (err error) {
		if s.begin, err = world.Read(r); err != nil {
			return invalid("world", "%v", err)
		}
		s.restored, err = s.restore(s.begin)
		return err
	}
}

// restore reads the keys in an export.
func (s *Sandbox) restore(saved *world.Saved) (*access.Restored, error) {
	records := make([]access.Record, len(saved.Keys))
	for i, key := range saved.Keys {
		if err := json.Unmarshal(key, &records[i]); err != nil {
			return nil, invalid("world", "a key that this version does not understand: %v", err)
		}
	}
	return s.keys.Restore(records)
}

const maxWorld = 1 << 30 // bytes of an import

var (
	callExport = control.Raw[*Sandbox]{Method: http.MethodGet, Path: "/export", Do: func(s *Sandbox, _ ids, w http.ResponseWriter, r *http.Request) error {
		var opts []ExportOption
		switch keys := r.URL.Query().Get("keys"); keys {
		case "", "false":
		case "true":
			opts = append(opts, WithPrivateKeys())
		default:
			return serve.BadRequest("keys must be true or false")
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="world.jsonl"`)
		if err := s.Export(w, opts...); err != nil {
			panic(http.ErrAbortHandler) // part of it is sent: the reader must see that it is incomplete
		}
		return nil
	}}
	callImport = control.Raw[*Sandbox]{Method: http.MethodPost, Path: "/import", Do: func(s *Sandbox, _ ids, w http.ResponseWriter, r *http.Request) error {
		err := s.Import(http.MaxBytesReader(w, r.Body, maxWorld))
		if err == nil {
			serve.WriteJSON(w, http.StatusOK, control.OK{Code: http.StatusOK, Msg: "OK"})
		}
		return err
	}}
)

// Export writes everything that the sandbox knows: see [Sandbox.Export].
func (c *Control) Export(ctx context.Context, w io.Writer, opts ...ExportOption) error {
	var e exporting
	query := ""
	for _, opt := range opts {
		if opt(&e); e.keys {
			query = "?keys=true"
		}
	}
	answer, err := callExport.Open(ctx, c.client(), query, nil)
	if err != nil {
		return err
	}
	defer answer.Close()
	text := bufio.NewReader(answer)
	if begin, _ := text.Peek(len(worldBegins)); string(begin) != worldBegins {
		return fmt.Errorf("sandbox: the answer is not an export: %w", qredo.ErrBadAnswer)
	}
	return copyAnswer(w, text)
}

// worldBegins is the beginning of an export.
const worldBegins = `{"world":`

// copyAnswer writes an answer that is not JSON. A cut answer is an error.
func copyAnswer(w io.Writer, answer io.Reader) error {
	from := &noted{Reader: answer}
	_, err := io.Copy(w, from)
	if from.err != nil {
		return fmt.Errorf("sandbox: %w: %w", qredo.ErrBadAnswer, err)
	}
	return err
}

// noted remembers a read error, to tell it from a write error.
type noted struct {
	io.Reader
	err error
}

func (n *noted) Read(b []byte) (int, error) {
	got, err := n.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		n.err = err
	}
	return got, err
}

// Import replaces everything with an export: see [Sandbox.Import].
func (c *Control) Import(ctx context.Context, r io.Reader) error {
	var done control.OK
	return callImport.Ask(ctx, c.client(), "", r, &done)
}
