package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	goredis "github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/postgres"
	"github.com/qredo-go/qredo/approver/redis"
	"github.com/qredo-go/qredo/internal/durable"
)

// agentPlace is where an approver keeps its decisions and the counts of its limits.
type agentPlace struct {
	file, redis, prefix, database string
	sealing, olderSealing         string // files of the keys of its seals
	insecure                      bool   // accepts files that others can write
	volatile                      bool   // accepts a Redis server that may forget: only where nothing is counted
}

// fileOptions are the options of files that an approver uses.
func fileOptions(a *app, insecure bool) []approver.FileOption {
	opts := []approver.FileOption{approver.WithClock(a.now)}
	if insecure {
		opts = append(opts, approver.WithInsecureFiles())
	}
	return opts
}

// openLog opens the audit log.
func (p *agentPlace) openLog(a *app, path string) (*approver.AuditLog, error) {
	opts := []approver.AuditOption{approver.WithClock(a.now)}
	if p.insecure {
		opts = append(opts, approver.WithInsecureFiles())
	}
	return approver.OpenAuditLog(path, opts...)
}

func insecureFlag(f *flagSet, insecure *bool) {
	f.BoolVar(insecure, "insecure-files", false, "accept files that other users could have written")
}

func (p *agentPlace) flags(f *flagSet) {
	f.StringVar(&p.file, "store", "", "file that keeps decisions and the counts of limits")
	f.StringVar(&p.database, "database", "", "URL of a PostgreSQL database to keep them in, for several replicas (default $QREDO_AGENT_DATABASE)")
	f.StringVar(&p.redis, "redis", "", "URL of a Redis server to keep them in, for several replicas (default $QREDO_AGENT_REDIS)")
	f.StringVar(&p.prefix, "redis-prefix", "qredo-agent", "prefix of the keys in Redis")
	f.StringVar(&p.sealing, "sealing-key-file", "", "file that holds the key of the store's seals (default $QREDO_AGENT_SEALING_KEY_FILE)")
	insecureFlag(f, &p.insecure)
}

// find fills in what is missing from the environment, and returns how many places are given.
func (p *agentPlace) find(a *app) (n int) {
	if p.file == "" && p.redis == "" && p.database == "" {
		p.redis, p.database = a.env("QREDO_AGENT_REDIS"), a.env("QREDO_AGENT_DATABASE")
	}
	for _, place := range []string{p.file, p.redis, p.database} {
		if place != "" {
			n++
		}
	}
	return n
}

// agentStore is an open store. Replicas that share one coordinate through it; a file serves one program.
type agentStore struct {
	approver.Store
	approver.Coordinator // nil for a file
	close                func() error
}

