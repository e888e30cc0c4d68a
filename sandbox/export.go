package sandbox

import (
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/qredo-go/qredo/sandbox/internal/access"
	"github.com/qredo-go/qredo/sandbox/internal/control"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// ExportOption changes what [Sandbox.Export] writes.
type ExportOption func(*exporting)

type exporting struct{ keys bool }

// WithPrivateKeys exports what signs too: API keys and secrets, the private key that the sandbox has made for itself, and the secret by which
// signing agents prove themselves. Default: public keys alone. Private keys of wallets, and of core clients that are no signing agents,
// follow from the seed, and so are in every export: they are worth nothing outside a sandbox.
func WithPrivateKeys() ExportOption { return func(e *exporting) { e.keys = true } }

// Export writes everything that the sandbox knows, and its keys, as one text: lines of JSON that end with a digest of them. The same state
// is the same text, whatever way it came about, so that it can be a test's fixture or a part of a bug report. The sandbox goes on
// meanwhile. Nonces, faults and the log of requests are not in it.
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
	snapshot, err := s.world.Snapshot()
	if err != nil {
		return err
	}
	return snapshot.Export(w, e.keys, keys...)
}

// Import puts what [Sandbox.Export] has written in the place of everything but the sandbox's own keys. The keys that come with it are
// taken from then on too. What is damaged, or of a later version, is refused with the line, and nothing is changed. The clock is the
// sandbox's own, and what it had been advanced by is part of what is imported.
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

// WithWorld begins with what [Sandbox.Export] has written, also with its keys: where it has private ones, [Sandbox.Auth] and [Sandbox.HMACAuth] are
// those, unless a folder has others ([WithKeyDir]). It does nothing where the folder of [WithStore] has a world that something has been
// done in. Give [WithClock] the time of the file where it has things that expire.
func WithWorld(r io.Reader) Option {
	return func(s *Sandbox) (err error) {
		if s.begin, err = world.Read(r); err != nil {
			return invalid("world", "%v", err)
		}
		s.restored, err = s.restore(s.begin)
		return err
	}
}

// restore reads the keys that come with a world.
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
			panic(http.ErrAbortHandler) // a part is sent: whoever reads it must see that it does not end
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
	_, err = io.Copy(w, answer)
	return err
}

// Import puts what was exported in the place of everything: see [Sandbox.Import].
func (c *Control) Import(ctx context.Context, r io.Reader) error {
	answer, err := callImport.Open(ctx, c.client(), "", r)
	if err != nil {
		return err
	}
	return answer.Close()
}
