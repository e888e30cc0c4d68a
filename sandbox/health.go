package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/qredo-go/qredo/sandbox/internal/control"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
)

const healthPath = "/healthz"

// callHealth is open to everybody: probes have no token.
var callHealth = control.Get(healthPath, func(s *Sandbox, _ ids, _ control.None) (healthy, error) {
	if err := s.Health(); err != nil {
		return healthy{}, &serve.Fault{Status: http.StatusServiceUnavailable, Reason: "the store cannot be written"}
	}
	return healthy{"ready"}, nil
})

type healthy struct {
	Status string `json:"status"`
}

// Health returns an error if changes cannot be carried out because the folder of [WithStore] cannot be written. It is served
// over HTTP as GET /sandbox/v1/healthz, to everybody.
func (s *Sandbox) Health() error {
	if s.storeDir == "" {
		return nil
	}
	if err := s.world.Healthy(); err != nil {
		return err
	}
	if err := s.probe.ask(s.storeDir); err != nil {
		return fmt.Errorf("sandbox: its store: %w", err)
	}
	return nil
}

// Health returns an error unless the sandbox can be reached and is ready: see [Sandbox.Health].
func (c *Control) Health(ctx context.Context) error {
	return callHealth.Tell(ctx, c.client(), control.None{})
}

// probe checks whether a folder can be written, at most once a second, since everybody can ask.
type probe struct {
	mu    sync.Mutex
	asked time.Time
	err   error
}

func (p *probe) ask(dir string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked.IsZero() || time.Since(p.asked) > time.Second {
		p.asked, p.err = time.Now(), writable(dir)
	}
	return p.err
}

// writable writes a file to a folder, to the disk, and removes it.
func writable(dir string) error {
	file, err := os.CreateTemp(dir, ".health-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.WriteString("a page of the disk\n")
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}