// sealingKeys reads the keys of the store's seals: none, one, or the one before it too.
func (p *agentPlace) sealingKeys(a *app) (keys [][]byte, err error) {
	paths := []string{cmp.Or(p.sealing, a.env("QREDO_AGENT_SEALING_KEY_FILE")), p.olderSealing}
	for i, flag := range []string{"--sealing-key-file", "--older-sealing-key-file"} {
		switch {
		case paths[i] == "":
			continue
		case i > len(keys):
			return nil, usagef("--older-sealing-key-file needs --sealing-key-file")
		}
		if err := durable.CheckPrivate(paths[i]); err != nil && !p.insecure {
			return nil, fmt.Errorf("%s: %w", flag, err)
		}
		key, err := os.ReadFile(paths[i])
		if err != nil {
			return nil, usagef("%s: %v", flag, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// open opens the store. With accepted it also opens one that has lost its memory.
func (p *agentPlace) open(ctx context.Context, a *app, accepted bool) (s agentStore, err error) {
	return p.openUnsealed(ctx, a, accepted, false)
}

// openUnsealed is open, and seals a store that has no seals yet if unsealed is true.
func (p *agentPlace) openUnsealed(ctx context.Context, a *app, accepted, unsealed bool) (s agentStore, err error) {
	keys, err := p.sealingKeys(a)
	if err != nil {
		return s, err
	}
	switch {
	case p.file != "":
		opts := fileOptions(a, p.insecure)
		if keys != nil {
			opts = append(opts, approver.WithSealingKey(keys[0], keys[1:]...))
		}
		if unsealed {
			opts = append(opts, approver.WithUnsealedAccepted())
		}
		store, err := approver.OpenStore(p.file, opts...)
		if err != nil {
			return s, err
		}
		return agentStore{store, nil, store.Close}, nil
	case p.database != "":
		var opts []postgres.Option
		if accepted {
			opts = append(opts, postgres.WithLossAccepted())
		}
		if keys != nil {
			opts = append(opts, postgres.WithSealingKey(keys[0], keys[1:]...))
		}
		if unsealed {
			opts = append(opts, postgres.WithUnsealedAccepted())
		}
		store, err := postgres.Open(ctx, p.database, opts...)
		if err != nil {
			return s, err
		}
		return agentStore{store, store, store.Close}, nil
	}
	at, err := goredis.ParseURL(p.redis)
	if err != nil {
		return s, usagef("--redis must be the URL of a server, such as redis://127.0.0.1:6379/0 or rediss://user:password@host:6379") // the error may show the password
	}
	var opts []redis.Option
	if accepted {
		opts = append(opts, redis.WithLossAccepted())
	}
	if keys != nil {
		opts = append(opts, redis.WithSealingKey(keys[0], keys[1:]...))
	}
	if unsealed {
		opts = append(opts, redis.WithUnsealedAccepted())
	}
	if p.volatile {
		opts = append(opts, redis.WithVolatile())
	}
	client := goredis.NewClient(at)
	store, err := redis.New(ctx, client, p.prefix, opts...)
	if err != nil {
		return s, errors.Join(err, client.Close())
	}
	return agentStore{store, store, client.Close}, nil
}

func (a *app) agentAcceptLoss() *cobra.Command {
	var place agentPlace
	var auditPath, reason string
	return a.command(command{
		use: "accept-loss", short: "Accept that limits start again from zero after their store lost its memory",
		long: `"agent run" approves nothing if the store has lost its memory: it was emptied, created again or restored to an earlier
state, or the audit log belongs to another store. The counts of limits are gone then, so each limit could be used up a
second time.

Stop all replicas, and find out from the audit logs what was approved within the windows of the limits. Then run this
command for the audit log of each replica. It records who accepted that limits start again from zero, and why.

A missing file may only have been moved: put it back instead of accepting its loss. A missing store or log is an error
here: "agent run" creates the new store before it refuses to use it.`,
		example: "qredo agent accept-loss --store decisions.db --audit-log audit.jsonl --reason 'Bob: the disk failed; 3 payments of today are not counted'",
		flags: func(f *flagSet) {
			place.flags(f)
			f.StringVar(&auditPath, "audit-log", "", "file of the audit log")
			f.StringVar(&reason, "reason", "", "who accepts the loss and why")
			required(f, "audit-log", "reason")
		},
		check: func() error {
			if place.find(a) != 1 {
				return usagef("one of --store, --database and --redis must be given")
			}
			return nil
		},
		run: func(ctx context.Context, _ []string) (err error) {
			// A store or log that is created here would be accepted, whatever the intended one has lost.
			for what, path := range map[string]string{"store": place.file, "audit log": auditPath} {
				if _, err := os.Stat(path); path != "" && err != nil {
					return usagef("accept-loss does not create the %s: %v. Give the path that \"qredo agent run\" uses", what, err)
				}
			}
			log, err := place.openLog(a, auditPath)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, log.Close()) }()
			store, err := place.open(ctx, a, true)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, store.close()) }()
			before := log.Epoch()
			lost, err := approver.AcceptLoss(ctx, log, store.Store, reason)
			if err == nil && !lost {
				return fmt.Errorf("nothing was lost: %s knows the store, in epoch %s", auditPath, before)
			}
			return a.done(err, "limits start again from zero, in epoch %s", store.Epoch())
		},
	})
}

func (a *app) agentSeal() *cobra.Command {
	var place agentPlace
	return a.command(command{
		use: "seal", short: "Seal an approver's store with a key, or with another one",
		long: `Sealed, a store that somebody else can write to makes no approver approve: what was not written by a program that has the key
is refused. From then on give "agent run" and "signing-agent serve" the same key. A new store is sealed from the start if
they have a key.

Stop all approvers first. Whatever a store without seals has is taken for right: find out who could have written to it.

To change the key, stop all approvers, run this with the new file and, as --older-sealing-key-file, the old one, and start
all approvers with the new one.

The key is all the bytes of its file, 16 or more. Only you may be able to read it.`,
		example: `qredo agent seal --store decisions.db --sealing-key-file sealing.key
			qredo agent seal --store decisions.db --sealing-key-file new.key --older-sealing-key-file sealing.key`,
		flags: func(f *flagSet) {
			place.flags(f)
			f.StringVar(&place.olderSealing, "older-sealing-key-file", "", "file that holds the key that the store is sealed with now, to change it")
		},
		check: func() error {
			if place.find(a) != 1 {
				return usagef("one of --store, --database and --redis must be given")
			}
			return nil
		},
		run: func(ctx context.Context, _ []string) error {
			switch keys, err := place.sealingKeys(a); {
			case err != nil:
				return err
			case keys == nil:
				return usagef("--sealing-key-file must be given, or QREDO_AGENT_SEALING_KEY_FILE be set")
			}
			if _, err := os.Stat(place.file); place.file != "" && err != nil {
				return usagef("there is no store: %v", err) // it would be made
			}
			store, err := place.openUnsealed(ctx, a, false, true)
			if err != nil {
				return err
			}
			return a.done(store.close(), "the store is sealed, in epoch %s", store.Epoch())
		},
	})
}
