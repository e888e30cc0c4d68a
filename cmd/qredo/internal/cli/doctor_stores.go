package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/qredo-go/qredo/internal/agentserver"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/signingagent"
)

// diagnosedStores are the stores of programs that should be checked.
type diagnosedStores struct {
	outbox      outboxPlace
	agentConfig string
}

func (s *diagnosedStores) flags(f *flagSet) {
	f.StringVar(&s.outbox.file, "outbox", "", "outbox file to check (default $QREDO_OUTBOX_FILE)")
	f.StringVar(&s.outbox.database, "outbox-database", "", "URL of an outbox database to check (default $QREDO_OUTBOX_DATABASE)")
	f.StringVar(&s.outbox.sealing, "sealing-key-file", "", "file that holds the outbox's sealing key (default $QREDO_OUTBOX_SEALING_KEY_FILE)")
	f.StringVar(&s.agentConfig, "agent-config", "", "signing agent's configuration file to check")
}

// find fills in what is missing from the environment, and reports whether there is anything to check.
func (s *diagnosedStores) find(a *app) bool {
	if s.outbox.file == "" && s.outbox.database == "" {
		s.outbox.file, s.outbox.database = a.env("QREDO_OUTBOX_FILE"), a.env("QREDO_OUTBOX_DATABASE")
	}
	return s.outbox.file != "" || s.outbox.database != "" || s.agentConfig != ""
}

func (d *diagnosis) checkStores(ctx context.Context, s *diagnosedStores) {
	if s.outbox.file != "" || s.outbox.database != "" {
		d.checkOutbox(ctx, &s.outbox)
	}
	if s.agentConfig != "" {
		d.checkAgent(ctx, s.agentConfig)
	}
}

// dueLate is how long an entry can be due before it suggests that no worker is running.
const dueLate = 5 * time.Minute

// checkOutbox opens an outbox for reading, reads all of it, and reports what waits for people.
func (d *diagnosis) checkOutbox(ctx context.Context, p *outboxPlace) {
	if p.file != "" && p.database == "" {
		d.checkPermissions("outbox-permissions", p.file)
	}
	o, closing, err := p.open(ctx, d.app)
	if err != nil {
		d.fault("outbox-unreadable", "check the file or database and its sealing key, and whether another program has it open: see \"qredo outbox --help\"", "%s", strings.TrimPrefix(err.Error(), "qredo: "))
		return
	}
	defer func() {
		if err := closing(); err != nil {
			d.fault("outbox-unreadable", "check the disk or database", "closing it: %v", err)
		}
	}()
	entries, damaged := 0, 0
	for e, err := range o.List(ctx, outbox.Filter{}) {
		if err != nil {
			d.fault("outbox-unreadable", "restore it from a backup, and look up each payment before it is sent again", "after %d entries: %v", entries, err)
			return
		}
		entries++
		if e.Request == nil { // see outbox.Records.Damaged
			damaged++
		}
	}
	stats, err := o.Stats(ctx)
	if err != nil {
		d.fault("outbox-unreadable", "check the disk or database", "%v", err)
		return
	}
	d.ok("outbox", "%d entries can be read, %d of them pending", entries, stats.States[outbox.StatePending])
	if damaged > 0 {
		d.fault("outbox-damaged", "see \"qredo outbox list\"; they are not sent until a person decides", "%d entries are damaged", damaged)
	}
	if held := stats.States[outbox.StateHeld]; held > damaged {
		d.warn("outbox-held", "see \"qredo outbox list\", then \"qredo outbox retry\" or \"resolve\"", "%d entries are held: a person must decide", held-damaged)
	}
	if stats.Unknown > 0 {
		d.warn("outbox-unknown", "a worker asks the service again by itself; see \"qredo outbox list --unknown\"", "for %d entries it is unknown whether the payment was made", stats.Unknown)
	}
	if late := d.app.now().Sub(stats.OldestDue); !stats.OldestDue.IsZero() && late > dueLate {
		d.warn("outbox-late", "start the program that runs the outbox, or check its log", "an entry has been due for %s: no worker seems to be running", late.Round(time.Second))
	}
}

// checkAgent checks a signing agent's configuration, identity and certificates.
func (d *diagnosis) checkAgent(ctx context.Context, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		d.fault("agent-config-missing", "name the agent's configuration file; \"qredo signing-agent init\" writes one", "%v", err)
		return
	}
	c, unknown, err := agentserver.Parse(data)
	if err != nil {
		d.fault("agent-config", "correct it; \"qredo signing-agent init -f other.yaml\" writes one with all keys", "%s: %v", file, err)
		return
	}
	d.ok("agent-config", "%s can be read", file)
	for _, key := range unknown {
		d.warn("agent-config-key", "remove it, or correct its name", "%s: unknown key %s", file, key)
	}
	store, err := identityStore(c.Store, false)
	if err != nil {
		d.fault("agent-store", "correct the store in "+file+", or the passphrase file", "%v", err)
		return
	}
	switch id, err := store.Load(ctx); {
	case errors.Is(err, signingagent.ErrNoIdentity):
		d.warn("agent-identity", "register the agent: qredo signing-agent serve, then register", "the store holds no identity yet")
	case err != nil:
		d.fault("agent-identity", "give the right passphrase, correct who can read the store, or restore it from a backup", "the identity cannot be read: %v", err)
	default:
		d.ok("agent-identity", "agent %s (%s)", id.ID(), id.Name())
	}
	if c.HTTP.TLS.Enabled {
		d.checkCertificate(c.HTTP.TLS)
	}
}

// checkCertificate checks the certificate that the agent's own API is served with.
func (d *diagnosis) checkCertificate(t agentserver.TLS) {
	d.checkPermissions("agent-key-permissions", t.KeyFile)
	pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
	if err != nil {
		d.fault("agent-certificate", "correct http.TLS.certFile and keyFile", "%v", err)
		return
	}
	if now := d.app.now(); pair.Leaf != nil && (now.Before(pair.Leaf.NotBefore) || now.After(pair.Leaf.NotAfter)) {
		d.fault("agent-certificate", "renew it", "the certificate is valid from %s to %s", pair.Leaf.NotBefore.UTC().Format(time.RFC3339), pair.Leaf.NotAfter.UTC().Format(time.RFC3339))
		return
	}
	d.ok("agent-certificate", "%s and its key belong together", t.CertFile)
}
