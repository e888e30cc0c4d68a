package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/qredo-go/qredo/approver"
)

// settings are what a server must have so that it forgets nothing that it has acknowledged.
var settings = []struct{ name, must, why string }{
	{"appendonly", "yes", "it keeps no append-only file, and forgets everything when it ends"},
	{"appendfsync", "always", "it may forget the last second"},
	{"no-appendfsync-on-rewrite", "no", "it may forget what it was told while it rewrites its file"},
	{"maxmemory-policy", "noeviction", "it forgets decisions and sums when its memory is full"},
}

// checkServer refuses a server that may forget what it has acknowledged.
func checkServer(ctx context.Context, client redis.UniversalClient) error {
	const anyway = "or give WithVolatile if that may be: what it forgets as a whole is noticed then, and the rest is not"
	switch client.(type) {
	case *redis.ClusterClient, *redis.Ring:
		return errors.New("a cluster, or a ring of servers, cannot store a decision with what it spends in one step: use one server")
	}
	for _, s := range settings {
		have, err := client.ConfigGet(ctx, s.name).Result()
		switch {
		case err != nil && strings.Contains(err.Error(), "NOPERM"), err != nil && strings.Contains(err.Error(), "unknown command"):
			return fmt.Errorf("the server does not tell its settings: allow CONFIG GET and INFO to its user, %s: %w", anyway, err)
		case err != nil:
			return err
		case have[s.name] != s.must:
			return fmt.Errorf("the server has %s %q: %s; set it to %q (redis-server --%[1]s %[4]s), %s", s.name, have[s.name], s.why, s.must, anyway)
		}
	}
	info, err := client.Info(ctx).Result()
	if err != nil {
		return err
	}
	for _, must := range []struct{ line, why string }{
		{"role:master", "the server is a replica: use the primary"},
		{"aof_last_write_status:ok", "the server cannot write its append-only file: see its log"},
		{"cluster_enabled:0", "the server belongs to a cluster, which is not supported: a failover may lose decisions and sums"},
	} {
		if !strings.Contains(info, must.line+"\r\n") {
			return errors.New(must.why)
		}
	}
	return nil
}

// form is the version of the keys' form. Version 1 of this module's 0.1.0 had no key that says so, and neither had the first of version 2.
const form = 2

func (s *Store) formKey() string { return s.prefix + ":form" }

// checkForm refuses keys of a later version.
func (s *Store) checkForm(ctx context.Context) error {
	found, err := s.client.Get(ctx, s.formKey()).Int()
	switch {
	case errors.Is(err, redis.Nil):
		return nil
	case err != nil:
		return fmt.Errorf("the key %s: %w", s.formKey(), err)
	case found > form:
		return fmt.Errorf("the keys %s:* have form %d, this program knows form %d: it is too old, use a later version", s.prefix, found, form)
	}
	return nil
}

// begin reads the store's epoch, or draws one for a store that has just been made.
func (s *Store) begin(ctx context.Context) error {
	if err := s.checkForm(ctx); err != nil {
		return err
	}
	epoch, err := s.readEpoch(ctx)
	if err != nil {
		return err
	}
	if epoch == "" && !s.accepted {
		if err := s.checkUnused(ctx); err != nil {
			return err
		}
	}
	switch lost := strings.HasPrefix(epoch, lostMark); {
	case lost && !s.accepted:
		return &approver.LostError{Before: strings.TrimPrefix(epoch, lostMark)}
	case lost, epoch == "" && s.accepted:
		err = s.beginAnew(ctx, epoch)
	case epoch == "":
		err = s.draw(ctx) // or another's that starts too
	}
	if err == nil {
		err = s.client.SetNX(ctx, s.formKey(), form, 0).Err()
	}
	if err == nil {
		s.epoch, err = s.readEpoch(ctx)
	}
	if err == nil {
		err = s.checkSeals(ctx)
	}
	return err
}

// lostMark begins what the script puts in the place of an epoch that is gone.
const lostMark = "lost after "

func (s *Store) readEpoch(ctx context.Context) (string, error) {
	epoch, err := s.client.Get(ctx, s.epochKey()).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return epoch, err
}

// checkUnused refuses a store without an epoch that holds something.
func (s *Store) checkUnused(ctx context.Context) error {
	keys := s.client.Scan(ctx, 0, globbed.Replace(s.prefix)+":*", 1000).Iterator()
	for keys.Next(ctx) {
		if key := keys.Val(); key != s.epochKey() && key != s.formKey() && !strings.HasPrefix(key, s.lockKey("")) {
			if epoch, err := s.readEpoch(ctx); err != nil || epoch != "" { // another program has begun meanwhile
				return err
			}
			return fmt.Errorf("the key %s is there, but no epoch: version 0.1.0 has written it, whose limits are not carried on, or the epoch was removed. "+
				"Let what it decided come to its end, then run qredo agent accept-loss: limits begin anew", key)
		}
	}
	return keys.Err()
}

var globbed = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)
