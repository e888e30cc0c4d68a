package sandbox

import (
	"io/fs"
	"path/filepath"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/partner"
	"github.com/qredo-go/qredo/sandbox/internal/qredoapi"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// Overview is a summary of the sandbox.
type Overview struct {
	Version         string      `json:"version"`
	Now             time.Time   `json:"now"`   // the sandbox's time
	Clock           time.Time   `json:"clock"` // without what it was advanced by
	AdvancedSeconds int64       `json:"advanced_seconds"`
	Seed            uint64      `json:"seed,string"` // for identifiers
	Waiting         int         `json:"waiting"`     // number of pending transactions
	NextExpiry      *NextExpiry `json:"next_expiry"` // nil if none is pending
	Transactions    int         `json:"transactions"`
	Requests        int         `json:"requests"` // in the log
	Refused         int64       `json:"refused"`  // those that were refused, since it was cleared
	Feeds           int         `json:"feeds"`
	Faults          FaultCount  `json:"faults"`
	Store           *StoreState `json:"store"` // nil if there is none
	BaseURL         string      `json:"base_url"`
	QAPIBaseURL     string      `json:"qapi_base_url"`
}

// NextExpiry is the next transaction to expire.
type NextExpiry struct {
	At   time.Time  `json:"at"`
	TxID qredo.TxID `json:"tx_id"`
	Type string     `json:"type"`
}

// FaultCount is how many rules make requests fail, and how often they have.
type FaultCount struct {
	Rules int `json:"rules"`
	Hits  int `json:"hits"`
}

// StoreState is where the state is kept, and its size.
type StoreState struct {
	Dir   string `json:"dir"`
	Bytes int64  `json:"bytes"`
}

// Overview returns a summary of the sandbox.
func (s *Sandbox) Overview() (Overview, error) {
	out := Overview{
		Version: qredo.Version, Clock: milliseconds(s.clock()), Seed: s.seed, Requests: s.requests.Len(), Refused: s.refused.Load(),
		BaseURL: s.servedAt() + partner.BasePath, QAPIBaseURL: s.servedAt() + qredoapi.BasePath,
	}
	next, err := s.Expiries(1)
	if err != nil {
		return Overview{}, err
	}
	out.Waiting = next.Total
	for _, e := range next.Expiries {
		out.NextExpiry = &NextExpiry{e.At, e.TxID, e.Type}
	}
	err = s.view(func(v *world.View) error {
		out.Now, out.Transactions = milliseconds(v.Now), v.Moves()
		return nil
	})
	if err != nil {
		return Overview{}, err
	}
	out.AdvancedSeconds = int64(s.world.Advanced() / time.Second)
	open, _, _ := s.feeds.List()
	out.Feeds = len(open)
	faults, err := s.Faults()
	if err != nil {
		return Overview{}, err
	}
	out.Faults.Rules = len(faults.Rules)
	for _, r := range faults.Rules {
		out.Faults.Hits += r.Hits
	}
	if s.storeDir != "" {
		out.Store = &StoreState{s.storeDir, sizeOf(s.storeDir)}
	}
	return out, nil
}

// sizeOf is the total size of the files below a folder.
func sizeOf(dir string) (bytes int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			if info, err := entry.Info(); err == nil {
				bytes += info.Size()
			}
		}
		return nil // unreadable or removed files are not counted
	})
	return bytes
}
