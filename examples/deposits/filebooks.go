package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
)

// fileBooks keep a line for each movement, in a file next to the inbox's. If a movement is handed over again, there is
// already a line with its key.
type fileBooks struct{ folder string }

type line struct {
	Key    string         `json:"key"`
	Wallet qredo.WalletID `json:"wallet"`
	Amount qredo.Amount   `json:"amount"`
}

func (b fileBooks) path() string { return filepath.Join(b.folder, "credits.jsonl") }

// read returns the lines by their keys. The last one may be cut off: its movement is handed over again.
func (b fileBooks) read() (map[string]line, error) {
	raw, err := os.ReadFile(b.path())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	lines := map[string]line{}
	for text := range strings.Lines(string(raw)) {
		var l line
		if strings.HasSuffix(text, "\n") && json.Unmarshal([]byte(text), &l) == nil {
			lines[l.Key] = l
		}
	}
	return lines, nil
}

func (b fileBooks) follow(ctx context.Context, client *qredo.Client, t *teller) (err error) {
	store, err := inbox.OpenStore(filepath.Join(b.folder, "inbox.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	in, err := inbox.New(client, store, options...)
	if err != nil {
		return err
	}
	known, err := b.read()
	if err != nil {
		return err
	}
	file, err := os.OpenFile(b.path(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.WriteString("\n"); err != nil { // after a line that was cut off
		return err
	}
	var mu sync.Mutex // movements of several wallets come at once
	go t.end(ctx, in.Check)
	return in.Run(ctx, func(_ context.Context, _ inbox.NoTx, m inbox.Movement) error {
		mu.Lock()
		defer mu.Unlock()
		if _, again := known[m.Key]; !again {
			l := line{m.Key, m.Wallet, m.Amount}
			raw, err := json.Marshal(l)
			if err != nil {
				return err
			}
			if _, err := file.Write(append(raw, '\n')); err != nil {
				return err
			}
			if err := file.Sync(); err != nil {
				return err
			}
			known[m.Key] = l
		}
		return t.credited()
	})
}

func (b fileBooks) balances(context.Context) (map[qredo.WalletID]qredo.Amount, error) {
	lines, err := b.read()
	has := map[qredo.WalletID]qredo.Amount{}
	for _, l := range lines {
		has[l.Wallet] += l.Amount
	}
	return has, err
}

func (fileBooks) make(context.Context) error { return nil }

func (fileBooks) drop(context.Context) error { return nil }

func (fileBooks) close() error { return nil }
